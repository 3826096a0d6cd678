//! Tests the commands on sources: a source is identified by name; its settings change, persist, are
//! shown and removed.

use serde_json::{Value, json};

use crate::{Desk, books, dev::Dev};

fn listed(desk: &Desk) -> Vec<Value> {
    let sources = desk.run(&["sources", "--json"]).ended(0);
    sources.as_array().unwrap().clone()
}

#[test]
fn a_source_keeps_its_documents_when_its_settings_change() {
    let desk = Desk::new();
    let first = desk.sync(&books(), &[]).ended(0);
    let mut more = books();
    more["documents"]["delta"] = "the fourth book".into();
    let done = desk.sync(&more, &[]);
    let second = done.ended(0);
    assert_eq!(second["source"]["id"], first["source"]["id"]);
    assert_eq!(
        (&second["mode"], &second["created"]),
        (&json!("full"), &json!(1))
    );
    let why = "full run of `Shelf`: the settings are others than before";
    assert!(done.stderr.contains(why), "{}", done.stderr);
    let sources = listed(&desk);
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert_eq!(sources[0]["documents"], 3);
}

/// A run reads what has changed only with the settings under which everything was read before.
#[test]
fn the_run_after_a_change_of_settings_is_a_full_one_however_they_were_changed() {
    let desk = Desk::new();
    desk.sync(&books(), &[]).ended(0);
    let mode = || {
        let done = desk.run_with_connector(&["sync", "--json"]).ended(0);
        done["mode"].as_str().unwrap().to_owned()
    };
    assert_eq!(mode(), "incremental");
    let of_connector = |arguments: &[&str]| desk.run_with_connector(arguments).ended(0);
    desk.run(&["sources", "--json", "change", "Shelf", "--set", "thick=7"])
        .ended(0);
    assert_eq!([mode(), mode()], ["full", "incremental"]);
    of_connector(&["call", "--json", "echo", "--set", "thick=8"]);
    assert_eq!([mode(), mode()], ["full", "incremental"]);
    // This run stops after one document.
    let mut other = books();
    other["thick"] = 9.into();
    desk.sync(&other, &["--first", "1"]).ended(0);
    assert_eq!([mode(), mode()], ["full", "incremental"]);
}

/// The manager of `cargo omni dev` outlives the command that described the source.
#[test]
fn a_refused_run_costs_no_settings_and_no_source_that_an_earlier_run_was_accepted_with() {
    let desk = Desk::new();
    let _dev = Dev::start(&desk, &[]);
    let lock = desk.path("locked");
    let mut config = books();
    config["lock"] = lock.display().to_string().into();
    let config = desk.config(&config);
    desk.run(&["sync", "--json", "--config", &config]).ended(0);
    std::fs::write(&lock, "").unwrap();
    desk.run(&["sync", "--json"]).ended(1);
    assert_eq!(listed(&desk)[0]["documents"], 2);
}

#[test]
fn the_last_settings_are_used_again_when_none_are_given() {
    let desk = Desk::new();
    desk.sync(&books(), &[]).ended(0);
    let again = desk.run_with_connector(&["sync", "--json"]).ended(0);
    assert_eq!(
        (&again["mode"], &again["unchanged"]),
        (&json!("incremental"), &json!(2))
    );
    let called = desk
        .run_with_connector(&["call", "--json", "echo"])
        .ended(0);
    assert_eq!(called["result"]["checkpoint"], "c1");
}

#[test]
fn settings_that_the_connector_refuses_leave_nothing_behind() {
    let desk = Desk::new();
    let refuse = || {
        desk.run_with_connector(&["sync", "--json", "--set", "shelves=3"])
            .ended(1)
    };
    refuse();
    assert_eq!(listed(&desk), Vec::<Value>::new());

    desk.sync(&books(), &[]).ended(0);
    refuse();
    let again = desk.run_with_connector(&["sync", "--json"]).ended(0);
    assert_eq!(
        again["unchanged"], 2,
        "the settings from before are the ones that are used"
    );
    assert_eq!(listed(&desk).len(), 1);
}

