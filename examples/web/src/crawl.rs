//! Crawls a site. The known pages and the pages to visit are one saved structure: the graph of links.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use omni_connector::{Walk, prelude::*};
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use crate::{
    fetch::{Allowed, Body, Got, Site, Version, leads_away},
    page,
    settings::{Settings, address, id},
};

/// The number of consecutive failures after which a site counts as down.
const DOWN: usize = 10;
/// The number of remembered addresses for each page that may be visited.
const REMEMBERED: usize = 10;

/// The state of a source.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "Saved")]
pub struct Known {
    /// The run that last changed the state.
    run: String,
    documents: Inventory<String>,
    graph: Vec<Node>,
}

/// A saved state: ours, or the `pages` of Omni's own connector, whose documents are then known.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Saved {
    run: String,
    documents: Option<Inventory<String>>,
    graph: Vec<Node>,
    #[allow(
        clippy::zero_sized_map_values,
        reason = "only the keys are read, whatever the values are"
    )]
    pages: BTreeMap<String, IgnoredAny>,
}

impl From<Saved> for Known {
    fn from(saved: Saved) -> Self {
        let omnis = saved.pages.into_keys().map(|id| (id, None));
        Self {
            run: saved.run,
            documents: saved.documents.unwrap_or_else(|| omnis.collect()),
            graph: saved.graph,
        }
    }
}

/// A page or sitemap, visited or not.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Node {
    url: String,
    #[serde(flatten)]
    version: Version,
    /// The hash of its document, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    /// Indexes in the graph.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<usize>,
    is_sitemap: bool,
    /// Whether it was read in this run.
    is_done: bool,
}

/// The order of visits: breadth first, in the order of the pages' links.
struct Way {
    places: HashMap<String, usize>,
    queue: VecDeque<(usize, u32)>,
    queued: HashSet<usize>,
    most: usize,
    /// Whether unseen documents may be deleted.
    is_whole: bool,
}

impl Way {
    fn of(graph: &[Node], settings: &Settings) -> Self {
        let urls = graph.iter().enumerate();
        Self {
            places: urls.map(|(at, node)| (node.url.clone(), at)).collect(),
            queue: VecDeque::new(),
            queued: HashSet::new(),
            most: settings
                .pages()
                .saturating_mul(REMEMBERED)
                .saturating_add(1_000),
            is_whole: true,
        }
    }

    fn place(&mut self, graph: &mut Vec<Node>, url: &Url, is_sitemap: bool) -> Option<usize> {
        if let Some(at) = self.places.get(url.as_str()) {
            return Some(*at);
        }
        if graph.len() >= self.most {
            self.is_whole = false;
            return None;
        }
        self.places.insert(url.to_string(), graph.len());
        graph.push(Node {
            url: url.to_string(),
            is_sitemap,
            ..Node::default()
        });
        Some(graph.len() - 1)
    }

    fn go(&mut self, at: usize, depth: u32) {
        if self.queued.insert(at) {
            self.queue.push_back((at, depth));
        }
    }
}

/// Updates Omni from a site.
pub(crate) async fn run(
    settings: &Settings,
    mut known: Checkpoint<Known>,
    ctx: &SyncContext,
) -> Result<()> {
    if !ctx.is_resume() || known.run != ctx.sync_run_id() {
        known.graph.iter_mut().for_each(|it| it.is_done = false);
        ctx.sync_run_id().clone_into(&mut known.run);
    }
    let root = settings.root();
    let mut site = Site::open(settings).await?;
    match site.allows(&root).await {
        Allowed::Yes => {}
        Allowed::No => bail!(
            "the site's robots.txt forbids `root_url`; ask its owner, or switch `respect_robots_txt` off if the site is yours"
        ),
        Allowed::Unknown => bail!(
            "the robots.txt of `root_url` cannot be read now, so nothing may be; the next run tries again"
        ),
    }
    let mut crawl = Crawl {
        way: Way::of(&known.graph, settings),
        walk: known.documents.walk(ctx),
        root,
        settings,
        known,
        site,
        ctx,
        visited: 0,
        failed_in_row: 0,
    };
    crawl.delete_unwanted().await?;
    crawl.begin();
    while let Some((at, depth)) = crawl.way.queue.pop_front() {
        if !crawl.visit(at, depth).await? {
            break;
        }
        crawl.known.save_now_and_then().await?;
    }
    if ctx.is_cancelled() {
        return Ok(());
    }
    if crawl.way.is_whole {
        let all = Walked::declared("no link is left to follow");
        crawl.walk.finish(all).await?;
    }
    Ok(crawl.known.save().await?)
}

