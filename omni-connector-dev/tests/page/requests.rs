//! The pane of the requests: what a connector reported of them, and faults that a person plans. Forms answer programs as JSON.

use omni_connector::http::Asked;
use omni_connector_dev::{store::requests, tape::Tape};
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, ORIGIN},
};
use serde_json::{Value, json};

use crate::{
    World,
    browser::{Browser, http},
};

fn call(number: u64, operation: &str, at: u64, steps: Value) -> Value {
    let is_ok = steps[0]["error"].is_null();
    json!({
        "number": number, "operation": operation, "method": "GET", "url": "https://acme.example/<b>issues", "page": 1,
        "walk": 1, "at_ms": at, "took_ms": 300, "bytes": 2048, "outcome": if is_ok { "ok" } else { "unavailable" },
        "steps": steps,
    })
}

fn step(at: u64, took: u64, wait: Option<&str>, status: Option<u16>, error: Option<&str>) -> Value {
    json!({ "at_ms": at, "took_ms": took, "wait": wait, "status": status, "error": error })
}

/// A request with its answer.
pub(crate) fn exchange(answer: Value) -> Value {
    json!({
        "operation": "GET issues",
        "asked": { "method": "GET", "at": "https://acme.example", "path": "/issues", "query": [["token", "tape_secret_3"]], "headers": {},
            "body": "empty" },
        "answered": { "status": 200, "headers": { "etag": "\"7\"" }, "body": { "json": answer } },
    })
}

/// What a process says of a run: a call that waited, and one that failed.
pub(crate) fn said(began: u64) -> Value {
    let cost = |failed: u64, waited: u64| json!({ "calls": 1, "attempts": 1, "failed": failed, "bytes": 2048, "took_ms": 300, "waited_ms": waited });
    json!({
        "began_ms": began, "calls": 2,
        "operations": { "GET issues": cost(0, 200), "GET <b>": cost(1, 0) },
        "walks": [{ "number": 1, "operation": "GET issues", "pages": 2, "items": [2, 1], "total": 4, "is_complete": false,
            "incomplete": "only 3 of 4 items were read" }],
        "requests": [
            call(1, "GET issues", 0, json!([step(0, 200, Some("pace"), None, None), step(200, 100, None, Some(200), None)])),
            call(2, "GET <b>", 400, json!([step(400, 300, None, Some(503), Some("it is down"))])),
        ],
    })
}

async fn keep(world: &World, said: Value) {
    let run = world.run.clone();
    let said = serde_json::from_value(said).unwrap();
    let store = world.manager.store();
    store
        .write(move |db| requests::put(db, &run, said))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_requests_of_a_run_are_shown_with_their_waits_and_costs() {
    let world = World::new().await;
    let browser = world.browser().await;
    let walk = "A walk over `GET issues` did not come to its end: only 3 of 4 items were read";
    let doubts = async || browser.json("/dev/sync").await["doubts"].to_string();
    assert!(!doubts().await.contains(walk), "nothing is known yet");
    let nothing = browser.json("/dev/requests").await;
    assert_eq!(nothing["is_reported"], false);
    let page = browser.page("/dev/requests").await;
    assert!(page.contains("Nothing was reported"), "{page}");

    keep(&world, said(1_000)).await;
    assert!(doubts().await.contains(walk), "{}", doubts().await);
    let shown = browser.json("/dev/requests").await;
    let costs = &shown["costs"];
    let expected = json!({
        "calls": 2, "attempts": 2, "failed": 1, "bytes": 4096, "waited_ms": 200, "took_ms": 600, "documents": 3,
    });
    assert_eq!(*costs, expected);
    let found = async |query: &str| {
        let shown = browser.json(&format!("/dev/requests?{query}")).await;
        shown["found"].as_u64().unwrap()
    };
    assert_eq!(found("").await, 2);
    assert_eq!(found("only=failed").await, 1);
    assert_eq!(found("only=waited").await, 1);
    assert_eq!(found("op=GET%20issues").await, 1);
    assert_eq!(found("run=another").await, 0);
    let page = browser.page("/dev/requests").await;
    for part in [
        "waited 200 ms for the quota of the source",
        "answered 503 after 300 ms",
        "it is down",
        "only 3 of 4 items were read",
        "3 items",
        "<rect class=\"wait\" x=\"0\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<b>"), "{page}");
}

