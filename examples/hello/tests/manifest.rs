//! The connector as a process, without a manager.

use std::process::Command;

#[test]
fn its_manifest_shows_what_was_declared() {
    let output = Command::new(env!("CARGO_BIN_EXE_hello"))
        .arg("manifest")
        .output()
        .expect("the connector starts");
    let manifest = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    for declared in [
        "\"connector_id\": \"hello\"",
        "\"operator\": \"author\"",
        "\"name\": \"count\"",
        "The word to look for",
    ] {
        assert!(manifest.contains(declared), "{declared}: {manifest}");
    }
}
