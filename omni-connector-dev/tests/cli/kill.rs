//! Runs for a trial by commands: killed as planned, the first documents only, one failed item again, and two runs compared.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::{Desk, books, dev::Dev, requests::Source};

#[test]
fn a_connector_dies_as_planned_in_a_run_and_nothing_is_lost() {
    let desk = Desk::new();
    let config = desk.config(&books());
    let _dev = Dev::start(&desk, &["--config", &config]);
    desk.run(&["sync", "--json"]).ended(0);
    for (flags, planned) in [
        (&["--after", "1"][..], "after 1 document of a run"),
        (&["--at-checkpoint"], "at the next checkpoint of a run"),
    ] {
        let before = desk.connector_pid().unwrap();
        let done = desk.run(&[&["kill", "--json"], flags].concat()).ended(0);
        assert_eq!(done["done"], format!("The connector dies {planned}."));
        let synced = desk.run(&["sync", "--json", "--full"]).ended(0);
        assert_eq!(synced["status"], "completed", "{flags:?}");
        assert_ne!(desk.connector_pid().unwrap(), before, "{flags:?}");
        let hits = desk.run(&["documents", "--json"]).ended(0);
        assert_eq!(hits["total"], 2, "{flags:?}");
    }
    // At a random instant: the run waits until it is resumed, so the kill meets it.
    let mut waiting = books();
    waiting["wait"] = json!(true);
    let config = desk.config(&waiting);
    let changed = desk.run(&["sources", "--json", "change", "Shelf", "--config", &config]);
    changed.ended(0);
    let before = desk.connector_pid().unwrap();
    desk.run(&["kill", "--json", "--at-random"]).ended(0);
    let synced = desk.run(&["sync", "--json", "--full"]).ended(0);
    assert_eq!(synced["status"], "completed");
    assert_ne!(desk.connector_pid().unwrap(), before);
    let config = desk.config(&books());
    let changed = desk.run(&["sources", "--json", "change", "Shelf", "--config", &config]);
    changed.ended(0);
    desk.run(&["kill", "--after", "1"]);
    let done = desk.run(&["kill", "--json", "--withdraw"]).ended(0);
    assert_eq!(done["done"], "The planned kill is withdrawn.");
    let before = desk.connector_pid().unwrap();
    desk.run(&["sync", "--json", "--full"]).ended(0);
    assert_eq!(desk.connector_pid().unwrap(), before);
}

#[test]
fn the_first_documents_are_taken_and_the_next_run_begins_where_it_would_have() {
    let desk = Desk::new();
    let first = desk.sync(&books(), &["--first", "1"]).ended(0);
    assert_eq!(
        (&first["status"], &first["created"]),
        (&json!("cancelled"), &json!(1))
    );
    let error = first["error"].as_str().unwrap();
    assert!(error.contains("only the first document"), "{error}");
    assert_eq!(desk.run(&["checkpoint", "--json"]).ended(0), Value::Null);
    let second = desk.sync(&books(), &[]).ended(0);
    assert_eq!(
        (&second["mode"], &second["created"]),
        (&json!("full"), &json!(1))
    );
}

#[test]
fn a_failed_item_is_tried_again_by_its_run() {
    let desk = Desk::new();
    let mut config = books();
    config["failures"] = json!(["delta"]);
    let path = desk.config(&config);
    let _dev = Dev::start(&desk, &["--config", &path]);
    let synced = desk.run(&["sync", "--json"]).ended(0);
    let run = synced["run_id"].as_str().unwrap();
    let tried = desk.run(&["runs", run, "--json", "--try-again", "delta"]);
    let tried = tried.ended(1);
    assert_eq!(tried["before"]["outcome"], "failed");
    assert_eq!(tried["now"]["outcome"], "failed");
    // The source has it now.
    config["failures"] = json!([]);
    config["documents"]["delta"] = json!("the fourth book");
    config["documents"]["alpha"] = json!("another text");
    let path = desk.config(&config);
    let changed = desk.run(&["sources", "--json", "change", "Shelf", "--config", &path]);
    changed.ended(0);
    let tried = desk.run(&["runs", run, "--json", "--try-again", "delta"]);
    assert_eq!(tried.ended(0)["now"]["outcome"], "sent");
    let text = |id: &str| desk.run(&["documents", id, "--json"]).ended(0)["text"].clone();
    assert_eq!(text("delta"), "the fourth book");
    assert_eq!(text("alpha"), "the first book", "nothing else is taken");
    let compared = desk
        .run(&["runs", run, "--json", "--compare", run])
        .ended(0);
    assert_eq!(compared["documents"]["same"], 2);
}

#[test]
fn a_failed_item_is_fetched_alone_by_a_connector_that_can() {
    let source = Source::start();
    let (desk, described) = source.desk();
    let described = described.each_ref().map(String::as_str);
    let _dev = Dev::start(&desk, &[&["--set", "fails=c"][..], &described].concat());
    let synced = desk.run(&["sync", "--json"]).ended(0);
    assert_eq!(synced["created"], 2);
    let run = synced["run_id"].as_str().unwrap();
    let before = source.asked.load(Ordering::SeqCst);
    let tried = desk.run(&["runs", run, "--json", "--try-again", "c"]);
    let tried = tried.ended(0);
    assert_eq!(tried["before"]["cause"], "it is torn");
    assert_eq!(
        (&tried["now"]["outcome"], &tried["is_refetch"]),
        (&json!("sent"), &json!(true))
    );
    assert_eq!(
        source.asked.load(Ordering::SeqCst),
        before,
        "no list is read"
    );
    let text = desk.run(&["documents", "c", "--json"]).ended(0)["text"].clone();
    assert_eq!(text, "fetched alone");
}
