//! `cargo omni requests`: what a run asked of its source, with its waits, and requests that fail as planned.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    extract::Query,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{Desk, dev::Dev};

pub(crate) const SECRET: &str = "canary-5d1c-secret";

/// A source with two pages, which is busy at the first call.
pub(crate) struct Source {
    _runtime: Runtime,
    url: String,
    pub(crate) asked: Arc<AtomicUsize>,
    /// Issues that were created.
    made: Arc<AtomicUsize>,
}

#[derive(serde::Deserialize)]
struct Asked {
    cursor: Option<String>,
}

fn answer(number: usize, asked: &Asked) -> Response {
    if number == 0 {
        let busy = json!({ "message": "slow down" });
        let pause = [("retry-after", "1")];
        return (StatusCode::TOO_MANY_REQUESTS, pause, Json(busy)).into_response();
    }
    let page = match asked.cursor {
        None => json!({ "issues": [{ "id": "a" }, { "id": "b" }], "next": "2" }),
        Some(_) => json!({ "issues": [{ "id": "c" }], "next": null }),
    };
    Json(page).into_response()
}

impl Source {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let made = Arc::new(AtomicUsize::new(0));
        let created = Arc::clone(&made);
        let url = runtime.block_on(async {
            let issues = get(move |Query(asked): Query<Asked>| {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                async move { answer(number, &asked) }
            });
            let issues = issues.post(async move |Json(issue): Json<Value>| {
                created.fetch_add(1, Ordering::SeqCst);
                Json(issue)
            });
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let router = Router::new().route("/issues", issues);
            tokio::spawn(async move { axum::serve(listener, router).await });
            url
        });
        Self {
            _runtime: runtime,
            url,
            asked,
            made,
        }
    }

    /// A desk whose connector asks this source.
    pub(crate) fn desk(&self) -> (Desk, [String; 4]) {
        let desk = Desk::new().with("SHELF_START", "tracker");
        let secret = desk.path("key.json");
        std::fs::write(&secret, json!({ "key": SECRET }).to_string()).unwrap();
        let set = format!("api_url={}", self.url);
        let secret = secret.display().to_string();
        let arguments = ["--set".to_owned(), set, "--credentials".to_owned(), secret];
        (desk, arguments)
    }
}

#[test]
fn a_run_says_what_it_asked_how_long_it_waited_and_whether_its_walk_is_complete() {
    let source = Source::start();
    let (desk, described) = source.desk();
    let described = described.each_ref().map(String::as_str);
    let synced = desk.run_with_connector(&[&["sync", "--json"][..], &described].concat());
    assert_eq!(synced.ended(0)["created"], 3);
    let done = desk.run(&["requests", "--json"]);
    let shown = done.ended(0);
    assert_eq!(source.asked.load(Ordering::SeqCst), 3);
    let costs = &shown["costs"];
    assert_eq!(
        (&costs["calls"], &costs["attempts"], &costs["failed"]),
        (&json!(2), &json!(3), &json!(0))
    );
    assert!(costs["waited_ms"].as_u64().unwrap() >= 900, "{costs}");
    let steps = shown["requests"][0]["steps"].as_array().unwrap();
    let kinds: Vec<_> = steps
        .iter()
        .map(|step| (step["wait"].as_str(), step["status"].as_u64()))
        .collect();
    assert_eq!(
        kinds,
        [(None, Some(429)), (Some("pace"), None), (None, Some(200))]
    );
    let walk = &shown["walks"][0];
    assert_eq!(
        (&walk["operation"], &walk["items"], &walk["is_complete"]),
        (&json!("GET issues"), &json!([2, 1]), &json!(true))
    );
    assert!(!done.stdout.contains(SECRET), "{}", done.stdout);
    let waited = desk
        .run(&["requests", "--json", "--only", "waited"])
        .ended(0);
    assert_eq!(waited["requests"][0]["number"], 1);
    let people = desk.run(&["requests"]).stdout;
    for part in ["for pace", "walk GET issues: 2 pages, 3 items, complete"] {
        assert!(people.contains(part), "{part}: {people}");
    }
    // `runs` knows the report of a process that is gone.
    let run = shown["run"]["run"]["id"].as_str().unwrap();
    assert_eq!(
        desk.run(&["runs", run, "--json"]).ended(0)["report"]["scanned"],
        3
    );
}

