//! A package keeps its answers.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::new;

#[test]
fn a_package_keeps_its_answers_and_is_compared_with_the_template_of_today() {
    let desk = TempDir::new().unwrap();
    let new = |arguments: &[&str]| new(desk.path(), arguments);
    let made: Vec<Vec<&str>> = vec![
        vec![
            "acme", "--item", "ticket", "--auth", "basic", "--paging", "offset", "--access",
            "groups",
        ],
        vec![
            "graph",
            "--source-type",
            "github",
            "--kind",
            "graphql",
            "--incremental",
            "none",
        ],
        vec![
            "tools",
            "--kind",
            "mcp",
            "--url",
            "https://tools.example.com/mcp",
        ],
        vec![
            "program",
            "--kind",
            "mcp",
            "--command",
            "npx -y 'some server'",
        ],
    ];
    for answers in &made {
        new(&[&answers[..], &["-y", "--no-check"]].concat()).is_done();
        let done = new(&[answers[0], "--diff"]);
        done.is_done();
        assert!(
            done.stdout
                .contains("the template of today writes the same"),
            "{}",
            done.stdout
        );
    }
    let manifest = fs::read_to_string(desk.path().join("acme/Cargo.toml")).unwrap();
    let table = format!(
        "[package.metadata.omni]\naccess = \"groups\"\nauth = \"basic\"\nincremental = \"time\"\nitem = \"ticket\"\n\
         kind = \"rest\"\npaging = \"offset\"\nsource-type = \"jira\"\nversion = \"{}\"\n\n[dependencies]",
        env!("CARGO_PKG_VERSION")
    );
    assert!(manifest.contains(&table), "{manifest}");

    // What the author did since: a line that is longer, and a file that is gone.
    let code = desk.path().join("acme/src/api.rs");
    let before = fs::read_to_string(&code).unwrap();
    let after = before.replace(
        "Api::at(&settings.api_url)",
        "Api::at(&settings.api_url).at_once(4)",
    );
    assert_ne!(before, after);
    fs::write(&code, &after).unwrap();
    fs::remove_file(desk.path().join("acme/AGENTS.md")).unwrap();
    let done = new(&["acme", "--diff"]);
    done.is_done();
    for part in [
        "--- src/api.rs",
        "+++ src/api.rs of the template",
        "\n-            api: Api::at(&settings.api_url).at_once(4).auth(auth),\n+            api: Api::at(&settings.api_url).auth(auth),",
        "+# Working on this connector",
        "writes 2 files otherwise; nothing was changed",
    ] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    assert_eq!(fs::read_to_string(&code).unwrap(), after);
    let done = new(&["acme", "--diff", "--json"]);
    let drift: Value = serde_json::from_str(&done.stdout).unwrap();
    let paths: Vec<_> = drift["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["path"])
        .collect();
    assert_eq!(paths, ["src/api.rs", "AGENTS.md"]);
    assert_eq!(drift["made_with"], env!("CARGO_PKG_VERSION"));

    // Answers that mean nothing, another maker, and no package.
    let toml = desk.path().join("acme/Cargo.toml");
    fs::write(&toml, manifest.replace("\"offset\"", "\"sideways\"")).unwrap();
    new(&["acme", "--diff"]).is_refused("`paging = \"sideways\"` is not known", "omni-connector 0");
    fs::write(&toml, manifest.replace("\"offset\"", "7")).unwrap();
    new(&["acme", "--diff"]).is_refused("in the Cargo.toml of `acme` cannot be read", "");
    fs::write(&toml, manifest.replace("metadata.omni", "metadata.other")).unwrap();
    new(&["acme", "--diff"]).is_refused(
        "`cargo omni new` did not make `acme`",
        "`[package.metadata.omni]`",
    );
    fs::write(&toml, manifest.replace("\"rest\"", "\"openapi\"")).unwrap();
    new(&["acme", "--diff"]).is_refused(
        "`acme` was made from an OpenAPI document",
        "in another folder",
    );
    new(&["acme", "--diff", "--auth", "key"]).is_refused("cannot be used with", "--diff");
}
