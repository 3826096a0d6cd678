//! Tests numbers in schemas, limits, arguments, settings and checkpoints. `tests/interop/run` runs them a second time, with
//! exact numbers in every JSON value (`serde_json/arbitrary_precision`), where a number is no longer one of three types.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{Method, Uri},
};
use omni_connector::{ServerConfig, anyhow::ensure, prelude::*};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    ratio: f64,
    small: f32,
    large: u64,
    negative: i64,
    seen: Inventory<f64>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "unit", rename_all = "snake_case")]
enum Wait {
    Hours {
        #[schemars(range(max = 24.5))]
        n: f64,
    },
    Minutes {
        #[schemars(range(max = 1440))]
        n: u16,
    },
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Size {
    Number(f64),
    Name(String),
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Place {
    x: f64,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Rest {
    y: f64,
    z: Option<i64>,
}

#[derive(Deserialize)]
struct Settings {
    share: f64,
    limit: u32,
}

/// Takes numbers of all kinds.
#[connector(name = "numbers", source_types = [Web], sync_modes = [full, incremental], config = Settings, state = Cursor)]
struct Numbers;

#[connector]
impl Numbers {
    #[sync]
    async fn sync(
        &self,
        config: Config<Settings>,
        mut checkpoint: Checkpoint<Cursor>,
        ctx: SyncContext,
    ) -> Result<()> {
        ensure!(
            (config.share, config.limit) == (0.6, 10),
            "the settings changed"
        );
        if ctx.sync_mode() == SyncType::Incremental {
            let Cursor {
                ratio,
                small,
                large,
                negative,
                ..
            } = &*checkpoint;
            ensure!(
                ratio.to_bits() == (0.1_f64 + 0.2).to_bits(),
                "ratio {ratio}"
            );
            ensure!(small.to_bits() == 0.1_f32.to_bits(), "small {small}");
            ensure!(
                (*large, *negative) == (u64::MAX, i64::MIN),
                "{large} {negative}"
            );
        }
        checkpoint.ratio = 0.1 + 0.2;
        checkpoint.small = 0.1;
        checkpoint.large = u64::MAX;
        checkpoint.negative = i64::MIN;
        checkpoint.save().await?;
        Ok(())
    }

    /// Returns its arguments.
    #[action(read)]
    async fn echo(
        &self,
        /// Whole
        #[arg(min = 1, max = 250)]
        count: u8,
        /// With a fraction
        #[arg(default = 0.6, max = 1.5)]
        ratio: f64,
        /// Tagged
        #[arg]
        wait: Option<Wait>,
        /// Untagged
        #[arg]
        size: Option<Size>,
        /// Flattened
        #[arg]
        place: Option<Place>,
    ) -> Result<Value> {
        Ok(json!({ "count": count, "ratio": ratio, "wait": wait, "size": size, "place": place }))
    }
}

type Calls = Arc<Mutex<Vec<(String, Value)>>>;

async fn answer(State(calls): State<Calls>, method: Method, uri: Uri, body: Bytes) -> Json<Value> {
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let path = uri.path().to_owned();
    let answer = if method == Method::GET && path.contains("/source/") {
        let mut source = crate::support::source_of("s", json!({ "share": 0.6, "limit": 10.0 }));
        source["source_type"] = json!("web");
        source
    } else if path.contains("/credentials/") {
        crate::support::credential_of("s", "secret")
    } else {
        json!({ "status": "ok" })
    };
    calls
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push((path, body));
    Json(answer)
}

struct World {
    calls: Calls,
    connector: String,
}

impl World {
    async fn start() -> Self {
        let calls = Calls::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let manager = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(calls.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = ServerConfig::loopback(&manager);
        tokio::spawn(omni_connector::serve_with_config(Numbers, config));
        let mut world = Self {
            calls,
            connector: String::new(),
        };
        let manifest = world.called("/sdk/register").await;
        manifest["connector_url"]
            .as_str()
            .unwrap()
            .clone_into(&mut world.connector);
        world
    }

    /// Waits for a call of the connector whose path contains `part`.
    async fn called(&self, part: &str) -> Value {
        for _ in 0..2_000 {
            let calls = self
                .calls
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            if let Some((_, body)) = calls.into_iter().find(|(path, _)| path.contains(part)) {
                return body;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{part} was not called: {:?}", self.calls);
    }

    async fn post(&self, path: &str, body: String) -> (u16, Value) {
        let http = HttpClient::builder().no_proxy().build().unwrap();
        let request = http
            .post(format!("{}{path}", self.connector))
            .header("content-type", "application/json")
            .body(body);
        let answer = request.send().await.unwrap();
        (
            answer.status().as_u16(),
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap(),
        )
    }

    async fn echo(&self, params: &str) -> (u16, Value) {
        self.post(
            "/action",
            format!(r#"{{"action":"echo","params":{params}}}"#),
        )
        .await
    }
}

#[tokio::test]
async fn a_number_is_taken_in_every_spelling_and_held_to_its_limits() {
    let world = World::start().await;
    for (params, key, expected) in [
        (r#"{"count":10}"#, "count", json!(10)),
        (r#"{"count":10.0}"#, "count", json!(10)),
        (r#"{"count":1e1}"#, "count", json!(10)),
        (r#"{"count":1}"#, "ratio", json!(0.6)),
        (r#"{"count":1,"ratio":1}"#, "ratio", json!(1.0)),
        (r#"{"count":1,"ratio":1.50}"#, "ratio", json!(1.5)),
        (r#"{"count":1,"ratio":15e-1}"#, "ratio", json!(1.5)),
        (
            r#"{"count":1,"wait":{"unit":"hours","n":24.50}}"#,
            "wait",
            json!({ "unit": "hours", "n": 24.5 }),
        ),
        (
            r#"{"count":1,"wait":{"unit":"minutes","n":7}}"#,
            "wait",
            json!({ "unit": "minutes", "n": 7 }),
        ),
        (r#"{"count":1,"size":0.60}"#, "size", json!(0.6)),
        (r#"{"count":1,"size":7}"#, "size", json!(7.0)),
        (r#"{"count":1,"size":"large"}"#, "size", json!("large")),
        (
            r#"{"count":1,"place":{"x":1e0,"y":0.10,"z":-9223372036854775808}}"#,
            "place",
            json!({ "x": 1.0, "y": 0.1, "z": i64::MIN }),
        ),
    ] {
        let (status, answer) = world.echo(params).await;
        assert_eq!(status, 200, "{params}: {answer}");
        let (found, expected) = (answer["result"][key].to_string(), expected.to_string());
        assert_eq!(found, expected, "{params}");
    }
    for (params, named) in [
        (r#"{"count":0}"#, "`count`"),
        (r#"{"count":251}"#, "`count`"),
        (r#"{"count":251.0}"#, "`count`"),
        (r#"{"count":1.5}"#, "`count`"),
        (r#"{"count":1e400}"#, ""),
        (r#"{"count":1,"ratio":1.51}"#, "`ratio`"),
        (r#"{"count":1,"ratio":1e400}"#, ""),
        (r#"{"count":1,"ratio":-1e400}"#, ""),
        (
            r#"{"count":1,"wait":{"unit":"hours","n":24.6}}"#,
            "`wait.n`",
        ),
        (
            r#"{"count":1,"wait":{"unit":"minutes","n":1441}}"#,
            "`wait.n`",
        ),
    ] {
        let (status, answer) = world.echo(params).await;
        assert_eq!(status, 400, "{params}: {answer}");
        assert!(answer.to_string().contains(named), "{params}: {answer}");
    }
}

#[tokio::test]
async fn limits_and_defaults_are_shown_as_they_were_written() {
    let world = World::start().await;
    let manifest = world.called("/sdk/register").await;
    let fields = &manifest["actions"][0]["input_schema"]["properties"];
    for (field, key, written) in [
        ("count", "minimum", "1"),
        ("count", "maximum", "250"),
        ("ratio", "default", "0.6"),
        ("ratio", "maximum", "1.5"),
    ] {
        assert_eq!(fields[field][key].to_string(), written, "{fields}");
    }
}

#[tokio::test]
async fn a_checkpoint_comes_back_with_the_numbers_that_were_saved() {
    let world = World::start().await;
    let run = |run: &str, mode: &str, checkpoint: Value| {
        json!({ "sync_run_id": run, "source_id": "s", "sync_mode": mode, "checkpoint": checkpoint })
            .to_string()
    };
    let (status, answer) = world.post("/sync", run("R1", "full", Value::Null)).await;
    assert_eq!(status, 200, "{answer}");
    let saved = world.called("/R1/checkpoint").await;
    world.called("/R1/complete").await;
    assert!(saved["large"].is_u64(), "{saved}");
    let (status, answer) = world.post("/sync", run("R2", "incremental", saved)).await;
    assert_eq!(status, 200, "{answer}");
    world.called("/R2/complete").await;
}
