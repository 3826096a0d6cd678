//! A mail server behind the setup of `omni-connector-dev`.

use std::ops::Deref;

use omni_connector::{AuthType, SyncType};
use omni_connector_dev::testing::{self, Ended};
use serde_json::{Value, json};

use crate::{
    dovecot::{Client, Dovecot, PASSWORD, USER},
    relay::Relay,
};

pub(crate) struct Setup {
    pub(crate) relay: Relay,
    pub(crate) server: Dovecot,
    kit: testing::Setup,
}

impl Deref for Setup {
    type Target = testing::Setup;

    fn deref(&self) -> &testing::Setup {
        &self.kit
    }
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
        let kit = testing::Setup::of(env!("CARGO_BIN_EXE_imap"))
            .config(config)
            .credentials(json!({ "username": USER, "password": PASSWORD }))
            .auth_type(AuthType::BasicAuth)
            .start()
            .await;
        Self { relay, server, kit }
    }

    /// Changes the password that the connector has.
    pub(crate) async fn password(&self, password: &str) {
        let secret = json!({ "username": USER, "password": password });
        self.set_credentials(AuthType::BasicAuth, secret).await;
    }

    /// A mail program that is connected to the server.
    pub(crate) fn client(&self) -> Client {
        Client::of(self.server.port)
    }

    /// Runs a sync that completes, without a failed item.
    pub(crate) async fn sync(&self, mode: SyncType) -> Ended {
        let ended = self.kit.sync(mode).await;
        assert_eq!(ended.report().failed, 0, "{ended:?}");
        ended
    }

    pub(crate) async fn text(&self, id: &str) -> String {
        self.documents().await[id].text.clone()
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
