//! The pane of the actions: dry runs.

use serde_json::json;

use crate::{World, requests::send};

#[tokio::test]
async fn a_dry_run_shows_what_was_stopped_and_whose_credential_it_is() {
    let world = World::new().await;
    let browser = world.browser().await;
    let path = format!("/dev/actions?source={}&action=echo", world.source);
    let input = json!({ "text": "canary-7f3a\"<9" }).to_string();
    let fields = [("as_json", "1"), ("json", input.as_str()), ("dry", "1")];
    let (status, done) = send(&browser, &path, &fields).await;
    assert_eq!(status, 200, "{done}");
    let shown = browser.json(&path).await;
    let tried = &shown["dry_run"];
    assert_eq!(tried["stopped"]["method"], "POST");
    let reason = "no person calls, so it is the organisation's";
    assert_eq!(tried["credential"]["reason"], reason);
    assert_eq!(shown["called"], json!(null), "nothing was called");
    let page = browser.page(&path).await;
    for part in ["was not sent", "Call for real", reason] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for secret in ["<b>", "canary"] {
        assert!(!page.contains(secret), "{secret}: {page}");
        assert!(!shown.to_string().contains("canary"), "{shown}");
    }
    // The real call takes the place of the dry run.
    let (status, _) = send(&browser, &path, &fields[..2]).await;
    assert_eq!(status, 200);
    let shown = browser.json(&path).await;
    assert_eq!(shown["dry_run"], json!(null));
    assert_eq!(shown["called"]["status"], 200);
}

#[tokio::test]
async fn a_connector_that_makes_no_dry_runs_is_not_called() {
    let world = World::new().await;
    let browser = world.browser().await;
    let path = format!("/dev/actions?source={}&action=echo", world.source);
    let fields = [
        ("as_json", "1"),
        ("json", "{\"text\":\"plain\"}"),
        ("dry", "1"),
    ];
    let (status, refusal) = send(&browser, &path, &fields).await;
    assert_eq!(status, 409);
    let error = refusal["error"].as_str().unwrap();
    assert!(error.contains("not started by `cargo omni`"), "{error}");
    assert_eq!(browser.json(&path).await["called"], json!(null));
    // A run would lose its requests.
    let begin = format!("/dev/sync/begin?source={}", world.source);
    send(&browser, &begin, &[("mode", "full")]).await;
    let fields = [("as_json", "1"), ("json", "{\"text\":\"a\"}"), ("dry", "1")];
    let (status, refusal) = send(&browser, &path, &fields).await;
    assert_eq!(status, 409);
    assert!(
        refusal["error"].as_str().unwrap().contains("a run goes on"),
        "{refusal}"
    );
}
