//! Mistakes of the command line.

use std::fs;

use tempfile::TempDir;

use super::new;

#[test]
fn a_mistake_is_refused_before_the_first_question_with_the_way_out() {
    let desk = TempDir::new().unwrap();
    let new = |arguments: &[&str]| new(desk.path(), arguments);
    new(&["Acme", "-y"]).is_refused(
        "`Acme` cannot be the name of a connector",
        "such as `acme-tracker`",
    );
    new(&["cursor", "-y"]).is_refused(
        "uses `Cursor` for something else than the connector",
        "choose another name",
    );
    new(&["nowhere/acme", "-y"]).is_refused("there is no folder", "make it first");
    new(&["acme"]).is_refused(
        "`--source-type` is missing, and there is no terminal to ask for it",
        "`--source-type jira`, or take the first value of every question with `-y`",
    );
    new(&[
        "acme",
        "--source-type",
        "jira",
        "--kind",
        "rest",
        "--auth",
        "key",
    ])
    .is_refused("`--paging` is missing", "`--paging token`");
    new(&["acme", "-y", "--kind", "graphql", "--paging", "page"]).is_refused(
        "lists of a GraphQL API do not end by `page`",
        "leave out `--paging`",
    );
    new(&["acme", "-y", "--kind", "graphql", "--incremental", "token"]).is_refused(
        "`--incremental token` is for `--kind rest`",
        "take `time` or `none`",
    );
    new(&["acme", "-y", "--paging", "relay"]).is_refused(
        "`--paging relay` is how lists of a GraphQL API end",
        "add `--kind graphql`",
    );
    new(&["acme", "-y", "--source-type", "jirra"]).is_refused("jirra", "'jira'");
    new(&["acme", "-y", "--kind", "mcp"]).is_refused(
        "`--kind mcp` needs a server",
        "`--url https://example.com/mcp`",
    );
    new(&[
        "acme",
        "-y",
        "--kind",
        "mcp",
        "--url",
        "https://a.b",
        "--paging",
        "page",
    ])
    .is_refused(
        "`--paging` has no meaning for an MCP server",
        "`--kind rest`",
    );
    new(&["acme", "-y", "--url", "https://a.b"]).is_refused("name an MCP server", "`--kind mcp`");
    new(&["acme", "-y", "--lib", "/nowhere"]).is_refused("`/nowhere` is no checkout", "git URL");
    for item in ["document", "settings", "url", "string", "option", "result"] {
        new(&["acme", "-y", "--item", item])
            .is_refused(&format!("uses `{item}` for something else"), "`record`");
    }
    new(&["issue", "-y"]).is_refused("would both be `Issue`", "another `--item`");
    assert_eq!(
        fs::read_dir(desk.path()).unwrap().count(),
        0,
        "nothing was written"
    );

    fs::create_dir(desk.path().join("acme")).unwrap();
    fs::write(desk.path().join("acme/README.md"), "mine").unwrap();
    new(&["acme", "-y"]).is_refused("`acme` exists already", "`--force`");
    assert_eq!(
        fs::read_to_string(desk.path().join("acme/README.md")).unwrap(),
        "mine"
    );
}

#[test]
fn what_has_no_meaning_for_a_kind_is_refused_with_the_way_out() {
    let desk = TempDir::new().unwrap();
    let new = |arguments: &[&str]| new(desk.path(), arguments);
    let mcp = ["acme", "-y", "--kind", "mcp"];
    new(&[&mcp[..], &["--command", "a", "--auth", "bearer"]].concat()).is_refused(
        "`--auth bearer` is not for a server that is a program",
        "take one of `key`, `none`",
    );
    new(&[&mcp[..], &["--url", "https://a.b", "--auth", "basic"]].concat()).is_refused(
        "`--auth basic` is not for a server at a URL",
        "take one of `bearer`, `key`, `oauth`, `none`",
    );
    for (flag, value) in [
        ("--auth", "key"),
        ("--paging", "page"),
        ("--incremental", "time"),
        ("--item", "note"),
    ] {
        new(&["acme", "-y", "--kind", "files", flag, value]).is_refused(
            &format!("`{flag}` has no meaning for a folder"),
            "its items are files",
        );
    }
    new(&["acme", "-y", "--kind", "files", "--access", "groups"]).is_refused(
        "`--access groups` is not for files",
        "take `settings` or `public`",
    );
    new(&["acme", "-y", "--access", "settings"]).is_refused(
        "`--access settings` is for `--kind files`",
        "take `item`, `groups` or `public`",
    );
    for (flag, value) in [("--auth", "basic"), ("--paging", "none")] {
        new(&["acme", "-y", "--kind", "other", flag, value]).is_refused(
            &format!("`{flag}` has no meaning for a system that is not called over HTTP"),
            "`src/client.rs`",
        );
    }
    new(&["acme", "-y", "--kind", "other", "--incremental", "token"]).is_refused(
        "`--incremental token` is for `--kind rest`",
        "take `time` or `none`",
    );
    for kind in ["files", "other"] {
        new(&["acme", "-y", "--kind", kind, "--url", "https://a.b"])
            .is_refused("name an MCP server", "`--kind mcp`");
    }
    let document = ["acme", "-y", "--from", "desk.json", "--kind", "files"];
    fs::write(desk.path().join("desk.json"), super::document::DOCUMENT).unwrap();
    new(&[&document[..], &["--list", "tickets"]].concat()).is_refused(
        "`--from` describes a REST API",
        "leave out `--from` or `--kind files`",
    );
    assert!(!desk.path().join("acme").exists(), "something was written");
}