#[test]
fn an_answer_is_kept_without_secrets_made_once_more_and_replayed_from_its_tape() {
    let source = Source::start();
    let (desk, described) = source.desk();
    let described = described.each_ref().map(String::as_str);
    let dev = Dev::start(&desk, &described);
    desk.run(&["sync", "--json"]).ended(0);
    let shown = desk.run(&["requests", "--call", "2", "--json"]);
    let call = shown.ended(0);
    let exchange = &call["exchange"];
    assert_eq!(
        exchange["answered"]["body"]["json"]["issues"],
        json!([{ "id": "c" }])
    );
    assert!(!shown.stdout.contains(SECRET), "{}", shown.stdout);
    let before = source.asked.load(Ordering::SeqCst);
    let again = desk.run(&["requests", "--repeat", "2", "--json"]).ended(0);
    assert_eq!(source.asked.load(Ordering::SeqCst) - before, 1);
    assert_eq!(again["repeated"]["outcome"], "ok");
    assert_eq!(again["changes"], json!([]));
    let costs = desk.run(&["requests", "--json"]).ended(0)["costs"].clone();
    assert_eq!(costs["calls"], 2, "the run itself made no other call");
    let people = desk.run(&["requests", "--repeat", "1"]).stdout;
    assert!(people.contains("the answer is the same"), "{people}");

    let tape = desk.path("kept.tape").display().to_string();
    let kept = desk.run(&["requests", "--tape", &tape, "--json"]).ended(0);
    assert_eq!(kept["exchanges"], 2);
    let text = std::fs::read_to_string(&tape).unwrap();
    assert!(!text.contains(SECRET), "{text}");
    let twice = desk.run(&["requests", "--tape", &tape, "--json"]).ended(1);
    assert!(
        twice["error"].as_str().unwrap().contains("is not written"),
        "{twice}"
    );
    drop(dev);
    let before = source.asked.load(Ordering::SeqCst);
    let replayed = [
        &["sync", "--json", "--full", "--replay", &tape][..],
        &described,
    ]
    .concat();
    let replayed = desk.run_with_connector(&replayed).ended(0);
    assert_eq!(
        (&replayed["status"], &replayed["unchanged"]),
        (&json!("completed"), &json!(3))
    );
    assert_eq!(
        source.asked.load(Ordering::SeqCst),
        before,
        "the source is not asked"
    );
}

#[test]
fn a_planned_fault_meets_the_next_request_of_its_operation() {
    let source = Source::start();
    let (desk, described) = source.desk();
    let described = described.each_ref().map(String::as_str);
    let _dev = Dev::start(&desk, &described);
    desk.run(&["sync", "--json"]).ended(0);
    let plan = |fault: &str| {
        let arguments = [
            "requests",
            "--json",
            "--fail",
            "GET issues",
            "--with",
            fault,
        ];
        desk.run(&arguments).ended(0)["done"].clone()
    };
    let before = source.asked.load(Ordering::SeqCst);
    assert_eq!(
        plan("server-error"),
        "The next 1 attempt of `GET issues` will fail: 500."
    );
    let synced = desk.run(&["sync", "--json", "--full"]).ended(0);
    assert_eq!(synced["status"], "completed");
    let shown = desk
        .run(&["requests", "--json", "--only", "failed"])
        .ended(0);
    assert_eq!(shown["found"], 1);
    // The attempt is the first step, unless the call first waited for its pace.
    let steps = shown["requests"][0]["steps"].as_array().unwrap();
    let error = steps.iter().find_map(|step| step["error"].as_str());
    assert!(
        error.is_some_and(|error| error.contains("made up by")),
        "{steps:?}"
    );
    assert_eq!(
        source.asked.load(Ordering::SeqCst) - before,
        2,
        "the source was not asked by the attempt that failed"
    );

    plan("empty-page");
    let emptied = desk.run(&["sync", "--json", "--full"]);
    let items: Value = desk.run(&["requests", "--json"]).ended(0)["walks"][0]["items"].clone();
    assert_eq!(items[0], 0, "{}", emptied.stdout);
}

#[test]
fn a_connector_that_does_not_run_takes_no_planned_faults() {
    let source = Source::start();
    let (desk, described) = source.desk();
    let described = described.each_ref().map(String::as_str);
    desk.run_with_connector(&[&["sync", "--json"][..], &described].concat());
    let arguments = [
        "requests",
        "--json",
        "--fail",
        "GET issues",
        "--with",
        "server-error",
    ];
    let done = desk.run(&arguments).ended(1);
    let error = done["error"].as_str().unwrap();
    assert!(
        error.contains("takes no planned faults") || error.contains("No connector has registered"),
        "{error}"
    );
}

