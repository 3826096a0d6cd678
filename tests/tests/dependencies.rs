//! What an author's connector compiles. Reads `cargo tree` of the connector `hello`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::Command,
};

/// The features of each crate, with its version.
type Crates = BTreeMap<String, BTreeSet<String>>;

/// Returns the crates that cargo compiles for `hello`, with these kinds of dependencies.
fn crates(kinds: &str) -> Crates {
    let tree = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--offline", "--locked", "--package", "hello"])
        .args(["--prefix", "none", "--format", "{p}|{f}", "--edges", kinds])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs");
    let words = String::from_utf8_lossy(&tree.stderr);
    assert!(tree.status.success(), "{words}");
    let mut crates = Crates::new();
    for line in String::from_utf8_lossy(&tree.stdout).lines() {
        let line = line.trim_end_matches(" (*)");
        let Some((name, features)) = line.split_once('|') else {
            continue;
        };
        let features = features.split(',').filter(|feature| !feature.is_empty());
        let known = crates.entry(name.to_owned()).or_default();
        known.extend(features.map(str::to_owned));
    }
    crates
}

#[test]
fn a_connector_has_at_most_160_crates() {
    let crates = crates("normal,build");
    assert!(crates.len() > 100, "{} crates", crates.len());
    assert!(crates.len() <= 160, "{} crates", crates.len());
}

/// Cargo compiles a crate again when the tests turn on another of its features, and with it each crate that depends on it.
#[test]
fn tests_compile_no_crate_of_the_connector_a_second_time() {
    let connector = crates("normal,build");
    let with_tests = crates("normal,build,dev");
    let differing: Vec<_> = connector
        .iter()
        .filter(|(name, features)| with_tests[*name] != **features)
        .map(|(name, features)| {
            (
                name,
                with_tests[name].difference(features).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert!(
        differing.is_empty(),
        "{differing:?}\nhelp: turn these features on in omni-connector/Cargo.toml, in its last block of dependencies"
    );
}
