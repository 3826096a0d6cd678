//! Wrong settings are found before a run begins, and named; a password is tried once.

use omni_connector::{
    AuthType,
    SyncType::{Full, Incremental},
};
use omni_connector_dev::testing::{SelfSigned, Source};
use serde_json::json;

use crate::{
    cloud::{Cloud, LOGIN, PASSWORD, USER},
    support::{TREE, Test},
};

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_named() {
    let test = Test::of(Cloud::with(&TREE), json!({})).await;
    test.cloud.world().password = "another".into();
    let refusal = test.refusal(Full).await;
    assert!(refusal.contains("`username` and `password`"), "{refusal}");
    assert!(!refusal.contains(PASSWORD), "{refusal}");
    assert_eq!(test.cloud.world().asked.len(), 1);
    // In a source that was read before as well.
    test.cloud.world().password = PASSWORD.into();
    test.mirrors(Full).await;
    test.cloud.world().password = "another".into();
    test.cloud.world().asked();
    let refusal = test.refusal(Full).await;
    assert!(refusal.contains("`username` and `password`"), "{refusal}");
    assert_eq!(test.cloud.world().asked.len(), 1);
    assert_eq!(test.paths().await.len(), 7);
}

#[tokio::test]
async fn a_wrong_setting_is_named() {
    let test = Test::of(Cloud::with(&TREE), json!({})).await;
    let url = test.cloud.url();
    for (key, value, message) in [
        (
            "server_url",
            json!("http://127.0.0.1:9"),
            "`server_url` cannot be reached",
        ),
        (
            "server_url",
            json!("http://nowhere.invalid"),
            "`server_url` cannot be reached",
        ),
        (
            "server_url",
            json!(format!("{url}/remote.php/dav")),
            "`server_url` must be the address of the server alone",
        ),
        ("server_url", json!("cloud.example.com"), "`server_url`"),
        (
            "server_url",
            json!(format!("{url}/elsewhere")),
            "`server_url` is not the address of a Nextcloud server",
        ),
        ("base_path", json!("/nowhere"), "`base_path` is `/nowhere`"),
        (
            "base_path",
            json!("/readme.md"),
            "`base_path` is `/readme.md`, which cannot be read",
        ),
        ("base_path", json!("../ann"), "`base_path` must be a path"),
        ("max_file_size", json!("many"), "`max_file_size`"),
    ] {
        test.configure("server_url", url.clone().into()).await;
        test.configure("base_path", json!("/")).await;
        test.configure("max_file_size", json!(0)).await;
        test.configure(key, value.clone()).await;
        let refusal = test.refusal(Full).await;
        assert!(refusal.contains(message), "{key} {value}: {refusal}");
    }
}

