//! Runs for a trial: the first documents only, one failed item again, a planned kill, and two runs compared.

use std::time::Duration;

use omni_connector::{HttpClient, SyncType};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{World, bring, browser::Browser, document, only, requests::send};

/// Sends a request as the connector does.
async fn say(world: &World, path: &str, body: &Value) {
    let url = format!("{}/sdk/{path}", world.manager.url());
    let http = HttpClient::new();
    let request = if path.ends_with("/checkpoint") {
        http.put(url)
    } else {
        http.post(url)
    };
    let answer = request.json(body).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}

/// Stores a text for a run, and returns its id.
async fn text(world: &World, run: &str, text: &str) -> String {
    let url = format!("{}/sdk/content", world.manager.url());
    let body = json!({ "sync_run_id": run, "content": text });
    let answer = HttpClient::new()
        .post(url)
        .json(&body)
        .send()
        .await
        .unwrap();
    let answer: Value = answer.json().await.unwrap();
    answer["content_id"].as_str().unwrap().to_owned()
}

/// Sends documents of a run, all with one text.
async fn documents(world: &World, run: &str, ids: &[&str]) {
    let content = text(world, run, "a new text").await;
    let events: Vec<_> = ids
        .iter()
        .map(|id| {
            let mut event = document(id, &content, "New", only(&["ann@acme.example"], &[]));
            event["sync_run_id"] = run.into();
            event["source_id"] = world.source.as_str().into();
            event
        })
        .collect();
    let batch = json!({ "sync_run_id": run, "source_id": world.source, "events": events });
    say(world, "events/batch", &batch).await;
}

