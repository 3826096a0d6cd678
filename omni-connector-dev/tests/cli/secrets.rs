//! No command prints a stored secret, in whatever spelling a document or a report quotes it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::Desk;

const SECRET: &str = "canaryWORD/7f3a+9=tailWORD";

#[test]
fn no_command_prints_a_secret_in_any_spelling() {
    let percent: Vec<_> = SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let percent = percent.concat();
    let base64 = STANDARD.encode(format!("ann:{SECRET}"));
    for leak in [SECRET, &percent, &base64] {
        let desk = Desk::new();
        let key = desk.path("key.json");
        std::fs::write(&key, json!({ "key": SECRET }).to_string()).unwrap();
        let key = key.display().to_string();
        let config = json!({
            "documents": { leak: format!("leakword {leak}"), "other": format!("{leak} leakword") },
            "skips": [leak], "failures": [leak], "checkpoint": leak,
        });
        let mut printed = Vec::new();
        let mut note = |what: String, done: super::Done| {
            assert!(done.code < 2, "{what}: {}{}", done.stdout, done.stderr);
            printed.push((what, done.stdout + &done.stderr));
        };
        for way in [&["--json"][..], &[]] {
            let sync = [
                &[
                    "sync",
                    "--config",
                    &desk.config(&config),
                    "--credentials",
                    &key,
                ],
                way,
            ];
            note("sync".to_owned(), desk.run_with_connector(&sync.concat()));
        }
        for command in [
            &["documents"][..],
            &["documents", "leakword"],
            &["explain", leak],
            &["explain", "other"],
            &["runs"],
            &["requests"],
            &["checkpoint"],
            &["doubts"],
            &["sources"],
            &["sources", "show", "Shelf"],
            &["search", "leakword"],
        ] {
            for way in [&[][..], &["--json"]] {
                let arguments = [command, way].concat();
                note(arguments.join(" "), desk.run(&arguments));
            }
        }
        let middle = leak.len() / 2;
        for piece in [&leak[middle - 6..middle + 6], "canaryWORD", "tailWORD"] {
            for (what, text) in &printed {
                assert!(!text.contains(piece), "`{what}` prints {piece}:\n{text}");
            }
        }
        assert!(printed.iter().any(|(_, text)| text.contains("••••••")));
    }
}
