//! Logins and connections that are refused.

use omni_connector::SyncType::{Full, Incremental, Realtime};
use omni_connector_dev::{store::runs::RunStatus, testing::Ended};
use serde_json::json;

use crate::{
    dovecot::Dovecot,
    relay::{Relay, Then},
    support::{Setup, id, mail},
};

fn refusal(ended: &Ended) -> &str {
    assert_eq!(ended.progress.run.status, RunStatus::Failed, "{ended:?}");
    ended.message().unwrap()
}

#[tokio::test]
async fn a_wrong_password_is_one_message_that_names_it_and_is_tried_once() {
    let Some(setup) = Setup::new().await else {
        return;
    };
    setup.client().ask("CREATE A");
    setup.password("a-wrong-password").await;
    for mode in [Full, Realtime] {
        let before = setup.relay.logins();
        let message = setup.refusal(mode).await;
        assert!(
            message.contains("check `username` and `password`"),
            "{message}"
        );
        assert!(!message.contains("`host`"), "{message}");
        assert!(!message.contains("a-wrong-password"), "{message}");
        assert_eq!(setup.relay.logins() - before, 1);
    }
}

#[tokio::test]
async fn a_password_that_is_revoked_in_the_middle_is_tried_once_more_and_not_for_every_folder() {
    let Some(setup) = Setup::new().await else {
        return;
    };
    let mut client = setup.client();
    for folder in ["A", "B", "C", "D"] {
        client.ask(&format!("CREATE {folder}"));
        client.append(folder, &mail("plan", None));
    }
    let relay = setup.relay.clone();
    setup.relay.before("EXAMINE \"B\"", move || {
        relay.revoke();
        Then::HangUp
    });
    let ended = setup.run(Full).await;
    let message = refusal(&ended);
    assert!(
        message.contains("check `username` and `password`"),
        "{message}"
    );
    // The check of the source, the beginning of the run, and once after the connection was lost.
    assert_eq!(setup.relay.logins(), 3);
}

#[tokio::test]
async fn a_password_that_is_revoked_ends_the_watch_at_once() {
    let Some(setup) = Setup::new().await else {
        return;
    };
    setup.client().append("INBOX", &mail("boats", None));
    let run = setup.begin(Realtime).await;
    setup.until_ids(&[&id("INBOX", "boats")]).await;
    // The mail makes the watch say DONE to its IDLE, and there the connection is lost.
    let before = setup.relay.logins();
    let relay = setup.relay.clone();
    setup.relay.before("DONE", move || {
        relay.revoke();
        Then::HangUp
    });
    setup.client().append("INBOX", &mail("tea", None));
    let ended = setup.wait(&run).await;
    let message = refusal(&ended);
    assert!(
        message.contains("check `username` and `password`"),
        "{message}"
    );
    assert_eq!(setup.relay.logins() - before, 1);
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused_with_a_message() {
    for encryption in ["tls", "starttls"] {
        let Some(server) = Dovecot::start() else {
            return;
        };
        let port = if encryption == "tls" {
            server.tls_port
        } else {
            server.port
        };
        let config = json!({ "host": "localhost", "port": port, "encryption": encryption });
        let setup = Setup::with(server, Relay::default(), config).await;
        let message = setup.refusal(Full).await;
        assert!(message.contains("the server's certificate"), "{message}");
        assert!(message.contains("UnknownIssuer"), "{message}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_its_settings() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let config = json!({ "host": "127.0.0.1", "port": 1, "encryption": "none" });
    let setup = Setup::with(server, Relay::default(), config).await;
    let message = setup.refusal(Full).await;
    assert!(message.contains("`127.0.0.1:1`"), "{message}");
    assert!(message.contains("`host` and `port`"), "{message}");
}

#[tokio::test]
async fn a_folder_without_rights_is_named_and_the_others_are_read() {
    let Some(setup) = Setup::new().await else {
        return;
    };
    let mut client = setup.client();
    for folder in ["A", "B"] {
        client.ask(&format!("CREATE {folder}"));
        client.append(folder, &mail("plan", None));
    }
    setup.sync(Full).await;
    for folder in ["A", "B"] {
        client.append(folder, &mail("tea", None));
    }
    let closed = setup.server.close("A");
    for mode in [Full, Incremental] {
        let ended = setup.run(mode).await;
        assert!(ended.is_completed(), "{ended:?}");
        let failures = &ended.report().failures;
        assert_eq!(failures.len(), 1, "{ended:?}");
        assert_eq!(failures[0].item, "A");
        assert_eq!(
            setup.ids().await,
            [id("A", "plan"), id("B", "plan"), id("B", "tea")]
        );
    }
    closed.open();
    setup.sync(Incremental).await;
    assert_eq!(setup.ids().await.len(), 4);
}

#[tokio::test]
async fn an_empty_mailbox_is_read_and_a_list_without_folders_names_its_settings() {
    let Some(setup) = Setup::new().await else {
        return;
    };
    setup.sync(Full).await;
    assert_eq!(setup.ids().await, Vec::<String>::new());
    setup
        .configure("folder_allowlist", json!(["Nowhere"]))
        .await;
    let message = setup.refusal(Full).await;
    assert!(message.contains("`folder_allowlist`"), "{message}");
}
