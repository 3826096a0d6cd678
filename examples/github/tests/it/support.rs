//! A connector, a manager and a fake GitHub, and what Omni has in the end.

use std::{collections::BTreeMap, time::Duration};

use github::{Address, GitHub};
use omni_connector::{AuthType, McpServer, ServerConfig, SyncType, prelude::*};
use omni_connector_dev::{
    Manager, Options, Progress,
    store::{StoreError, checkpoints, contents, documents, people, runs::RunStatus, sources},
};
use tokio::task::JoinHandle;

use crate::fake::{Fake, TOKEN, World};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Test {
    pub(crate) github: Fake,
    pub(crate) manager: Manager,
    pub(crate) source: String,
    connector: Option<JoinHandle<()>>,
}

/// A document: title, text, readers and attributes.
pub(crate) type Found = (String, String, Value, Value);

pub(crate) fn options() -> Options {
    let mut options = Options::default();
    options.calls.sync_retries = Vec::new();
    options.calls.jitter = Duration::ZERO;
    options.runs.tick = Some(Duration::from_millis(50));
    options.runs.resumes = 1_000;
    options
}

pub(crate) fn config(manager: &Manager) -> ServerConfig {
    ServerConfig::loopback(manager.url())
}

impl Test {
    /// Everything that runs, with two repositories; a run that fails soon is no help here.
    pub(crate) async fn start() -> Self {
        let mut test = Self::without_connector(json!({})).await;
        let server = McpServer::http("http://127.0.0.1:9/mcp");
        let connector = GitHub::new(Address::parse(&test.github.url).unwrap(), server);
        let config = config(&test.manager);
        let task = tokio::spawn(async move {
            drop(omni_connector::serve_with_config(connector, config).await);
        });
        test.manager.registration("github", PATIENCE).await.unwrap();
        test.connector = Some(task);
        test
    }

    pub(crate) async fn without_connector(mut config: Value) -> Self {
        let github = Fake::start().await;
        fill(&mut github.world());
        let manager = Manager::start(options()).await.unwrap();
        config["api_url"] = github.url.clone().into();
        let source = manager.source("GitHub", "github", config).await.unwrap().id;
        let secret = json!({ "token": TOKEN });
        manager
            .put_credential(&source, None, "github", AuthType::BearerToken, secret)
            .await
            .unwrap();
        Self {
            github,
            manager,
            source,
            connector: None,
        }
    }

    pub(crate) async fn sync(&self, mode: SyncType) -> Progress {
        let run = self.manager.sync(&self.source, mode).await.unwrap();
        self.manager.wait(&run.id, |_| {}).await.unwrap()
    }

    /// A run that completes, after which Omni has exactly what GitHub has.
    pub(crate) async fn completes(&self, mode: SyncType) -> Progress {
        let progress = self.sync(mode).await;
        let run = &progress.run;
        assert_eq!(
            (run.status, run.error_message.as_deref()),
            (RunStatus::Completed, None)
        );
        self.has_all().await;
        progress
    }

    pub(crate) async fn change_config(&self, change: impl FnOnce(&mut Value) + Send + 'static) {
        let id = self.source.clone();
        let changed = self.manager.store().write(move |db| {
            let mut source = sources::find(db, &id)?.unwrap();
            change(&mut source.config);
            sources::put(db, &source)?;
            Ok::<_, StoreError>(())
        });
        changed.await.unwrap();
    }

    pub(crate) async fn put_checkpoint(&self, checkpoint: Value) {
        let id = self.source.clone();
        self.manager
            .store()
            .write(move |db| checkpoints::put(db, &id, &checkpoint))
            .await
            .unwrap();
    }

    pub(crate) async fn documents(&self) -> BTreeMap<String, Found> {
        let id = self.source.clone();
        let read = self.manager.store().read(move |db| {
            let mut found = BTreeMap::new();
            for it in documents::of_source(db, &id)? {
                let text = contents::find(db, &it.content_id)?.unwrap();
                found.insert(
                    it.document_id,
                    (it.title, text, it.permissions.unwrap(), it.attributes),
                );
            }
            Ok::<_, StoreError>(found)
        });
        read.await.unwrap()
    }