/// Waits until the latest run has ended.
async fn ended(browser: &Browser) -> Value {
    for _ in 0..200 {
        let sync = browser.json("/dev/sync").await;
        if sync["runs"][0]["run"]["status"] != "running" {
            return sync;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the run did not end");
}

async fn begin(world: &World, browser: &Browser, first: &str) -> String {
    let path = format!("/dev/sync/begin?source={}", world.source);
    let (status, _) = send(browser, &path, &[("mode", "full"), ("first", first)]).await;
    assert_eq!(status, 200);
    let sync = browser.json("/dev/sync").await;
    sync["runs"][0]["run"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn only_the_first_documents_are_taken_and_no_checkpoint_is_published() {
    let world = World::new().await;
    let browser = world.browser().await;
    let run = begin(&world, &browser, "2").await;
    let saved = json!({ "page": 9 });
    say(&world, &format!("sync/{run}/checkpoint"), &saved).await;
    documents(&world, &run, &["a", "b", "c"]).await;
    // The connector may end before it hears of the cancel.
    say(&world, &format!("sync/{run}/complete"), &json!({})).await;
    let sync = ended(&browser).await;
    let shown = &sync["runs"][0];
    assert_eq!(shown["run"]["status"], "cancelled");
    assert_eq!(
        shown["run"]["error_message"],
        "Ended: only the first 2 documents were asked for"
    );
    assert_eq!(shown["effects"]["created"], 2);
    assert_eq!(sync["checkpoint"]["page"], 2, "the one from before");

    // A run that has fewer documents is like any other.
    let run = begin(&world, &browser, "9").await;
    say(&world, &format!("sync/{run}/checkpoint"), &saved).await;
    documents(&world, &run, &["a"]).await;
    say(&world, &format!("sync/{run}/complete"), &json!({})).await;
    let sync = ended(&browser).await;
    assert_eq!(sync["runs"][0]["run"]["status"], "completed");
    assert_eq!(sync["checkpoint"]["page"], 9);

    let path = format!("/dev/sync/begin?source={}", world.source);
    let (status, refusal) = send(&browser, &path, &[("first", "many")]).await;
    assert_eq!(status, 400);
    assert_eq!(
        refusal["error"],
        "The number of documents is a whole number above zero, not `many`."
    );
}

#[tokio::test]
async fn only_items_that_match_and_changed_since_a_day_are_taken() {
    let world = World::new().await;
    let browser = world.browser().await;
    let begin = format!("/dev/sync/begin?source={}", world.source);
    let bounded = async |fields: &[(&str, &str)]| {
        let (status, answer) = send(&browser, &begin, fields).await;
        assert_eq!(status, 200, "{answer}");
        let sync = browser.json("/dev/sync").await;
        let run = sync["runs"][0]["run"]["id"].as_str().unwrap().to_owned();
        say(
            &world,
            &format!("sync/{run}/checkpoint"),
            &json!({ "page": 9 }),
        )
        .await;
        documents(&world, &run, &["red-1", "blue-1", "RED-2"]).await;
        say(&world, &format!("sync/{run}/complete"), &json!({})).await;
        let sync = ended(&browser).await;
        let shown = &sync["runs"][0];
        let (message, checkpoint) = (&shown["run"]["error_message"], &sync["checkpoint"]["page"]);
        let taken = shown["effects"]["created"].as_u64().unwrap()
            + shown["effects"]["unchanged"].as_u64().unwrap();
        (taken, message.clone(), checkpoint.clone())
    };
    let (taken, message, checkpoint) = bounded(&[("mode", "full"), ("matching", "red")]).await;
    assert_eq!(taken, 2);
    assert_eq!(
        message,
        "Ended: only documents that match `red` were asked for"
    );
    assert_eq!(checkpoint, 2, "the one from before");
    // All documents of the tests changed on the first of November.
    let (taken, message, checkpoint) = bounded(&[("mode", "full"), ("since", "2026-11-02")]).await;
    assert_eq!(taken, 0);
    assert_eq!(
        message,
        "Ended: only documents changed since 2026-11-02T00:00:00Z were asked for"
    );
    assert_eq!(checkpoint, 2);
    let (taken, message, checkpoint) = bounded(&[("mode", "full"), ("since", "2026-11-01")]).await;
    assert_eq!(
        (taken, message, checkpoint),
        (3, json!(null), json!(9)),
        "nothing was left out"
    );
    let (status, refusal) = send(&browser, &begin, &[("since", "soon")]).await;
    assert_eq!(status, 400);
    assert!(
        refusal["error"]
            .as_str()
            .unwrap()
            .contains("`soon` is not a time"),
        "{refusal}"
    );
    let page = browser.page("/dev/sync").await;
    assert!(
        page.contains("name=\"matching\"") && page.contains("name=\"since\""),
        "{page}"
    );
}

#[tokio::test]
async fn a_run_goes_on_from_a_saved_checkpoint_at_once() {
    let world = World::new().await;
    let browser = world.browser().await;
    let sync = browser.json("/dev/sync").await;
    let saved = sync["run"]["checkpoints"][1].clone();
    assert_eq!(
        saved["checkpoint"]["page"], 1,
        "the first one that the run saved"
    );
    let path = format!("/dev/sync/rewind?source={}", world.source);
    let id = saved["id"].to_string();
    let fields = [("saved", id.as_str()), ("now", "1")];
    let (status, begun) = send(&browser, &path, &fields).await;
    assert_eq!(status, 200, "{begun}");
    let sync = browser.json("/dev/sync").await;
    let run = &sync["runs"][0]["run"];
    assert_eq!(
        (&run["id"], &run["status"], &run["sync_type"]),
        (&begun["run"], &json!("running"), &json!("incremental"))
    );
    assert_eq!(sync["checkpoint"]["page"], 1);
    let page = browser.page(&format!("/dev/sync?run={}", world.run)).await;
    assert!(page.contains("Resume from here now"), "{page}");
    let (status, _) = send(&browser, &path, &fields).await;
    assert_eq!(status, StatusCode::CONFLICT, "a run goes on");
}

#[tokio::test]
async fn a_failed_item_is_tried_again_and_nothing_else_is_taken() {
    let world = World::new().await;
    let browser = world.browser().await;
    let page = browser.page("/dev/sync").await;
    assert!(page.contains("action=\"/dev/sync/try?source="), "{page}");
    let again = async |run: &str, item: &str| {
        let path = format!("/dev/sync/try?source={}", world.source);
        send(&browser, &path, &[("run", run), ("item", item)]).await
    };
    let (status, begun) = again(&world.run, "broken.pdf").await;
    assert_eq!(status, 200, "{begun}");
    let run = begun["run"].as_str().unwrap().to_owned();
    let trial = browser.json("/dev/sync").await["run"]["trial"].clone();
    assert_eq!(
        (&trial["before"]["outcome"], &trial["before"]["cause"]),
        (&json!("failed"), &json!("404 Not Found"))
    );
    let (status, _) = again(&run, "broken.pdf").await;
    assert_eq!(status, StatusCode::CONFLICT, "it still runs");
    // The request of the run names the item. The report says that only this item was fetched.
    let kept = HttpClient::new().post(format!("{}/dev/api/runs/{run}/keep", world.manager.url()));
    assert_eq!(kept.send().await.unwrap().status(), 200);
    let sync = browser.json("/dev/sync").await;
    assert_eq!(sync["run"]["report"]["current"], "broken.pdf");
    assert_eq!(sync["run"]["trial"]["is_refetch"], true);
    let page = browser.page("/dev/sync").await;
    assert!(page.contains("fetched this item by itself"), "{page}");
    let saved = json!({ "page": 9 });
    say(&world, &format!("sync/{run}/checkpoint"), &saved).await;
    documents(&world, &run, &["handbook", "broken.pdf"]).await;
    let sync = ended(&browser).await;
    let trial = &sync["run"]["trial"];
    assert_eq!(trial["now"]["outcome"], "sent", "{trial}");
    assert_eq!(sync["checkpoint"]["page"], 2, "the one from before");
    let page = browser.page("/dev/sync").await;
    assert!(
        page.contains("Tried again: <bdi>broken.pdf</bdi>"),
        "{page}"
    );
    let title = async |id: &str| {
        let shown = browser.json(&format!("/dev/documents?doc={id}")).await;
        shown["document"]["document"]["title"].clone()
    };
    assert_eq!(title("broken.pdf").await, "New");
    assert_eq!(title("handbook").await, "The handbook");

    let (status, refusal) = again(&world.run, "handbook").await;
    assert_eq!(status, 404);
    let expected = "`handbook` is not among the named failures of this run";
    assert_eq!(refusal["error"], expected);
    let (status, _) = again("no-such-run", "broken.pdf").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn an_item_that_fails_again_publishes_nothing() {
    let world = World::new().await;
    let browser = world.browser().await;
    let path = format!("/dev/sync/try?source={}", world.source);
    let fields = [("run", world.run.as_str()), ("item", "broken.pdf")];
    let (_, begun) = send(&browser, &path, &fields).await;
    let run = begun["run"].as_str().unwrap();
    let saved = json!({ "page": 9 });
    say(&world, &format!("sync/{run}/checkpoint"), &saved).await;
    documents(&world, run, &["handbook"]).await;
    say(&world, &format!("sync/{run}/complete"), &json!({})).await;
    let sync = ended(&browser).await;
    let shown = &sync["runs"][0];
    assert_eq!(shown["run"]["status"], "cancelled");
    assert_eq!(shown["effects"]["updated"], 0);
    assert_eq!(sync["checkpoint"]["page"], 2, "the one from before");
    assert_ne!(sync["run"]["trial"]["now"]["outcome"], "sent");
}

#[tokio::test]
async fn two_runs_are_compared_by_their_documents_and_requests() {
    let world = World::new().await;
    let browser = world.browser().await;
    let readers = |who: &str| only(&[who], &[]);
    let events = vec![
        document("plan", "c1", "The plan", readers("cleo@acme.example")),
        json!({ "type": "document_deleted", "sync_run_id": "", "source_id": "", "document_id": "notice" }),
        document("<b>", "c1", "New", readers("ann@acme.example")),
    ];
    let texts = ["what came next"];
    let other = bring(
        &world.manager,
        &world.source,
        &texts,
        events,
        SyncType::Incremental,
    )
    .await;
    let path = |with: &str| format!("/dev/sync/compare?run={other}&with={with}");
    let compared = browser.json(&path(&world.run)).await;
    let documents = &compared["documents"];
    assert_eq!(
        (&documents["same"], &documents["different"]),
        (&json!(0), &json!(4))
    );
    let named = |id: &str, here: Option<&str>, there: Option<&str>| json!({ "document_id": id, "here": here, "there": there });
    let expected = [
        named("<b>", Some("sent"), None),
        named("handbook", None, Some("sent")),
        named("notice", Some("deleted"), Some("sent")),
        named("plan", Some("sent"), Some("sent")),
    ];
    assert_eq!(documents["named"], json!(expected));
    // The plan has an earlier version, which names its changes.
    let shown = browser.json("/dev/documents?doc=plan").await["document"]["versions"].clone();
    assert_eq!(shown.as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(shown[0]["sync_run_id"], other.as_str());
    let places: Vec<_> = shown[0]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["place"].as_str().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "/permissions/groups/0",
            "/permissions/users/0",
            "text, line 1"
        ]
    );
    let page = browser.page("/dev/documents?doc=plan").await;
    assert!(
        page.contains("<del>&quot;ben@acme.example&quot;</del>"),
        "{page}"
    );
    let shown = browser.json("/dev/documents?doc=handbook").await;
    assert_eq!(shown["document"]["versions"], json!([]));
    let same = browser.json(&path(&other)).await["documents"].clone();
    assert_eq!((&same["same"], &same["different"]), (&json!(3), &json!(0)));
    let page = browser.page(&path(&world.run)).await;
    assert!(page.contains("0 are the same, 4 differ"), "{page}");
    assert!(page.contains("sent by both, with another text"), "{page}");
    assert!(!page.contains("<b>"), "{page}");
    let answer = browser.get(&path("no-such-run"), "application/json").await;
    assert_eq!(answer.status(), 404);
    assert!(browser.page("/dev/sync").await.contains("id=\"compare\""));
}

#[tokio::test]
async fn a_kill_is_planned_only_where_a_command_started_the_connector() {
    let world = World::new().await;
    let browser = world.browser().await;
    for at in ["now", "documents", "checkpoint", "random", "never"] {
        let (status, refusal) = send(&browser, "/dev/sync/kill", &[("at", at)]).await;
        assert_eq!(status, StatusCode::CONFLICT, "{at}");
        let error = refusal["error"].as_str().unwrap();
        assert!(error.contains("not started by `cargo omni dev`"), "{error}");
    }
    let (status, _) = send(&browser, "/dev/sync/kill", &[("at", "dawn")]).await;
    assert_eq!(status, 400);
}
