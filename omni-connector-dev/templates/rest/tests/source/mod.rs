//! A source that answers as Exemplar does.
//> template
#![allow(
    unused_variables,
    reason = "a template holds all its variants, one after the other"
)]
//<

//> auth=key|bearer|basic|oauth
use omni_connector::{SecretString, http::Auth};
//<
use omni_connector_dev::testing::FakeApi;
use serde_json::{Value, json};

/// How many issues there are.
pub const ISSUES: usize = 13;

//> auth=key|bearer|basic|oauth
/// The secret of the connector.
pub fn login() -> Value {
    json!({
        //> auth=oauth
        "access_token": "canary-7f3a",
        //<
        //> auth=basic
        "user": "omni",
        "password": "canary-7f3a",
        //<
        //> auth=bearer
        "token": "canary-7f3a",
        //<
        //> auth=key
        "api_key": "canary-7f3a",
        //<
    })
}

//<

/// Starts the source, with five items on a page at most. The checks change the members `title`, `text` and `readers` of items. If
/// yours have other names, add `.title("…")`, `.text("…")` or `.readers("…")`; otherwise these checks are left out.
pub fn start() -> FakeApi {
    //> auth=key|bearer|basic|oauth
    let secret = SecretString::from("canary-7f3a".to_owned());
    //<
    //> auth=basic
    let auth = Auth::basic("omni", &secret);
    //<
    //> auth=bearer|oauth
    let auth = Auth::bearer(&secret);
    //<
    //> auth=key
    let auth = Auth::header("x-api-key", &secret);
    //<
    FakeApi::new()
        //> auth=key|bearer|basic|oauth
        .auth(auth)
        //<
        .at_most(5)
        .list("/issues", "/issues", exemplar::api::paging(), issues())
        //> incremental=token
        .since_token("since_token", "/issues/token")
        //<
        //> incremental=time
        .since("updated_since", "updated_at")
        //<
        //> action=create
        .post(
            "/issues",
            |input| json!({ "id": "99", "title": input["title"], "text": input["text"] }),
        )
        //<
        //> access=groups
        .list("/teams", "/teams", exemplar::api::paging(), teams())
        .members("members")
    //<
}

fn issues() -> Vec<Value> {
    let issue = |number| {
        json!({
            "id": format!("{number}"),
            //> field=title
            "title": format!("Issue {number}"),
            //<
            //> field=text
            "text": format!("What is to be known of number {number}."),
            //<
            //> field=url
            "url": format!("https://exemplar.example.com/issues/{number}"),
            //<
            //> field=status
            "status": if number % 3 == 0 { "closed" } else { "open" },
            //<
            //> field=updated_at
            "updated_at": format!("2026-01-{number:02}T12:00:00Z"),
            //<
            //> access=groups
            "team": "ops@example.com",
            //<
            //> access=item
            "readers": ["ada@example.com", "bo@example.com"],
            //<
        })
    };
    (1..=ISSUES).map(issue).collect()
}
//> access=groups

fn teams() -> Vec<Value> {
    vec![json!({ "email": "ops@example.com", "members": ["ada@example.com", "bo@example.com"] })]
}
//<
