//! Tests who may see the page, and what it must never show.

use omni_connector::SyncType;
use reqwest::{
    Method,
    header::{CONTENT_SECURITY_POLICY, COOKIE, ORIGIN, SET_COOKIE},
};
use serde_json::json;

use crate::{PANES, World, bring, browser::http, document};

const CANARY: &str = "canary-7f3a";

#[tokio::test]
async fn a_printed_address_admits_one_browser_and_others_see_nothing() {
    let world = World::new().await;
    let address = world.manager.page();
    let http = http();
    let first = http.get(&address).send().await.unwrap();
    assert_eq!(first.status(), 303);
    let cookie = first.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    let second = http.get(&address).send().await.unwrap();
    assert_eq!(second.status(), 403);
    assert!(!second.headers().contains_key(SET_COOKIE));
    for path in PANES
        .map(|pane| format!("/dev/{pane}"))
        .into_iter()
        .chain(["/dev".to_owned(), "/dev/events".to_owned()])
    {
        for guess in [None, Some("omni_dev=x"), Some("omni_dev_0=")] {
            let mut request = http.get(format!("{}{path}", world.manager.url()));
            if let Some(guess) = guess {
                request = request.header(COOKIE, guess);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path}");
            assert!(!answer.text().await.unwrap().contains("Acme"), "{path}");
        }
    }
}

#[tokio::test]
async fn only_the_page_itself_can_change_something() {
    let world = World::new().await;
    let browser = world.browser().await;
    let path = format!("/dev/source/remove?source={}", world.source);
    let refused = [
        browser.request(Method::POST, &path),
        browser
            .request(Method::POST, &path)
            .header(ORIGIN, "https://evil.example"),
        browser
            .request(Method::POST, &path)
            .header(ORIGIN, "http://127.0.0.1:1"),
        browser.request(Method::POST, &path).header(ORIGIN, "null"),
        browser
            .request(Method::POST, &path)
            .header(ORIGIN, &browser.url)
            .header("sec-fetch-site", "cross-site"),
        http()
            .post(format!("{}{path}", browser.url))
            .header(ORIGIN, &browser.url),
    ];
    for request in refused {
        assert_eq!(
            request.form(&[("a", "b")]).send().await.unwrap().status(),
            403
        );
    }
    assert_eq!(
        browser.json("/dev/source").await["sources"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn no_answer_runs_a_foreign_script_or_loads_anything_from_elsewhere() {
    let world = World::new().await;
    let browser = world.browser().await;
    for pane in PANES {
        let answer = browser.get(&format!("/dev/{pane}"), "text/html").await;
        let policy = answer.headers()[CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        let page = answer.text().await.unwrap();
        assert!(
            !page.contains("<script>") && !page.contains(" onclick=") && !page.contains(" style="),
            "{pane}"
        );
        for part in page
            .split("src=\"")
            .skip(1)
            .chain(page.split("<link ").skip(1))
        {
            assert!(
                !part.split('>').next().unwrap().contains("//127") && !part.starts_with("http"),
                "{pane}: {part:.80}"
            );
        }
    }
}

#[tokio::test]
async fn nothing_of_a_document_is_rendered_as_html() {
    let world = World::new().await;
    let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}txt";
    let long = "x".repeat(1 << 20);
    let mut event = document(
        "hostile\u{202e}id",
        "c1",
        hostile,
        json!({ "public": true, "users": [hostile], "groups": [hostile] }),
    );
    event["metadata"]["url"] = "javascript:alert(1)".into();
    event["metadata"]["path"] = hostile.into();
    event["attributes"] = json!({ hostile: hostile, "project": hostile });
    let text = format!("{hostile}\n{long}");
    let run = bring(
        &world.manager,
        &world.source,
        &[&text],
        vec![event],
        SyncType::Full,
    )
    .await;
    let browser = world.browser().await;
    let hits = browser.json("/dev/documents?q=alert").await;
    let id = hits["hits"]["hits"][0]["id"].as_str().unwrap().to_owned();
    let paths = PANES.map(|pane| format!("/dev/{pane}")).into_iter().chain([
        format!("/dev/documents?doc={id}"),
        "/dev/documents?q=alert".to_owned(),
        format!(
            "/dev/documents?q={}",
            "%3Cscript%3Ealert(1)%3C/script%3E%22%3E"
        ),
        "/dev/documents?as=%3Cscript%3Ealert(1)%3C/script%3E&tab=why&item=%3Cscript%3E".to_owned(),
        "/dev/documents?tab=groups".to_owned(),
        format!("/dev/sync/compare?run={run}&with={}", world.run),
        "/dev/sync?run=%22%3E%3Cscript%3E".to_owned(),
    ]);
    for path in paths {
        let page = browser.page(&path).await;
        for mark in ["<script>", "<img", "href=\"javascript:", "\u{202e}"] {
            assert!(!page.contains(mark), "{path} holds {mark:?}");
        }
        assert!(page.len() < 400_000, "{path} has {} bytes", page.len());
    }
}

#[tokio::test]
async fn no_answer_contains_a_secret() {
    let world = World::new().await;
    let secret = "canary-7f3a\"<9";
    let mut event = document(
        "leak",
        "c1",
        secret,
        json!({ "public": true, "users": [], "groups": [] }),
    );
    event["attributes"] = json!({ "project": secret });
    event["metadata"]["url"] = format!("https://acme.example/?key={secret}").into();
    // Earlier versions and comparisons hold it as well.
    let mut older = event.clone();
    older["attributes"] = json!({ "project": "ops", secret: secret });
    let first = bring(
        &world.manager,
        &world.source,
        &[secret],
        vec![older],
        SyncType::Incremental,
    )
    .await;
    let second = bring(
        &world.manager,
        &world.source,
        &[secret],
        vec![event],
        SyncType::Incremental,
    )
    .await;
    let browser = world.browser().await;
    let query = "%7Bcanary";
    let more = [
        "/dev/documents?q=leak",
        "/dev/documents?doc=leak",
        "/dev/documents?q=canary",
        "/dev/documents?tab=why&item=leak",
    ];
    let paths = PANES
        .map(|pane| format!("/dev/{pane}?q={query}"))
        .into_iter()
        .chain(more.map(str::to_owned))
        .chain([format!("/dev/sync/compare?run={first}&with={second}")]);
    for path in paths {
        for accept in ["text/html", "application/json"] {
            let text = browser.get(&path, accept).await.text().await.unwrap();
            assert!(!text.contains(CANARY), "{path} as {accept}");
        }
    }
    let doubts = browser.json("/dev/sync").await["doubts"].to_string();
    assert!(
        doubts.contains("A secret of the source stands in the title of the document `leak`"),
        "{doubts}"
    );
    let text = "A secret of the source stands in the title of the document `leak`";
    let doubts = browser.json("/dev/sync").await["doubts"].clone();
    let leak = doubts
        .as_array()
        .unwrap()
        .iter()
        .find(|doubt| doubt["text"].as_str().unwrap().starts_with(text));
    let fields = [
        ("text", leak.unwrap()["text"].as_str().unwrap()),
        ("reason", "why"),
    ];
    let path = format!("/dev/sync/doubt?source={}", world.source);
    let (status, _) = crate::requests::send(&browser, &path, &fields).await;
    assert_eq!(status, 400, "a secret is not dismissed");

    browser
        .send(
            &format!("/dev/source/secret?source={}", world.source),
            &[("json", "{ \"key\": \"canary-7f3a")],
        )
        .await;
    let page = browser.page("/dev/source").await;
    assert!(page.contains("The secret was not kept") && !page.contains(CANARY));
}
