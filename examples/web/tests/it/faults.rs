//! Whatever a site does, nothing is deleted that exists, nothing becomes public that was not, and the end of the run
//! says what happened.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use omni_connector::SyncType::{Full, Incremental};
use omni_connector_dev::testing::{Fault, RetryAfter, SelfSigned, wire::Answer as Sent};
use serde_json::json;

use crate::site::{Answer, Test, html, redirect};

/// The fault of requests whose route contains a text.
type Plan = Arc<Mutex<Option<(&'static str, Fault)>>>;

const ALL: [&str; 4] = ["/", "/a", "/b", "/c"];

fn pages() -> Vec<(&'static str, Answer)> {
    let links = "<a href=/a>A</a> <a href=/b>B</a> <a href=/private/plan>P</a>";
    vec![
        ("/", html(&format!("<title>Root</title><p>root</p>{links}"))),
        ("/a", html("<title>A</title><p>a</p><a href=/c>C</a>")),
        ("/b", html("<title>B</title><p>b</p>")),
        ("/c", html("<title>C</title><p>c</p>")),
        ("/private/plan", html("<p>robots.txt forbids this page</p>")),
    ]
}

/// A site that was read once, behind a proxy that breaks requests as planned.
async fn breakable() -> (Test, Plan) {
    let plan = Plan::default();
    let faults = Arc::clone(&plan);
    let pages = pages();
    let test = Test::broken(&pages, move |route, _| {
        let faults = faults.lock().unwrap();
        let (part, fault) = faults.as_ref()?;
        // Only `/` itself ends with a slash.
        let is_hit = part.is_empty() || route.ends_with(part);
        is_hit.then(|| fault.clone())
    });
    let test = test.await;
    test.sync(Full).await;
    assert_eq!(test.paths().await, ALL);
    (test, plan)
}

#[tokio::test]
async fn a_fault_anywhere_deletes_nothing_and_the_next_run_has_everything() {
    let faults: [(&str, Fault); 11] = [
        ("a reset connection", Fault::ResetBefore),
        ("a refused connection", Fault::Refused),
        ("an answer that breaks off", Fault::Truncated),
        ("a slow answer", Fault::Late(Duration::from_millis(200))),
        (
            "429 with a short pause",
            Fault::Answer(429, Some(RetryAfter::Seconds(0))),
        ),
        (
            "429 with an endless pause",
            Fault::Answer(429, Some(RetryAfter::Huge)),
        ),
        ("429", Fault::Answer(429, None)),
        ("500", Fault::Answer(500, None)),
        ("503", Fault::Answer(503, None)),
        ("401", Fault::Answer(401, None)),
        ("403", Fault::Answer(403, None)),
    ];
    let trials = faults.into_iter().enumerate();
    let trials = trials.map(|(number, (name, fault))| fault_everywhere(number, name, fault));
    // Each trial mostly waits.
    join_all(trials).await;
}

/// Breaks one kind of request after the other, in runs of both modes.
async fn fault_everywhere(number: usize, name: &str, fault: Fault) {
    let (test, plan) = breakable().await;
    for part in ["/robots.txt", "GET /", "/a", "/c", ""] {
        // RFC 9309: a host that answers 4xx has no rules.
        if part == "/robots.txt" && (name == "401" || name == "403") {
            continue;
        }
        let what = format!("{name} at `{part}`");
        let words = format!("<title>C</title><p>c of {number}</p>");
        test.set("/c", html(&words));
        *plan.lock().unwrap() = Some((part, fault.clone()));
        for mode in [Incremental, Full] {
            // A run that the check of the settings refuses never begins.
            let Ok(run) = test.manager.sync(&test.source.id, mode).await else {
                continue;
            };
            let ended = test.wait(&run).await;
            // The end of the run is true: a page that failed is counted, and a run that is over says why.
            let is_whole = test.by_path().await["/c"]
                .text
                .contains(&format!("c of {number}"));
            let has_said = match ended.message() {
                Some(message) => message.contains("`root_url`"),
                None => ended.failures() + ended.report().skipped > 1,
            };
            assert!(is_whole || has_said, "{what}: {ended:?}");
        }
        assert_eq!(test.paths().await, ALL, "{what}");
        *plan.lock().unwrap() = None;
        // A proxy that refused connections is back a little later.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let ended = test.sync(Incremental).await;
        assert_eq!(ended.failures(), 0, "{what}");
        let found = test.by_path().await;
        assert!(
            found["/c"].text.contains(&format!("c of {number}")),
            "{what}"
        );
        assert_eq!(test.paths().await, ALL, "{what}");
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_is_given_up_and_costs_one_page() {
    let (test, plan) = breakable().await;
    *plan.lock().unwrap() = Some(("/a", Fault::Stalled));
    let ended = test.run(Full).await;
    assert!(ended.is_completed(), "{ended:?}");
    let failures = &ended.report().failures;
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(
        failures[0].cause.contains("no answer came in time"),
        "{failures:?}"
    );
    assert_eq!(test.paths().await, ALL);
}

#[tokio::test]
async fn a_site_that_goes_away_in_the_middle_ends_the_run_with_a_message() {
    let links = (0..40).map(|it| format!("<a href=/many/{it}>M</a> "));
    let links = links.collect::<Vec<_>>().concat();
    let (test, plan) = breakable().await;
    let root = html(&format!("<a href=/a>A</a> <a href=/b>B</a> {links}"));
    test.set("/", root);
    for number in 0..40 {
        test.set(&format!("/many/{number}"), html(&format!("<p>{number}")));
    }
    let faults = Arc::clone(&plan);
    let gone = Fault::AnswerThenDo(Arc::new(move || {
        *faults.lock().unwrap() = Some(("", Fault::ResetBefore));
    }));
    *plan.lock().unwrap() = Some(("/many/5", gone));
    let message = test.fails(Incremental).await;
    assert!(message.contains("the site is down"), "{message}");
    assert!(message.contains("nothing was deleted"), "{message}");
    let found = test.paths().await;
    assert!(
        ALL.iter().all(|it| found.iter().any(|found| found == it)),
        "{found:?}"
    );
    *plan.lock().unwrap() = None;
    test.sync(Incremental).await;
    assert_eq!(test.paths().await.len(), 4 + 40);
}

#[tokio::test]
async fn a_root_that_redirects_in_a_circle_is_refused_with_the_setting() {
    let test = Test::start(&pages(), json!({})).await;
    test.sync(Full).await;
    for code in [301, 302] {
        test.set("/", redirect(code, "/round"));
        test.set("/round", redirect(code, "/"));
        for mode in [Full, Incremental] {
            let message = test.refusal(mode).await;
            assert!(message.contains("`root_url`"), "{message}");
            assert!(message.contains("in a circle"), "{message}");
        }
        assert_eq!(test.paths().await, ALL, "{code}");
    }
}

#[tokio::test]
async fn a_root_that_answers_the_check_and_leads_nowhere_deletes_nothing() {
    let (test, plan) = breakable().await;
    // `HEAD` is answered as always.
    let round = |to: &'static str| {
        Fault::Replace(Arc::new(move |mut answer: Sent| {
            answer.status = 301;
            answer.headers = vec![("location".to_owned(), to.to_owned())];
            answer
        }))
    };
    *plan.lock().unwrap() = Some(("GET /", round("/private/plan")));
    let message = test.fails(Full).await;
    assert!(message.contains("`root_url`"), "{message}");
    assert_eq!(test.paths().await, ALL);
}

#[tokio::test]
async fn a_root_that_leads_into_the_internal_network_is_refused() {
    let test = Test::start(&pages(), json!({})).await;
    test.sync(Full).await;
    for inner in [
        "http://169.254.169.254/latest/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
    ] {
        test.set("/", redirect(302, inner));
        let message = test.refusal(Full).await;
        assert!(message.contains(&format!("`{inner}`")), "{message}");
        assert!(message.contains("`root_url`"), "{message}");
    }
    assert_eq!(test.paths().await, ALL);
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused_with_a_message() {
    let Some(server) = SelfSigned::start() else {
        return;
    };
    let root = format!("{}/", server.url());
    let test = Test::start(&pages(), json!({ "root_url": root })).await;
    let message = test.refusal(Full).await;
    assert!(message.contains("`root_url`"), "{message}");
    assert!(message.contains("certificate"), "{message}");
    assert!(message.contains("UnknownIssuer"), "{message}");
}
