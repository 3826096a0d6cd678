//! The conformance checks that need no HTTP source: killed, stopped and disturbed by the manager. Every test has its own
//! server with the same mails. `actions` is left out: the actions of the settings form also get the source's settings.

use omni_connector::AuthType;
use omni_connector_dev::testing::{Check, Conformance};
use serde_json::json;

use crate::{
    client::Client,
    server::{Kind, PASSWORD, Server},
    support::mail,
};

fn assert(kind: Kind, check: Check) {
    let Some(server) = Server::start(kind) else {
        return;
    };
    let mut client = Client::of(&server);
    for name in ["boats", "news", "tea"] {
        client.append("INBOX", &mail(name, None));
    }
    client.append("INBOX", &mail("oars", Some("boats")));
    for folder in ["A", "Projects/Harbour"] {
        client.create(folder);
        client.append(folder, &mail("plan", None));
    }
    let port = server.port;
    Conformance::of(
        env!("CARGO_PKG_NAME"),
        env!("CARGO_MANIFEST_DIR"),
        env!("CARGO_BIN_EXE_imap"),
    )
    .config(move |_| json!({ "host": "127.0.0.1", "port": port, "encryption": "none" }))
    // Documents name the user, so only the password is searched for: shorter strings are not.
    .credentials(json!({ "username": "ada", "password": PASSWORD }))
    .auth_type(AuthType::BasicAuth)
    .documents(5)
    .boundaries(30)
    .assert(check);
}

macro_rules! checks {
    ($($name:ident $check:ident),*) => {
        checks!(@ dovecot Dovecot $($name $check)*);
        checks!(@ cyrus Cyrus $($name $check)*);
    };
    (@ $module:ident $kind:ident $($name:ident $check:ident)*) => {
        mod $module {
            use super::*;

            $(
                #[test]
                fn $name() {
                    assert(Kind::$kind, Check::$check);
                }
            )*
        }
    };
}

checks!(
    manifest Manifest, completes Completes, idle Idle, resume Resume, stops Stops, manager_faults ManagerFaults,
    operators Operators, secrets Secrets
);
