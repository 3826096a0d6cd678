//! Tests lists that skip an item when one before it is removed during a walk.

use omni_connector::http::Paging;
use omni_connector_dev::testing::{Check, Conformance, FakeApi, Verdict};
use serde_json::{Value, json};

/// The kinds of paging of `src/bin/lister`.
const KINDS: [&str; 3] = ["page number", "offset", "link header"];

fn paging(kind: &str) -> Paging {
    let paging = match kind {
        "offset" => Paging::offset("from").until_has_more("/more"),
        "link header" => Paging::link_header(),
        _ => Paging::page_number("page").until_has_more("/more"),
    };
    paging.size("limit", 4)
}

fn suite(kind: &'static str, mistake: &str, has_total: bool) -> Conformance {
    let source = move || {
        let paging = if has_total {
            paging(kind).total("/total")
        } else {
            paging(kind)
        };
        let items: Vec<Value> = (1..=13)
            .map(
                |number| json!({ "key": format!("A-{number}"), "title": format!("Item {number}") }),
            )
            .collect();
        FakeApi::new().list("/items", "/items", paging, items)
    };
    Conformance::of(
        "omni-connector-tests-testkit",
        env!("CARGO_MANIFEST_DIR"),
        env!("CARGO_BIN_EXE_lister"),
    )
    .source(source)
    .config(|source| json!({ "api_url": source.url() }))
    .env("PAGING", kind)
    .env("MISTAKE", mistake)
}

#[test]
fn a_walk_that_skips_an_item_is_proven_incomplete_by_the_total() {
    for kind in KINDS {
        let verdict = suite(kind, "", true).run(Check::Walks);
        let text = verdict.to_string();
        let is_tried = text.contains("remove item 0 during a walk") && !text.contains("tells");
        assert!(
            matches!(verdict, Verdict::Passed(_)) && is_tried,
            "{kind}: {text}"
        );
    }
}

#[test]
fn a_connector_that_does_not_compare_the_total_is_caught_by_walks() {
    for kind in KINDS {
        let verdict = suite(kind, "the total is not compared", true).run(Check::Walks);
        let text = verdict.to_string();
        assert!(
            text.contains("a walk that skipped an item deletes it"),
            "{kind}: {text}"
        );
        assert!(text.contains("A-5 \"Item 5\" is missing"), "{kind}: {text}");
    }
}

#[test]
fn a_first_run_that_skips_an_item_is_caught_though_it_deletes_nothing() {
    let mistake = "the total is not compared, and nothing is deleted";
    let verdict = suite("page number", mistake, true).run(Check::Walks);
    let text = verdict.to_string();
    assert!(
        text.contains("a walk that skipped an item counts as complete"),
        "{text}"
    );
}

#[test]
fn a_walk_whose_list_has_no_total_is_left_out_with_the_reason() {
    let verdict = suite("offset", "the total is not compared", false).run(Check::Walks);
    let text = verdict.to_string();
    assert!(
        text.contains("the list skips an item then, and no answer tells"),
        "{text}"
    );
}
