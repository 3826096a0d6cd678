//! The command line as a table: what every command takes, how it ends, and what its JSON holds. A change here is a change of a
//! promise to programs.

use std::fs;

use serde_json::{Value, json};

use crate::{Desk, books};

/// The flags of each command, beside `--json` and `--help`.
const FLAGS: [(&str, &str); 21] = [
    (
        "dev",
        "config credentials name port pseudonyms record release replay set source-type store url verbose volatile wait with-fake",
    ),
    (
        "sync",
        "config credentials first full matching name port pseudonyms record release replay set since source-type store strict url verbose volatile wait",
    ),
    ("search", "as limit store"),
    ("manifest", "url"),
    (
        "call",
        "as config credentials dry-run name output params port pseudonyms record release replay set source-type store url verbose volatile wait",
    ),
    (
        "login",
        "as client-id config credentials name no-browser port release set source-type store url verbose wait write",
    ),
    ("sources", "store"),
    ("sources list", "store"),
    ("sources show", "store"),
    (
        "sources change",
        "config credentials name rename set sign-out source-type store unset",
    ),
    ("sources remove", "store"),
    ("runs", "compare source store try-again"),
    (
        "kill",
        "after at-checkpoint at-random source store withdraw",
    ),
    ("documents", "as limit source store"),
    ("explain", "as source store words"),
    (
        "requests",
        "call fail limit only operation repeat source store tape times with",
    ),
    ("checkpoint", "source store"),
    (
        "webhook",
        "body header prefix secret sign source store twice",
    ),
    ("checkpoint diff", "store"),
    ("doubts", "because dismiss source store strict"),
    ("manager", "port store"),
];

/// Commands on a store with one run, their exit code, and the members of their JSON: of its first element where it is a list.
const ENDS: [(&str, i32, &str); 37] = [
    ("search", 0, "as hits ignored query total"),
    ("search nothing-like-this", 0, "as hits ignored query total"),
    ("sources", 0, "documents has_credential last_run source"),
    (
        "sources show Shelf",
        0,
        "documents has_credential last_run source",
    ),
    ("sources show Nobody", 1, "error help"),
    ("runs", 0, "effects run"),
    ("runs --source Shelf", 0, "effects run"),
    ("runs --source Nobody", 1, "error help"),
    (
        "runs RUN",
        0,
        "bound checkpoints notes progress rates refused report textless trial",
    ),
    (
        "runs RUN --compare RUN",
        0,
        "documents here operations requests there",
    ),
    ("runs RUN --compare no-such-run", 1, "error help"),
    ("runs RUN --try-again nothing", 1, "error help"),
    ("runs --compare RUN", 2, "error help"),
    ("kill", 1, "error help"),
    ("runs no-such-run", 1, "error help"),
    ("documents", 0, "hits ignored total"),
    (
        "documents alpha",
        0,
        "access document source_item text text_bytes versions",
    ),
    (
        "documents alpha --as ann@example.com",
        0,
        "access document source_item text text_bytes versions",
    ),
    ("documents nowhere", 1, "error help"),
    (
        "explain alpha --words book",
        0,
        "document found is_answer layer run",
    ),
    ("explain nowhere", 0, "document found is_answer layer run"),
    ("explain", 2, "error help"),
    (
        "requests",
        0,
        "call costs filter found is_reported limit operations requests run walks",
    ),
    ("requests no-such-run", 1, "error help"),
    ("requests --fail x", 2, "error help"),
    ("requests --call 1", 1, "error help"),
    ("requests --tape kept.tape", 1, "error help"),
    ("sync --since soon", 2, "error help"),
    (
        "checkpoint diff",
        0,
        "changes checkpoint documents id saved_at size source_id sync_run_id",
    ),
    ("checkpoint rewind 999", 1, "error help"),
    ("checkpoint set nowhere.json", 2, "error help"),
    ("webhook", 0, "deliveries paths secrets"),
    ("webhook /hooks/a", 1, "error help"),
    ("webhook --twice", 2, "error help"),
    ("doubts", 0, "dismissed is_serious search text topic"),
    ("doubts --dismiss 99 --because why", 1, "error help"),
    ("doubts --dismiss 1", 2, "error help"),
];

fn flags(desk: &Desk, command: &str) -> String {
    let words: Vec<_> = command.split(' ').chain(["--help"]).collect();
    let help = desk.run(&words);
    assert_eq!(help.code, 0, "{command}: {}", help.stderr);
    let lines = help.stdout.lines().map(str::trim_start);
    let flags = lines.filter(|line| line.starts_with('-'));
    let names = flags.filter_map(|line| {
        let flag = line.split_once("--")?.1;
        Some(flag.split([' ', '=']).next()?.to_owned())
    });
    let mut names: Vec<_> = names
        .filter(|name| !["json", "help", "version"].contains(&name.as_str()))
        .collect();
    names.sort();
    names.join(" ")
}

