//! Mails that come, go and move.

use omni_connector::SyncType::{Full, Incremental};

use crate::{
    relay::Then,
    server::Kind,
    support::{Setup, mail},
};

with_each_server! {
    a_mail_that_is_expunged_or_moved_or_new_is_followed,
    a_mail_that_goes_between_listing_and_reading_is_gone_and_no_failure,
    a_lost_connection_costs_one_folder_and_the_next_run_reads_it,
    a_folder_that_is_deleted_loses_its_documents_also_when_its_name_stays,
    a_folder_that_is_renamed_gives_its_documents_their_new_ids,
    a_folder_that_is_made_anew_is_read_anew_under_its_new_uidvalidity,
}

async fn a_mail_that_is_expunged_or_moved_or_new_is_followed(setup: Setup) {
    let mut client = setup.client();
    client.create("Archive");
    client.append("Archive", &mail("old", None));
    for name in ["boats", "news", "plan", "stays", "tea"] {
        client.append("INBOX", &mail(name, None));
    }
    setup.sync(Full).await;

    client.expunge("INBOX", 2);
    client.carry("INBOX", 3, "Archive");
    client.append("INBOX", &mail("oars", Some("boats")));
    let ended = setup.sync(Incremental).await;
    let effects = &ended.progress.effects;
    assert_eq!(
        (effects.created, effects.updated, effects.deleted),
        (1, 1, 2),
        "{ended:?}"
    );
    let expected = [
        ("Archive", "old"),
        ("Archive", "plan"),
        ("INBOX", "boats"),
        ("INBOX", "stays"),
        ("INBOX", "tea"),
    ];
    setup.has(&expected).await;
    let text = setup.text(&setup.id("INBOX", "boats")).await;
    assert!(text.contains("The text of oars."), "{text}");

    // One mail of a thread goes, and its root at that.
    client.expunge("INBOX", 1);
    setup.sync(Incremental).await;
    setup.has(&expected).await;
    let text = setup.text(&setup.id("INBOX", "boats")).await;
    assert!(!text.contains("The text of boats."), "{text}");
}

async fn a_mail_that_goes_between_listing_and_reading_is_gone_and_no_failure(setup: Setup) {
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
    // A folder that is open in Cyrus keeps the mails that others remove, so they are gone after the next run.
    if setup.server.kind == Kind::Cyrus {
        setup.sync(Incremental).await;
    }
    setup.has(&[("INBOX", "boats")]).await;
    let text = setup.text(&setup.id("INBOX", "boats")).await;
    assert!(!text.contains("The text of oars."), "{text}");
    setup.sync(Incremental).await;
    setup.has(&[("INBOX", "boats")]).await;
}

async fn a_lost_connection_costs_one_folder_and_the_next_run_reads_it(setup: Setup) {
    let mut client = setup.client();
    client.append("INBOX", &mail("boats", None));
    for folder in ["A", "B"] {
        client.create(folder);
        client.append(folder, &mail("plan", None));
    }
    setup.relay.before("BODY.PEEK[])", || Then::HangUp);
    let ended = setup.run(Full).await;
    assert!(setup.relay.has_acted());
    assert_eq!(ended.report().failed, 1, "{ended:?}");
    assert_eq!(setup.ids().await.len(), 2);
    setup.sync(Incremental).await;
    setup
        .has(&[("A", "plan"), ("B", "plan"), ("INBOX", "boats")])
        .await;
}

async fn a_folder_that_is_deleted_loses_its_documents_also_when_its_name_stays(setup: Setup) {
    let mut client = setup.client();
    for name in ["boats", "news", "tea"] {
        client.append("INBOX", &mail(name, None));
    }
    for folder in ["A", "P", "P/C"] {
        client.create(folder);
        client.append(folder, &mail("plan", None));
    }
    setup.sync(Full).await;
    assert_eq!(setup.ids().await.len(), 6);
    client.delete("A");
    let mut left = vec![
        ("INBOX", "boats"),
        ("INBOX", "news"),
        ("INBOX", "tea"),
        ("P/C", "plan"),
    ];
    match setup.server.kind {
        // The name of `P` stays, since there is a folder in it.
        Kind::Dovecot => client.delete("P"),
        // Cyrus deletes no folder that has another one in it.
        Kind::Cyrus => left.push(("P", "plan")),
    }
    setup.sync(Incremental).await;
    setup.has(&left).await;
}

async fn a_folder_that_is_renamed_gives_its_documents_their_new_ids(setup: Setup) {
    let mut client = setup.client();
    for name in ["boats", "tea"] {
        client.append("INBOX", &mail(name, None));
    }
    for folder in ["P", "P/C"] {
        client.create(folder);
        client.append(folder, &mail("plan", None));
    }
    setup.sync(Full).await;
    client.rename("P", "Q/R");
    setup.sync(Incremental).await;
    setup
        .has(&[
            ("INBOX", "boats"),
            ("INBOX", "tea"),
            ("Q/R", "plan"),
            ("Q/R/C", "plan"),
        ])
        .await;
}

async fn a_folder_that_is_made_anew_is_read_anew_under_its_new_uidvalidity(setup: Setup) {
    let mut client = setup.client();
    client.append("INBOX", &mail("boats", None));
    client.create("A");
    for name in ["plan", "tea"] {
        client.append("A", &mail(name, None));
    }
    setup.sync(Full).await;
    // The new folder has the same number of mails, with the same UIDs.
    client.delete("A");
    client.create("A");
    for name in ["news", "plan"] {
        client.append("A", &mail(name, None));
    }
    let ended = setup.sync(Incremental).await;
    let effects = &ended.progress.effects;
    assert_eq!((effects.created, effects.deleted), (1, 1), "{ended:?}");
    setup
        .has(&[("A", "news"), ("A", "plan"), ("INBOX", "boats")])
        .await;
}