    pub(crate) async fn ids(&self) -> Vec<String> {
        self.documents().await.into_keys().collect()
    }

    pub(crate) async fn members(&self, group: &str) -> Vec<String> {
        let (id, group) = (self.source.clone(), group.to_owned());
        self.manager
            .store()
            .read(move |db| people::members_of(db, &id, &group))
            .await
            .unwrap()
    }

    /// Omni has every document of GitHub's, as it is there, for those who may read it, and no other one.
    pub(crate) async fn has_all(&self) {
        let found = self.documents().await;
        let expected = expected(&self.github.world());
        let ids: Vec<_> = expected.keys().collect();
        assert_eq!(found.keys().collect::<Vec<_>>(), ids);
        for (id, (title, texts, group)) in &expected {
            let (found, text, readers, _) = &found[id];
            assert_eq!(found, title);
            for part in texts {
                assert!(text.contains(part), "{id} lacks `{part}`: {text}");
            }
            assert_eq!(readers["public"], group.is_none(), "{id}");
            assert_eq!(
                readers["groups"],
                json!(group.iter().collect::<Vec<_>>()),
                "{id}"
            );
        }
    }
}

impl Drop for Test {
    fn drop(&mut self) {
        if let Some(connector) = &self.connector {
            connector.abort();
        }
    }
}

/// Title, what is in the text, and the group of those who may read it.
fn expected(world: &World) -> BTreeMap<String, (String, Vec<String>, Option<String>)> {
    let mut expected = BTreeMap::new();
    for repo in world.repos.iter().filter(|repo| !repo.fork) {
        let name = &repo.name;
        let group = repo.private.then(|| format!("github:repo:{name}"));
        let texts = repo.readme.iter().cloned().collect();
        expected.insert(
            format!("github:repo:{name}"),
            (name.clone(), texts, group.clone()),
        );
        for (number, issue) in &repo.issues {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let of_item = repo
                .comments
                .iter()
                .flatten()
                .filter(|it| it["number"] == *number);
            let texts = of_item
                .map(|it| text(&it["body"]))
                .chain([text(&issue["body"])])
                .collect();
            let (kind, named) = if issue.get("pull_request").is_some() {
                ("pr", "PR")
            } else {
                ("issue", "Issue")
            };
            let title = format!("[{name}] {named} #{number}: {}", text(&issue["title"]));
            expected.insert(
                format!("github:{kind}:{name}#{number}"),
                (title, texts, group.clone()),
            );
        }
        for (number, it) in &repo.discussions {
            let title = format!(
                "[{name}] Discussion #{number}: {}",
                it["title"].as_str().unwrap()
            );
            expected.insert(
                format!("github:discussion:{name}#{number}"),
                (title, vec!["Not much.".to_owned()], group.clone()),
            );
        }
    }
    expected
}

/// A public and a private repository, some of everything in them, and a fork.
pub(crate) fn fill(world: &mut World) {
    world.add("acme/tea").readme = Some("# How to make tea".to_owned());
    world.add("acme/secret").private = true;
    world.add("acme/fork").fork = true;
    for repo in ["acme/tea", "acme/secret"] {
        for number in 1..=5 {
            world.issue(repo, number, &format!("Cup {number}"), Value::Null);
        }
        world.issue(
            repo,
            6,
            "Boil water",
            json!({ "merged_at": "2026-01-01T00:00:00Z" }),
        );
        world.issue(repo, 7, "Cool water", json!({ "merged_at": null }));
        world.discussion(repo, 8, "Milk?");
        world.discussion(repo, 9, "Sugar?");
        world.comment(repo, 1, "First of all.", None);
        world.comment(repo, 1, "Second to none.", None);
        world.comment(repo, 6, "Hot!", None);
        world.comment(repo, 6, "Not hot enough.", Some("kettle.rs"));
    }
}