/// An answer with two of three documents, as one finds it in a source.
fn said_of_documents() -> Value {
    let item = |id: &str, name: &str| {
        json!({
            "id": id, "name": name, "links": { "html": format!("https://acme.example/{id}") }, "project": { "key": "OPS" },
            "changed": "2026-11-01T01:00:00+01:00", "labels": [], "author": null,
        })
    };
    let answer = json!({ "page": 1, "issues": [item("handbook", "The handbook"), item("plan", "<b>the plan")] });
    let mut said = said(1_000);
    said["requests"][0]["exchange"] = exchange(answer);
    said["requests"][1]["exchange"] = exchange(json!({ "handbook": 1, "id": "plan" }));
    said
}

#[tokio::test]
async fn a_document_is_shown_beside_the_item_of_the_source_that_it_was_made_of() {
    let world = World::new().await;
    let browser = world.browser().await;
    let of = async |id: &str| {
        let shown = browser.json(&format!("/dev/documents?doc={id}")).await;
        shown["document"]["source_item"].clone()
    };
    assert_eq!(of("handbook").await, json!(null), "no answer is kept yet");
    keep(&world, said_of_documents()).await;
    let item = of("handbook").await;
    assert_eq!(item["run"], world.run.as_str());
    assert_eq!(item["operation"], "GET issues");
    assert_eq!(
        (&item["call"], &item["place"]),
        (&json!("1000-1"), &json!("/issues/0"))
    );
    assert_eq!(item["item"]["name"], "The handbook");
    let same = json!({
        "/title": "/name", "/metadata/title": "/name", "/metadata/url": "/links/html", "/metadata/updated_at": "/changed",
        "/attributes/project": "/project/key",
    });
    assert_eq!(item["same"], same);
    assert_eq!(
        of("plan").await["place"],
        "/issues/1",
        "not the object that has nothing but the id"
    );
    assert_eq!(of("notice").await, json!(null));

    let page = browser.page("/dev/documents?doc=handbook").await;
    for part in [
        "id=\"source-item\"",
        "href=\"#at%2Fproject%2Fkey\"",
        "<li id=\"at%2Fproject%2Fkey\">",
        "call=1000-1",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let page = browser.page("/dev/documents?doc=plan").await;
    assert!(
        page.contains("&lt;b&gt;the plan") && !page.contains("<b>the"),
        "{page}"
    );
}

#[tokio::test]
async fn a_call_names_the_documents_that_were_made_of_it() {
    let world = World::new().await;
    let browser = world.browser().await;
    keep(&world, said_of_documents()).await;
    let made = async |call: &str| {
        let shown = browser.json(&format!("/dev/requests?call={call}")).await;
        shown["call"]["documents"].clone()
    };
    let expected = json!([
        { "document_id": "handbook", "title": "The handbook", "place": "/issues/0" },
        { "document_id": "plan", "title": "The plan", "place": "/issues/1" },
    ]);
    assert_eq!(made("1").await, expected);
    assert_eq!(
        made("2").await,
        json!([]),
        "the id alone is too short to say it"
    );
    let page = browser.page("/dev/requests?call=1000-1").await;
    assert!(page.contains("doc=handbook"), "{page}");
}

/// What a process says of a run whose first call has its answer.
fn said_with_answer() -> Value {
    let mut said = said(1_000);
    said["requests"][0]["exchange"] =
        exchange(json!({ "issues": ["<b>"], "key": "canary-7f3a\"<9" }));
    said["requests"][1]["method"] = "POST".into();
    said
}

#[tokio::test]
async fn a_call_is_shown_with_its_answer_and_without_secrets() {
    let world = World::new().await;
    let browser = world.browser().await;
    keep(&world, said_with_answer()).await;
    let all = browser.json("/dev/requests").await;
    assert_eq!(all["call"], json!(null));
    assert_eq!(
        all["requests"][0]["exchange"],
        json!(null),
        "only an open call has it"
    );
    let shown = browser.json("/dev/requests?call=1").await["call"].clone();
    assert_eq!(shown["id"], "1000-1");
    assert_eq!(
        shown["exchange"]["answered"]["body"]["json"]["issues"],
        json!(["<b>"])
    );
    assert!(!shown.to_string().contains("canary"), "{shown}");
    let list = browser.page("/dev/requests").await;
    assert!(list.contains("call=1000-1"), "{list}");
    let page = browser.page("/dev/requests?call=1000-1").await;
    for part in [
        "id=\"call\"",
        "Make it once more",
        "tape_secret_3",
        "&lt;b&gt;",
        "etag: ",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<b>") && !page.contains("canary"), "{page}");
    let page = browser.page("/dev/requests?call=1000-2").await;
    assert!(
        page.contains("The answer is not kept") && !page.contains("Make it once more"),
        "{page}"
    );
    for nothing in ["7", "2000-1", "x"] {
        let shown = browser.json(&format!("/dev/requests?call={nothing}")).await;
        assert_eq!(shown["call"], json!(null), "{nothing}");
    }
}

#[tokio::test]
async fn a_call_that_only_reads_is_made_once_more_and_the_answers_are_compared() {
    let world = World::new().await;
    let browser = world.browser().await;
    keep(&world, said_with_answer()).await;
    let again =
        async |call: &str| send(&browser, &format!("/dev/requests/repeat?call={call}"), &[]).await;
    let (status, done) = again("1000-1").await;
    assert_eq!(
        (status.as_u16(), &done["done"]),
        (200, &json!("Made once more in 7 ms."))
    );
    let shown = browser.json("/dev/requests?call=1").await["call"].clone();
    assert_eq!(shown["repeated"]["outcome"], "ok");
    let places: Vec<_> = shown["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["place"])
        .collect();
    assert_eq!(places, ["/body/json/issues/1", "/body/json/key"]);
    let page = browser.page("/dev/requests?call=1").await;
    assert!(page.contains("<ins>&quot;new&quot;</ins>"), "{page}");
    assert!(!page.contains("<b>") && !page.contains("canary"), "{page}");
    for (call, status, part) in [
        ("1000-2", 400, "a POST may change something"),
        ("1000-9", 404, "no call `1000-9`"),
        ("x", 404, "no call `x`"),
    ] {
        let (answered, refusal) = again(call).await;
        assert_eq!(answered.as_u16(), status, "{refusal}");
        assert!(
            refusal["error"].as_str().unwrap().contains(part),
            "{refusal}"
        );
    }
    // Another process made the call that has the same number.
    let mut other = said_with_answer();
    other["began_ms"] = 9_000.into();
    other["requests"] = json!([call(
        3,
        "GET issues",
        0,
        json!([step(0, 1, None, Some(200), None)])
    )]);
    keep(&world, other).await;
    let (status, refusal) = again("9000-3").await;
    assert_eq!(status, 409);
    assert!(
        refusal["error"]
            .as_str()
            .unwrap()
            .contains("does not have this call any more"),
        "{refusal}"
    );
}

#[tokio::test]
async fn kept_answers_are_a_tape_that_answers_the_same_requests() {
    let world = World::new().await;
    let browser = world.browser().await;
    let nothing = browser.get("/dev/requests/tape", "text/html").await;
    assert_eq!(nothing.status(), 404);
    keep(&world, said_with_answer()).await;
    for query in ["", "?call=1", "?op=GET%20issues"] {
        let answer = browser
            .get(&format!("/dev/requests/tape{query}"), "*/*")
            .await;
        assert_eq!(answer.status(), 200, "{query}");
        assert_eq!(
            answer.headers()["content-disposition"],
            "attachment; filename=\"kept.tape\""
        );
        let text = answer.text().await.unwrap();
        assert!(!text.contains("canary"), "{text}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let tape = Tape::read(file.path()).unwrap();
        // The connector's own secret may have any value.
        let request = http().get(format!("{}/issues?token=any", tape.url()));
        let answer = request
            .header(Asked::AT, "https://acme.example")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["issues"], json!(["<b>"]));
        assert!(tape.not_recorded().is_empty());
    }
    for query in ["?call=2", "?op=another"] {
        let answer = browser
            .get(&format!("/dev/requests/tape{query}"), "*/*")
            .await;
        assert_eq!(answer.status(), 404, "{query}");
    }
}

#[tokio::test]
async fn a_process_that_goes_on_with_a_run_adds_to_what_the_first_one_asked() {
    let world = World::new().await;
    let browser = world.browser().await;
    keep(&world, said(1_000)).await;
    keep(&world, said(9_000)).await;
    // What is said once more changes nothing.
    keep(&world, said(9_000)).await;
    let shown = browser.json("/dev/requests").await;
    assert_eq!(
        (&shown["costs"]["calls"], &shown["found"]),
        (&json!(4), &json!(4))
    );
    let began: Vec<_> = shown["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| call["began_ms"].as_u64().unwrap())
        .collect();
    assert_eq!(began, [1_000, 1_000, 9_000, 9_000]);
    browser
        .send(&format!("/dev/source/remove?source={}", world.source), &[])
        .await;
    let run = world.run.clone();
    let left = world
        .manager
        .store()
        .read(move |db| requests::of_run(db, &run));
    assert!(left.await.unwrap().is_empty(), "it goes with its source");
}

/// Sends a form as a program does.
pub(crate) async fn send(
    browser: &Browser,
    path: &str,
    fields: &[(&str, &str)],
) -> (StatusCode, Value) {
    let request = browser.request(Method::POST, path).form(fields);
    let request = request.header(ORIGIN, &browser.url);
    let answer = request.header(ACCEPT, "application/json").send().await;
    let answer = answer.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_fault_is_planned_in_the_connector_and_nonsense_is_refused() {
    let world = World::new().await;
    let browser = world.browser().await;
    let plan = async |fault: &str, times: &str| {
        let fields = [
            ("operation", "GET issues"),
            ("fault", fault),
            ("times", times),
        ];
        send(&browser, "/dev/requests/fail", &fields).await
    };
    let (status, done) = plan("too_many_requests", "2").await;
    assert_eq!(status, 200);
    let expected = "The next 2 attempts of `GET issues` will fail: 429, try again in 2 s.";
    assert_eq!(done["done"], expected);
    for (fault, times, status, part) in [
        ("explode", "1", 400, "`explode` is not a fault"),
        ("server_error", "0", 400, "once or more often"),
        ("server_error", "7", 409, "takes no planned faults"),
    ] {
        let (answered, refusal) = plan(fault, times).await;
        assert_eq!(answered.as_u16(), status, "{fault}");
        let error = refusal["error"].as_str().unwrap();
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_program_gets_what_came_of_a_form_as_json() {
    let world = World::new().await;
    let browser = world.browser().await;
    let (status, done) = send(&browser, "/dev/sync/checkpoint", &[("checkpoint", "7")]).await;
    assert_eq!(status, 200);
    assert!(
        done["done"].as_str().unwrap().starts_with("Saved."),
        "{done}"
    );
    let (status, refusal) = send(&browser, "/dev/sync/rewind", &[("saved", "x")]).await;
    assert_eq!(status, 400);
    assert_eq!(
        refusal["error"],
        "`x` is not the number of a saved checkpoint"
    );
    let (status, _) = send(&browser, "/dev/sync/rewind", &[("saved", "999")]).await;
    assert_eq!(status, 404);
    let (status, _) = send(&browser, "/dev/bench", &[("order", "kill")]).await;
    assert_eq!(status, 409);
}

#[tokio::test]
async fn what_a_form_says_is_read_by_a_person_and_not_by_the_script() {
    let world = World::new().await;
    let browser = world.browser().await;
    let path = format!("/dev/sync/checkpoint?source={}", world.source);
    browser.send(&path, &[("checkpoint", "7")]).await;
    let look = async |kind: &str| {
        let request = browser.request(Method::GET, "/dev/sync");
        let answer = request.header("sec-fetch-dest", kind).send().await;
        answer
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("Saved. The next run")
    };
    assert!(!look("empty").await, "a request of the script");
    browser.json("/dev/sync").await;
    assert!(look("document").await, "the page itself");
    assert!(!look("document").await, "it is said once");
}