#[test]
fn settings_of_a_failed_call_leave_nothing_behind() {
    let desk = Desk::new();
    let refuse =
        || desk.run_with_connector(&["call", "--json", "refuse", "--set", "checkpoint=c9"]);
    refuse().ended(1);
    assert_eq!(listed(&desk), Vec::<Value>::new());
    desk.sync(&books(), &[]).ended(0);
    refuse().ended(1);
    assert_eq!(listed(&desk)[0]["source"]["config"], books());
    let tried = ["call", "--json", "refuse", "--dry-run", "--set", "thick=7"];
    desk.run_with_connector(&tried).ended(0);
    assert_eq!(listed(&desk)[0]["source"]["config"], books());
}

#[test]
fn a_source_is_shown_changed_and_removed_by_its_name() {
    let desk = Desk::new();
    desk.sync(&books(), &[]).ended(0);
    let shown = desk.run(&["sources", "show", "Shelf"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    for part in ["Shelf", "local_files", "documents   2", "checkpoint = c1"] {
        assert!(
            shown.stdout.contains(part),
            "{part:?} is not in\n{}",
            shown.stdout
        );
    }

    let change = [
        "sources",
        "--json",
        "change",
        "Shelf",
        "--set",
        "checkpoint=c2",
        "--unset",
        "skips",
        "--rename",
        "Books",
    ];
    let changed = desk.run(&change).ended(0);
    assert_eq!(changed["source"]["name"], "Books");
    let config = &changed["source"]["config"];
    assert_eq!(
        (&config["checkpoint"], &config["skips"]),
        (&json!("c2"), &json!(null))
    );
    let synced = desk
        .run_with_connector(&["sync", "--json", "--name", "Books"])
        .ended(0);
    assert_eq!(synced["unchanged"], 2);

    let unknown = desk.run(&["sources", "--json", "remove", "Shelf"]).ended(1);
    assert_eq!(unknown["error"], "no source `Shelf`");
    assert_eq!(unknown["help"], "there are `Books`");
    let removed = desk.run(&["sources", "--json", "remove", "Books"]).ended(0);
    assert_eq!(removed["documents"], 2);
    assert_eq!(listed(&desk), Vec::<Value>::new());
    let found = desk.run(&["search", "--json", "book"]).ended(0);
    assert_eq!(found["total"], 0, "what it brought is gone");
}

#[test]
fn an_empty_change_and_an_unknown_setting_are_usage_errors() {
    let desk = Desk::new();
    desk.sync(&books(), &[]).ended(0);
    assert_eq!(desk.run(&["sources", "change", "Shelf"]).code, 2);
    let unset = desk
        .run(&[
            "sources",
            "--json",
            "change",
            "Shelf",
            "--unset",
            "checkpint",
        ])
        .ended(2);
    assert_eq!(unset["error"], "there is no setting `checkpint`");
    let elsewhere = desk
        .run(&["sources", "--json", "--store", "nowhere"])
        .ended(1);
    assert_eq!(elsewhere["error"], "there is no store in `nowhere`");
}

#[test]
fn a_secret_is_forgotten_by_command() {
    let desk = Desk::new();
    let secret = desk.path("secret.json");
    std::fs::write(&secret, json!({ "key": "canary-7f3a" }).to_string()).unwrap();
    let secret = secret.to_str().unwrap();
    desk.sync(&books(), &["--credentials", secret]).ended(0);
    assert_eq!(listed(&desk)[0]["has_credential"], true);
    let change = ["sources", "change", "Shelf", "--json", "--sign-out"];
    let both = [&change[..], &["--credentials", secret]].concat();
    assert_eq!(desk.run(&both).code, 2);
    assert_eq!(listed(&desk)[0]["has_credential"], true);
    assert_eq!(desk.run(&change).ended(0)["has_credential"], false);
    assert_eq!(listed(&desk)[0]["has_credential"], false);
}
