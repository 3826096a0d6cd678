//! Commands that the server refuses after a part of their answer, or for one mail.

use omni_connector::{
    SyncType::{Full, Incremental},
    prelude::*,
};

use crate::{
    relay::Then,
    server::Kind,
    support::{Setup, mail},
};

with_each_server! {
    a_list_of_folders_that_the_server_breaks_off_deletes_nothing,
    a_server_that_calls_a_name_without_a_folder_wrong_ends_no_run,
    a_mail_that_the_server_cannot_read_costs_no_other_mail,
    a_mail_that_the_server_cannot_list_costs_no_other_mail,
    a_mail_that_the_server_neither_reads_nor_finds_is_not_gone,
    a_source_that_is_switched_off_keeps_its_checkpoint,
}

const ALL: [(&str, &str); 6] = [
    ("A", "plan"),
    ("INBOX", "boats"),
    ("INBOX", "news"),
    ("INBOX", "oars"),
    ("INBOX", "sails"),
    ("INBOX", "tea"),
];

fn fill(setup: &Setup) {
    let mut client = setup.client();
    client.create("A");
    for (folder, name) in ALL {
        client.append(folder, &mail(name, None));
    }
}

async fn a_list_of_folders_that_the_server_breaks_off_deletes_nothing(setup: Setup) {
    fill(&setup);
    setup.sync(Full).await;
    // What Dovecot says if it cannot read one of several places with folders.
    let part = "* LIST (\\HasNoChildren) \"/\" INBOX\nTAG NO [SERVERBUG] Internal error occurred";
    setup.relay.refuse(" LIST ", part);
    for mode in [Incremental, Full] {
        let message = setup.refusal(mode).await;
        assert!(message.contains("list its folders"), "{message}");
        assert!(message.contains("[SERVERBUG]"), "{message}");
        setup.has(&ALL).await;
    }
}

async fn a_server_that_calls_a_name_without_a_folder_wrong_ends_no_run(setup: Setup) {
    fill(&setup);
    setup.sync(Full).await;
    setup.client().append("INBOX", &mail("wind", None));
    let line = match setup.server.kind {
        Kind::Dovecot => "* LIST (\\Noselect) \"/\" A\n* LIST () \"/\" INBOX\nTAG OK done",
        Kind::Cyrus => "* LIST (\\Noselect) \".\" INBOX.A\n* LIST () \".\" INBOX\nTAG OK done",
    };
    setup.relay.refuse(" LIST ", line);
    setup
        .relay
        .before("(MESSAGES)", || Then::Answer("TAG BAD no such mailbox"));
    setup.run(Incremental).await;
    assert!(setup.relay.has_acted());
    let all = ALL.into_iter().chain([("INBOX", "wind")]);
    setup.has(&all.collect::<Vec<_>>()).await;
}

async fn a_mail_that_the_server_cannot_read_costs_no_other_mail(setup: Setup) {
    fill(&setup);
    // All mails of INBOX are read with one command. It fails, and then the command for one of them.
    setup.relay.before("UID FETCH 1,2,3,4,5 (UID FLAGS", || {
        Then::Answer("TAG NO [SERVERBUG] a mail cannot be read")
    });
    setup.relay.refuse(
        "UID FETCH 2 (UID FLAGS",
        "TAG NO [SERVERBUG] it cannot be read",
    );
    for mode in [Full, Incremental] {
        let ended = setup.run(mode).await;
        assert_eq!(ended.report().failed, 1, "{ended:?}");
        let others: Vec<_> = ALL.into_iter().filter(|it| it.1 != "news").collect();
        setup.has(&others).await;
    }
    assert!(setup.relay.has_acted());
}

async fn a_mail_that_the_server_cannot_list_costs_no_other_mail(setup: Setup) {
    let mut client = setup.client();
    client.append("INBOX", &mail("boats", None));
    client.append("INBOX", &mail("oars", Some("boats")));
    client.append("INBOX", &mail("tea", None));
    setup.sync(Full).await;
    // Of two old mails and a new one, the server lists an old one and the new one.
    client.append("INBOX", &mail("news", None));
    let list = "* 1 FETCH (UID 1 RFC822.SIZE 9 BODY[HEADER.FIELDS (MESSAGE-ID REFERENCES IN-REPLY-TO)] {33}\n\
        Message-ID: <boats@example.com>\n)\n\
        * 4 FETCH (UID 4 RFC822.SIZE 9 BODY[HEADER.FIELDS (MESSAGE-ID REFERENCES IN-REPLY-TO)] {32}\n\
        Message-ID: <news@example.com>\n)\n\
        TAG NO [SERVERBUG] some mails cannot be read";
    setup.relay.refuse("UID FETCH 1:*", list);
    let all = [("INBOX", "boats"), ("INBOX", "news"), ("INBOX", "tea")];
    for mode in [Incremental, Full] {
        let ended = setup.run(mode).await;
        assert_eq!(ended.report().failed, 1, "{ended:?}");
        setup.has(&all).await;
        let text = setup.text(&setup.id("INBOX", "boats")).await;
        assert!(text.contains("The text of oars."), "{text}");
    }
}

async fn a_mail_that_the_server_neither_reads_nor_finds_is_not_gone(setup: Setup) {
    let mut client = setup.client();
    client.append("INBOX", &mail("boats", None));
    client.append("INBOX", &mail("oars", Some("boats")));
    setup.sync(Full).await;
    let part = "* 2 FETCH (UID 2 FLAGS () RFC822.SIZE 73 BODY[] {73}\n\
        Message-ID: <oars@example.com>\nReferences: <boats@example.com>\n\noars\n)\n\
        TAG NO [SERVERBUG] a mail cannot be read";
    setup.relay.before("BODY.PEEK[])", || Then::Answer(part));
    setup
        .relay
        .refuse(" UID SEARCH ", "TAG NO [SERVERBUG] no mail can be found");
    let ended = setup.run(Full).await;
    assert!(setup.relay.has_acted());
    assert_eq!(ended.report().failed, 1, "{ended:?}");
    let text = setup.text(&setup.id("INBOX", "boats")).await;
    assert!(text.contains("The text of boats."), "{text}");
}

async fn a_source_that_is_switched_off_keeps_its_checkpoint(setup: Setup) {
    fill(&setup);
    setup.sync(Full).await;
    setup.configure("sync_enabled", json!(false)).await;
    setup.sync(Full).await;
    setup.configure("sync_enabled", json!(true)).await;
    setup.relay.commands();
    setup.sync(Incremental).await;
    let commands = setup.relay.commands();
    assert!(!commands.iter().any(|it| it == "UID"), "{commands:?}");
    setup.has(&ALL).await;
}