fn members(value: &Value) -> String {
    let one = value.as_array().and_then(|list| list.first());
    let members = one.unwrap_or(value).as_object();
    let names = members.map(|members| members.keys().map(String::as_str).collect::<Vec<_>>());
    let mut names = names.unwrap_or_default();
    names.sort_unstable();
    names.join(" ")
}

#[test]
fn every_command_takes_the_flags_of_the_table() {
    let desk = Desk::new();
    for (command, expected) in FLAGS {
        assert_eq!(flags(&desk, command), expected, "{command}");
    }
}

#[test]
fn every_command_ends_with_the_code_and_the_json_of_the_table() {
    let desk = Desk::new();
    let run = desk.sync(&books(), &[]).ended(0)["run_id"].clone();
    for (command, code, expected) in ENDS {
        let words = command.split(' ').map(|word| match word {
            "RUN" => run.as_str().unwrap(),
            word => word,
        });
        let words: Vec<_> = words.chain(["--json"]).collect();
        let done = desk.run(&words);
        assert_eq!(done.code, code, "{command}: {}{}", done.stdout, done.stderr);
        assert_eq!(members(&done.json()), expected, "{command}");
        let people = desk.run(&words[..words.len() - 1]);
        assert_eq!(people.code, code, "{command}");
        assert!(
            code != 0 || !people.stdout.is_empty(),
            "{command} says nothing"
        );
    }
}

#[test]
fn commands_on_a_folder_without_a_store_say_how_to_make_one() {
    let desk = Desk::new();
    for command in ["runs", "documents", "requests", "checkpoint", "doubts"] {
        let done = desk.run(&[command, "--json"]).ended(1);
        assert_eq!(done["error"], "there is no store in `.omni`", "{command}");
        let help = done["help"].as_str().unwrap();
        assert!(help.contains("cargo omni sync"), "{command}: {help}");
    }
    desk.run(&["explain", "x", "--json"]).ended(1);
}

#[test]
fn a_checkpoint_is_shown_written_and_rewound_and_the_source_has_it() {
    let desk = Desk::new();
    desk.sync(&books(), &[]).ended(0);
    let shown = || desk.run(&["checkpoint", "--json"]).ended(0);
    assert_eq!(shown(), "c1");
    let file = desk.path("state.json");
    fs::write(&file, "\"c7\"").unwrap();
    let file = file.display().to_string();
    let done = desk.run(&["checkpoint", "--json", "set", &file]).ended(0);
    assert!(
        done["done"].as_str().unwrap().starts_with("Saved."),
        "{done}"
    );
    assert_eq!(shown(), "c7");
    fs::write(desk.path("state.json"), "{").unwrap();
    let done = desk.run(&["checkpoint", "--json", "set", &file]).ended(1);
    assert!(
        done["error"]
            .as_str()
            .unwrap()
            .contains("not JSON at line 1"),
        "{done}"
    );
    assert_eq!(shown(), "c7");
    let saved = desk.run(&["checkpoint", "--json", "diff"]).ended(0);
    let number = saved[0]["id"].to_string();
    desk.run(&["checkpoint", "--json", "rewind", &number])
        .ended(0);
    assert_eq!(shown(), "c1");
}

#[test]
fn a_serious_doubt_has_a_code_of_its_own_when_it_is_asked_for() {
    let desk = Desk::new();
    desk.sync(&json!({ "documents": { "a": "x", "A": "y" } }), &[])
        .ended(0);
    let doubts = desk.run(&["doubts", "--json"]).ended(0);
    let is_serious = doubts
        .as_array()
        .unwrap()
        .iter()
        .any(|doubt| doubt["is_serious"] == true);
    assert!(is_serious, "{doubts}");
    desk.run(&["doubts", "--json", "--strict"]).ended(4);
    // A dismissed doubt stays, with its reason, and does not count.
    let serious = doubts
        .as_array()
        .unwrap()
        .iter()
        .filter(|doubt| doubt["is_serious"] == true);
    for _ in serious {
        let dismiss = [
            "doubts",
            "--json",
            "--dismiss",
            "1",
            "--because",
            "it is a trial",
        ];
        desk.run(&dismiss).ended(0);
    }
    let after = desk.run(&["doubts", "--json", "--strict"]).ended(0);
    assert_eq!(
        after.as_array().unwrap().len(),
        doubts.as_array().unwrap().len()
    );
    let people = desk.run(&["doubts"]).stdout;
    assert!(people.contains("dismissed: it is a trial"), "{people}");
}
