//! Tests of the check of a manifest.

use serde_json::json;

use super::*;

fn manifest(with: Value) -> Manifest {
    let mut manifest = json!({
        "name": "acme", "display_name": "Acme", "version": "1", "sync_modes": ["full"], "connector_id": "acme",
        "connector_url": "http://acme:4001", "source_types": ["jira"],
    });
    for (key, value) in with.as_object().unwrap() {
        manifest[key] = value.clone();
    }
    serde_json::from_value(manifest).unwrap()
}

fn found(with: Value) -> Vec<String> {
    let problems = check(&manifest(with));
    problems
        .iter()
        .map(|problem| {
            let mark = if problem.severity == Severity::Error {
                "E"
            } else {
                "W"
            };
            format!("{mark} {}: {}", problem.place, problem.message)
        })
        .collect()
}

pub(crate) fn of_input(schema: Value) -> Vec<String> {
    found(json!({ "actions": [
        { "name": "act", "description": "Acts.", "source_types": ["jira"], "input_schema": schema },
    ] }))
}

#[test]
fn a_good_manifest_has_no_problem() {
    assert_eq!(
        found(json!({
            "actions": [{ "name": "act", "description": "Acts.", "source_types": ["jira"], "input_schema": {},
                          "required_scopes": ["issues:write"] }],
            "search_operators": [{ "operator": "project", "attribute_key": "project_key" }],
            "skills": [{ "id": "acme", "title": "Acme", "content": "" }],
            "oauth": { "provider": "atlassian", "auth_endpoint": "https://a/a", "token_endpoint": "https://a/t",
                       "userinfo_endpoint": "https://a/u", "scopes": { "jira": { "write": ["issues:write"] } } },
        })),
        Vec::<String>::new()
    );
}

#[test]
fn a_name_that_language_models_refuse_is_a_warning() {
    let named = |name: &str| {
        found(json!({ "actions": [
            { "name": name, "description": "Acts.", "source_types": ["jira"], "input_schema": {} },
        ] }))
    };
    // `jira__` comes before it.
    assert_eq!(named(&"n".repeat(58)), Vec::<String>::new());
    let long = named(&"n".repeat(59));
    assert!(
        long[0].starts_with("W action") && long[0].contains("59 characters"),
        "{long:?}"
    );
    assert_eq!(named("a.b").len(), 1);
    assert_eq!(named(&"é".repeat(59)).len(), 2, "odd and long");
    assert_eq!(named(" "), ["E action ` `: the name is empty"]);
    let with = |property: &str| {
        let inner = json!({ "type": "object", "properties": { property: {} } });
        let schema =
            json!({ "type": "object", "properties": { "a": { "type": "array", "items": inner } } });
        found(json!({ "actions": [
            { "name": "act", "description": "Acts.", "source_types": ["jira"], "input_schema": schema },
        ] }))
    };
    assert_eq!(with("due-date.of_1"), Vec::<String>::new());
    for property in ["due date", "größe", "", &"n".repeat(65)] {
        let found = with(property);
        assert!(
            found[0].contains(&format!("like `{property}`")),
            "{found:?}"
        );
    }
}

#[test]
fn a_document_is_named_at_the_top_whatever_dots_the_name_has() {
    let with = |name: &str| {
        let property = json!({ "type": "string", crate::schema::DOCUMENT_MARK: true });
        let schema = json!({ "type": "object", "properties": { name: property } });
        found(json!({ "actions": [
            { "name": "act", "description": "Acts.", "source_types": ["jira"], "input_schema": schema },
        ] }))
    };
    assert_eq!(with("document_id"), Vec::<String>::new());
    assert_eq!(
        with("a.document_id"),
        ["E action `act`: Omni does not look for documents in `a.document_id`"]
    );
}

#[test]
fn a_part_that_can_never_work_is_an_error() {
    assert_eq!(
        found(json!({ "connector_id": "", "connector_url": "http://acme/", "source_types": [] })),
        [
            "E connector: the name is empty",
            "E connector: `http://acme/` is no URL that the manager can append a path to",
            "E connector: it serves no source type, so that nothing reaches it",
        ]
    );
    assert_eq!(
        found(json!({ "search_operators": [
            { "operator": "by", "attribute_key": "a" },
            { "operator": "Project", "attribute_key": "a" },
            { "operator": "team", "attribute_key": "" },
            { "operator": "team", "attribute_key": "a" },
        ] })),
        [
            "E search operator `by`: Omni answers `by:` itself",
            "E search operator `Project`: Omni never finds a name like this in a query",
            "E search operator `team`: it names no attribute to look at",
            "E search operator `team`: there are two of this name, and the first wins",
        ]
    );
    assert_eq!(
        found(json!({ "skills": [{ "id": "", "title": "x" }] })),
        [
            "E skill ``: the id is empty",
            "E skill ``: it has neither a text nor a prompt to get one from",
        ]
    );
}

#[test]
fn a_scope_that_cannot_be_granted_is_an_error() {
    let action = json!({ "name": "act", "description": "Acts.", "source_types": ["jira"], "input_schema": {},
                         "required_scopes": ["write", "read"] });
    let oauth = json!({ "provider": "atlassian", "auth_endpoint": "https://a/a", "token_endpoint": "https://a/t",
                        "userinfo_endpoint": "https://a/u", "scopes": { "jira": { "read": ["read"], "write": ["write"] } } });
    assert_eq!(
        found(json!({ "actions": [action], "oauth": oauth })),
        ["E action `act`: no source type grants the scope `read`"]
    );
    // Without OAuth, scopes apply to the source's only credential.
    assert_eq!(found(json!({ "actions": [action] })), Vec::<String>::new());
}

#[test]
fn an_enrich_endpoint_that_cannot_be_a_route_is_an_error() {
    let of = |path: &str| {
        found(
            json!({ "oauth": { "provider": "github", "auth_endpoint": "https://a/a", "token_endpoint": "https://a/t",
                                 "userinfo_endpoint": "https://a/u", "enrich_endpoint": path } }),
        )
    };
    for path in ["/oauth/enrich", "/enrich", "/acme/v1/enrich"] {
        assert_eq!(of(path), Vec::<String>::new(), "{path}");
    }
    for path in [
        "oauth/enrich",
        "https://acme/enrich",
        "/",
        "/sync",
        "/sync/enrich",
        "/oauth/credential-ready",
        "/{id}",
        "/a b",
    ] {
        let expected = format!("E oauth: the enrich endpoint `{path}` is no path of its own");
        assert_eq!(of(path), [expected]);
    }
}
