//! A small site with state behind the setup of `omni-connector-dev`.

use std::{
    collections::BTreeMap,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use omni_connector::prelude::*;
use omni_connector_dev::testing::{Fault, Found, Journal, Proxy, Setup};
use tokio::task::JoinHandle;

#[derive(Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn html(body: &str) -> Answer {
    Answer {
        status: 200,
        headers: vec![("content-type", "text/html; charset=utf-8".into())],
        body: body.into(),
    }
}

pub(crate) fn plain(body: &str) -> Answer {
    Answer {
        headers: vec![("content-type", "text/plain".into())],
        ..html(body)
    }
}

pub(crate) fn status(status: u16) -> Answer {
    Answer {
        status,
        ..Answer::default()
    }
}

pub(crate) fn redirect(code: u16, to: &str) -> Answer {
    Answer {
        headers: vec![("location", to.into())],
        ..status(code)
    }
}

/// What was asked: the path, whether with a condition, and the status of the answer.
pub(crate) type Asked = (String, bool, u16);

#[derive(Default)]
pub(crate) struct World {
    pub(crate) pages: BTreeMap<String, Answer>,
    /// Answers what no page does.
    pub(crate) others: Option<fn(&str) -> Answer>,
    pub(crate) asked: Vec<Asked>,
    /// The status of every answer, while the site is down.
    pub(crate) down: Option<u16>,
}

/// A site that is served on loopback, until it is dropped.
pub(crate) struct Site {
    pub(crate) url: String,
    world: Arc<Mutex<World>>,
    served: JoinHandle<()>,
}

impl Site {
    /// Serves these pages, and a robots.txt that allows a hundred requests a second.
    pub(crate) fn of(pages: &[(&str, Answer)]) -> Self {
        let mut world = World::default();
        let robots = "User-agent: *\nCrawl-delay: 0.01\nDisallow: /private/\n";
        world.pages.insert("/robots.txt".into(), plain(robots));
        for (path, page) in pages {
            world.pages.insert((*path).into(), page.clone());
        }
        let world = Arc::new(Mutex::new(world));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&world));
        let served = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        Self { url, world, served }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(crate) fn set(&self, path: &str, page: Answer) {
        self.world().pages.insert(path.into(), page);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.world().asked)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.served.abort();
    }
}

/// A site as the source of a setup, perhaps behind a proxy that breaks requests.
pub(crate) struct Test {
    pub(crate) url: String,
    site: Site,
    setup: Setup,
    _proxy: Option<Proxy>,
}

impl Deref for Test {
    type Target = Setup;

    fn deref(&self) -> &Setup {
        &self.setup
    }
}

async fn answer(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response<Body> {
    let mut world = world.lock().unwrap();
    let path = request.uri().path_and_query().unwrap().to_string();
    let condition = request.headers().get("if-none-match").cloned();
    let others = world.others;
    let found = world.pages.get(&path).cloned();
    let mut found = found
        .or_else(|| others.map(|it| it(&path)))
        .unwrap_or_else(|| status(404));
    if let Some(down) = world.down {
        found = status(down);
    }
    let hash = found
        .body
        .iter()
        .fold(7u64, |hash, it| hash.wrapping_mul(31) + u64::from(*it));
    let etag = format!("\"{hash:x}\"");
    if found.status == 200 && condition.as_ref().is_some_and(|it| *it == etag) {
        (found.status, found.body) = (304, Vec::new());
    }
    if path != "/robots.txt" && path != "/sitemap.xml" && request.method() == "GET" {
        world.asked.push((path, condition.is_some(), found.status));
    }
    let mut response = Response::builder()
        .status(found.status)
        .header("etag", etag);
    for (name, value) in found.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(found.body)).unwrap()
}

impl Test {
    /// A source of these pages.
    pub(crate) async fn start(pages: &[(&str, Answer)], config: Value) -> Self {
        let site = Site::of(pages);
        let url = site.url.clone();
        Self::at(site, url, config, None).await
    }

    /// The same behind a proxy, whose plan is asked for each request.
    pub(crate) async fn broken(
        pages: &[(&str, Answer)],
        plan: impl Fn(&str, usize) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        let site = Site::of(pages);
        let proxy = Proxy::to_source(&site.url, Box::new(plan), Journal::default());
        let proxy = proxy.await.unwrap();
        let url = proxy.url();
        Self::at(site, url, json!({}), Some(proxy)).await
    }

    async fn at(site: Site, url: String, mut config: Value, proxy: Option<Proxy>) -> Self {
        if config.get("root_url").is_none() {
            config["root_url"] = format!("{url}/").into();
        }
        let setup = Setup::of(env!("CARGO_BIN_EXE_web")).config(config);
        Self {
            url,
            site,
            setup: setup.start().await,
            _proxy: proxy,
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.site.world()
    }

    pub(crate) fn set(&self, path: &str, page: Answer) {
        self.site.set(path, page);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.site.asked()
    }

    /// The documents by their addresses without the site's.
    pub(crate) async fn by_path(&self) -> BTreeMap<String, Found> {
        let path = |id: &str| {
            let url = String::from_utf8(URL_SAFE_NO_PAD.decode(id).unwrap()).unwrap();
            url.strip_prefix(&self.url).unwrap_or(&url).to_owned()
        };
        let found = self.documents().await;
        found.iter().map(|it| (path(&it.id), it.clone())).collect()
    }

    pub(crate) async fn paths(&self) -> Vec<String> {
        self.by_path().await.into_keys().collect()
    }
}
