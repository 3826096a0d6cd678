//! `cargo omni new --from`: how one signs in.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{document::DOCUMENT, new};

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
fn the_sign_in_of_people_is_taken_from_the_document_and_who_they_are_is_asked() {
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap();
    document["servers"] = json!([{ "url": "https://desk.example.org/v2" }]);
    let flow = json!({ "authorizationUrl": "https://login.example.org/authorize", "tokenUrl": "/token", "scopes": {} });
    document["components"]["securitySchemes"] =
        json!({ "people": { "type": "oauth2", "flows": { "authorizationCode": flow } } });
    document["security"] = json!([{ "people": ["tickets:read", "offline"] }]);
    document["paths"]["/tickets"]["post"]["security"] = json!([{ "people": ["tickets:write"] }]);
    document["paths"]["/tickets"]["get"]
        .as_object_mut()
        .unwrap()
        .remove("security");
    let asked = "which address says who signed in? the document has only `https://login.example.org/authorize` and `https://desk.example.org/token`";
    let api = api_of(&document);
    assert!(api.contains(asked), "{api}");
    assert!(api.contains("--auth oauth --userinfo URL"), "{api}");

    let desk = TempDir::new().unwrap();
    fs::write(desk.path().join("desk.json"), document.to_string()).unwrap();
    let arguments = "desk -y --no-check --from desk.json --list tickets --auth oauth --userinfo https://desk.example.org/me";
    new(desk.path(), &arguments.split(' ').collect::<Vec<_>>()).is_done();
    let lib = fs::read_to_string(desk.path().join("desk/src/lib.rs")).unwrap();
    for expected in [
        "\"https://login.example.org/authorize\"",
        "\"https://desk.example.org/token\"",
        "\"https://desk.example.org/me\"",
        ".read_scopes(SourceType::Jira, [\"tickets:read\", \"offline\"])",
        ".write_scopes(SourceType::Jira, [\"tickets:write\"])",
        "access_token: SecretString",
    ] {
        assert!(lib.contains(expected), "{expected}: {lib}");
    }

    let machines = json!({ "tokenUrl": "https://a.example.org/token", "scopes": {} });
    document["components"]["securitySchemes"] =
        json!({ "people": { "type": "oauth2", "flows": { "clientCredentials": machines } } });
    let api = api_of(&document);
    assert!(api.contains("`people`, which is something else"), "{api}");
}

#[test]
fn several_keys_at_once_are_a_question_and_alternatives_are_not() {
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let key = |name: &str| json!({ "type": "apiKey", "in": "header", "name": name });
    document["components"]["securitySchemes"] = json!({ "app": key("x-app"), "key": key("x-key") });
    document["paths"]["/tickets"]["get"]["security"] = json!([{ "app": [], "key": [] }]);
    let asked = "how are several keys sent at once? the document has a key in the header `x-app`, a key in the header `x-key`";
    let api = api_of(&document);
    assert!(api.contains(asked), "{api}");

    document["paths"]["/tickets"]["get"]["security"] = json!([{ "app": [] }, { "key": [] }]);
    let api = api_of(&document);
    assert!(api.contains("how does one sign in?"), "{api}");
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
