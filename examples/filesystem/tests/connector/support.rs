//! A tree, a manager and the connector's process between them.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use omni_connector::{RunReport, SyncType};
use omni_connector_dev::{
    Manager, Options, Progress,
    store::{
        contents,
        documents::{self, StoredDocument},
        runs::RunStatus,
        sources::{self, SourceRecord},
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// No step of a test takes as long on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Setup {
    pub(crate) manager: Manager,
    pub(crate) connector: Connector,
    pub(crate) source: SourceRecord,
    tree: PathBuf,
    folder: TempDir,
}

/// The connector's process; killed when it is dropped.
pub(crate) struct Connector {
    process: Child,
    pub(crate) url: String,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) progress: Progress,
    pub(crate) report: RunReport,
}

impl Setup {
    /// A manager, a connector, and a source with an empty tree.
    pub(crate) async fn new() -> Self {
        Self::with_config(json!({})).await
    }

    /// The same with settings beside the path of the tree.
    pub(crate) async fn with_config(config: Value) -> Self {
        Self::start(config, |binary| Command::new(binary)).await
    }

    /// The same with a connector that may not read everything: to root every file is readable.
    pub(crate) async fn unprivileged() -> Self {
        let setup = Self::start(json!({}), |binary| {
            let mut command = Command::new(binary);
            if fs::metadata(binary).unwrap().uid() == 0 {
                command.uid(65_534).gid(65_534);
            }
            command
        });
        setup.await
    }

    pub(crate) async fn start(mut config: Value, command: impl Fn(&Path) -> Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let tree = folder.path().join("tree");
        fs::create_dir(&tree).unwrap();
        // Where the build folder is private, another user could not start the binary in it.
        let binary = folder.path().join("filesystem");
        // Not by this process: a child that another test starts meanwhile would inherit the open file, and a program that
        // somebody may write to cannot be run ("text file busy").
        let copied = Command::new("cp")
            .args([Path::new(env!("CARGO_BIN_EXE_filesystem")), &binary])
            .status();
        assert!(copied.unwrap().success());

        let mut options = Options::default();
        options.runs.tick = None;
        let manager = Manager::start(options).await.unwrap();
        let connector = Connector::start(command(&binary), &manager).await;
        config["base_path"] = json!(tree);
        let source = manager
            .source("files", "local_files", config)
            .await
            .unwrap();
        Self {
            manager,
            connector,
            source,
            tree,
            folder,
        }
    }

    /// Kills the process where it stands, and starts another one.
    pub(crate) async fn kill_and_restart(&mut self) {
        self.connector.kill();
        let binary = self.folder.path().join("filesystem");
        self.connector = Connector::start(Command::new(binary), &self.manager).await;
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.tree.join(path)
    }

    /// A path beside the tree, on the same file system.
    pub(crate) fn outside(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file, and the folders it is in.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) async fn text(&self, document: &StoredDocument) -> String {
        let content = document.content_id.clone();
        let found = self
            .manager
            .store()
            .read(move |db| contents::find(db, &content));
        found.await.unwrap().unwrap()
    }

    /// Changes the settings of the source.
    pub(crate) async fn configure(&mut self, key: &str, value: Value) {
        self.source.config[key] = value;
        let source = self.source.clone();
        let put = self
            .manager
            .store()
            .write(move |db| sources::put(db, &source));
        put.await.unwrap();
    }