/// A server that answers every request with this.
fn answering(answer: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[tokio::test]
async fn a_page_of_another_kind_and_a_server_without_tls_are_named() {
    let test = Test::of(Cloud::with(&TREE), json!({})).await;
    let html = answering(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>",
    );
    test.configure("server_url", html.into()).await;
    let refusal = test.refusal(Full).await;
    assert!(
        refusal.contains("`server_url` is not the address of a Nextcloud server"),
        "{refusal}"
    );
    // Without TLS no certificate is good.
    let plain = test.cloud.url().replace("http://", "https://");
    test.configure("server_url", plain.into()).await;
    let refusal = test.refusal(Full).await;
    assert!(
        refusal.contains("`server_url` cannot be reached"),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_source_that_moves_to_another_server_has_the_user_id_of_that_server() {
    let test = Test::synced().await;
    let other = Cloud::with(&TREE);
    other.world().user = "ada".into();
    test.configure("server_url", other.url().into()).await;
    test.syncs(Incremental).await;
    assert_eq!(test.paths().await.len(), 7);
    let asked = other.world().asked.clone();
    assert_eq!(
        asked.iter().filter(|it| it.2 >= 400).count(),
        0,
        "{asked:?}"
    );
}

#[tokio::test]
async fn the_password_goes_to_no_other_host() {
    let test = Test::of(Cloud::with(&TREE), json!({})).await;
    let other = Cloud::with(&TREE);
    // Addresses in answers lead elsewhere.
    test.cloud.world().origin = other.url();
    test.mirrors(Full).await;
    assert!(other.world().asked.is_empty());
    // And so does a redirect, whose target the message names.
    let to: &'static str = format!(
        "HTTP/1.1 301 Moved\r\nlocation: {}/ocs/v2.php/cloud/user?format=json\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        other.url()
    )
    .leak();
    test.configure("server_url", answering(to).into()).await;
    let refusal = test.refusal(Full).await;
    let message = format!(
        "`server_url` leads to `{}`; enter that address instead",
        other.url()
    );
    assert!(refusal.contains(&message), "{refusal}");
    assert!(other.world().asked.iter().all(|it| it.2 == 401));
}

#[tokio::test]
async fn the_actions_check_an_account_and_give_files() {
    let test = Test::synced().await;
    let checked = test.call("validate_credentials", json!({})).await;
    assert_eq!(checked, json!({ "authenticated": true }));
    let found = test.documents().await;
    for has_meta in [true, false] {
        test.cloud.world().has_meta = has_meta;
        for document in found.iter() {
            let id = json!({ "file_id": document.id });
            let answer = test.answer("fetch_file", id, None).await;
            assert_eq!(answer.status, 200, "{}", document.title);
            let path = document.metadata["path"].as_str().unwrap().to_owned();
            let content = test.cloud.world().nodes[&path].content.clone().unwrap();
            assert_eq!(answer.body, content);
            let name = answer.headers["x-file-name"].to_str().unwrap();
            let name = percent_encoding::percent_decode_str(name)
                .decode_utf8()
                .unwrap();
            assert_eq!(name, document.title);
        }
    }
    for (id, status) in [
        ("nextcloud:s:999", 404),
        ("nextcloud:", 400),
        ("github:1:2", 400),
    ] {
        let answer = test
            .answer("fetch_file", json!({ "file_id": id }), None)
            .await;
        assert_eq!(answer.status, status, "{id}");
    }
    // A file by its address, as documents of servers without numbers have it.
    let href = format!(
        "/remote.php/dav/files/{}/notes/plan.txt",
        USER.replace(' ', "%20")
    );
    let id = format!("nextcloud:s:{}", omni_connector::http::segment(&href));
    let answer = test
        .answer("fetch_file", json!({ "file_id": id }), None)
        .await;
    assert_eq!(answer.body, b"Paint the boats."[..]);
    test.cloud.world().password = "another".into();
    let checked = test.call("validate_credentials", json!({})).await;
    assert_eq!(checked, json!({ "authenticated": false }));
    test.cloud.world().asked();
    let id = json!({ "file_id": "nextcloud:s:1" });
    assert_eq!(test.answer("fetch_file", id, None).await.status, 401);
    assert_eq!(test.cloud.world().asked.len(), 1);
}

#[tokio::test]
async fn another_account_of_the_same_source_is_looked_up_anew() {
    let test = Test::synced().await;
    let secret = json!({ "username": format!("{LOGIN}@example.com"), "password": PASSWORD });
    test.set_credentials(AuthType::BasicAuth, secret).await;
    let refusal = test.refusal(Full).await;
    assert!(refusal.contains("`username` and `password`"), "{refusal}");
    let asked = test.cloud.world().asked.clone();
    assert_eq!(asked[0].1, "/ocs/v2.php/cloud/user");
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused_with_a_message() {
    let Some(server) = SelfSigned::start() else {
        return;
    };
    let test = Test::of(Cloud::with(&TREE), json!({})).await;
    test.configure("server_url", server.url().into()).await;
    let refusal = test.refusal(Full).await;
    assert!(refusal.contains("`server_url`"), "{refusal}");
    assert!(refusal.contains("certificate"), "{refusal}");
    assert!(!refusal.contains(PASSWORD), "{refusal}");
}

#[tokio::test]
async fn a_server_that_redirects_in_a_circle_is_named() {
    let test = Test::of(Cloud::with(&TREE), json!({})).await;
    let round = "HTTP/1.1 302 Found\r\nlocation: /ocs/v2.php/cloud/user?format=json\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    test.configure("server_url", answering(round).into()).await;
    let refusal = test.refusal(Full).await;
    assert!(refusal.contains("`server_url`"), "{refusal}");
}
