//! One client for each account: runs and actions share its state, its pauses and its end.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use omni_connector::{
    http::{Api, ApiClient, Auth, Paging, Quota, Reset},
    prelude::*,
};

use super::source::{Source, json as ok, reply};
use crate::support::{Manager, Served, serve};

#[derive(Deserialize)]
struct Settings {
    api_url: Url,
}

#[derive(Deserialize)]
struct ApiKey {
    api_key: SecretString,
}

static CONNECTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[derive(Clone, FromCall)]
struct Tracker {
    api: Api,
}

impl ApiClient for Tracker {
    type Config = Settings;
    type Credentials = ApiKey;

    fn connect(config: &Settings, key: &ApiKey) -> Result<Self> {
        CONNECTED.lock().unwrap().push(config.api_url.to_string());
        let quota = Quota::per_hour(1_000)
            .remaining("x-left")
            .reset(Reset::Seconds("x-reset"));
        let api = Api::at(&config.api_url)
            .auth(Auth::bearer(&key.api_key))
            .quota(quota);
        Ok(Self { api })
    }
}

/// A client whose calls the framework cannot see.
#[derive(Clone, FromCall)]
struct Hidden(#[allow(dead_code, reason = "only held")] std::sync::Arc<Api>);

impl ApiClient for Hidden {
    type Config = Settings;
    type Credentials = Option<ApiKey>;

    fn connect(config: &Settings, _: &Option<ApiKey>) -> Result<Self> {
        Ok(Self(Api::at(&config.api_url).into()))
    }
}

#[derive(Debug, Deserialize)]
struct Issue {
    key: String,
}

/// Issues of a tracker.
#[connector(name = "tracker", source_types = [Web], sync_modes = [full, realtime])]
struct Acme;

#[connector]
impl Acme {
    #[sync]
    async fn sync(&self, tracker: Tracker, ctx: SyncContext) -> Result<()> {
        let mut pages = tracker
            .api
            .get("issues")
            .pages(Paging::cursor("/next"))
            .items::<Issue>("/issues");
        while let Some(page) = pages.next().await? {
            for issue in &page {
                ctx.upsert(Document::new(&issue.key, DocumentPermissions::public()))
                    .await?;
            }
        }
        let proof = pages.finish()?;
        drop(proof);
        Ok(())
    }

    /// Reads a thing.
    #[action(read)]
    async fn read(
        &self,
        tracker: Tracker,
        /// Where it is
        #[arg]
        path: String,
    ) -> Result<Value> {
        Ok(tracker.api.get(path).read().await?)
    }

    /// Never gets there.
    #[action(read)]
    async fn hidden(&self, hidden: Hidden) -> Result<Value> {
        drop(hidden);
        Ok(json!(1))
    }
}

async fn start(source: &Source) -> (Manager, Served) {
    let manager = Manager::start().await;
    manager.change_source("config", json!({ "api_url": source.url }));
    manager.give_credentials(&json!({ "api_key": "old-key" }));
    let served = serve(Acme, &manager).await;
    (manager, served)
}

fn call(source: &Source, action: &str, params: Value) -> String {
    let mut about = crate::support::source();
    about["config"] = json!({ "api_url": source.url });
    json!({
        "action": action, "params": params, "source": about,
        "credentials": {
            "id": "K1", "source_id": "S1", "user_id": null, "provider": "atlassian", "auth_type": "api_key",
            "principal_email": null, "credentials": { "api_key": "old-key" }, "config": {}, "expires_at": null,
            "last_validated_at": null, "created_at": "+002026-08-01T09:00:00.000000000Z",
            "updated_at": "+002026-08-01T09:00:00.000000000Z"
        },
    })
    .to_string()
}

/// Waits until the report of a run says what it waits for. Returns that.
async fn waits_for(served: &Served, run: &str) -> String {
    for _ in 0..500 {
        let (_, report) = served.get(&format!("/sync/{run}/report")).await;
        if let Some(text) = report["waiting_for"].as_str() {
            return text.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("run {run} never waited");
}

#[tokio::test]
async fn a_run_waits_and_an_action_answers_429_and_both_share_the_pace() {
    let source = Source::start(|asked| match asked.path.as_str() {
        "/issues" => reply(429).header("retry-after", 600),
        _ => ok(json!(1)),
    })
    .await;
    let (_, served) = start(&source).await;
    served.start("R1", "full").await;
    let text = waits_for(&served, "R1").await;
    assert!(
        text.contains("the source asked for a pause, ") && text.ends_with(" s"),
        "{text}"
    );
    let (began, asked) = (Instant::now(), source.times());
    let answer = served
        .send("/action", call(&source, "read", json!({ "path": "thing" })))
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 429);
    let wait: u64 = answer.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((500..=600).contains(&wait), "{wait}");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(
        source.times(),
        asked,
        "the action did not ask: the pause is everybody's"
    );
    served.start("R2", "realtime").await;
    waits_for(&served, "R2").await;
    assert_eq!(source.times(), asked, "nor did another run");
    let connected = CONNECTED.lock().unwrap().clone();
    let of_this = connected.iter().filter(|url| url.starts_with(&source.url));
    assert_eq!(of_this.count(), 1, "one client for all of them");
}

#[tokio::test]
async fn a_cancel_ends_every_wait_at_once() {
    // A pause of the source, a missing answer, a pause after a failure, and an exhausted quota.
    for (waiting, reply) in [
        ("a pause", reply(429).header("retry-after", 600)),
        ("an answer", ok(json!({})).after(Duration::from_secs(50))),
        ("a retry", reply(503).header("retry-after", 600)),
        (
            "a quota",
            ok(json!({ "issues": [], "next": "n" }))
                .header("x-left", 0)
                .header("x-reset", 600),
        ),
    ] {
        let answer = reply.clone();
        let source = Source::start(move |_| answer.clone()).await;
        let (_, served) = start(&source).await;
        served.start("R1", "full").await;
        while source.times() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (task, began) = (served.text("/metrics").await, Instant::now());
        assert!(
            task.contains("omni_connector_runs_active{mode=\"full\"} 1"),
            "{waiting}: {task}"
        );
        served
            .post("/cancel", json!({ "sync_run_id": "R1" }).to_string())
            .await;
        // The slot is free at once. The task has ended once its end is counted.
        while !served
            .text("/metrics")
            .await
            .contains("ending=\"stopped\"} 1")
        {
            assert!(
                began.elapsed() < Duration::from_secs(5),
                "{waiting} goes on"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(
            began.elapsed() < Duration::from_millis(600),
            "{waiting}: {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test]
async fn a_renewed_credential_is_read_again_once() {
    let source = Source::start(|asked| match asked.header("authorization") {
        Some("Bearer new-key") => ok(json!(1)),
        _ => reply(401),
    })
    .await;
    let (manager, served) = start(&source).await;
    // The manager has a newer credential than the call contains.
    manager.give_credentials(&json!({ "api_key": "new-key" }));
    let calls =
        (0..20).map(|_| served.post("/action", call(&source, "read", json!({ "path": "thing" }))));
    for (status, body) in futures_util::future::join_all(calls).await {
        assert_eq!(status, 200, "{body}");
    }
    let old =
        |asked: &&super::source::Asked| asked.header("authorization") == Some("Bearer old-key");
    let refused = source.asked().iter().filter(old).count();
    assert!(refused <= 20, "{refused}");
    let (status, body) = served
        .post("/action", call(&source, "read", json!({ "path": "again" })))
        .await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn a_refused_credential_is_sent_again_only_if_it_changed() {
    let source = Source::start(|_| reply(401)).await;
    let (manager, served) = start(&source).await;
    // The manager has the same credential.
    manager.give_credentials(&json!({ "api_key": "old-key" }));
    let read = || served.post("/action", call(&source, "read", json!({ "path": "thing" })));
    let (status, body) = read().await;
    assert_eq!(status, 401, "{body}");
    assert_eq!(source.times(), 1, "the same key would be refused again");
    assert!(!body.to_string().contains("old-key"), "{body}");
    let named =
        "`api_key` of the credential is refused; renew it: `GET thing`: the source says 401";
    assert!(body.to_string().contains(named), "{body}");
    manager.give_credentials(&json!({ "api_key": "new-key" }));
    let (status, body) = read().await;
    assert_eq!(status, 401, "{body}");
    let keys: Vec<_> = source
        .asked()
        .iter()
        .map(|asked| asked.header("authorization").map(str::to_owned))
        .collect();
    let key = |name: &str| Some(format!("Bearer {name}"));
    assert_eq!(keys, [key("old-key"), key("old-key"), key("new-key")]);
}

#[tokio::test]
async fn an_unreadable_item_is_a_failed_item_with_its_name_and_link() {
    let source = Source::start(|_| {
        ok(json!({ "issues": [{ "key": "A-1" }, { "id": "A-2", "key": 7 }, { "key": "A-3" }], "next": null }))
    })
    .await;
    let (manager, served) = start(&source).await;
    served.start("R1", "full").await;
    let failed = manager.told_of("/fail").await.to_string();
    assert!(
        failed.contains("1 items cannot be decoded"),
        "the walk proves nothing: {failed}"
    );
    served.ended("R1").await;
    let mut documents = manager.documents();
    documents.sort();
    assert_eq!(documents, ["A-1", "A-3"]);
    let (_, report) = served.get("/sync/R1/report").await;
    let failure = &report["failures"][0];
    assert_eq!(failure["item"], "A-2", "{report}");
    assert_eq!(
        failure["link"],
        format!("{}/issues", source.url),
        "{report}"
    );
    let cause = failure["cause"].as_str().unwrap();
    assert!(cause.contains("`key` is of the wrong type"), "{cause}");
}

#[tokio::test]
async fn calls_are_counted_by_operation_and_outcome() {
    let source = Source::start(|asked| match asked.path.as_str() {
        "/missing" => reply(404),
        _ => ok(json!(1)).header("x-left", 41).header("x-reset", 60),
    })
    .await;
    let (_, served) = start(&source).await;
    for path in ["things/1?token=s3cret", "things/2", "missing"] {
        served
            .post("/action", call(&source, "read", json!({ "path": path })))
            .await;
    }
    let text = served.text("/metrics").await;
    for line in [
        "omni_connector_source_calls_total{operation=\"GET things/{id}\",outcome=\"ok\"} 2",
        "omni_connector_source_calls_total{operation=\"GET missing\",outcome=\"not_found\"} 1",
        "omni_connector_source_seconds_count{operation=\"GET things/{id}\"} 2",
        "omni_connector_source_bytes_total{operation=\"GET things/{id}\"} 2",
        "omni_connector_source_quota_remaining 41",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn a_client_that_hides_its_api_is_refused_with_a_remedy() {
    let source = Source::start(|_| ok(json!(1))).await;
    let (_, served) = start(&source).await;
    let (status, body) = served
        .post("/action", call(&source, "hidden", json!({})))
        .await;
    assert_eq!(status, 400, "{body}");
    assert!(
        body.to_string()
            .contains("keep the `Api` in the struct itself"),
        "{body}"
    );
}