    /// A run of another connector on this source: it sends these documents, saves the checkpoint, if there is one, and completes.
    pub(crate) async fn sync_of_another(&self, events: Vec<Value>, checkpoint: Option<Value>) {
        let source = &self.source.id;
        let created = self
            .post(
                "sync/create",
                json!({ "source_id": source, "sync_type": "full" }),
            )
            .await;
        let run = created["sync_run_id"].as_str().unwrap().to_owned();
        let mut sent = Vec::new();
        for mut event in events {
            let content = json!({ "sync_run_id": run, "content": event["content"].take() });
            event["content_id"] = self.post("content", content).await["content_id"].take();
            event["sync_run_id"] = json!(run);
            event["source_id"] = json!(source);
            sent.push(event);
        }
        self.post(
            "events/batch",
            json!({ "sync_run_id": run, "source_id": source, "events": sent }),
        )
        .await;
        if let Some(checkpoint) = checkpoint {
            let url = format!("{}/sdk/sync/{run}/checkpoint", self.manager.url());
            let put = reqwest::Client::new().put(url).json(&checkpoint).send();
            put.await.unwrap().error_for_status().unwrap();
        }
        self.post(&format!("sync/{run}/complete"), json!({})).await;
    }

    async fn post(&self, route: &str, body: Value) -> Value {
        let url = format!("{}/sdk/{route}", self.manager.url());
        let answer = reqwest::Client::new()
            .post(url)
            .json(&body)
            .send()
            .await
            .unwrap();
        answer.error_for_status().unwrap().json().await.unwrap()
    }

    /// Runs a sync to its end, whatever that is.
    pub(crate) async fn run(&self, mode: SyncType) -> Ended {
        let run = self.manager.sync(&self.source.id, mode).await.unwrap();
        self.end_of(&run.id).await
    }

    /// Runs a sync that completes.
    pub(crate) async fn sync(&self, mode: SyncType) -> Ended {
        let ended = self.run(mode).await;
        assert_eq!(ended.progress.run.status, RunStatus::Completed, "{ended:?}");
        assert_eq!(ended.progress.effects.refused, 0, "{ended:?}");
        ended
    }

    pub(crate) async fn end_of(&self, run: &str) -> Ended {
        let end = self.manager.wait(run, |_| {});
        let progress = tokio::time::timeout(PATIENCE, end).await.unwrap().unwrap();
        let report = self.connector.report(run).await;
        Ended { progress, report }
    }

    /// The documents that the manager has, by their ids without the path of the tree.
    pub(crate) async fn documents(&self) -> BTreeMap<String, StoredDocument> {
        let source = self.source.id.clone();
        let documents = self
            .manager
            .store()
            .read(move |db| documents::of_source(db, &source));
        let documents = documents.await.unwrap().into_iter();
        let base = format!("{}/", self.tree.display());
        let below = |id: &str| id.strip_prefix(&base).unwrap_or(id).to_owned();
        documents
            .map(|document| (below(&document.document_id), document))
            .collect()
    }

    pub(crate) async fn ids(&self) -> Vec<String> {
        self.documents().await.into_keys().collect()
    }

    /// Waits until the documents are these.
    pub(crate) async fn until_ids(&self, ids: &[&str]) {
        let reached = tokio::time::timeout(PATIENCE, async {
            while self.ids().await != ids {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        if reached.await.is_err() {
            assert_eq!(self.ids().await, ids);
        }
    }
}

impl Connector {
    async fn start(mut command: Command, manager: &Manager) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let url = format!("http://127.0.0.1:{port}");
        let process = command
            .env("CONNECTOR_MANAGER_URL", manager.url())
            .env("CONNECTOR_HOST_NAME", "127.0.0.1")
            .env("OMNI_CONNECTOR_LISTEN", "127.0.0.1")
            .env("PORT", port.to_string())
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let connector = Self { process, url };
        let registered = tokio::time::timeout(PATIENCE, async {
            loop {
                let manifest = manager.registration("filesystem", PATIENCE).await;
                if manifest.is_some_and(|manifest| manifest.connector_url == connector.url) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        registered.await.expect("the connector registers");
        connector
    }

    /// What a run did, by the connector's own account.
    pub(crate) async fn report(&self, run: &str) -> RunReport {
        let answer = reqwest::get(format!("{}/sync/{run}/report", self.url))
            .await
            .unwrap();
        answer.error_for_status().unwrap().json().await.unwrap()
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Says that a file was modified at another time.
pub(crate) fn set_modified(path: &Path, time: SystemTime) {
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}
