//! A mail server behind the setup of `omni-connector-dev`.

use std::{fs, ops::Deref, os::unix::fs::PermissionsExt};

use omni_connector::{AuthType, SyncType};
use omni_connector_dev::testing::{self, Ended, SetupBuilder};
use serde_json::json;

use crate::{
    client::Client,
    relay::Relay,
    server::{Kind, PASSWORD, Server, USER},
};

/// Makes a test of each function, once for each server.
macro_rules! with_each_server {
    ($($test:ident),* $(,)?) => {
        with_each_server!(@ dovecot Dovecot $($test)*);
        with_each_server!(@ cyrus Cyrus $($test)*);
    };
    (@ $module:ident $kind:ident $($test:ident)*) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $test() {
                    let setup = crate::support::Setup::of(crate::server::Kind::$kind).await;
                    if let Some(setup) = setup {
                        super::$test(setup).await;
                    }
                }
            )*
        }
    };
}

pub(crate) struct Setup {
    pub(crate) relay: Relay,
    pub(crate) server: Server,
    kit: testing::Setup,
}

impl Deref for Setup {
    type Target = testing::Setup;

    fn deref(&self) -> &testing::Setup {
        &self.kit
    }
}

impl Setup {
    /// An empty mailbox as a source. None when the server is not installed.
    pub(crate) async fn of(kind: Kind) -> Option<Self> {
        Self::with(kind, &[]).await
    }

    /// The same on a server with changed settings.
    pub(crate) async fn with(kind: Kind, changes: &[(&str, &str)]) -> Option<Self> {
        let server = Server::start_with(kind, changes)?;
        let relay = Relay::default();
        let port = relay.start(server.port);
        let kit = source(port).start().await;
        Some(Self { relay, server, kit })
    }

    /// The same with a connector that trusts the server's certificate.
    pub(crate) async fn trusting(self) -> Self {
        let certificate = self.server.folder().join("cert.pem");
        let kit = source(self.server.port).env("SSL_CERT_FILE", certificate.to_str().unwrap());
        let kit = kit.start().await;
        Self { kit, ..self }
    }

    /// The same with a manager at this port, which the connector calls at `url`. No file can be read there.
    pub(crate) async fn with_manager(self, port: u16, url: &str) -> Self {
        let mut options = testing::options();
        options.port = port;
        options.extraction.program = vec!["false".into()];
        let url = format!("CONNECTOR_MANAGER_URL={url}");
        let kit = source(self.server.port).env("OMNI_TEST_CLOCK", "50");
        let kit = kit.options(options).through(["env", &url]).start().await;
        Self { kit, ..self }
    }

    /// The settings `encryption` and `port` that use TLS.
    pub(crate) fn secure_ports(&self) -> [(&'static str, u16); 2] {
        [
            ("tls", self.server.tls_port),
            ("starttls", self.server.port),
        ]
    }

    /// Changes the password that the connector has.
    pub(crate) async fn password(&self, password: &str) {
        let secret = json!({ "username": USER, "password": password });
        self.set_credentials(AuthType::BasicAuth, secret).await;
    }

    /// A mail program that is connected to the server.
    pub(crate) fn client(&self) -> Client {
        Client::of(&self.server)
    }

    /// Runs a sync that completes, without a failed item.
    pub(crate) async fn sync(&self, mode: SyncType) -> Ended {
        let ended = self.kit.sync(mode).await;
        assert_eq!(ended.report().failed, 0, "{ended:?}");
        ended
    }

    /// The id that Omni's own connector gives the thread that a mail of [`mail`] begins.
    pub(crate) fn id(&self, folder: &str, name: &str) -> String {
        let folder: String = self.server.kind.raw(folder).bytes().map(encode).collect();
        format!("imap-thread:{folder}:%3C{name}%40example.com%3E")
    }

    /// Checks which threads Omni has: the folder and the first mail of each.
    pub(crate) async fn has(&self, threads: &[(&str, &str)]) {
        let ids = threads.iter().map(|(folder, name)| self.id(folder, name));
        let mut ids: Vec<_> = ids.collect();
        ids.sort();
        assert_eq!(self.ids().await, ids);
    }

    /// Removes the account's right to read a folder.
    pub(crate) fn close(&self, folder: &str) {
        match self.server.kind {
            Kind::Dovecot => self.set_mode(folder, 0o000),
            Kind::Cyrus => self.client().set_rights(folder, "la"),
        }
    }

    /// Restores the account's right to read a folder.
    pub(crate) fn open(&self, folder: &str) {
        match self.server.kind {
            Kind::Dovecot => self.set_mode(folder, 0o700),
            Kind::Cyrus => self.client().set_rights(folder, "lrswipkxtea"),
        }
    }

    fn set_mode(&self, folder: &str, mode: u32) {
        let folder = self.server.folder().join("mail").join(folder);
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) async fn text(&self, id: &str) -> String {
        self.documents().await[id].text.clone()
    }
}

fn source(port: u16) -> SetupBuilder {
    testing::Setup::of(env!("CARGO_BIN_EXE_imap"))
        .config(json!({ "host": "127.0.0.1", "port": port, "encryption": "none" }))
        .credentials(json!({ "username": USER, "password": PASSWORD }))
        .auth_type(AuthType::BasicAuth)
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

fn encode(byte: u8) -> String {
    let character = char::from(byte);
    if byte.is_ascii_alphanumeric() || "-_.~&".contains(character) {
        character.to_string()
    } else {
        format!("%{byte:02X}")
    }
}
