//! A site of pages that change, as the source of the conformance checks.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use omni_connector::SyncType::Full;
use omni_connector_dev::testing::{
    Change, Fault, Journal, Oddity, Process, Proxy, Setup, Source, Unable,
};
use serde_json::json;

use crate::site::{Site, html, plain, status};

/// A page has links to all others up to this number. The sitemap has the rest.
const LINKED: usize = 200;

pub(crate) struct Handbook {
    site: Site,
    pages: Mutex<Vec<Page>>,
}

#[derive(Clone)]
struct Page {
    path: String,
    title: String,
    text: String,
}

impl Page {
    fn of(number: usize) -> Self {
        Self {
            path: format!("/page/{number}"),
            title: format!("Page {number}"),
            text: format!("The text of page {number}."),
        }
    }
}

impl Handbook {
    /// Serves a root and this many pages.
    pub(crate) fn of(pages: usize) -> Self {
        Self::slow(pages, 0.001)
    }

    /// The same with this delay between two pages, in seconds.
    pub(crate) fn slow(pages: usize, delay: f32) -> Self {
        let robots = format!("User-agent: *\nCrawl-delay: {delay}\n");
        let site = Site::of(&[("/robots.txt", plain(&robots))]);
        let pages = (0..pages).map(Page::of).collect::<Vec<_>>();
        let handbook = Self {
            site,
            pages: Mutex::new(pages),
        };
        handbook.publish();
        handbook
    }

    /// Returns how often pages were asked for.
    pub(crate) fn asked(&self) -> usize {
        self.site.asked().len()
    }

    fn publish(&self) {
        let pages = self.pages.lock().unwrap();
        let mut world = self.site.world();
        for page in world.pages.keys().cloned().collect::<Vec<_>>() {
            if page.starts_with("/page/") {
                world.pages.insert(page, status(404));
            }
        }
        let links = pages.iter().take(LINKED);
        let links = links.map(|it| format!("<a href={}>to</a> ", it.path));
        let links = links.collect::<Vec<_>>().concat();
        let nav = format!("<nav>{links}</nav>");
        world.pages.insert(
            "/".into(),
            html(&format!("<title>Root</title>{nav}<p>The root.")),
        );
        for Page { path, title, text } in &*pages {
            let title = if title.is_empty() {
                String::new()
            } else {
                format!("<title>{title}</title>")
            };
            let page = html(&format!("{title}{nav}<p>{text}</p>"));
            world.pages.insert(path.clone(), page);
        }
        let map = pages
            .iter()
            .map(|it| format!("{}{}\n", self.site.url, it.path));
        let map = map.collect::<Vec<_>>().concat();
        world.pages.insert("/sitemap.xml".into(), plain(&map));
    }
}

impl Source for Handbook {
    fn url(&self) -> String {
        self.site.url.clone()
    }

    fn change(&self, change: &Change) -> Result<(), Unable> {
        let unable = || Unable(format!("this source cannot {change}"));
        {
            let mut pages = self.pages.lock().unwrap();
            let mut edit = |number: &usize, edit: &dyn Fn(&mut Page)| {
                pages.get_mut(*number).map(edit).ok_or_else(unable)
            };
            match change {
                Change::Edit(number) => edit(number, &|it| it.text = "Other words.".into())?,
                Change::Rename(number) => edit(number, &|it| it.title = "Another title".into())?,
                Change::Odd(number, Oddity::NoTitle) => edit(number, &|it| it.title.clear())?,
                Change::Odd(number, Oddity::NullText) => edit(number, &|it| it.text.clear())?,
                Change::Odd(number, Oddity::ControlCharacters) => {
                    edit(number, &|it| it.text = "a\u{0}b\u{7}c\u{202e}d".into())?;
                }
                Change::Odd(number, Oddity::HugeText) => {
                    edit(number, &|it| it.text = "lorem ipsum ".repeat(833_334))?;
                }
                Change::Remove(number) if *number < pages.len() => drop(pages.remove(*number)),
                Change::RemoveMost => pages.truncate(1),
                Change::RemoveAll => pages.clear(),
                Change::Add => {
                    let number = pages.len();
                    pages.push(Page::of(number));
                }
                Change::Grow(count) => *pages = (0..*count).map(Page::of).collect(),
                _ => return Err(unable()),
            }
        }
        self.publish();
        Ok(())
    }
}

#[tokio::test]
async fn a_crawl_that_is_killed_goes_on_where_it_was_saved() {
    let handbook = Handbook::slow(40, 0.1);
    let process = Arc::new(OnceLock::<Arc<Process>>::new());
    let (victim, was_killed) = (Arc::clone(&process), AtomicBool::new(false));
    // The state is saved every two seconds, which is before the 32nd page.
    let kill: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
        if !was_killed.swap(true, Ordering::Relaxed) {
            victim.get().unwrap().restart().unwrap();
        }
    });
    let plan =
        move |route: &str, _| (route == "GET /page/31").then(|| Fault::DoBefore(Arc::clone(&kill)));
    let url = handbook.url();
    let proxy = Proxy::to_source(&url, Box::new(plan), Journal::default())
        .await
        .unwrap();
    let config = json!({ "root_url": proxy.url() });
    let setup = Setup::of(env!("CARGO_BIN_EXE_web")).config(config);
    let setup = setup.start().await;
    assert!(process.set(setup.process()).is_ok());
    let ended = setup.run(Full).await;
    assert!(ended.is_completed(), "{ended:?}");
    // The 32nd page is reset a second time, by the plan.
    assert_eq!(ended.failures(), 1, "{:?}", ended.report());
    assert_eq!(setup.documents().await.len(), 40);
    let asked = handbook.asked();
    assert!((40..60).contains(&asked), "asked for {asked} pages");
}

#[tokio::test]
async fn a_page_with_two_hundred_links_takes_few_bytes_of_the_checkpoint() {
    let handbook = Handbook::of(500);
    let config = json!({ "root_url": handbook.url() });
    let setup = Setup::of(env!("CARGO_BIN_EXE_web")).config(config);
    let setup = setup.start().await;
    setup.sync(Full).await;
    assert_eq!(setup.documents().await.len(), 501);
    let checkpoint = setup.checkpoint().await.unwrap().to_string().len();
    assert!(checkpoint < 501 * 35, "{} bytes a page", checkpoint / 501);
}
