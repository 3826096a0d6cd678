//! Arguments, files and programs that a command refuses.

use serde_json::json;

use super::{Desk, books};

/// Everything is refused with its name and the way out, also for programs that read JSON.
#[test]
fn what_a_command_refuses_is_named_with_the_way_out() {
    let desk = Desk::new();
    std::fs::write(desk.path("list.json"), "[1]").unwrap();
    std::fs::write(desk.path("occupied"), "").unwrap();
    for (arguments, code, named, way_out) in [
        (
            &["sync", "--set", "a..b=1"][..],
            2,
            "a part of the key `a..b` is empty",
            "limits.size=5",
        ),
        (
            &["sync", "--set", "a[0]=1"],
            2,
            "`a[0]` has a place in a list",
            "`a=a a=b`",
        ),
        (
            &["sync", "--config", "list.json"],
            2,
            "`list.json` is not a JSON object",
            "write the settings as",
        ),
        (
            &["sync", "--credentials", "list.json"],
            2,
            "the credentials are not a JSON object",
            "write the secret as",
        ),
        (
            &["sync", "--name", " "],
            2,
            "--name",
            "For more information",
        ),
        (
            &["sync", "--frist", "3"],
            2,
            "unexpected argument '--frist'",
            "--first",
        ),
        (
            &["sync", "--store", "occupied"],
            1,
            "the store `occupied` cannot be made",
            "--store",
        ),
    ] {
        let done = desk.run_with_connector(&[arguments, &["--json"]].concat());
        let answer = done.ended(code);
        let error = answer["error"].as_str().unwrap();
        let help = answer["help"].as_str().unwrap();
        assert!(error.contains(named), "{arguments:?}: {answer}");
        assert!(
            help.contains(way_out) || error.contains(way_out),
            "{arguments:?}: {answer}"
        );
        assert!(
            done.stderr.contains(named),
            "{arguments:?}: {}",
            done.stderr
        );
    }
    let done = desk.run(&["sync", "--json", "--", "./no-such-program"]);
    let answer = done.ended(3);
    assert_eq!(
        answer["help"],
        "name a program that exists and may be executed, by its path or as it is on the `PATH`"
    );
}

#[test]
fn a_file_may_begin_with_a_byte_order_mark_and_a_key_may_have_blanks_around_it() {
    let desk = Desk::new();
    let config = format!("\u{feff}{}", books());
    std::fs::write(desk.path("config.json"), config).unwrap();
    let arguments = [
        "sync",
        "--json",
        "--config",
        "config.json",
        "--set",
        " checkpoint = c7 ",
    ];
    desk.run_with_connector(&arguments).ended(0);
    let listed = desk.run(&["sources", "--json"]).ended(0);
    assert_eq!(listed[0]["source"]["config"]["checkpoint"], " c7 ");
}

#[test]
fn the_store_may_be_named_behind_a_subcommand() {
    let desk = Desk::new();
    desk.sync(&books(), &["--store", "books"]).ended(0);
    let shown = desk.run(&["sources", "show", "Shelf", "--store", "books", "--json"]);
    assert_eq!(shown.ended(0)["source"]["name"], json!("Shelf"));
}
