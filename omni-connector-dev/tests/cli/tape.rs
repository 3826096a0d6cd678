//! `--record` and `--replay`: a tape in place of the source, without its network and its secret.

use std::{fs, sync::atomic::Ordering};

use serde_json::{Value, json};

use crate::{
    dev::Dev,
    requests::{SECRET, Source},
};

#[test]
fn a_recorded_source_answers_from_its_tape_without_a_network_or_a_secret() {
    let source = Source::start();
    let (desk, described) = source.desk();
    let described = described.each_ref().map(String::as_str);
    let record = ["sync", "--json", "--record", "tapes/full.tape"];
    let done = desk.run_with_connector(&[&record[..], &described].concat());
    assert_eq!(done.ended(0)["created"], 3);
    assert!(
        done.stderr
            .contains("recorded 3 exchanges into `tapes/full.tape`"),
        "{}",
        done.stderr
    );
    let tape = fs::read_to_string(desk.path("tapes/full.tape")).unwrap();
    assert!(!tape.contains(SECRET), "{tape}");
    let lines: Vec<Value> = tape
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&lines[0]["connector"], lines.len()),
        (&json!("tracker"), 4)
    );
    let statuses: Vec<_> = lines[1..]
        .iter()
        .map(|line| &line["answered"]["status"])
        .collect();
    // Sorted by request: the second page, then both answers to the request for the first one.
    assert_eq!(statuses, [200, 429, 200]);

    // Another key and another address: the tape answers all the same.
    let asked = source.asked.load(Ordering::SeqCst);
    let key = desk.path("made-up.json");
    fs::write(&key, json!({ "key": "made-up" }).to_string()).unwrap();
    let key = key.display().to_string();
    let replay = [
        "sync",
        "--json",
        "--store",
        "another",
        "--replay",
        "tapes/full.tape",
        "--set",
        "api_url=https://tracker.invalid",
        "--credentials",
        &key,
    ];
    assert_eq!(desk.run_with_connector(&replay).ended(0)["created"], 3);
    assert_eq!(source.asked.load(Ordering::SeqCst), asked);
}

#[test]
fn a_request_that_was_not_recorded_is_named_with_the_nearest_one() {
    let source = Source::start();
    let (desk, described) = source.desk();
    let described = described.each_ref().map(String::as_str);
    let record = ["sync", "--json", "--record", "full.tape"];
    desk.run_with_connector(&[&record[..], &described].concat())
        .ended(0);
    let path = desk.path("full.tape");
    let tape = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        tape.replace("[\"cursor\",\"2\"]", "[\"cursor\",\"3\"]"),
    )
    .unwrap();
    let replay = ["sync", "--json", "--replay", "full.tape", "--full"];
    let done = desk.run_with_connector(&[&replay[..], &described].concat());
    let problem = "the tape has no answer to `GET /issues?cursor=2&key=[redacted]`; the nearest request is \
                   `GET /issues?cursor=3&key=[redacted]`: `cursor` is `2` instead of `3`";
    let failed = done.ended(1);
    assert!(
        failed["error"].as_str().unwrap().contains("cursor"),
        "{failed}"
    );
    assert!(!done.stderr.contains(SECRET), "{}", done.stderr);
    assert!(done.stderr.contains(problem), "{}", done.stderr);
}

#[test]
fn a_tape_needs_a_process_of_its_own_and_a_file_that_is_one() {
    let source = Source::start();
    let (desk, described) = source.desk();
    let described = described.each_ref().map(String::as_str);
    fs::write(desk.path("no.tape"), "{}\n").unwrap();
    let done = desk.run_with_connector(&["sync", "--replay", "no.tape"]);
    assert_eq!(done.code, 2);
    let message = "`no.tape` is not a tape of version 1; record it again with `cargo omni sync --record no.tape`";
    assert!(done.stderr.contains(message), "{}", done.stderr);

    let _dev = Dev::start(&desk, &described);
    let done = desk.run(&["sync", "--record", "full.tape"]);
    assert_eq!(done.code, 2);
    let message =
        "the connector of `cargo omni dev` runs already, so nothing can be recorded or replayed";
    assert!(done.stderr.contains(message), "{}", done.stderr);
}

#[test]
fn dev_records_until_it_ends_and_answers_from_a_tape() {
    let source = Source::start();
    let (desk, described) = source.desk();
    let described = described.each_ref().map(String::as_str);
    let mut dev = Dev::start(
        &desk,
        &[&["--record", "tapes/dev.tape"][..], &described].concat(),
    );
    assert_eq!(desk.run(&["sync", "--json"]).ended(0)["created"], 3);
    assert_eq!(dev.end(), 0);
    let tape = fs::read_to_string(desk.path("tapes/dev.tape")).unwrap();
    assert_eq!(tape.lines().count(), 4, "{tape}");
    assert!(!tape.contains(SECRET), "{tape}");

    let asked = source.asked.load(Ordering::SeqCst);
    let replay = ["--replay", "tapes/dev.tape", "--store", "another"];
    let _dev = Dev::start(&desk, &[&replay[..], &described].concat());
    let synced = desk.run(&["sync", "--json", "--store", "another"]);
    assert_eq!(synced.ended(0)["created"], 3);
    assert_eq!(source.asked.load(Ordering::SeqCst), asked);
}

#[test]
fn pseudonyms_are_asked_for_and_the_head_says_so() {
    let source = Source::start();
    let (desk, described) = source.desk();
    let described = described.each_ref().map(String::as_str);
    let record = ["sync", "--json", "--record", "full.tape", "--pseudonyms"];
    desk.run_with_connector(&[&record[..], &described].concat())
        .ended(0);
    let tape = fs::read_to_string(desk.path("full.tape")).unwrap();
    let head: Value = serde_json::from_str(tape.lines().next().unwrap()).unwrap();
    assert_eq!(head["made_up"], true);
    let refused = desk.run_with_connector(&["sync", "--pseudonyms"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("--record"), "{}", refused.stderr);
}
