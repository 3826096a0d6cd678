//! A mail server, a manager and the connector's process between them.

use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    time::Duration,
};

use omni_connector::{AuthType, RunReport, SyncType};
use omni_connector_dev::{
    Manager, Options, Progress,
    store::{
        contents,
        documents::{self, StoredDocument},
        runs::RunStatus,
        sources::SourceRecord,
    },
};
use serde_json::{Value, json};

use crate::{
    dovecot::{Client, Dovecot, PASSWORD, USER},
    relay::Relay,
};

/// No step of a test takes as long on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Setup {
    pub(crate) relay: Relay,
    pub(crate) manager: Manager,
    pub(crate) source: SourceRecord,
    pub(crate) server: Dovecot,
    connector: Connector,
}

/// The connector's process; killed when it is dropped.
struct Connector {
    process: Child,
    url: String,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) progress: Progress,
    pub(crate) report: RunReport,
}

impl Setup {
    /// An empty mailbox as a source. None when Dovecot is not installed.
    pub(crate) async fn new() -> Option<Self> {
        let server = Dovecot::start()?;
        let relay = Relay::default();
        let port = relay.start(server.port);
        let config = json!({ "host": "127.0.0.1", "port": port, "encryption": "none" });
        Some(Self::with(server, relay, config).await)
    }

    pub(crate) async fn with(server: Dovecot, relay: Relay, config: Value) -> Self {
        let mut options = Options::default();
        options.runs.tick = None;
        let manager = Manager::start(options).await.unwrap();
        let connector = Connector::start(&manager).await;
        let source = manager.source("mails", "imap", config).await.unwrap();
        let setup = Self {
            relay,
            manager,
            source,
            server,
            connector,
        };
        setup.password(PASSWORD).await;
        setup
    }

    /// Changes the password that the connector has.
    pub(crate) async fn password(&self, password: &str) {
        let secret = json!({ "username": USER, "password": password });
        let put =
            self.manager
                .put_credential(&self.source.id, None, "imap", AuthType::BasicAuth, secret);
        put.await.unwrap();
    }

    /// A mail program that is connected to the server.
    pub(crate) fn client(&self) -> Client {
        Client::of(self.server.port)
    }

    /// Runs a sync to its end, whatever that is.
    pub(crate) async fn run(&self, mode: SyncType) -> Ended {
        let run = self.manager.sync(&self.source.id, mode).await.unwrap();
        self.end_of(&run.id).await
    }

    /// Runs a sync that completes, without a failed item.
    pub(crate) async fn sync(&self, mode: SyncType) -> Ended {
        let ended = self.run(mode).await;
        assert_eq!(ended.progress.run.status, RunStatus::Completed, "{ended:?}");
        assert_eq!(ended.progress.effects.refused, 0, "{ended:?}");
        assert_eq!(ended.report.failed, 0, "{ended:?}");
        ended
    }

    /// Asks for a run that the connector refuses before it begins; the message.
    pub(crate) async fn refusal(&self, mode: SyncType) -> String {
        let refused = self.manager.sync(&self.source.id, mode).await;
        refused.unwrap_err().to_string()
    }

    pub(crate) async fn end_of(&self, run: &str) -> Ended {
        let end = self.manager.wait(run, |_| {});
        let progress = tokio::time::timeout(PATIENCE, end).await.unwrap().unwrap();
        let report = self.report(run).await;
        Ended { progress, report }
    }

    /// What a run did, by the connector's own account.
    pub(crate) async fn report(&self, run: &str) -> RunReport {
        let answer = reqwest::get(format!("{}/sync/{run}/report", self.connector.url));
        let answer = answer.await.unwrap().error_for_status().unwrap();
        answer.json().await.unwrap()
    }

    /// The documents that the manager has, by their ids.
    pub(crate) async fn documents(&self) -> BTreeMap<String, StoredDocument> {
        let source = self.source.id.clone();
        let read = self
            .manager
            .store()
            .read(move |db| documents::of_source(db, &source));
        let documents = read.await.unwrap().into_iter();
        documents
            .map(|document| (document.document_id.clone(), document))
            .collect()
    }

    pub(crate) async fn ids(&self) -> Vec<String> {
        self.documents().await.into_keys().collect()
    }

    pub(crate) async fn text(&self, id: &str) -> String {
        let content = self.documents().await[id].content_id.clone();
        let found = self
            .manager
            .store()
            .read(move |db| contents::find(db, &content));
        found.await.unwrap().unwrap()
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
    async fn start(manager: &Manager) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let process = Command::new(env!("CARGO_BIN_EXE_imap"))
            .env("CONNECTOR_MANAGER_URL", manager.url())
            .env("CONNECTOR_HOST_NAME", "127.0.0.1")
            .env("OMNI_CONNECTOR_LISTEN", "127.0.0.1")
            .env("PORT", port.to_string())
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let connector = Self { process, url };
        let manifest = manager.registration("imap", PATIENCE).await;
        assert!(manifest.is_some(), "the connector registers");
        connector
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A mail whose id is `NAME@example.com`, perhaps an answer to another one.
pub(crate) fn mail(name: &str, answers: Option<&str>) -> Vec<u8> {
    let answers = answers.map_or_else(String::new, |root| {
        format!("In-Reply-To: <{root}@example.com>\r\nReferences: <{root}@example.com>\r\n")
    });
    format!(
        "From: Ada <Ada@Example.com>\r\nTo: bo@example.com\r\nSubject: About {name}\r\n\
         Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <{name}@example.com>\r\n{answers}\r\n\
         The text of {name}.\r\n"
    )
    .into_bytes()
}

/// The id that Omni's own connector gives the thread that a mail of [`mail`] begins.
pub(crate) fn id(folder: &str, name: &str) -> String {
    format!("imap-thread:{folder}:%3C{name}%40example.com%3E")
}
