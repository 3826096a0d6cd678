//! Tokens that the manager keeps: read for each request, and read again before they end or once they are refused.

use omni_connector::{
    http::{Api, ApiClient, Auth},
    prelude::*,
};

use super::source::{Source, json as ok, reply};
use crate::support::{Manager, Served, serve};

#[derive(Deserialize)]
struct Settings {
    api_url: Url,
}

#[derive(Clone, FromCall)]
struct Tracker {
    api: Api,
}

impl ApiClient for Tracker {
    type Config = Settings;
    type Credentials = serde::de::IgnoredAny;

    fn connect(config: &Settings, _: &serde::de::IgnoredAny) -> Result<Self> {
        let api = Api::at(&config.api_url).auth(Auth::oauth());
        Ok(Self { api })
    }
}

/// Things of a tracker where people sign in.
#[connector(name = "tracker", source_types = [Web])]
struct Acme;

#[connector]
impl Acme {
    #[sync]
    async fn sync(&self, ctx: SyncContext) -> Result<()> {
        drop(ctx);
        Ok(())
    }

    /// Reads a thing.
    #[action(read)]
    async fn read(&self, tracker: Tracker) -> Result<Value> {
        Ok(tracker.api.get("thing").read().await?)
    }
}

/// A source that takes this token only.
async fn taking(token: &'static str) -> (Source, Manager, Served) {
    let source = Source::start(move |asked| match asked.header("authorization") {
        Some(given) if given == format!("Bearer {token}") => ok(json!(token)),
        _ => reply(401),
    })
    .await;
    let manager = Manager::start().await;
    let served = serve(Acme, &manager).await;
    (source, manager, served)
}

async fn call(source: &Source, served: &Served, secret: Value, ends: Value) -> (u16, Value) {
    let mut about = crate::support::source();
    about["config"] = json!({ "api_url": source.url });
    let call = json!({
        "action": "read", "params": {}, "source": about,
        "credentials": {
            "id": "K1", "source_id": "S1", "user_id": null, "provider": "atlassian", "auth_type": "oauth",
            "principal_email": null, "credentials": secret, "config": {}, "expires_at": ends,
            "last_validated_at": null, "created_at": "+002026-08-01T09:00:00.000000000Z",
            "updated_at": "+002026-08-01T09:00:00.000000000Z"
        },
    });
    served.post("/action", call.to_string()).await
}

#[tokio::test]
async fn the_token_of_the_manager_is_sent_and_one_that_is_refused_is_read_again() {
    let (source, manager, served) = taking("ya29-new").await;
    let new = json!({ "access_token": "ya29-new", "refresh_token": "s3cret" });
    let (status, answer) = call(&source, &served, new.clone(), Value::Null).await;
    assert_eq!((status, &answer["result"]), (200, &json!("ya29-new")));
    assert_eq!(manager.calls("/sdk/credentials").len(), 0);
    assert_eq!(source.times(), 1);

    let (source, manager, served) = taking("ya29-new").await;
    manager.give_row("oauth", &new, &json!({}));
    let old = json!({ "access_token": "ya29-old" });
    let (status, answer) = call(&source, &served, old, Value::Null).await;
    assert_eq!(
        (status, &answer["result"]),
        (200, &json!("ya29-new")),
        "{answer}"
    );
    assert_eq!(source.times(), 2, "refused once, then with the new one");
}

#[tokio::test]
async fn a_token_that_is_about_to_end_is_read_again_before_it_is_sent() {
    let (source, manager, served) = taking("ya29-new").await;
    let new = json!({ "access_token": "ya29-new" });
    manager.give_row("oauth", &new, &json!({}));
    let old = json!({ "access_token": "ya29-old" });
    let past = json!("+002026-08-01T09:30:00.000000000Z");
    let (status, answer) = call(&source, &served, old, past).await;
    assert_eq!(
        (status, &answer["result"]),
        (200, &json!("ya29-new")),
        "{answer}"
    );
    assert_eq!(source.times(), 1, "the old one was not sent");
}

#[tokio::test]
async fn an_account_without_a_token_is_told_to_connect() {
    let (source, _, served) = taking("ya29-new").await;
    let (status, answer) = call(&source, &served, json!({ "token": "s3cret" }), Value::Null).await;
    assert_ne!(status, 200);
    let text = answer.to_string();
    assert!(
        text.contains("access_token") && text.contains("connect the account"),
        "{text}"
    );
    assert!(!text.contains("s3cret"), "{text}");
    assert_eq!(source.times(), 0);
}
