//! Mails and folders that no mail program would make.

use omni_connector::SyncType::{Full, Incremental};

use omni_connector_dev::store::runs::RunStatus;

use crate::support::{Setup, id, mail};

#[tokio::test]
async fn an_odd_mail_does_not_end_the_run() {
    let Some(setup) = Setup::new().await else {
        return;
    };
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
    for mail in odd {
        client.append("INBOX", mail);
    }
    client.append("INBOX", &mail("boats", None));
    client.ask("CREATE Later");
    client.append("Later", &mail("plan", None));
    // Omni's index of ids has no room for the last one: a failed item.
    let ended = setup.run(Full).await;
    assert_eq!(ended.progress.run.status, RunStatus::Completed, "{ended:?}");
    assert_eq!(ended.report().failed, 1, "{ended:?}");
    let ids = setup.ids().await;
    assert!(ids.contains(&id("INBOX", "boats")), "{ids:?}");
    assert!(ids.contains(&id("Later", "plan")), "{ids:?}");
    assert_eq!(ids.len(), odd.len() + 1, "{ids:?}");
    let ended = setup.run(Incremental).await;
    assert_eq!(ended.progress.run.status, RunStatus::Completed, "{ended:?}");
    let report = ended.report();
    assert_eq!((report.updated, report.failed), (0, 1));
}

#[tokio::test]
async fn a_folder_with_an_odd_name_is_read() {
    let Some(setup) = Setup::new().await else {
        return;
    };
    let mut client = setup.client();
    for (name, subject) in [
        (r#""a \"b\" \\ c""#, "quotes"),
        ("\"x &- (y) % * {z}\"", "signs"),
    ] {
        client.ask(&format!("CREATE {name}"));
        client.append(name, &mail(subject, None));
    }
    setup.sync(Full).await;
    let ids = [
        id("a%20%22b%22%20%5C%20c", "quotes"),
        id("x%20&-%20%28y%29%20%25%20%2A%20%7Bz%7D", "signs"),
    ];
    assert_eq!(setup.ids().await, ids);
    let path = &setup.documents().await[ids[0].as_str()].metadata["path"];
    assert_eq!(path, r#"ada@example.com/a "b" \ c"#);
}
