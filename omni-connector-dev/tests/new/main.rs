//! Tests `cargo omni new` by what it writes. `tests/new/run` builds and runs what is made.

mod document;
mod kept;
mod refused;
mod sign_in;
#[cfg(unix)]
mod tools;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Something that ended.
struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs the command in a folder, without a terminal.
fn new(folder: &Path, arguments: &[&str]) -> Done {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-omni"))
        .arg("new")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Done {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Done {
    #[track_caller]
    fn is_done(&self) {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
    }

    /// It was refused as a mistake of the person, with these words, and nothing was asked.
    #[track_caller]
    fn is_refused(&self, message: &str, help: &str) {
        assert_eq!(self.code, 2, "{}{}", self.stdout, self.stderr);
        assert!(self.stderr.contains(message), "{}", self.stderr);
        assert!(self.stderr.contains(help), "{}", self.stderr);
    }
}

/// All files below a folder, with their texts.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// Nothing of the template is left, and the code is formatted.
#[track_caller]
fn is_clean(folder: &Path) {
    let files = files(folder);
    for (path, text) in &files {
        for left in [
            "//<",
            "<!--",
            "#<",
            "xemplar",
            "pecimen",
            "rchetype",
            "rototype",
            "EXEMPLAR",
            "SPECIMEN",
            "TODO",
            "todo!",
            "unused_variables",
        ] {
            assert!(
                !text.contains(left),
                "`{left}` in {}:\n{text}",
                path.display()
            );
        }
    }
    let rust = files.iter().map(|(path, _)| path);
    let rust = rust.filter(|path| path.extension().is_some_and(|it| it == "rs"));
    let checked = Command::new("rustfmt")
        .args(["--edition", "2024", "--check"])
        .args(rust)
        .output()
        .unwrap();
    let differences = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{differences}");
}

#[test]
#[allow(clippy::too_many_lines, reason = "a list of command lines")]
fn what_is_made_has_the_names_of_the_answers_and_nothing_of_the_template() {
    let desk = TempDir::new().unwrap();
    let rest: Vec<Vec<&str>> = vec![
        vec!["acme", "-y"],
        vec![
            "graph", "-y", "--kind", "graphql", "--paging", "relay", "--item", "ticket",
        ],
        vec!["signed", "-y", "--auth", "oauth"],
        vec!["told", "-y", "--incremental", "token", "--item", "page"],
        vec!["open", "-y", "--auth", "none", "--paging", "none"],
        vec!["open-graph", "-y", "--kind", "graphql", "--auth", "none"],
        vec![
            "graph-2",
            "-y",
            "--kind",
            "graphql",
            "--auth",
            "bearer",
            "--incremental",
            "none",
            "--access",
            "groups",
        ],
        vec![
            "acme-desk",
            "-y",
            "--item",
            "enquiry",
            "--auth",
            "basic",
            "--paging",
            "page",
            "--incremental",
            "none",
            "--access",
            "groups",
        ],
        vec![
            "b2",
            "-y",
            "--source-type",
            "confluence",
            "--auth",
            "bearer",
            "--paging",
            "link-header",
            "--access",
            "public",
        ],
        vec![
            "c",
            "-y",
            "--source-type",
            "hubspot",
            "--paging",
            "offset",
            "--access",
            "groups",
        ],
        vec![
            "d",
            "-y",
            "--paging",
            "next-url",
            "--incremental",
            "none",
            "--access",
            "public",
            "--auth",
            "basic",
        ],
        vec![
            "tools",
            "-y",
            "--kind",
            "mcp",
            "--url",
            "https://issues.example.com/mcp",
        ],
        vec![
            "keyed",
            "-y",
            "--kind",
            "mcp",
            "--url",
            "https://a.example.com",
            "--auth",
            "key",
        ],
        vec![
            "signed-tools",
            "-y",
            "--kind",
            "mcp",
            "--url",
            "https://a.example.com",
            "--auth",
            "oauth",
        ],
        vec![
            "open-tools",
            "-y",
            "--kind",
            "mcp",
            "--url",
            "https://a.example.com",
            "--auth",
            "none",
        ],
        vec!["shelf-2", "-y", "--kind", "files"],
        vec!["shelf", "-y", "--kind", "files", "--access", "public"],
        vec!["rows", "-y", "--kind", "other", "--item", "ticket"],
        vec![
            "rows-2",
            "-y",
            "--kind",
            "other",
            "--incremental",
            "none",
            "--access",
            "groups",
        ],
        vec!["rows-3", "-y", "--kind", "other", "--access", "public"],
        vec![
            "tools-2",
            "-y",
            "--kind",
            "mcp",
            "--command",
            "npx -y issue-server --specimen",
        ],
    ];
    for arguments in rest {
        new(desk.path(), &[&arguments[..], &["--no-check"]].concat()).is_done();
        let folder = desk.path().join(arguments[0]);
        if arguments[0] == "tools-2" {
            let main = fs::read_to_string(folder.join("src/main.rs")).unwrap();
            assert!(
                main.contains("\"npx -y issue-server --specimen\""),
                "{main}"
            );
            assert!(main.contains("TOOLS_2_COMMAND"), "{main}");
            continue;
        }
        is_clean(&folder);
    }
    let read = |path: &str| fs::read_to_string(desk.path().join(path)).unwrap();
    let lib = read("acme-desk/src/lib.rs");
    for expected in [
        "//! Enquiries of Acme Desk in Omni.",
        "mod enquiry;",
        "name = \"acme_desk\"",
        "pub struct AcmeDesk;",
        "enquiries: Inventory<Enquiry>",
        "async fn create_enquiry(",
        "Create an enquiry in Acme Desk.",
        "client.send_teams(&ctx)",
    ] {
        assert!(lib.contains(expected), "{expected}: {lib}");
    }
    assert!(
        !lib.contains("incremental") && !lib.contains("Watermark"),
        "{lib}"
    );
    let api = read("acme-desk/src/api.rs");
    assert!(
        api.contains("Paging::page_number(\"page\").until_empty()"),
        "{api}"
    );
    assert!(
        api.contains("Auth::basic(&login.user, &login.password)"),
        "{api}"
    );
    let signed = read("signed/src/lib.rs");
    assert!(
        signed.contains("\"https://signed.example.com/oauth/token\""),
        "{signed}"
    );
    assert!(read("b2/src/page.rs").contains("Access::public()"));
    let told = read("told/src/lib.rs");
    for part in [
        "pages: Inventory<Page>",
        "changes: Watermark<String>",
        "client.pages_changed(since.as_ref())",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(
        read("told/tests/source/mod.rs")
            .contains(".since_token(\"since_token\", \"/pages/token\")")
    );
    let shelf = read("shelf/src/lib.rs");
    for (part, is_there) in [
        ("source_types = [LocalFiles]", true),
        ("pub struct Shelf;", true),
        ("Access::public()", true),
        ("readers", false),
    ] {
        assert_eq!(shelf.contains(part), is_there, "{part}: {shelf}");
    }
    assert!(read("shelf-2/src/lib.rs").contains("readers: Vec<Email>"));
    let rows = read("rows/src/client.rs");
    assert!(rows.contains("FROM tickets"), "{rows}");
    assert!(rows.contains("async fn tickets_since("), "{rows}");
    assert!(!read("rows-2/src/client.rs").contains("since"));
    for made in ["shelf", "rows"] {
        let manifest = read(&format!("{made}/Cargo.toml"));
        assert!(
            !manifest.contains("paging") && !manifest.contains("auth"),
            "{manifest}"
        );
        for (path, text) in files(&desk.path().join(made)) {
            assert!(!text.contains("http::"), "{}: {text}", path.display());
        }
    }
    assert!(read("keyed/src/main.rs").contains("(\"x-api-key\", login.token"));
    assert!(!read("open-tools/src/main.rs").contains("Login"));
    assert!(read("signed-tools/src/main.rs").contains("#[oauth]"));
    assert!(!desk.path().join("tools/examples/server.rs").exists());
    assert!(desk.path().join("tools-2/examples/server.rs").exists());
}

#[test]
fn a_folder_that_exists_is_written_into_by_force_and_what_was_replaced_is_named() {
    let desk = TempDir::new().unwrap();
    let acme = desk.path().join("acme");
    fs::create_dir(&acme).unwrap();
    fs::write(acme.join("README.md"), "mine").unwrap();
    fs::write(acme.join("notes.txt"), "mine").unwrap();
    let done = new(
        desk.path(),
        &["acme", "-y", "--force", "--no-check", "--json"],
    );
    done.is_done();
    let made: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(made["replaced"], json!(["README.md"]));
    assert_eq!(made["name"], "acme");
    assert_eq!(made["tests"], Value::Null);
    assert!(
        made["files"]
            .as_array()
            .unwrap()
            .contains(&json!("tests/conformance.rs"))
    );
    assert_eq!(fs::read_to_string(acme.join("notes.txt")).unwrap(), "mine");

    let again = new(
        desk.path(),
        &["acme", "-y", "--force", "--no-check", "--json"],
    );
    again.is_done();
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert!(
        again["replaced"]
            .as_array()
            .unwrap()
            .contains(&json!("src/api.rs"))
    );
}

#[test]
fn a_workspace_around_it_gets_it_as_a_member() {
    let desk = TempDir::new().unwrap();
    fs::write(
        desk.path().join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = []\n",
    )
    .unwrap();
    let done = new(desk.path(), &["acme", "-y", "--no-check", "--lib", "0.1"]);
    done.is_done();
    assert!(
        done.stdout.contains("it is now a member of the workspace"),
        "{}",
        done.stdout
    );
    let root = fs::read_to_string(desk.path().join("Cargo.toml")).unwrap();
    assert!(
        root.contains("members = [\"acme\"]") || root.contains("members = [ \"acme\"]"),
        "{root}"
    );
    let manifest = fs::read_to_string(desk.path().join("acme/Cargo.toml")).unwrap();
    assert!(
        manifest.contains("omni-connector = \"0.1\"\n"),
        "{manifest}"
    );
}
