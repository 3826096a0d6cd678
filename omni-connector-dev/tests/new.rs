//! Tests `cargo omni new` by what it writes. `tests/new/run` builds and runs what is made.

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
    assert!(!desk.path().join("tools/examples/server.rs").exists());
    assert!(desk.path().join("tools-2/examples/server.rs").exists());
}

#[test]
fn a_mistake_is_refused_before_the_first_question_with_the_way_out() {
    let desk = TempDir::new().unwrap();
    let new = |arguments: &[&str]| new(desk.path(), arguments);
    new(&["Acme", "-y"]).is_refused(
        "`Acme` cannot be the name of a connector",
        "such as `acme-tracker`",
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
    new(&["acme", "-y", "--item", "document"])
        .is_refused("uses `document` for something else", "`record`");
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

/// A service with tickets, of OpenAPI 3.1, with references, parts and a nullable member.
const DOCUMENT: &str = include_str!("../../tests/new/desk.json");

#[test]
fn what_a_document_does_not_say_is_a_question_and_never_guessed() {
    let desk = TempDir::new().unwrap();
    fs::write(desk.path().join("desk.json"), DOCUMENT).unwrap();
    let new = |arguments: &[&str]| {
        new(
            desk.path(),
            &[&["desk", "-y", "--from", "desk.json", "--force"], arguments].concat(),
        )
    };
    new(&[]).is_refused("the document has 2 lists", "`/tickets`, `/agents`");
    new(&["--list", "/boards"]).is_refused("the document has no list `/boards`", "`/tickets`");
    new(&["--list", "tickets", "--id", "score"])
        .is_refused("no text or whole number `score`", "`subject`");
    new(&["--list", "tickets", "--paging", "token"])
        .is_refused("`--next` is missing", "`/meta/next`");
    new(&["--list", "tickets", "--paging", "offset"])
        .is_refused("no parameter that looks like an offset", "`cursor`");
    new(&["--list", "tickets", "--access", "item"])
        .is_refused("`--readers` is missing", "leave out `--access`");
    new(&["--list", "tickets", "--incremental", "time"])
        .is_refused("needs `--since`", "`changed_since`");

    let done = new(&["--list", "tickets", "--json"]);
    done.is_done();
    let made: Value = serde_json::from_str(&done.stdout).unwrap();
    let questions = made["questions"].to_string();
    for expected in [
        "which member of an item never changes",
        "how does `GET /tickets` end? the document has `cursor`, `page`, `per_page`, and `/meta/next` in the answer",
        "who may read an item of `/tickets`? the document has `watchers`",
    ] {
        assert!(questions.contains(expected), "{expected}: {questions}");
    }
    assert_eq!(
        made["tests"],
        Value::Null,
        "what does not compile is not tested"
    );
    let read = |path: &str| fs::read_to_string(desk.path().join("desk").join(path)).unwrap();
    let errors = [read("src/api.rs"), read("src/ticket.rs")].concat();
    assert_eq!(errors.matches("compile_error!(").count(), 4, "{errors}");
    let report = read("openapi.md");
    for expected in [
        "## Asked",
        "`GET /agents`: another list was chosen",
        "`GET /health`: it has no answer in JSON",
        "`score`",
    ] {
        assert!(report.contains(expected), "{expected}: {report}");
    }
}

#[test]
fn what_a_document_and_its_author_say_is_in_the_code() {
    let desk = TempDir::new().unwrap();
    fs::write(desk.path().join("desk.json"), DOCUMENT).unwrap();
    let done = new(
        desk.path(),
        &[
            "desk",
            "-y",
            "--no-check",
            "--from",
            "desk.json",
            "--list",
            "/tickets",
            "--id",
            "id",
            "--paging",
            "token",
            "--next",
            "/meta/next",
            "--access",
            "item",
            "--readers",
            "watchers",
            "--incremental",
            "time",
            "--since",
            "changed_since",
            "--query",
            "state=all",
        ],
    );
    done.is_done();
    let folder = desk.path().join("desk");
    is_clean(&folder);
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
    let (api, ticket, source) = (
        read("src/api.rs"),
        read("src/ticket.rs"),
        read("tests/source/mod.rs"),
    );
    for (text, expected) in [
        (&api, "Auth::header(\"X-Desk-Key\", &login.api_key)"),
        (&api, "Paging::cursor(\"/meta/next\").param(\"cursor\")"),
        (&api, "end.size(\"per_page\", 50)"),
        (
            &api,
            "self.api.get(\"tickets\").query(&[(\"state\", \"all\")])",
        ),
        (&source, ".parameter(\"state\")"),
        (&api, ".items(\"/tickets\")"),
        (&api, "(\"changed_since\", "),
        (&api, "json!({ \"subject\": title, \"description\": text })"),
        (&ticket, "    id: i64,"),
        (&ticket, "self.id.to_string()"),
        (
            &ticket,
            "#[serde(rename = \"subject\")]\n    title: Option<String>",
        ),
        (
            &ticket,
            "#[serde(rename = \"watchers\")]\n    readers: Option<Vec<String>>",
        ),
        (&source, ".since(\"changed_since\", \"modified_at\")"),
        (&source, "\"id\": number,"),
        (&source, ".title(\"subject\")"),
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!ticket.contains("url"), "{ticket}");
}

#[test]
fn a_filter_with_a_default_and_a_required_parameter_are_questions_until_they_have_a_value() {
    let desk = TempDir::new().unwrap();
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let query = |name: &str, is_required: bool, schema: Value| json!({ "name": name, "in": "query", "required": is_required, "schema": schema });
    let parameters = &mut document["paths"]["/tickets"]["get"]["parameters"];
    parameters.as_array_mut().unwrap().extend([
        query("project", true, json!({ "type": "string" })),
        query("label", false, json!({ "type": "string" })),
        query(
            "since",
            false,
            json!({ "type": "string", "default": "30d" }),
        ),
        query(
            "sort",
            false,
            json!({ "type": "string", "default": "created" }),
        ),
    ]);
    fs::write(desk.path().join("desk.json"), document.to_string()).unwrap();
    let new = |arguments: &[&str]| {
        let always = [
            "desk",
            "-y",
            "--no-check",
            "--from",
            "desk.json",
            "--force",
            "--list",
            "tickets",
            "--json",
        ];
        new(desk.path(), &[&always, arguments].concat())
    };
    new(&["--query", "state"]).is_refused("`--query state` has no value", "`--query state=VALUE`");
    new(&["--query", "status=all"]).is_refused("has no such parameter", "`state`");
    new(&["--query", "state=all", "--query", "state=open"])
        .is_refused("`--query state` is given twice", "leave one of them out");
    let read = |path: &str| fs::read_to_string(desk.path().join("desk").join(path)).unwrap();

    let done = new(&[]);
    done.is_done();
    let asked = "with which values does `GET /tickets` list every item? the document has `project` (required), `since` (`30d` if it is not sent), `state` (`open` if it is not sent; one of `open`, `all`)";
    let made: Value = serde_json::from_str(&done.stdout).unwrap();
    assert!(made["questions"].to_string().contains(asked), "{made}");
    assert!(read("src/api.rs").contains(asked), "{}", read("src/api.rs"));

    let done = new(&["--query", "state=all", "--query", "since=0"]);
    done.is_done();
    assert!(
        done.stdout.contains("`project` (required)") && !done.stdout.contains("`state`"),
        "{}",
        done.stdout
    );

    let done = new(&[
        "--query",
        "state=all",
        "--query",
        "project=a=b",
        "--query",
        "since=0",
    ]);
    done.is_done();
    assert!(
        !done.stdout.contains("with which values"),
        "{}",
        done.stdout
    );
    let api: String = read("src/api.rs").split_whitespace().collect();
    let expected = r#".get("tickets").query(&[("state","all"),("project","a=b"),("since","0")])"#;
    assert!(api.contains(expected), "{api}");
    let report = read("openapi.md");
    for expected in [
        "`state=all` in every call",
        "parameters that are not sent: `label`",
    ] {
        assert!(report.contains(expected), "{expected}: {report}");
    }
    new(&["--auth", "none", "--paging", "none"]).is_done();
    let api = read("src/api.rs");
    assert!(
        api.contains("Paging::single()")
            && !api.contains("Login")
            && !api.contains("how does one sign in"),
        "{api}"
    );
}

/// Makes a connector of a document, and returns its `src/api.rs`.
fn api_of(document: &Value) -> String {
    let desk = TempDir::new().unwrap();
    fs::write(desk.path().join("desk.json"), document.to_string()).unwrap();
    let arguments = "desk -y --no-check --from desk.json --list tickets";
    new(desk.path(), &arguments.split(' ').collect::<Vec<_>>()).is_done();
    fs::read_to_string(desk.path().join("desk/src/api.rs")).unwrap()
}

#[test]
fn the_name_of_a_sign_in_is_known_in_upper_and_lower_case() {
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap();
    for (scheme, expected) in [("Bearer", "Auth::bearer("), ("BASIC", "Auth::basic(")] {
        let schemes = json!({ "login": { "type": "http", "scheme": scheme } });
        document["components"]["securitySchemes"] = schemes;
        let api = api_of(&document);
        assert!(api.contains(expected), "{expected}: {api}");
    }
}

#[test]
fn a_parameter_with_a_name_of_paging_is_a_filter_unless_the_paging_sends_it() {
    let desk = TempDir::new().unwrap();
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let query = |name: &str, required: bool, schema: Value| json!({ "in": "query", "name": name, "required": required, "schema": schema });
    document["paths"]["/tickets"]["get"]["parameters"] = json!([
        query("from", false, json!({ "type": "string", "default": "30d" })),
        query("start", true, json!({ "type": "integer" })),
        query("page", false, json!({ "type": "integer", "default": 1 })),
        query("limit", true, json!({ "type": "integer", "default": 20 })),
    ]);
    fs::write(desk.path().join("desk.json"), document.to_string()).unwrap();
    let new = |arguments: &str| {
        let always = "desk -y --no-check --from desk.json --force --list tickets --json";
        let all: Vec<_> = always.split(' ').chain(arguments.split(' ')).collect();
        new(desk.path(), &all)
    };
    for paging in ["link-header", "page"] {
        let done = new(&format!("--paging {paging}"));
        done.is_done();
        let made: Value = serde_json::from_str(&done.stdout).unwrap();
        let questions = made["questions"].to_string();
        let asked = "has `from` (`30d` if it is not sent), `start` (required)";
        assert!(questions.contains(asked), "{paging}: {questions}");
        assert!(
            !questions.contains("`limit`") && !questions.contains("`page`"),
            "{paging}: {questions}"
        );
    }
    for (arguments, sender) in [
        (
            "--paging page --query page=1",
            "`--query page`: `--paging` sends it already",
        ),
        (
            "--paging page --query limit=5",
            "`--query limit`: `--paging` sends it already",
        ),
        (
            "--paging page --incremental time --since from --query from=0",
            "`--query from`: `--since` sends it already",
        ),
    ] {
        new(arguments).is_refused(sender, "leave one of them out");
    }
}

#[test]
fn the_sign_in_is_the_one_that_the_call_asks_for() {
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap();
    document["components"]["securitySchemes"] = json!({
        "admin": { "type": "apiKey", "in": "header", "name": "x-admin" },
        "people": { "type": "http", "scheme": "bearer" },
    });
    for (of_all, of_call, expected) in [
        (
            json!(null),
            json!(null),
            "how does one sign in? the document has",
        ),
        (json!([{ "people": [] }]), json!(null), "Auth::bearer("),
        (
            json!([{ "people": [] }]),
            json!([{ "admin": [] }]),
            "Auth::header(\"x-admin\"",
        ),
        (
            json!([{ "people": [] }]),
            json!([]),
            "type Credentials = IgnoredAny",
        ),
        (json!(null), json!([{}]), "type Credentials = IgnoredAny"),
        (
            json!(null),
            json!([{}, { "people": [] }]),
            "how does one sign in? the document has",
        ),
    ] {
        let get = document["paths"]["/tickets"]["get"]
            .as_object_mut()
            .unwrap();
        get.remove("security");
        if !of_call.is_null() {
            get.insert("security".to_owned(), of_call);
        }
        document["security"] = of_all;
        let api = api_of(&document);
        assert!(api.contains(expected), "{expected}: {api}");
    }
}

#[test]
fn a_document_in_yaml_makes_what_the_same_document_in_json_makes() {
    let desk = TempDir::new().unwrap();
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    fs::write(desk.path().join("desk.json"), document.to_string()).unwrap();
    fs::write(
        desk.path().join("desk.yaml"),
        format!("# Desk\n---\n{}", yaml(&document, 0)),
    )
    .unwrap();
    let arguments = "desk -y --no-check --force --list tickets --from";
    let made = ["desk.json", "desk.yaml"].map(|file| {
        let arguments = [&arguments.split(' ').collect::<Vec<_>>()[..], &[file]].concat();
        new(desk.path(), &arguments).is_done();
        let files = files(&desk.path().join("desk")).into_iter();
        files
            .map(|(path, text)| (path, text.replace(file, "DOCUMENT")))
            .collect::<Vec<_>>()
    });
    assert_eq!(made[0], made[1]);
    assert!(
        made[1]
            .iter()
            .any(|(_, text)| text.contains("get(\"tickets\")")),
        "{made:?}"
    );
}

/// Writes a value as people write YAML: in lines, and with statuses that have no quotation marks.
fn yaml(value: &Value, depth: usize) -> String {
    let blanks = " ".repeat(depth * 2);
    match value {
        Value::Object(members) if !members.is_empty() => {
            let member = |(name, value): (&String, &Value)| {
                let name = match name.parse::<u16>() {
                    Ok(status) => status.to_string(),
                    Err(_) => json!(name).to_string(),
                };
                format!("\n{blanks}{name}: {}", yaml(value, depth + 1))
            };
            members.iter().map(member).collect::<Vec<_>>().concat()
        }
        Value::Array(items) if !items.is_empty() => {
            let item = |item: &Value| format!("\n{blanks}- {}", yaml(item, depth + 1));
            items.iter().map(item).collect::<Vec<_>>().concat()
        }
        Value::String(text) if text.chars().all(char::is_alphabetic) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn a_document_that_cannot_be_read_is_refused_with_the_way_out() {
    let desk = TempDir::new().unwrap();
    for (text, message, help) in [
        ("{openapi: 3.0.0}", "is not JSON", "in JSON or YAML"),
        (
            "openapi: [3.0.0",
            "is neither JSON nor YAML",
            "in JSON or YAML",
        ),
        (
            &"[".repeat(100_000),
            "is neither JSON nor YAML",
            "in JSON or YAML",
        ),
        ("a: &a [*a]", "is not a document of OpenAPI 3", "converted"),
        ("", "is not a document of OpenAPI 3", "converted"),
        (
            "swagger: '2.0'",
            "is a document of Swagger 2.0",
            "converted",
        ),
        (
            "{\"swagger\": \"2.0\"}",
            "is a document of Swagger 2.0",
            "converted",
        ),
        (
            "{\"openapi\": \"3.0.3\", \"paths\": {}}",
            "no `GET` that answers with a list of objects",
            "without `--from`",
        ),
    ] {
        fs::write(desk.path().join("a.json"), text).unwrap();
        new(desk.path(), &["acme", "-y", "--from", "a.json"]).is_refused(message, help);
    }
    new(desk.path(), &["acme", "-y", "--from", "b.json"])
        .is_refused("`b.json` cannot be read", "b.json");
    assert!(!desk.path().join("acme").exists());
}

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
