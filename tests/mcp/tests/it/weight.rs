//! Tests that a connector without MCP has none of its dependencies.

use std::{collections::BTreeSet, process::Command};

/// Returns the names of all crates in a connector's build.
fn crates(features: &[&str]) -> BTreeSet<String> {
    let tree = [
        "tree",
        "--locked",
        "--offline",
        "-p",
        "omni-connector",
        "-e",
        "normal",
        "--prefix",
        "none",
    ];
    let output = Command::new(env!("CARGO"))
        .args(tree)
        .args(features)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

#[test]
fn a_connector_without_mcp_has_none_of_its_crates() {
    let (without, with) = (crates(&[]), crates(&["--features", "mcp"]));
    for name in ["rmcp", "process-wrap", "sse-stream"] {
        assert!(with.contains(name), "{name} is the feature's");
        assert!(!without.contains(name), "{name} is paid for");
    }
    let more = with.difference(&without).count();
    assert!(more >= 20, "{more} crates more are none to leave out");
}