#[test]
fn a_dry_run_shows_the_first_change_and_does_not_send_it() {
    let source = Source::start();
    let (desk, described) = source.desk();
    let described = described.each_ref().map(String::as_str);
    let call = |more: &[&str]| {
        let arguments = [
            &["call", "--json", "create", "title=Late"][..],
            more,
            &described,
        ];
        desk.run_with_connector(&arguments.concat())
    };
    let done = call(&["--dry-run"]);
    let tried = done.ended(0);
    assert_eq!(source.made.load(Ordering::SeqCst), 0);
    let stopped = &tried["stopped"];
    assert_eq!(
        (&stopped["operation"], &stopped["method"], &stopped["body"]),
        (
            &json!("POST issues"),
            &json!("POST"),
            &json!({ "title": "Late", "days": 3 })
        )
    );
    assert_eq!(stopped["url"], format!("{}/issues", source.url));
    assert_eq!(tried["input"], json!({ "title": "Late", "days": 3 }));
    let reason = "no person calls, so it is the organisation's";
    assert_eq!(tried["credential"]["reason"], reason);
    assert!(!done.stdout.contains(SECRET), "{}", done.stdout);
    let called = call(&[]).ended(0);
    assert_eq!(called["result"]["title"], "Late", "{called}");
    assert_eq!(source.made.load(Ordering::SeqCst), 1);
    let people = desk.run_with_connector(
        &[
            &["call", "create", "title=Late", "--dry-run"][..],
            &described,
        ]
        .concat(),
    );
    assert!(
        people.stdout.contains("stopped     POST"),
        "{}",
        people.stdout
    );
    assert_eq!(source.made.load(Ordering::SeqCst), 1);
}

#[test]
fn a_webhook_is_called_with_a_signature_and_its_sync_begins() {
    let source = Source::start();
    let (desk, described) = source.desk();
    let described = described.each_ref().map(String::as_str);
    let _dev = Dev::start(&desk, &described);
    desk.run(&["sync", "--json"]).ended(0);
    let listed = desk.run(&["webhook", "--json"]).ended(0);
    assert_eq!(
        listed["secrets"],
        json!(["credential.key", "config.api_url"])
    );
    let path = listed["paths"][0].as_str().unwrap();
    let refused = desk.run(&["webhook", "--json", path]).ended(1);
    assert_eq!(refused[0]["status"], 401);
    let signed = [
        "webhook",
        "--json",
        path,
        "--sign",
        "x-signature",
        "--secret",
        "credential.key",
    ];
    let done = desk.run(&signed);
    let delivered = done.ended(0);
    assert_eq!(delivered[0]["status"], 200, "{delivered}");
    assert!(!done.stdout.contains(SECRET), "{}", done.stdout);
    crate::soon("the run of the webhook", || {
        let runs = desk.run(&["runs", "--json"]).ended(0);
        (runs[0]["run"]["trigger_type"] == "webhook").then_some(())
    });
}

#[test]
fn without_a_run_the_last_one_that_made_calls_is_shown() {
    let source = Source::start();
    let (desk, described) = source.desk();
    let described = described.each_ref().map(String::as_str);
    desk.run_with_connector(&[&["sync", "--json"][..], &described].concat())
        .ended(0);
    let run = desk.run(&["requests", "--json"]).ended(0)["run"]["run"]["id"].clone();
    let refused = desk.run_with_connector(&["sync", "--json", "--set", "api_url=nowhere"]);
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    let runs = desk.run(&["runs", "--json"]).ended(0);
    let without = runs[0]["run"]["id"].as_str().unwrap();
    assert_ne!(*without, run);
    let shown = desk.run(&["requests", "--json"]).ended(0);
    assert_eq!(shown["run"]["run"]["id"], run);
    let people = desk.run(&["requests"]).stdout;
    let named = format!("the full run {}:", run.as_str().unwrap());
    assert!(people.starts_with(&named), "{people}");
    let people = desk.run(&["requests", without]).stdout;
    let said = format!("the full run {without} made no calls to its source");
    assert!(people.starts_with(&said), "{people}");
}
