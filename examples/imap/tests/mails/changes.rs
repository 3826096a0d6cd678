//! Mails that come, go and move.

use omni_connector::SyncType::{Full, Incremental};

use crate::{
    relay::Then,
    support::{Setup, id, mail},
};

#[tokio::test]
async fn a_mail_that_is_expunged_or_moved_or_new_is_followed() {
    let Some(setup) = Setup::new().await else {
        return;
    };
    let mut client = setup.client();
    client.ask("CREATE Archive");
    client.append("Archive", &mail("old", None));
    for name in ["boats", "news", "plan", "stays", "tea"] {
        client.append("INBOX", &mail(name, None));
    }
    setup.sync(Full).await;

    client.expunge("INBOX", 2);
    client.ask("SELECT INBOX");
    client.ask("UID MOVE 3 Archive");
    client.append("INBOX", &mail("oars", Some("boats")));
    let ended = setup.sync(Incremental).await;
    let effects = &ended.progress.effects;
    assert_eq!(
        (effects.created, effects.updated, effects.deleted),
        (1, 1, 2),
        "{ended:?}"
    );
    let expected = [
        id("Archive", "old"),
        id("Archive", "plan"),
        id("INBOX", "boats"),
        id("INBOX", "stays"),
        id("INBOX", "tea"),
    ];
    assert_eq!(setup.ids().await, expected);
    let text = setup.text(&id("INBOX", "boats")).await;
    assert!(text.contains("The text of oars."), "{text}");

    // One mail of a thread goes, and its root at that.
    client.expunge("INBOX", 1);
    setup.sync(Incremental).await;
    assert_eq!(setup.ids().await, expected);
    let text = setup.text(&id("INBOX", "boats")).await;
    assert!(!text.contains("The text of boats."), "{text}");
}

#[tokio::test]
async fn a_mail_that_goes_between_listing_and_reading_is_gone_and_no_failure() {
    let Some(setup) = Setup::new().await else {
        return;
    };
    let mut client = setup.client();
    client.append("INBOX", &mail("boats", None));
    client.append("INBOX", &mail("oars", Some("boats")));
    client.append("INBOX", &mail("tea", None));
    let mut other = setup.client();
    setup.relay.before("BODY.PEEK[])", move || {
        other.expunge("INBOX", 2);
        other.expunge("INBOX", 3);
        Then::PassOn
    });
    setup.sync(Full).await;
    assert!(setup.relay.has_acted());
    assert_eq!(setup.ids().await, [id("INBOX", "boats")]);
    let text = setup.text(&id("INBOX", "boats")).await;
    assert!(!text.contains("The text of oars."), "{text}");
    setup.sync(Incremental).await;
    assert_eq!(setup.ids().await, [id("INBOX", "boats")]);
}

#[tokio::test]
async fn a_lost_connection_costs_one_folder_and_the_next_run_reads_it() {
    let Some(setup) = Setup::new().await else {
        return;
    };
    let mut client = setup.client();
    client.append("INBOX", &mail("boats", None));
    for folder in ["A", "B"] {
        client.ask(&format!("CREATE {folder}"));
        client.append(folder, &mail("plan", None));
    }
    setup.relay.before("BODY.PEEK[])", || Then::HangUp);
    let ended = setup.run(Full).await;
    assert!(setup.relay.has_acted());
    assert_eq!(ended.report().failed, 1, "{ended:?}");
    assert_eq!(setup.ids().await.len(), 2);
    setup.sync(Incremental).await;
    assert_eq!(
        setup.ids().await,
        [id("A", "plan"), id("B", "plan"), id("INBOX", "boats")]
    );
}

#[tokio::test]
async fn a_folder_that_is_deleted_loses_its_documents_also_when_its_name_stays() {
    let Some(setup) = Setup::new().await else {
        return;
    };
    let mut client = setup.client();
    for name in ["boats", "news", "tea"] {
        client.append("INBOX", &mail(name, None));
    }
    for folder in ["A", "P", "P/C"] {
        client.ask(&format!("CREATE {folder}"));
        client.append(folder, &mail("plan", None));
    }
    setup.sync(Full).await;
    assert_eq!(setup.ids().await.len(), 6);
    // The name of `P` stays, since there is a folder in it.
    client.ask("DELETE A");
    client.ask("DELETE P");
    setup.sync(Incremental).await;
    let ids = setup.ids().await;
    assert_eq!(ids.len(), 4, "{ids:?}");
    assert!(ids.contains(&id("P%2FC", "plan")), "{ids:?}");
}
