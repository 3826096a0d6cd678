//! `cargo omni new --from`: what a document says, and what it does not say.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{files, is_clean, new};

/// A service with tickets, of OpenAPI 3.1, with references, parts and a nullable member.
pub(super) const DOCUMENT: &str = include_str!("../../../tests/new/desk.json");

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
