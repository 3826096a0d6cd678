//! A Nextcloud behind the setup of `omni-connector-dev`.

use std::ops::Deref;

use omni_connector::{AuthType, SyncType};
use omni_connector_dev::testing::{
    self, Ended, Fault, Journal, Proxy, Setup, SetupBuilder, Source,
};
use serde_json::{Value, json};

use crate::cloud::{Cloud, LOGIN, PASSWORD};

/// Seven files with a text, one without, and a picture.
pub(crate) const TREE: [(&str, &str); 9] = [
    ("/readme.md", "# Readme\n\nThe lighthouse keeps a ledger."),
    ("/empty.txt", ""),
    ("/picture.png", "not really a picture"),
    ("/notes/plan.txt", "Paint the boats."),
    ("/notes/deep/er/leaf.md", "A leaf."),
    ("/notes/deep/er/twig.md", "A twig."),
    ("/tables/boats.txt", "boat,year\nIda,1931\n"),
    ("/tables/old/tides.txt", "day,tide\nmonday,high\n"),
    ("/Ünïcode & 100%/größe #1.txt", "Names with odd signs."),
];

pub(crate) struct Test {
    pub(crate) cloud: Cloud,
    setup: Setup,
    /// Between the connector and the server, if anything is.
    _proxy: Option<Proxy>,
}

impl Deref for Test {
    type Target = Setup;

    fn deref(&self) -> &Setup {
        &self.setup
    }
}

impl Test {
    /// A source of these files, which were read once.
    pub(crate) async fn synced() -> Self {
        let test = Self::of(Cloud::with(&TREE), json!({})).await;
        test.syncs(SyncType::Full).await;
        assert_eq!(test.paths().await.len(), 7);
        test.cloud.world().asked();
        test
    }

    pub(crate) async fn of(cloud: Cloud, config: Value) -> Self {
        let url = cloud.url();
        Self::at(cloud, &url, config, None).await
    }

    /// The same behind a proxy, whose plan is asked for each request.
    pub(crate) async fn broken(
        cloud: Cloud,
        plan: impl Fn(&str, usize) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        let url = cloud.url();
        let proxy = Proxy::to_source(&url, Box::new(plan), Journal::default());
        let proxy = proxy.await.unwrap();
        let url = proxy.url();
        Self::at(cloud, &url, json!({}), Some(proxy)).await
    }

    /// The same with a manager whose programs for reading files fail.
    pub(crate) async fn with_readers_that_fail(cloud: Cloud) -> Self {
        let mut options = testing::options();
        options.extraction.program = vec!["false".into()];
        let setup = Self::builder(json!({ "server_url": cloud.url() })).options(options);
        Self {
            cloud,
            setup: setup.start().await,
            _proxy: None,
        }
    }

    async fn at(cloud: Cloud, url: &str, mut config: Value, proxy: Option<Proxy>) -> Self {
        if config.get("server_url").is_none() {
            config["server_url"] = url.into();
        }
        Self {
            cloud,
            setup: Self::builder(config).start().await,
            _proxy: proxy,
        }
    }

    fn builder(config: Value) -> SetupBuilder {
        Setup::of(env!("CARGO_BIN_EXE_nextcloud"))
            .config(config)
            .credentials(json!({ "username": LOGIN, "password": PASSWORD }))
            .auth_type(AuthType::BasicAuth)
            .env("OMNI_TEST_CLOCK", "50")
    }

    /// Runs a sync that completes, in which nothing failed.
    pub(crate) async fn syncs(&self, mode: SyncType) -> Ended {
        let ended = self.setup.sync(mode).await;
        assert_eq!(ended.report().failed, 0, "{:?}", ended.report());
        ended
    }

    /// Runs a sync, after which Omni has exactly the files that have a text.
    pub(crate) async fn mirrors(&self, mode: SyncType) -> Ended {
        let ended = self.syncs(mode).await;
        self.has_all().await;
        ended
    }

    /// The same without these files.
    pub(crate) async fn mirrors_but(&self, without: &[&str], mode: SyncType) {
        self.syncs(mode).await;
        self.has_all_but(without).await;
    }

    pub(crate) async fn has_all(&self) {
        self.has_all_but(&[]).await;
    }

    async fn has_all_but(&self, without: &[&str]) {
        let expected: Vec<_> = {
            let world = self.cloud.world();
            let files = world.nodes.iter().filter_map(|(path, node)| {
                let content = String::from_utf8(node.content.clone()?).unwrap();
                let is_text = node.media_type.starts_with("text/") && !content.is_empty();
                (is_text && !without.contains(&path.as_str())).then(|| (path.clone(), content))
            });
            files.collect()
        };
        let found = self.documents().await;
        let mut paths: Vec<_> = found.iter().map(|it| it.metadata["path"].clone()).collect();
        paths.sort_by_key(ToString::to_string);
        let mut wanted: Vec<Value> = expected.iter().map(|it| it.0.clone().into()).collect();
        wanted.sort_by_key(ToString::to_string);
        assert_eq!(paths, wanted);
        for (path, content) in expected {
            let document = found.iter().find(|it| it.metadata["path"] == path).unwrap();
            assert!(document.text.contains(content.trim()), "{}", document.text);
            assert!(document.text.contains(&format!("| Path | {path} |")));
            assert_eq!(document.attribute("path"), Some(&path.clone().into()));
            assert!(!document.is_public());
            assert_eq!(document.readers(), ["developer@example.com"]);
        }
    }

    /// The paths of all documents, sorted.
    pub(crate) async fn paths(&self) -> Vec<String> {
        let found = self.documents().await;
        let paths = found.iter().map(|it| it.metadata["path"].as_str().unwrap());
        let mut paths: Vec<_> = paths.map(str::to_owned).collect();
        paths.sort();
        paths
    }
}

/// What a run did to the documents: created, updated, deleted.
pub(crate) fn effects(ended: &Ended) -> (u64, u64, u64) {
    let effects = &ended.progress.effects;
    (effects.created, effects.updated, effects.deleted)
}
