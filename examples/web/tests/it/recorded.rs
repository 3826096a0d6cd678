//! Serves the source that was recorded with Omni's own connector, and compares every document with what that one emitted.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use omni_connector::{
    SyncType::{Full, Incremental},
    prelude::*,
};

use crate::site::{Test, html, status};

const OMNIS: &str = "http://127.0.0.1:47081";

fn recording() -> Value {
    serde_json::from_str(include_str!("../data/recorded.json")).unwrap()
}

async fn start() -> Test {
    let recording = recording();
    let pages = recording["source"]["pages"].as_object().unwrap();
    let pages: Vec<_> = pages
        .iter()
        .map(|(path, body)| (path.as_str(), html(body.as_str().unwrap())))
        .collect();
    let mut config = recording["config"].clone();
    config.as_object_mut().unwrap().remove("root_url");
    Test::start(&pages, config).await
}

/// Compares what Omni has with the events of a recorded run, and lists every deviation.
async fn compare(site: &Test, run: usize) -> Vec<String> {
    let recording = recording();
    let ours = site.by_path().await;
    let mut compared = Vec::new();
    for event in recording["runs"][run]["events"].as_array().unwrap() {
        let id = URL_SAFE_NO_PAD
            .decode(event["document_id"].as_str().unwrap())
            .unwrap();
        let path = String::from_utf8(id).unwrap().replace(OMNIS, "");
        if path == "/noindex.html" {
            // A defect of Omni's: it indexes what asks not to be.
            assert!(!ours.contains_key(&path));
            continue;
        }
        let document = &ours[&path];
        let omnis = &event["metadata"];
        assert_eq!(document.title, omnis["title"].as_str().unwrap());
        assert_eq!(document.permissions.as_ref(), Some(&event["permissions"]));
        for key in ["content_type", "mime_type", "path", "size", "title"] {
            assert_eq!(document.metadata[key], omnis[key], "{path}: {key}");
        }
        let url = omnis["url"].as_str().unwrap().replace(OMNIS, &site.url);
        assert_eq!(document.metadata["url"], url);
        let extra = document.metadata["extra"].as_object().unwrap();
        let keys: Vec<_> = extra.keys().collect();
        assert_eq!(
            keys,
            omnis["extra"]
                .as_object()
                .unwrap()
                .keys()
                .collect::<Vec<_>>()
        );
        assert_eq!(extra["domain"], omnis["extra"]["domain"]);
        // The hash is of our text, and the ETag is the test server's.
        if path == "/boats.html" {
            // An addition: menu and footer of a page with a single article are left out.
            let event = event["content"].as_str().unwrap();
            let omnis = event
                .replace("menu\n\n", "")
                .replace("\n\nfoot\n\n[Home](/)", "");
            assert_eq!(document.text, omnis);
        } else {
            assert_eq!(document.text, event["content"].as_str().unwrap(), "{path}");
            assert_eq!(extra["word_count"], omnis["extra"]["word_count"], "{path}");
        }
        compared.push(path);
    }
    compared
}

#[tokio::test]
async fn every_event_is_the_recorded_one_but_for_the_listed_deviations() {
    let test = start().await;
    test.sync(Full).await;
    let mut compared = compare(&test, 0).await;
    compared.sort();
    assert_eq!(compared, test.paths().await);

    let second = test.sync(Incremental).await;
    let effects = &second.progress.effects;
    assert_eq!(effects.updated + effects.deleted + effects.created, 0);

    test.set("/boats.html", html(
        "<title>Boats</title><nav>menu</nav><article><h1>Boats</h1><p>Ida, Otto and Ruth are boats.</p><ul><li>Ida</li>\
         <li>Otto</li></ul></article><footer>foot</footer><a href=\"/\">Home</a>",
    ));
    test.set("/tides/today.html", status(404));
    test.sync(Incremental).await;
    assert_eq!(compare(&test, 2).await, ["/boats.html"]);
    // A defect of Omni's: a page that is gone stays.
    assert_eq!(test.paths().await, ["/", "/boats.html", "/tides/"]);
}

#[tokio::test]
async fn a_checkpoint_of_omnis_own_connector_is_taken_over() {
    let saved = recording()["runs"][0]["checkpoint"].clone();
    let known: web::Known = omni_connector::decode("checkpoint", saved).unwrap();
    assert!(format!("{known:?}").contains('5'), "{known:?}");
}
