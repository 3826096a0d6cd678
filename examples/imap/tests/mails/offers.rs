//! The capabilities of a server decide how the connector logs in, what it asks for, and whether it can watch.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use omni_connector::{
    AuthType,
    SyncType::{Full, Incremental, Realtime},
};
use serde_json::json;

use crate::{
    relay::Then,
    server::{Kind, USER},
    support::{Setup, mail},
};

with_each_server! {
    a_busy_server_is_not_reported_as_a_wrong_password,
}

async fn a_busy_server_is_not_reported_as_a_wrong_password(setup: Setup) {
    setup.client().append("INBOX", &mail("boats", None));
    for answer in [
        "TAG NO [UNAVAILABLE] Temporary authentication failure",
        "TAG NO [LIMIT] Maximum number of connections exceeded",
    ] {
        setup.relay.before(" LOGIN ", move || Then::Answer(answer));
        let message = setup.refusal(Full).await;
        assert!(message.contains("too busy"), "{message}");
        assert!(!message.contains("`password`"), "{message}");
    }
    setup.sync(Full).await;
    setup.has(&[("INBOX", "boats")]).await;
}

#[tokio::test]
async fn a_password_is_not_sent_without_tls_if_the_server_forbids_it() {
    let change = ("allowplaintext: yes", "allowplaintext: no");
    let Some(setup) = Setup::with(Kind::Cyrus, &[change]).await else {
        return;
    };
    let message = setup.refusal(Full).await;
    assert!(message.contains("set `encryption`"), "{message}");
    let commands = setup.relay.commands();
    let has_tried = commands
        .iter()
        .any(|it| it == "LOGIN" || it == "AUTHENTICATE");
    assert!(!has_tried, "{commands:?}");
    let setup = setup.trusting().await;
    setup.configure("host", json!("localhost")).await;
    setup.configure("encryption", json!("starttls")).await;
    setup.sync(Full).await;
}

#[tokio::test]
async fn a_password_with_special_characters_is_sent_unchanged() {
    for (password, command) in [
        ("pässwört-日本", "AUTHENTICATE"),
        (r#"a"b\c{1}&*"#, "LOGIN"),
    ] {
        let change = format!("password={password}");
        let changes = [("password=PASSWORD", change.as_str())];
        let Some(setup) = Setup::with(Kind::Dovecot, &changes).await else {
            return;
        };
        setup.password(password).await;
        setup.sync(Full).await;
        let commands = setup.relay.commands();
        assert!(commands.iter().any(|it| it == command), "{commands:?}");
    }
}

#[tokio::test]
async fn a_server_without_idle_is_read_and_refuses_only_the_watch() {
    let change = (
        "autocreate_quota: 0",
        "autocreate_quota: 0\nimapidlepoll: 0",
    );
    let Some(setup) = Setup::with(Kind::Cyrus, &[change]).await else {
        return;
    };
    setup.client().append("INBOX", &mail("boats", None));
    let message = setup.refusal(Realtime).await;
    assert!(
        message.contains("realtime sync is not available"),
        "{message}"
    );
    setup.sync(Full).await;
    setup.has(&[("INBOX", "boats")]).await;
}

#[tokio::test]
async fn a_trash_folder_of_any_name_is_excluded_even_if_the_server_marks_it_only_on_request() {
    for change in ["specialusealways: yes", "specialusealways: no"] {
        let change = format!("autocreate_quota: 0\n{change}");
        let changes = [("autocreate_quota: 0", change.as_str())];
        let Some(setup) = Setup::with(Kind::Cyrus, &changes).await else {
            return;
        };
        let mut client = setup.client();
        client.append("INBOX", &mail("boats", None));
        client.ask("CREATE INBOX.Papierkorb (USE (\\Trash))");
        client.append("Papierkorb", &mail("tea", None));
        setup.sync(Full).await;
        setup.has(&[("INBOX", "boats")]).await;
    }
}

#[tokio::test]
async fn an_access_token_is_sent_by_the_mechanism_that_the_server_offers() {
    for mechanism in ["xoauth2", "oauthbearer"] {
        let provider = provider("a-good-token");
        let changes = [
            (
                "auth_mechanisms = plain",
                &*format!("auth_mechanisms = plain {mechanism}"),
            ),
            (
                "userdb {",
                "passdb {\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = FOLDER/oauth2\n}\nuserdb {",
            ),
            ("PROVIDER_PORT", &provider.to_string()),
        ];
        let Some(setup) = Setup::with(Kind::Dovecot, &changes).await else {
            return;
        };
        setup.client().append("INBOX", &mail("boats", None));
        let token = |token: &str| json!({ "username": USER, "access_token": token });
        setup
            .set_credentials(AuthType::Oauth, token("a-good-token"))
            .await;
        setup.sync(Full).await;
        setup.has(&[("INBOX", "boats")]).await;
        setup.relay.commands();
        setup
            .set_credentials(AuthType::Oauth, token("a-bad-token"))
            .await;
        let message = setup.refusal(Incremental).await;
        assert!(
            message.contains("`username` and `access_token`"),
            "{message}"
        );
        assert!(!message.contains("a-bad-token"), "{message}");
        let tried = setup.relay.commands();
        let tried = tried.iter().filter(|it| *it == "AUTHENTICATE").count();
        assert_eq!(tried, 1, "{mechanism}");
    }
}

#[tokio::test]
async fn an_access_token_is_not_sent_to_a_server_that_accepts_none() {
    let Some(setup) = Setup::of(Kind::Dovecot).await else {
        return;
    };
    let token = json!({ "username": USER, "access_token": "a-good-token" });
    setup.set_credentials(AuthType::Oauth, token).await;
    let message = setup.refusal(Full).await;
    assert!(message.contains("OAUTHBEARER"), "{message}");
    assert!(!setup.relay.commands().contains(&"AUTHENTICATE".to_owned()));
}

/// Starts an OAuth provider that checks access tokens for Dovecot. Returns its port.
fn provider(good: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut question in listener.incoming().flatten() {
            let (mut asked, mut buffer) = (String::new(), [0; 4_096]);
            while !asked.contains("token=") {
                let read = question.read(&mut buffer).unwrap_or(0);
                if read == 0 {
                    break;
                }
                asked += &String::from_utf8_lossy(&buffer[..read]);
            }
            let is_good = asked.contains(&format!("token={good}"));
            let said = json!({ "active": is_good, "username": USER }).to_string();
            let length = said.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{said}"
            );
            let _ = question.write_all(answer.as_bytes());
        }
    });
    port
}

#[tokio::test]
async fn too_many_connections_are_not_reported_as_a_wrong_password() {
    for (kind, from, to) in [
        (
            Kind::Cyrus,
            "autocreate_quota: 0",
            "autocreate_quota: 0\nmaxlogins_per_user: 1",
        ),
        (
            Kind::Dovecot,
            "protocols = imap",
            "protocols = imap\nmail_max_userip_connections = 1",
        ),
    ] {
        let Some(setup) = Setup::with(kind, &[(from, to)]).await else {
            continue;
        };
        let client = setup.client();
        let message = setup.refusal(Full).await;
        assert!(message.contains("too busy"), "{kind:?}: {message}");
        drop(client);
        setup.sync(Full).await;
    }
}
