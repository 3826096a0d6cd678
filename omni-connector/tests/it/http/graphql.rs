//! GraphQL: what its errors mean, and what of it is read.

use omni_connector::http::SourceError;
use serde_json::{Value, json};

use super::source::{Reply, Source, json as ok, reply};

const QUERY: &str = "query($id: Int!) { thing(id: $id) { name } }";

async fn answering(reply: Reply) -> Source {
    Source::start(move |_| reply.clone()).await
}

fn error(error: Value) -> Reply {
    ok(json!({ "data": { "thing": null }, "errors": [error, { "message": "another one" }] }))
}

async fn read(source: &Source) -> Result<Option<String>, SourceError> {
    let call = source.api().graphql(QUERY).variable("id", 7);
    call.read("/thing/name").await
}

#[tokio::test]
async fn a_query_is_sent_with_its_variables_and_answers_a_part_of_the_data() {
    let source = answering(ok(json!({ "data": { "thing": { "name": "kettle" } } }))).await;
    assert_eq!(read(&source).await, Ok(Some("kettle".to_owned())));
    let asked = source.asked().remove(0);
    assert_eq!(asked.method, "POST");
    assert_eq!(
        asked.json(),
        json!({ "query": QUERY, "variables": { "id": 7 } })
    );
}

#[tokio::test]
async fn what_does_not_exist_is_none_and_what_is_missing_is_an_error() {
    for nothing in [
        ok(json!({ "data": { "thing": null } })),
        ok(json!({ "data": { "thing": { "name": null } } })),
        ok(json!({ "data": null })),
        error(json!({ "type": "NOT_FOUND", "message": "no thing 7" })),
        reply(404).json(json!({ "message": "Not Found" })),
    ] {
        let source = answering(nothing).await;
        assert_eq!(read(&source).await, Ok(None));
    }
    for (odd, why) in [
        (
            json!({ "data": { "thing": {} } }),
            "nothing at `/data/thing/name`",
        ),
        (
            json!({ "data": { "thing": { "name": 8 } } }),
            "expected a string",
        ),
        (json!({ "thing": { "name": "kettle" } }), "no `data`"),
    ] {
        let source = answering(ok(odd)).await;
        let error = read(&source).await.unwrap_err();
        let SourceError::Unreadable { why: found, .. } = &error else {
            panic!("{error:?}")
        };
        assert!(found.contains(why), "{found}");
    }
}

#[tokio::test]
async fn errors_with_status_200_are_refusals_by_their_codes() {
    let code = |code: &str| json!({ "message": "no", "extensions": { "code": code } });
    for (said, kind) in [
        (code("FORBIDDEN"), "forbidden"),
        (code("UNAUTHENTICATED"), "unauthorized"),
        (code("GRAPHQL_VALIDATION_FAILED"), "refused"),
        (json!({ "message": "no" }), "refused"),
    ] {
        let source = answering(error(said.clone())).await;
        let error = read(&source).await.unwrap_err();
        assert_eq!(outcome(&error), kind, "{said}: {error:?}");
        assert!(error.to_string().contains("no"), "{error}");
    }
}

fn outcome(error: &SourceError) -> &'static str {
    match error {
        SourceError::Forbidden { .. } => "forbidden",
        SourceError::Unauthorized { .. } => "unauthorized",
        SourceError::Refused { .. } => "refused",
        _ => "another",
    }
}

#[tokio::test]
async fn a_limit_is_waited_for_and_a_query_repeated() {
    for limited in [
        json!({ "type": "RATE_LIMITED", "message": "API rate limit exceeded" }),
        json!({ "extensions": { "code": "THROTTLED" }, "message": "Throttled" }),
        json!({ "extensions": { "code": "INTERNAL_SERVER_ERROR" }, "message": "oops" }),
    ] {
        let source = Source::start(move |asked| match asked.before {
            0 => error(limited.clone()),
            _ => ok(json!({ "data": { "thing": { "name": "kettle" } } })),
        })
        .await;
        assert_eq!(read(&source).await, Ok(Some("kettle".to_owned())));
        assert_eq!(source.times(), 2);
    }
}

#[tokio::test]
async fn a_mutation_is_not_sent_twice_after_a_failure() {
    let source = answering(reply(502)).await;
    let mutation = source.api().graphql("mutation { boil { name } }");
    let ended = mutation.clone().read::<Value>("/boil").await;
    assert!(
        matches!(ended, Err(SourceError::Unavailable { .. })),
        "{ended:?}"
    );
    assert_eq!(source.times(), 1);
    let patience = std::time::Duration::from_secs(2);
    let api = source.api().patience(patience);
    let set = api.graphql("mutation { set(to: 7) { name } }").repeatable();
    assert!(set.read::<Value>("/set").await.is_err());
    assert!(source.times() > 2);
}

#[tokio::test]
async fn a_connection_is_read_to_its_end_and_a_limit_in_the_middle_is_waited_for() {
    let source = Source::start(|asked| {
        let after = asked.json()["variables"]["after"].clone();
        let page = |nodes: Value, next: Value| {
            let info = json!({ "hasNextPage": !next.is_null(), "endCursor": next });
            ok(json!({ "data": { "team": { "things": { "nodes": nodes, "pageInfo": info } } } }))
        };
        match (after.as_str(), asked.before) {
            (None, _) => page(json!([1, 2]), json!("two")),
            (Some(_), 1) => error(json!({ "type": "RATE_LIMITED", "message": "wait" })),
            (Some(_), _) => page(json!([3]), Value::Null),
        }
    })
    .await;
    let call = source.api().graphql("query($after: String) { … }");
    let all = call.pages::<u64>("/team/things").all().await;
    assert_eq!(all, Ok(vec![1, 2, 3]));
    assert_eq!(source.times(), 3);
}
