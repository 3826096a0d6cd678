//! Logins and connections that are refused.

use omni_connector::SyncType::{Full, Incremental, Realtime};
use omni_connector_dev::{store::runs::RunStatus, testing::Ended};
use serde_json::json;

use crate::{
    relay::Then,
    support::{Setup, mail},
};

with_each_server! {
    a_wrong_password_is_one_message_that_names_it_and_is_tried_once,
    a_password_that_is_revoked_in_the_middle_is_tried_once_more_and_not_for_every_folder,
    a_password_that_is_revoked_ends_the_watch_at_once,
    a_certificate_that_nobody_signed_is_refused_with_a_message,
    mails_are_read_with_tls_and_starttls,
    a_server_that_is_not_there_is_named_with_its_settings,
    a_folder_without_rights_is_named_and_the_others_are_read,
    an_empty_mailbox_is_read_and_a_list_without_folders_names_its_settings,
}

fn refusal(ended: &Ended) -> &str {
    assert_eq!(ended.progress.run.status, RunStatus::Failed, "{ended:?}");
    ended.message().unwrap()
}

async fn a_wrong_password_is_one_message_that_names_it_and_is_tried_once(setup: Setup) {
    setup.client().create("A");
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

async fn a_password_that_is_revoked_in_the_middle_is_tried_once_more_and_not_for_every_folder(
    setup: Setup,
) {
    let mut client = setup.client();
    for folder in ["A", "B", "C", "D"] {
        client.create(folder);
        client.append(folder, &mail("plan", None));
    }
    let relay = setup.relay.clone();
    let line = format!("EXAMINE \"{}\"", setup.server.kind.raw("B"));
    setup.relay.before(line, move || {
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

async fn a_password_that_is_revoked_ends_the_watch_at_once(setup: Setup) {
    setup.client().append("INBOX", &mail("boats", None));
    let run = setup.begin(Realtime).await;
    setup.until_ids(&[&setup.id("INBOX", "boats")]).await;
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

async fn a_certificate_that_nobody_signed_is_refused_with_a_message(setup: Setup) {
    setup.configure("host", json!("localhost")).await;
    for (encryption, port) in setup.secure_ports() {
        setup.configure("encryption", json!(encryption)).await;
        setup.configure("port", json!(port)).await;
        let message = setup.refusal(Full).await;
        assert!(message.contains("the server's certificate"), "{message}");
        assert!(message.contains("UnknownIssuer"), "{message}");
    }
}

async fn mails_are_read_with_tls_and_starttls(setup: Setup) {
    let setup = setup.trusting().await;
    setup.configure("host", json!("localhost")).await;
    for (encryption, port) in setup.secure_ports() {
        setup.client().append("INBOX", &mail(encryption, None));
        setup.configure("encryption", json!(encryption)).await;
        setup.configure("port", json!(port)).await;
        setup.sync(Full).await;
        let ids = setup.ids().await;
        assert!(ids.contains(&setup.id("INBOX", encryption)), "{ids:?}");
    }
}

async fn a_server_that_is_not_there_is_named_with_its_settings(setup: Setup) {
    setup.configure("port", json!(1)).await;
    let message = setup.refusal(Full).await;
    assert!(message.contains("`127.0.0.1:1`"), "{message}");
    assert!(message.contains("`host` and `port`"), "{message}");
}

async fn a_folder_without_rights_is_named_and_the_others_are_read(setup: Setup) {
    let mut client = setup.client();
    for folder in ["A", "B"] {
        client.create(folder);
        client.append(folder, &mail("plan", None));
    }
    setup.sync(Full).await;
    for folder in ["A", "B"] {
        client.append(folder, &mail("tea", None));
    }
    setup.close("A");
    for mode in [Full, Incremental] {
        let ended = setup.run(mode).await;
        assert!(ended.is_completed(), "{ended:?}");
        let failures = &ended.report().failures;
        assert_eq!(failures.len(), 1, "{ended:?}");
        assert_eq!(failures[0].item, setup.server.kind.raw("A"));
        setup
            .has(&[("A", "plan"), ("B", "plan"), ("B", "tea")])
            .await;
    }
    setup.open("A");
    setup.sync(Incremental).await;
    assert_eq!(setup.ids().await.len(), 4);
}

async fn an_empty_mailbox_is_read_and_a_list_without_folders_names_its_settings(setup: Setup) {
    setup.sync(Full).await;
    assert_eq!(setup.ids().await, Vec::<String>::new());
    setup
        .configure("folder_allowlist", json!(["Nowhere"]))
        .await;
    let message = setup.refusal(Full).await;
    assert!(message.contains("`folder_allowlist`"), "{message}");
}
