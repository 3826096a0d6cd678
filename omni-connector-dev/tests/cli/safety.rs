//! Tests files, processes and terminal output that a command leaves, also after a kill.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{Desk, Done, SERVE, books, interrupt, lives, program, soon};

#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
#[cfg(unix)]
fn a_store_can_be_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let desk = Desk::new();
    fs::create_dir(desk.path(".omni")).unwrap();
    fs::set_permissions(desk.path(".omni"), fs::Permissions::from_mode(0o755)).unwrap();
    desk.sync(&books(), &[]).ended(0);
    assert_eq!(mode(&desk.path(".omni")), 0o700);
    for entry in fs::read_dir(desk.path(".omni")).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with(".gitignore") {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}

#[test]
fn a_store_in_a_folder_of_ones_own_leaves_its_gitignore_alone() {
    let desk = Desk::new();
    fs::write(desk.path(".gitignore"), "target\n").unwrap();
    desk.sync(&books(), &["--store", "."]).ended(0);
    assert_eq!(
        fs::read_to_string(desk.path(".gitignore")).unwrap(),
        "target\n"
    );
    assert!(desk.path("manager.sqlite3").is_file());
}

#[test]
#[cfg(unix)]
fn a_command_that_is_killed_leaves_no_connector_behind() {
    let desk = Desk::new();
    let config =
        desk.config(&json!({ "documents": { "a": "x" }, "checkpoint": "c", "wait": true }));
    let program = program();
    let arguments = [
        &["sync", "--json", "--config", &config, "--", &program],
        &SERVE[..],
    ]
    .concat();
    let mut command = desk.command(&arguments);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = soon("the run", || desk.connector_pid());
    assert!(lives(&pid));
    child.kill().unwrap();
    child.wait().unwrap();
    soon("the end of the connector", || (!lives(&pid)).then_some(()));
}

