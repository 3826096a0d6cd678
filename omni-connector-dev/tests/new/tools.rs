//! `cargo omni new --kind mcp --command` starts the server, and writes its tools.

use std::{fmt::Write, fs, os::unix::fs::PermissionsExt};

use serde_json::Value;
use tempfile::TempDir;

use super::{is_clean, new};

/// A program that answers as an MCP server does: each line to a request with the next id.
fn server(desk: &TempDir, name: &str, answers: &[&str]) -> String {
    let path = desk.path().join(name);
    let mut script = "#!/bin/sh\nread -r hello\n".to_owned();
    for (number, answer) in answers.iter().enumerate() {
        let id = number + 1;
        let _ = write!(
            script,
            "echo '{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{answer}}}'\nread -r next\n"
        );
        if number == 0 {
            // What is no answer to the question is read, too.
            script += "echo 'a line for people'\n";
            script +=
                "echo '{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}'\nread -r next\n";
        }
    }
    script += "echo 'the key is missing' >&2\n";
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[test]
fn the_tools_of_a_server_are_in_its_package_and_the_first_that_reads_is_called() {
    let desk = TempDir::new().unwrap();
    let close = r#"{"name":"close_ticket","description":"Closes a ticket.","inputSchema":{"type":"object"}}"#;
    let find = r#"{"name":"find_tickets","description":"Finds tickets.","inputSchema":{"type":"object","properties":{"words":{"type":"string"}},"required":["words"]},"annotations":{"readOnlyHint":true}}"#;
    let pages = [
        &format!(r#"{{"tools":[{close}],"nextCursor":"b"}}"#),
        &format!(r#"{{"tools":[{find}]}}"#),
    ];
    let command = server(&desk, "server", &["{}", pages[0], pages[1]]);
    let made = |name: &str, command: &str| {
        let arguments = [
            name,
            "-y",
            "--kind",
            "mcp",
            "--command",
            command,
            "--no-check",
            "--json",
        ];
        let done = new(desk.path(), &arguments);
        done.is_done();
        is_clean(&desk.path().join(name).join("tests"));
        let made: Value = serde_json::from_str(&done.stdout).unwrap();
        let tests = fs::read_to_string(desk.path().join(name).join("tests/tools.rs")).unwrap();
        (made["tools"].clone(), tests, done.stderr)
    };

    let (tools, tests, _) = made("desk", &command);
    assert_eq!(tools, 2);
    assert!(
        tests.contains(r#"const TOOL: &str = "find_tickets";"#),
        "{tests}"
    );
    assert!(tests.contains(r#"json!({"words":"a"})"#), "{tests}");
    assert!(tests.contains("the_real_server_answers"), "{tests}");
    let read = |path: &str| fs::read_to_string(desk.path().join("desk").join(path)).unwrap();
    let list: Value = serde_json::from_str(&read("tests/server/tools.json")).unwrap();
    assert_eq!(list[0], serde_json::from_str::<Value>(close).unwrap());
    assert!(read("README.md").contains("| `find_tickets` | reads | Finds tickets. |"));
    assert!(read("Cargo.toml").contains("tools = 2"));
    let drift = new(desk.path(), &["desk", "--diff"]);
    drift.is_done();
    assert!(drift.stdout.contains("writes the same"), "{}", drift.stdout);

    let only_writes = format!(r#"{{"tools":[{close}]}}"#);
    let command = server(&desk, "writer", &["{}", &only_writes]);
    let (tools, tests, _) = made("writes", &command);
    assert_eq!(tools, 1);
    assert!(
        tests.contains(r#"const TOOL: &str = "close_ticket";"#),
        "{tests}"
    );
    assert!(
        !tests.contains(".call("),
        "a tool that changes something is called: {tests}"
    );

    let silent = server(&desk, "silent", &[]);
    let empty = server(&desk, "empty", &["{}", r#"{"tools":[]}"#]);
    for (name, command, why) in [
        (
            "silent-tools",
            &*silent,
            "it ended before it answered; its last words: the key is missing",
        ),
        ("no-tools", &*empty, "it has none"),
        ("no-program", "no-such-program --stdio", "it does not start"),
    ] {
        let (tools, tests, said) = made(name, command);
        assert_eq!(tools, Value::Null);
        assert!(tests.contains(r#"const TOOL: &str = "search";"#), "{tests}");
        assert!(!tests.contains("the_real_server_answers"), "{tests}");
        assert!(said.contains(why) && said.contains("`--force`"), "{said}");
    }
}
