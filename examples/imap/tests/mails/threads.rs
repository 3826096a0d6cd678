//! What becomes of a mailbox in full and incremental runs.

use omni_connector::SyncType::{Full, Incremental};
use omni_connector_dev::store::runs::RunEffects;
use serde_json::json;

use crate::support::{Setup, mail};

with_each_server! {
    threads_become_documents_with_the_ids_of_omni,
    an_unchanged_second_run_asks_for_one_status_a_folder_and_sends_nothing,
    a_changed_setting_changes_the_documents_of_unchanged_threads,
}

async fn threads_become_documents_with_the_ids_of_omni(setup: Setup) {
    let mut client = setup.client();
    client.append("INBOX", &mail("boats", None));
    client.append("INBOX", &mail("oars", Some("boats")));
    client.append("INBOX", &mail("tea", None));
    for folder in ["Projects/Harbour", "Entw&APw-rfe", "Trash"] {
        client.create(folder);
        client.append(folder, &mail("plan", None));
    }
    setup.sync(Full).await;

    let all = [
        ("Entw&APw-rfe", "plan"),
        ("INBOX", "boats"),
        ("INBOX", "tea"),
        ("Projects/Harbour", "plan"),
    ];
    setup.has(&all).await;
    let [drafts, boats, ..] = all.map(|(folder, name)| setup.id(folder, name));
    let documents = setup.documents().await;
    let text = setup.text(&boats).await;
    let boats = &documents[boats.as_str()];
    assert_eq!(boats.title, "About boats");
    assert_eq!(boats.attributes["thread_id"], "<boats@example.com>");
    assert_eq!(boats.attributes["message_count"], 2);
    assert_eq!(boats.attributes["to"], json!(["bo@example.com"]));
    assert_eq!(boats.metadata["path"], "ada@example.com/INBOX");
    assert_eq!(
        boats.permissions.as_ref().unwrap()["users"],
        json!(["developer@example.com"])
    );
    let (first, second) = (
        text.find("The text of boats."),
        text.find("The text of oars."),
    );
    assert!(first.is_some() && first < second, "{text}");
    let name = setup.server.kind.raw("Entwürfe");
    assert_eq!(
        documents[drafts.as_str()].metadata["path"],
        format!("ada@example.com/{name}")
    );
}

async fn an_unchanged_second_run_asks_for_one_status_a_folder_and_sends_nothing(setup: Setup) {
    let mut client = setup.client();
    for name in ["boats", "tea"] {
        client.append("INBOX", &mail(name, None));
    }
    for folder in ["A", "B", "C"] {
        client.create(folder);
        client.append(folder, &mail("plan", None));
    }
    let ended = setup.sync(Full).await;
    assert_eq!(ended.report().scanned, 5, "{ended:?}");
    setup.relay.commands();
    let ended = setup.sync(Incremental).await;
    let commands = setup.relay.commands();
    let count = |name: &str| commands.iter().filter(|it| *it == name).count();
    assert_eq!(count("STATUS"), 4, "{commands:?}");
    // The check of the settings and the run each log in, list the folders and log out.
    let others = ["LOGIN", "LIST", "LOGOUT"];
    let all = others.iter().map(|name| count(name)).sum::<usize>();
    assert_eq!((all, commands.len()), (6, 10), "{commands:?}");
    let report = ended.report();
    assert_eq!((report.updated, report.deleted, report.contents), (0, 0, 0));
    assert_eq!(ended.progress.effects, RunEffects::default());
    assert_eq!(setup.ids().await.len(), 5);
}

async fn a_changed_setting_changes_the_documents_of_unchanged_threads(setup: Setup) {
    setup.client().append("INBOX", &mail("boats", None));
    setup.sync(Full).await;
    let id = setup.id("INBOX", "boats");
    for (key, value, field, expected) in [
        ("display_name", "Work", "path", "Work/INBOX"),
        (
            "webmail_url_template",
            "https://m/{uid}",
            "url",
            "https://m/1",
        ),
    ] {
        setup.configure(key, json!(value)).await;
        setup.sync(Incremental).await;
        let metadata = &setup.documents().await[id.as_str()].metadata;
        assert_eq!(metadata[field], expected);
        let ended = setup.sync(Incremental).await;
        assert_eq!(ended.report().contents, 0, "{ended:?}");
    }
}