/// A program that does not know the argument serves, or waits for something.
#[test]
#[cfg(unix)]
fn a_command_that_is_killed_leaves_no_program_that_should_print_its_manifest() {
    let desk = Desk::new();
    fs::create_dir(desk.path("src")).unwrap();
    let manifest =
        "[package]\nname = \"waits\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(desk.path("Cargo.toml"), manifest).unwrap();
    let main = r#"fn main() {
        std::fs::write(std::env::var("SHELF_PID").unwrap(), std::process::id().to_string()).unwrap();
        loop { std::thread::park(); }
    }"#;
    fs::write(desk.path("src/main.rs"), main).unwrap();
    let mut command = desk.command(&["manifest", "waits"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let pid = soon("the program", || desk.connector_pid());
    assert!(lives(&pid));
    child.kill().unwrap();
    child.wait().unwrap();
    soon("the end of the program", || (!lives(&pid)).then_some(()));
}

#[test]
fn names_of_a_source_do_not_steer_the_terminal() {
    let desk = Desk::new();
    let config = desk.config(
        &json!({ "skips": ["\u{1b}]0;owned\u{7}gamma", "a\u{202e}b"], "fail": "\u{1b}[2Jgone" }),
    );
    let done = desk.run_with_connector(&["sync", "--config", &config]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    for c in ['\u{1b}', '\u{7}', '\u{202e}'] {
        assert!(
            !done.stdout.contains(c) && !done.stderr.contains(c),
            "{c:?} in\n{}{}",
            done.stdout,
            done.stderr
        );
    }
    assert!(
        done.stdout.contains("gamma") && done.stdout.contains("gone"),
        "{}",
        done.stdout
    );
}

/// JSON may have these characters as they are, and people see JSON in a terminal.
#[test]
fn json_does_not_steer_the_terminal_and_keeps_its_values() {
    const NAME: &str = "\u{9b}31mred\u{202e}\u{61c}\u{2028}é😀\u{1b}[0m";
    let desk = Desk::new();
    let config = desk.config(&json!({ "skips": [NAME], "fail": NAME }));
    let done = desk.run_with_connector(&["sync", "--json", "--config", &config]);
    for c in ['\u{9b}', '\u{202e}', '\u{61c}', '\u{2028}', '\u{1b}'] {
        let shown = done.stdout.contains(c) || done.stderr.contains(c);
        assert!(!shown, "{c:?} in\n{}{}", done.stdout, done.stderr);
    }
    assert!(done.stdout.contains("é😀"), "{}", done.stdout);
    let value: Value = serde_json::from_str(&done.stdout).unwrap();
    let kept = "\u{9b}31mred\u{202e}\u{61c}\u{2028}é😀";
    assert!(value.to_string().contains(kept), "{value}");
}

#[test]
fn answers_of_an_action_do_not_steer_the_terminal() {
    let desk = Desk::new();
    let word = "word=\u{1b}]0;owned\u{7}\u{9b}2Jred\u{202e}\r\u{1b}[31mé\ttab\r\n😀";
    for action in ["echo", "say", "print"] {
        let done = desk.run_with_connector(&["call", action, word]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        for c in ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}'] {
            assert!(!done.stdout.contains(c), "{action}: {:?}", done.stdout);
        }
        let whole = if action == "echo" {
            "😀"
        } else {
            "é\ttab\r\n😀"
        };
        assert!(done.stdout.contains(whole), "{action}: {:?}", done.stdout);
    }
}

#[test]
fn last_lines_of_a_connector_do_not_steer_the_terminal() {
    let desk = Desk::new()
        .with("SHELF_START", "die")
        .with("SHELF_SAYS", "\u{1b}[31mred");
    let done = desk.run_with_connector(&["sync"]);
    assert_eq!(done.code, 3);
    assert!(
        done.stderr.contains("red") && !done.stderr.contains('\u{1b}'),
        "{:?}",
        done.stderr
    );
}

#[test]
fn warnings_of_the_connector_are_counted_and_shown_when_asked_for() {
    let desk = Desk::new().with("SHELF_SAYS", "WARN a page is torn");
    let config = desk.config(&books());
    let quiet = desk.run_with_connector(&["sync", "--config", &config]);
    assert!(!quiet.stderr.contains("torn"), "{}", quiet.stderr);
    let log = std::path::Path::new(".omni").join("connector.log");
    let line = format!(
        "of the connector in `{}`; `--verbose` shows them at once",
        log.display()
    );
    assert!(quiet.stdout.contains(&line), "{}", quiet.stdout);
    let loud = desk.run_with_connector(&["sync", "--verbose", "--config", &config]);
    assert!(
        loud.stderr.contains("  | WARN a page is torn"),
        "{}",
        loud.stderr
    );
    let called = desk.run_with_connector(&["call", "echo"]);
    assert!(called.stderr.contains(&line), "{}", called.stderr);
}

#[test]
fn a_completed_run_with_failed_items_reports_them_in_its_last_line() {
    let desk = Desk::new();
    let long = "a".repeat(600);
    let config = desk.config(&json!({ "documents": { "alpha": "one", long: "two" } }));
    let done = desk.run_with_connector(&["sync", "--config", &config]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let last = done.stdout.lines().last().unwrap();
    assert_eq!(last, "completed with failures: 1 item did not arrive");
    let strict = desk.run_with_connector(&["sync", "--full", "--strict", "--config", &config]);
    assert_eq!(strict.code, 4, "{}", strict.stderr);
    let complete = desk.config(&books());
    let strict = desk.run_with_connector(&["sync", "--strict", "--config", &complete]);
    assert_eq!(strict.code, 0, "{}", strict.stderr);
}

/// The store is busy, as while a backup reads it.
#[test]
#[cfg(unix)]
fn an_interrupt_ends_every_command_that_waits_for_the_store() {
    let desk = Desk::new();
    desk.sync(&books(), &[]).ended(0);
    let database = rusqlite::Connection::open(desk.path(".omni/manager.sqlite3")).unwrap();
    database
        .pragma_update(None, "locking_mode", "EXCLUSIVE")
        .unwrap();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let url = ["sync", "--url", "http://127.0.0.1:9"];
    for arguments in [
        &["search", "alpha"][..],
        &["sources"],
        &["documents"],
        &["runs"],
        &["doubts"],
        &["manager", "--port", "0"],
        &url,
    ] {
        let child = desk.begin(arguments);
        // Long enough to begin, and shorter than it waits for the store.
        std::thread::sleep(Duration::from_secs(1));
        let started = Instant::now();
        interrupt(&child);
        let done = Done::from(child.wait_with_output().unwrap());
        assert_eq!(done.code, 130, "{arguments:?}: {}", done.stderr);
        assert!(
            started.elapsed() < Duration::from_secs(2),
            "{arguments:?}: {:?}",
            started.elapsed()
        );
    }
    drop(database);
    assert_eq!(desk.run(&["search", "alpha"]).code, 0);
}

/// Each of these ends with less than its source has, so the last line and `--strict` say so.
#[test]
fn whatever_a_run_lacks_is_in_its_last_line_and_in_its_exit_code() {
    let long = "a".repeat(600);
    for (config, code, last) in [
        (json!({ "documents": { "alpha": "one" } }), 0, None),
        (
            json!({ "documents": { &long: "two" } }),
            4,
            Some("completed with failures: 1 item did not arrive"),
        ),
        (
            json!({ "documents": { "alpha": "one" }, "pictures": ["a.png", "b.png"] }),
            4,
            Some("completed with failures: 2 files without text"),
        ),
        (
            json!({ "documents": { &long: "two" }, "pictures": ["a.png"] }),
            4,
            Some("completed with failures: 1 item did not arrive, 1 file without text"),
        ),
        (
            json!({ "letters": ["a.eml", "b.eml"] }),
            4,
            Some("completed with failures: 2 files read only in part"),
        ),
        (
            json!({ "thick": 6 << 20 }),
            4,
            Some("completed with failures: 1 file read only in part"),
        ),
        (
            json!({ "gone": ["a", "b", "c"] }),
            4,
            Some("completed with failures: 3 deletes held back"),
        ),
        (
            json!({ "documents": { "alpha": "one" }, "times": 2 }),
            4,
            Some("completed with failures: 1 document sent more than once"),
        ),
        (
            json!({ "groups": ["ghosts@example.com"] }),
            4,
            Some("completed with failures: 1 group that no run ever sent"),
        ),
        (
            json!({ "readers": ["Ann <ann@example.com>", "bob"] }),
            4,
            Some("completed with failures: 2 users not named by an e-mail address"),
        ),
        (
            json!({ "people": ["cyd@example.com", "dan"] }),
            4,
            // Omni refuses the record as well.
            Some(
                "completed with failures: 1 item did not arrive, 1 user not named by an e-mail address",
            ),
        ),
        // A skip is on purpose.
        (
            json!({ "documents": { "alpha": "one" }, "skips": ["torn"] }),
            0,
            None,
        ),
        (json!({ "fail": "the shelf burns" }), 1, None),
    ] {
        let desk = Desk::new();
        let settings = desk.config(&config);
        let done = desk.run_with_connector(&["sync", "--strict", "--config", &settings]);
        assert_eq!(done.code, code, "{config}: {}", done.stdout);
        let found = done.stdout.lines().last().unwrap_or_default();
        let is_named = found.starts_with("completed with failures");
        assert_eq!(is_named.then_some(found), last);
        let lenient = desk.run_with_connector(&["sync", "--full", "--config", &settings]);
        assert_eq!(lenient.code, if code == 4 { 0 } else { code }, "{config}");
    }
}

#[test]
fn readers_that_are_not_addresses_are_in_the_summary() {
    let desk = Desk::new();
    let config = desk.config(&json!({ "readers": ["Ann <ann@example.com>", "cyd@example.com"] }));
    let done = desk.run_with_connector(&["sync", "--config", &config]);
    assert!(
        done.stdout.contains(
            "not e-mail addresses, so nobody reads them by these: Ann <ann@example.com>\n"
        ),
        "{}",
        done.stdout
    );
    let json = desk
        .run_with_connector(&["sync", "--full", "--json", "--config", &config])
        .ended(0);
    assert_eq!(json["odd_users"], json!(["Ann <ann@example.com>"]));
}

#[test]
fn a_manifest_is_printed_of_any_program_and_leaves_no_store() {
    let desk = Desk::new();
    let manifest = desk.run_with_connector(&["manifest", "--json"]).ended(0);
    assert_eq!(manifest["name"], "shelf");
    assert!(!desk.path(".omni").exists());
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_a_command_whose_connector_still_looks_at_the_settings() {
    let desk = Desk::new();
    let config = desk.config(&json!({ "think": true }));
    let program = program();
    let arguments = [
        &["sync", "--json", "--config", &config, "--", &program],
        &SERVE[..],
    ]
    .concat();
    let child = desk.begin(&arguments);
    let pid = soon("the look at the settings", || desk.connector_pid());
    let started = Instant::now();
    interrupt(&child);
    let done = Done::from(child.wait_with_output().unwrap());
    assert_eq!(done.code, 130, "{}", done.stderr);
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    assert!(!lives(&pid));
}
