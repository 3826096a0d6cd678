//! A small site with state, and a manager and the connector beside it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use omni_connector::{ServerConfig, SyncType, prelude::*};
use omni_connector_dev::{
    Manager, Options, Progress,
    store::{
        StoreError, contents,
        documents::{self, StoredDocument},
        runs::RunStatus,
        sources,
    },
};
use tokio::task::JoinHandle;
use web::Web;

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

pub(crate) struct Test {
    pub(crate) url: String,
    world: Arc<Mutex<World>>,
    manager: Manager,
    source: String,
    tasks: Vec<JoinHandle<()>>,
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
        found = status(304);
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
    /// A site with these pages, which allows a hundred requests a second.
    pub(crate) async fn start(pages: &[(&str, Answer)], mut config: Value) -> Self {
        let mut world = World::default();
        let robots = "User-agent: *\nCrawl-delay: 0.01\nDisallow: /private/\n";
        let robots = Answer {
            status: 200,
            headers: vec![("content-type", "text/plain".into())],
            body: robots.into(),
        };
        world.pages.insert("/robots.txt".into(), robots);
        for (path, page) in pages {
            world.pages.insert((*path).into(), page.clone());
        }
        let world = Arc::new(Mutex::new(world));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&world));
        let served = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });

        let mut options = Options::default();
        options.calls.sync_retries = Vec::new();
        options.runs.tick = None;
        options.runs.resumes = 0;
        let manager = Manager::start(options).await.unwrap();
        if config.get("root_url").is_none() {
            config["root_url"] = format!("{url}/").into();
        }
        let source = manager.source("site", "web", config).await.unwrap().id;
        let listening = ServerConfig::loopback(manager.url());
        let task = tokio::spawn(async move {
            drop(omni_connector::serve_with_config(Web, listening).await);
        });
        let patience = Duration::from_secs(30);
        manager.registration("web", patience).await.unwrap();
        Self {
            url,
            world,
            manager,
            source,
            tasks: vec![served, task],
        }
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

    pub(crate) async fn configure(&self, key: &'static str, value: Value) {
        let id = self.source.clone();
        let changed = self.manager.store().write(move |db| {
            let mut source = sources::find(db, &id)?.unwrap();
            source.config[key] = value;
            sources::put(db, &source)?;
            Ok::<_, StoreError>(())
        });
        changed.await.unwrap();
    }

    pub(crate) async fn run(&self, mode: SyncType) -> Progress {
        let run = self.manager.sync(&self.source, mode).await.unwrap();
        let wait = self.manager.wait(&run.id, |_| {});
        tokio::time::timeout(Duration::from_mins(1), wait)
            .await
            .unwrap()
            .unwrap()
    }

    pub(crate) async fn completes(&self, mode: SyncType) -> Progress {
        let progress = self.run(mode).await;
        let run = &progress.run;
        assert_eq!(
            (run.status, run.error_message.as_deref()),
            (RunStatus::Completed, None)
        );
        progress
    }

    /// Runs a sync that fails, and gives its message.
    pub(crate) async fn fails(&self, mode: SyncType) -> String {
        let progress = self.run(mode).await;
        assert_eq!(progress.run.status, RunStatus::Failed);
        progress.run.error_message.unwrap()
    }

    /// Why a run was refused before it began.
    pub(crate) async fn refusal(&self) -> String {
        let refused = self.manager.sync(&self.source, SyncType::Full).await;
        format!("{:?}", refused.unwrap_err())
    }

    /// The documents with their texts, by their addresses without the site's.
    pub(crate) async fn documents(&self) -> BTreeMap<String, (StoredDocument, String)> {
        let id = self.source.clone();
        let read = self.manager.store().read(move |db| {
            let mut found = Vec::new();
            for it in documents::of_source(db, &id)? {
                let text = contents::find(db, &it.content_id)?.unwrap_or_default();
                found.push((it, text));
            }
            Ok::<_, StoreError>(found)
        });
        let path = |id: &str| {
            let url = String::from_utf8(URL_SAFE_NO_PAD.decode(id).unwrap()).unwrap();
            url.strip_prefix(&self.url).unwrap_or(&url).to_owned()
        };
        let found = read.await.unwrap().into_iter();
        found.map(|it| (path(&it.0.document_id), it)).collect()
    }

    pub(crate) async fn paths(&self) -> Vec<String> {
        self.documents().await.into_keys().collect()
    }
}

impl Drop for Test {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
