//! Mails and folders that no mail program would make.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use omni_connector::SyncType::{Full, Incremental};

use omni_connector_dev::{
    store::runs::RunStatus,
    testing::{Fault, Journal, Proxy, free_port},
};

use crate::{
    server::Kind,
    support::{Setup, mail},
};

with_each_server! {
    an_odd_mail_does_not_end_the_run,
    a_folder_with_an_odd_name_is_read,
}

async fn an_odd_mail_does_not_end_the_run(setup: Setup) {
    let long = format!(
        "Message-ID: <{}@example.com>\r\n\r\nlong\r\n",
        "x".repeat(3_000)
    );
    let odd: [&[u8]; 10] = [
        b"\r\n",
        b"no header at all",
        b"\r\nonly a body\r\n",
        b"Subject:\r\nMessage-ID: <empty@example.com>\r\n\r\n",
        b"Subject: \xff\xfe\xfd\r\nFrom: \xe4@\xf6\r\nMessage-ID: <bytes@example.com>\r\n\r\n\xff\xfe\r\n",
        b"Message-ID:\r\nReferences: <\r\nSubject: broken id\r\n\r\nx\r\n",
        b"Message-ID: <dates@example.com>\r\nDate: Mon, 99 Foo 99999 99:99:99 +9999\r\nSubject: date\r\n\r\nx\r\n",
        b"Message-ID: <parts@example.com>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=klingon\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\nno pdf\r\n",
        b"Message-ID: <loop@example.com>\r\nIn-Reply-To: <loop@example.com>\r\nReferences: <loop@example.com>\r\n\r\nx\r\n",
        long.as_bytes(),
    ];
    let mut client = setup.client();
    let refused = odd
        .iter()
        .filter_map(|mail| client.try_append("INBOX", mail));
    let refused: Vec<_> = refused.collect();
    match setup.server.kind {
        Kind::Dovecot => assert_eq!(refused, Vec::<String>::new()),
        // What has no header, or a broken one, is no mail for Cyrus.
        Kind::Cyrus => assert!(refused.len() < 5, "{refused:?}"),
    }
    client.append("INBOX", &mail("boats", None));
    client.create("Later");
    client.append("Later", &mail("plan", None));
    // Omni's index of ids has no room for the last one: a failed item.
    let ended = setup.run(Full).await;
    assert_eq!(ended.progress.run.status, RunStatus::Completed, "{ended:?}");
    assert_eq!(ended.report().failed, 1, "{ended:?}");
    let ids = setup.ids().await;
    assert!(ids.contains(&setup.id("INBOX", "boats")), "{ids:?}");
    assert!(ids.contains(&setup.id("Later", "plan")), "{ids:?}");
    assert_eq!(ids.len(), odd.len() - refused.len() + 1, "{ids:?}");
    let ended = setup.run(Incremental).await;
    assert_eq!(ended.progress.run.status, RunStatus::Completed, "{ended:?}");
    let report = ended.report();
    assert_eq!((report.updated, report.failed), (0, 1));
}

async fn a_folder_with_an_odd_name_is_read(setup: Setup) {
    let mut client = setup.client();
    // The second name of each is read as it is written.
    let (one, other) = match setup.server.kind {
        Kind::Dovecot => ("x &- (y) % * {z}", r#"a "b" \ c"#),
        Kind::Cyrus => ("x &- y #1", "$a 'b', c: @d+e=f~g"),
    };
    for name in [one, other] {
        client.create(name);
        client.append(name, &mail("plan", None));
    }
    setup.sync(Full).await;
    setup.has(&[(one, "plan"), (other, "plan")]).await;
    let id = setup.id(other, "plan");
    let path = &setup.documents().await[id.as_str()].metadata["path"];
    let name = setup.server.kind.raw(other);
    assert_eq!(*path, format!("ada@example.com/{name}"));
}

#[tokio::test]
async fn a_mail_waits_for_a_manager_that_reads_no_files_for_now_and_not_for_a_file_without_a_text()
{
    let Some(setup) = Setup::of(Kind::Dovecot).await else {
        return;
    };
    let status = Arc::new(AtomicU16::new(503));
    let plan = {
        let status = Arc::clone(&status);
        move |route: &str, _| {
            let is_hit = route.contains("extract-text");
            let status = status.load(Ordering::SeqCst);
            (is_hit && status != 200).then_some(Fault::Answer(status, None))
        }
    };
    let port = free_port().unwrap();
    let manager = format!("http://127.0.0.1:{port}");
    let proxy = Proxy::to_manager(&manager, Box::new(plan), Journal::default());
    let proxy = proxy.await.unwrap();
    let setup = setup.with_manager(port, &proxy.url()).await;
    let mail = b"Message-ID: <boats@example.com>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\
        Content-Transfer-Encoding: base64\r\n\r\n/////w==\r\n--b--\r\n";
    setup.client().append("INBOX", mail);
    for passing in [503, 429] {
        status.store(passing, Ordering::SeqCst);
        let ended = setup.run(Incremental).await;
        assert_eq!(ended.report().failed, 1, "{ended:?}");
        setup.has(&[]).await;
    }
    status.store(200, Ordering::SeqCst);
    setup.sync(Incremental).await;
    setup.has(&[("INBOX", "boats")]).await;
}