/// A site while it is walked.
struct Crawl<'a> {
    settings: &'a Settings,
    ctx: &'a SyncContext,
    known: Checkpoint<Known>,
    site: Site<'a>,
    walk: Walk<String>,
    way: Way,
    root: Url,
    visited: usize,
    failed_in_row: usize,
}

impl Crawl<'_> {
    /// Deletes pages that the settings or the site's rules leave out by now.
    async fn delete_unwanted(&mut self) -> Result<()> {
        for id in self.known.documents.ids_in(&Part::whole()) {
            let Some(url) = address(&id) else { continue };
            if !self.settings.has(&url) || self.site.allows(&url).await == Allowed::No {
                self.walk.delete(&id).await?;
            }
        }
        Ok(())
    }

    /// Puts the root first, and the sitemaps behind it.
    fn begin(&mut self) {
        let sitemaps = self.site.sitemaps().into_iter().map(|it| (it, true));
        let starts = [(self.root.clone(), false)].into_iter().chain(sitemaps);
        for at in self.places(starts.collect::<Vec<_>>()) {
            self.way.go(at, 0);
        }
    }

    fn places(&mut self, links: impl IntoIterator<Item = (Url, bool)>) -> Vec<usize> {
        let links = links.into_iter();
        links
            .filter_map(|(url, is_sitemap)| self.way.place(&mut self.known.graph, &url, is_sitemap))
            .collect()
    }

    /// Looks at one place, and queues its links. False once no other one is to be looked at.
    async fn visit(&mut self, at: usize, depth: u32) -> Result<bool> {
        let node = &self.known.graph[at];
        let (url, is_sitemap) = (Url::parse(&node.url)?, node.is_sitemap);
        // The settings may have changed since the link was read.
        if !self.settings.has(&url) {
            return Ok(true);
        }
        if !is_sitemap {
            if self.visited == self.settings.pages() {
                let reason = "the source has more pages than `max_pages`";
                self.ctx.skip(self.root.as_str(), reason);
                self.way.is_whole = false;
                return Ok(false);
            }
            self.visited += 1;
        }
        let id = id(&url);
        match self.site.allows(&url).await {
            Allowed::Yes => {}
            Allowed::No => {
                self.ctx.skip(url, "the site's robots.txt forbids it");
                return Ok(true);
            }
            Allowed::Unknown => {
                self.way.is_whole = false;
                let why = "the robots.txt of its host cannot be read";
                self.walk.failed(&id, why, Some(url.as_str()));
                return Ok(true);
            }
        }
        let node = &self.known.graph[at];
        // A page can be kept only if Omni has its document.
        let hash = node.hash.as_ref();
        let is_current = hash.is_none_or(|hash| self.walk.is_current(&id, hash));
        let got = if node.is_done && is_current {
            Got::Same
        } else {
            self.ctx.working_on(url.as_str());
            let version = is_current.then_some(&node.version);
            tokio::select! {
                () = self.ctx.cancelled() => return Ok(false),
                got = self.site.fetch(&url, version, is_sitemap) => got,
            }
        };
        let has_failed = matches!(got, Got::Failed(_));
        self.failed_in_row = if has_failed {
            self.failed_in_row + 1
        } else {
            0
        };
        let place = Place {
            at,
            url,
            id,
            is_sitemap,
            is_current,
        };
        self.take(place, got).await?;
        if is_sitemap || depth < self.settings.depth() {
            for link in &self.known.graph[at].links {
                let is_sitemap = self.known.graph.get(*link).is_some_and(|it| it.is_sitemap);
                self.way.go(*link, if is_sitemap { 0 } else { depth + 1 });
            }
        }
        Ok(true)
    }

    /// Does what an answer asks for.
    async fn take(&mut self, place: Place, got: Got) -> Result<()> {
        let Place {
            at,
            url,
            id,
            is_sitemap,
            ..
        } = &place;
        let is_root = *url == self.root;
        let node = &mut self.known.graph[*at];
        match got {
            Got::Failed(why) | Got::Left(why) if is_root => {
                bail!("the page at `root_url` cannot be read: {why}; nothing was deleted")
            }
            Got::Textless(media_type) if is_root => {
                bail!(
                    "the page at `root_url` cannot be read: `{media_type}` has no text; nothing was deleted"
                )
            }
            Got::Gone if is_root => bail!("the page at `root_url` is gone; correct the setting"),
            Got::Moved(to) if is_root && !self.settings.has(&to) => bail!(leads_away(&to)),
            Got::Same => node.is_done = true,
            Got::Gone => {
                *node = Node {
                    url: url.to_string(),
                    is_sitemap: *is_sitemap,
                    is_done: true,
                    ..Node::default()
                };
                if self.known.documents.contains(id) {
                    self.walk.delete(id).await?;
                }
            }
            Got::Textless(media_type) => {
                self.walk.keep(id);
                let why = format_args!("`{media_type}` has no text");
                self.ctx.skip_with(url.as_str(), "it was not read", why);
            }
            Got::Left(why) => {
                self.way.is_whole &= *is_sitemap || !node.links.is_empty();
                self.walk.keep(id);
                self.ctx.skip_with(url.as_str(), "it was not read", why);
            }
            Got::Failed(why) => {
                self.way.is_whole &= !node.links.is_empty();
                if *is_sitemap {
                    let reason = "the sitemap could not be read";
                    self.ctx.skip_with(url.as_str(), reason, why);
                } else {
                    self.walk.failed(id, why, Some(url.as_str()));
                }
                ensure!(
                    self.failed_in_row < DOWN,
                    "{DOWN} pages of `root_url` in a row could not be read; the site is down, and nothing was deleted for that"
                );
            }
            Got::Moved(to) => {
                node.hash = None;
                node.is_done = true;
                self.link(*at, [(to, *is_sitemap)]);
            }
            Got::Body(body) if *is_sitemap => {
                node.version = body.version.clone();
                node.is_done = true;
                let found = spawn_blocking(move || page::read_sitemap(&body)).await?;
                self.link(*at, found);
            }
            Got::Body(body) => self.page(place, body).await?,
        }
        Ok(())
    }

    /// Notes where a place leads to, within the source.
    fn link(&mut self, at: usize, links: impl IntoIterator<Item = (Url, bool)>) {
        let settings = self.settings;
        let links = links.into_iter().filter(|(url, _)| settings.has(url));
        self.known.graph[at].links = self.places(links);
    }

    async fn page(&mut self, place: Place, body: Body) -> Result<()> {
        let Place {
            at,
            url,
            id,
            is_current,
            ..
        } = place;
        let agent = self.settings.agent().to_owned();
        let (mut page, mut body) =
            spawn_blocking(move || (page::read(&body, &agent), body)).await?;
        let canonical = page.canonical.take();
        let other = canonical.filter(|it| *it != url && self.settings.has(it));
        let links = page.links.drain(..).chain(other.clone());
        self.link(at, links.map(|it| (it, false)));
        let text = format!("{}\n\n{}", page.title, page.text);
        let hash = hash(if page.text.is_empty() {
            &body.bytes
        } else {
            text.as_bytes()
        });
        let has_document = !page.is_hidden && other.is_none();
        if page.is_hidden && self.known.documents.contains(&id) {
            self.walk.delete(&id).await?;
        }
        let node = &mut self.known.graph[at];
        let is_same = is_current && node.hash.as_ref() == Some(&hash);
        node.version = std::mem::take(&mut body.version);
        node.is_done = true;
        node.hash = has_document.then(|| hash.clone());
        if has_document && !is_same {
            let document = document(id, &url, &hash, page, text, body, &node.version);
            self.walk.upsert(document, &hash).await?;
        }
        Ok(())
    }
}

/// A place that was asked for.
struct Place {
    at: usize,
    url: Url,
    id: String,
    is_sitemap: bool,
    /// Whether Omni has the version that is known.
    is_current: bool,
}

fn document(
    id: String,
    url: &Url,
    hash: &str,
    page: page::Page,
    text: String,
    body: Body,
    version: &Version,
) -> Document<'static> {
    let is_file = page::is_document(&body.media_type);
    let document = Document::new(id, DocumentPermissions::public())
        .title(if page.title.is_empty() {
            url.to_string()
        } else {
            page.title
        })
        .url(url.as_str())
        .path(url.path())
        .content_type("webpage")
        .extra("domain", url.host_str())
        .extra("content_hash", hash)
        .extra("etag", &version.etag);
    if is_file {
        document.extract(body.bytes, body.media_type, page::file_name(url))
    } else {
        let size = body.bytes.len() as u64;
        let is_word = |it: &&str| it.contains(char::is_alphanumeric);
        let words = text.split_whitespace().filter(is_word).count();
        document
            .extra("word_count", words)
            .mime_type(body.media_type)
            .size(size)
            .text(text)
    }
}

fn hash(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut hex = String::new();
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
