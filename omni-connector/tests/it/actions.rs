//! Answers of actions over real HTTP: every status, files, and limits of inputs.

use std::time::{Duration, Instant};

use axum::response::Response;
use bytes::Bytes;
use omni_connector::{
    ActionDefinition, ActionMode, DocRef, File, async_trait, prelude::*, wire::Day,
};

use crate::support::{Manager, Served, serve, source};

/// Answers as it is asked to.
#[connector(name = "tracker", source_types = [Web])]
struct Tracker;

#[connector]
impl Tracker {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// Blocks its thread after a short wait.
    #[action(read)]
    async fn block(&self) -> Result<()> {
        tokio::time::sleep(Duration::from_millis(3)).await;
        std::thread::sleep(Duration::from_secs(2));
        Ok(())
    }

    /// Waits a moment.
    #[action(read)]
    async fn wait(&self) -> Result<()> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(())
    }

    /// Repeats what it was given.
    #[action(write)]
    async fn create(
        &self,
        /// One line
        #[arg(min_length = 1, max_length = 10)]
        title: String,
        /// How many
        #[arg(default = 1, min = 1, max = 9_007_199_254_740_993)]
        count: i64,
        /// Words
        #[arg(default, max_items = 2, pattern = "^[a-z]+$")]
        labels: Vec<String>,
        /// Last day
        #[arg]
        due: Option<Day>,
        /// Where to
        #[arg(default)]
        target: Target,
    ) -> Result<Value> {
        Ok(
            json!({ "title": title, "count": count, "labels": labels, "due": due, "target": target }),
        )
    }

    /// Repeats what it was given.
    #[action(read)]
    async fn search(&self, Args(search): Args<Search>) -> Result<Search> {
        Ok(search)
    }

    /// Repeats what it was given.
    #[action(read)]
    async fn open(
        &self,
        /// The page
        #[arg(name = "document_id")]
        page: DocRef,
    ) -> Result<DocRef> {
        Ok(page)
    }

    /// Refuses in the way that is asked for.
    #[action(read)]
    async fn refuse(
        &self,
        /// The way
        #[arg]
        how: String,
    ) -> Result<()> {
        refuse(&how)
    }

    /// A file whose name is no header.
    #[action(read)]
    async fn file(&self) -> Result<File, ActionError> {
        Ok(File::bytes("äö", "text/csv", "Übersicht/Q3 100%.csv"))
    }

    /// A file in two parts.
    #[action(read)]
    async fn stream(&self) -> Result<File, ActionError> {
        let parts = ["one ", "two"].map(|part| Ok::<_, std::io::Error>(Bytes::from(part)));
        Ok(File::stream(
            futures_util::stream::iter(parts),
            "text/plain",
            "parts.txt",
        ))
    }

    /// A file that ends too early.
    #[action(read)]
    async fn broken_stream(&self) -> Result<File, ActionError> {
        let parts = [Ok(Bytes::from("one ")), Err(std::io::Error::other("gone"))];
        Ok(File::stream(
            futures_util::stream::iter(parts),
            "text/plain",
            "parts.txt",
        ))
    }

    /// Another server's answer, passed on.
    #[action(read)]
    async fn download(
        &self,
        /// Where it is
        #[arg]
        url: Url,
    ) -> Result<File> {
        let http = HttpClient::builder().no_proxy().build()?;
        let page = http.get(url).send().await.map_err(ActionError::from)?;
        Ok(File::download(page, "page.html").map_err(ActionError::from)?)
    }

    /// A text.
    #[action(read)]
    async fn text(&self) -> Result<Text, ActionError> {
        Ok(Text("Grüße".to_owned()))
    }

    /// A response of its own.
    #[action(read)]
    async fn raw(&self) -> Result<Raw> {
        let response = Response::builder().status(418).header("x-own", "1");
        Ok(Raw(response.body("tea".into())?))
    }

    /// Panics while it works.
    #[action(read)]
    async fn panic(&self) -> Result<Value> {
        tokio::task::yield_now().await;
        panic!("no room for hunter2-hunter2")
    }

    /// Never ends, and says nothing of how long it may take.
    #[action(read)]
    async fn endless(&self) -> Result<Value> {
        std::future::pending().await
    }

    /// Never ends.
    #[action(read, timeout = 1)]
    async fn slow(&self) -> Result<Value> {
        std::future::pending().await
    }
}

/// Two shapes, as an argument may have.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Target {
    #[default]
    Nowhere,
    Name(#[schemars(length(max = 3))] String),
    Place {
        x: u8,
    },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    #[schemars(length(min = 2))]
    query: String,
    #[serde(default)]
    #[schemars(range(max = 50))]
    limit: u8,
    #[serde(default)]
    filters: Vec<Filter>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Filter {
    #[schemars(regex(pattern = "^[a-z_]+$"))]
    field: String,
}

fn refuse(how: &str) -> Result<()> {
    bail!(match how {
        "bad_request" => ActionError::bad_request("of no use"),
        "unauthorized" => ActionError::unauthorized("who is it"),
        "forbidden" => ActionError::forbidden("not you"),
        "not_found" =>
            return Err(ActionError::not_found("page `p` does not exist"))
                .context("the report failed"),
        "conflict" => ActionError::conflict("it is closed"),
        "rate_limited" => ActionError::rate_limited("slower", Some(Duration::from_millis(1_500))),
        "upstream" => ActionError::upstream("the tracker is down"),
        "timeout" => ActionError::timeout("the tracker sleeps"),
        "needs_scopes" => ActionError::needs_scopes(["issues:write", "a b"]),
        "needs_account" => ActionError::needs_scopes(Vec::<String>::new()),
        _ => {
            let cause =
                anyhow!("no answer from https://ann:pw@tracker/v1?token=abc with hunter2-hunter2");
            return Err(cause.context("the issue cannot be made"));
        }
    })
}

async fn tracker() -> Served {
    serve(Tracker, &Manager::start().await).await
}

fn request(action: &str, params: Value) -> String {
    let time = "+002026-08-01T00:00:00.000000000Z";
    json!({
        "action": action, "params": params, "source": source(), "actor_email": null,
        "credentials": {
            "id": "C1", "source_id": "S1", "user_id": null, "provider": "github", "auth_type": "api_key",
            "principal_email": null, "credentials": { "api_key": "hunter2-hunter2" }, "config": {},
            "expires_at": null, "last_validated_at": null, "created_at": time, "updated_at": time,
        },
    })
    .to_string()
}

async fn call(tracker: &Served, action: &str, params: Value) -> (u16, Value) {
    tracker.post("/action", request(action, params)).await
}

fn error(message: &str) -> Value {
    json!({ "status": "error", "error": message })
}

fn success(result: Value) -> Value {
    json!({ "status": "success", "result": result })
}

#[tokio::test]
async fn each_refusal_has_its_status_and_its_message() {
    let tracker = tracker().await;
    for (how, status, message) in [
        ("bad_request", 400, "of no use"),
        ("unauthorized", 401, "who is it"),
        ("forbidden", 403, "not you"),
        (
            "not_found",
            404,
            "the report failed: page `p` does not exist",
        ),
        ("conflict", 409, "it is closed"),
        ("rate_limited", 429, "slower"),
        ("upstream", 502, "the tracker is down"),
        ("timeout", 504, "the tracker sleeps"),
    ] {
        let answer = call(&tracker, "refuse", json!({ "how": how })).await;
        assert_eq!(answer, (status, error(message)), "{how}");
    }
    let limited = tracker
        .send(
            "/action",
            request("refuse", json!({ "how": "rate_limited" })),
        )
        .await
        .unwrap();
    assert_eq!(limited.headers()["retry-after"], "2");
}

#[tokio::test]
async fn a_missing_consent_says_where_to_give_it() {
    let tracker = tracker().await;
    for (how, start) in [
        (
            "needs_scopes",
            "/api/oauth/start?source_id=S1&flow=user_write&required_scopes=issues%3Awrite,a%20b",
        ),
        ("needs_account", "/api/oauth/start?source_id=S1"),
    ] {
        assert_eq!(
            call(&tracker, "refuse", json!({ "how": how })).await,
            (
                412,
                json!({
                    "error": "needs_user_auth", "source_id": "S1", "source_type": "web", "provider": "github",
                    "oauth_start_url": start,
                })
            )
        );
    }
    // Before a source exists there is nothing to connect.
    let body = json!({ "action": "refuse", "params": { "how": "needs_scopes" }, "source": null });
    assert_eq!(
        tracker.post("/action", body.to_string()).await,
        (
            412,
            error("this needs the scopes issues:write, a b; grant them first")
        )
    );
}

#[tokio::test]
async fn any_other_error_is_500_with_its_chain_and_no_secret() {
    assert_eq!(
        call(&tracker().await, "refuse", json!({ "how": "otherwise" })).await,
        (
            500,
            error(
                "the issue cannot be made: no answer from https://[redacted]@tracker/v1?token=[redacted] with [redacted]"
            )
        )
    );
}

#[tokio::test]
async fn a_panic_is_500_and_the_process_lives() {
    let tracker = tracker().await;
    let panicked = error("action `panic` panicked: no room for [redacted]");
    assert_eq!(call(&tracker, "panic", json!({})).await, (500, panicked));
    assert_eq!(
        call(&tracker, "open", json!({ "file_id": "p" })).await.0,
        200
    );
}

#[tokio::test]
async fn an_action_that_takes_too_long_is_504() {
    let (status, answer) = call(&tracker().await, "slow", json!({})).await;
    assert_eq!(
        (status, answer),
        (504, error("action `slow` did not end within 1 s"))
    );
}

#[tokio::test]
async fn an_action_without_a_timeout_is_answered_before_omni_gives_up() {
    // The manager waits 30 s.
    let call = async { call(&tracker().await, "endless", json!({})).await };
    let answered = tokio::time::timeout(Duration::from_millis(29_900), call).await;
    let (status, answer) = answered.expect("no answer");
    assert_eq!(
        (status, answer),
        (
            504,
            error(
                "action `endless` did not end within 29 s, which is as long as Omni waits; it may still take effect"
            )
        )
    );
}

// The blocked thread is often the one that would have looked at the clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_blocks_its_thread_stops_no_timer() {
    let tracker = tracker().await;
    for _ in 0..3 {
        let waited = async {
            let started = Instant::now();
            let answer = call(&tracker, "wait", json!({})).await;
            (answer.0, started.elapsed())
        };
        let (blocked, (status, took)) = tokio::join!(call(&tracker, "block", json!({})), waited);
        assert_eq!((blocked.0, status), (200, 200));
        assert!(took < Duration::from_millis(1500), "{took:?}");
    }
}

#[tokio::test]
async fn an_action_that_does_not_exist_is_404() {
    assert_eq!(
        call(&tracker().await, "nope", json!({})).await,
        (404, error("Action not supported: nope"))
    );
}

#[tokio::test]
async fn a_file_comes_with_its_bytes_its_type_and_a_safe_name() {
    let tracker = tracker().await;
    let file = tracker
        .send("/action", request("file", json!({})))
        .await
        .unwrap();
    let header = |name: &str| file.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/csv");
    assert_eq!(header("content-length"), "4");
    assert_eq!(header("x-file-name"), "%C3%9Cbersicht_Q3 100%25.csv");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"_bersicht_Q3 100_.csv\"; filename*=UTF-8''%C3%9Cbersicht_Q3%20100%25.csv"
    );
    assert_eq!(file.text().await.unwrap(), "äö");
}

#[tokio::test]
async fn a_stream_arrives_completely_or_not_at_all() {
    let tracker = tracker().await;
    let file = tracker
        .send("/action", request("stream", json!({})))
        .await
        .unwrap();
    assert_eq!(file.headers()["x-file-name"], "parts.txt");
    assert_eq!(file.text().await.unwrap(), "one two");
    // Depending on its progress, the answer breaks off in its head or in its body.
    let broken = async {
        let answer = tracker
            .send("/action", request("broken_stream", json!({})))
            .await?;
        answer.text().await
    };
    assert!(broken.await.is_err());
}

#[tokio::test]
async fn a_download_is_forwarded_and_an_error_page_is_not() {
    let server = wiremock::MockServer::start().await;
    for (path, status) in [("/page", 200), ("/gone", 410)] {
        let answer = wiremock::ResponseTemplate::new(status).set_body_raw("<p>", "text/html");
        wiremock::Mock::given(wiremock::matchers::path(path))
            .respond_with(answer)
            .mount(&server)
            .await;
    }
    let tracker = tracker().await;
    let url = format!("{}/page", server.uri());
    let file = tracker
        .send("/action", request("download", json!({ "url": url })))
        .await
        .unwrap();
    assert_eq!(file.headers()["content-type"], "text/html");
    assert_eq!(file.headers()["content-length"], "3");
    assert_eq!(file.text().await.unwrap(), "<p>");
    let url = format!("{}/gone?key=abc", server.uri());
    assert_eq!(
        call(&tracker, "download", json!({ "url": url })).await,
        (
            502,
            error(&format!(
                "HTTP status client error (410 Gone) for url ({}/gone?key=[redacted])",
                server.uri()
            ))
        )
    );
}

#[tokio::test]
async fn strings_and_custom_responses_are_forwarded_unchanged() {
    let tracker = tracker().await;
    let text = tracker
        .send("/action", request("text", json!({})))
        .await
        .unwrap();
    assert_eq!(text.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(text.text().await.unwrap(), "Grüße");
    let raw = tracker
        .send("/action", request("raw", json!({})))
        .await
        .unwrap();
    assert_eq!(
        (raw.status().as_u16(), &raw.headers()["x-own"]),
        (418, &"1".parse().unwrap())
    );
}

#[tokio::test]
async fn an_input_beyond_its_limits_is_400_with_its_path_and_without_its_value() {
    let tracker = tracker().await;
    for (action, params, problem) in [
        ("create", json!({}), "the field `title` is missing"),
        (
            "create",
            json!({ "title": 7 }),
            "`title` is of the wrong type, expected a string",
        ),
        (
            "create",
            json!({ "title": "hunter2-hunter2" }),
            "`title` is 15 characters long, at most 10 are allowed",
        ),
        (
            "create",
            json!({ "title": "t", "count": 0 }),
            "`count` must be at least 1",
        ),
        (
            "create",
            json!({ "title": "t", "count": 9_007_199_254_740_994_i64 }),
            "`count` must be at most 9007199254740993",
        ),
        (
            "create",
            json!({ "title": "t", "labels": ["a", "b", "c"] }),
            "`labels` has 3 items, at most 2 are allowed",
        ),
        (
            "create",
            json!({ "title": "t", "labels": ["a", "Hunter2"] }),
            "`labels[1]` does not match the pattern `^[a-z]+$`",
        ),
        (
            "create",
            json!({ "title": "t", "due": "tomorrow" }),
            "`due` is no date, such as `2026-08-22`",
        ),
        (
            "create",
            json!({ "title": "t", "target": "hunter2" }),
            "`target` is 7 characters long, at most 3 are allowed",
        ),
        (
            "search",
            json!({ "query": "h" }),
            "`query` is 1 character long, at least 2 are needed",
        ),
        (
            "search",
            json!({ "query": "hh", "limit": 51 }),
            "`limit` must be at most 50",
        ),
        (
            "search",
            json!({ "query": "hh", "limit": "hunter2" }),
            "`limit` is of the wrong type, expected u8",
        ),
        (
            "search",
            json!({ "query": "hh", "filters": [{ "field": "a" }, { "field": "Hunter2" }] }),
            "`filters[1].field` does not match the pattern `^[a-z_]+$`",
        ),
        ("search", json!(["hunter2"]), "they must be a JSON object"),
    ] {
        let answer = call(&tracker, action, params.clone()).await;
        assert_eq!(
            answer,
            (400, error(&format!("invalid params: {problem}"))),
            "{params}"
        );
    }
}

#[tokio::test]
async fn an_input_within_its_limits_arrives_with_its_defaults() {
    let tracker = tracker().await;
    let plain = json!({ "title": "t", "count": 1, "labels": [], "due": null, "target": null });
    let full = json!({ "title": "äöüäöüäöü!", "count": 9_007_199_254_740_993_i64, "labels": ["a", "b"], "due": "2026-08-22", "target": { "x": 1 } });
    for (params, expected) in [
        (json!({ "title": "t" }), &plain),
        // Null means the same as omitting the field. The manager adds the keys of the source's config.
        (
            json!({ "title": "t", "count": null, "labels": null, "due": null, "root_url": "x" }),
            &plain,
        ),
        (full.clone(), &full),
    ] {
        assert_eq!(
            call(&tracker, "create", params).await,
            (200, success(expected.clone()))
        );
    }
    assert_eq!(
        call(
            &tracker,
            "search",
            json!({ "query": "hh", "limit": null, "root_url": "x" })
        )
        .await,
        (
            200,
            success(json!({ "query": "hh", "limit": 0, "filters": [] }))
        )
    );
    let missing = error("invalid params: the field `query` is missing");
    assert_eq!(call(&tracker, "search", Value::Null).await, (400, missing));
}

#[tokio::test]
async fn a_document_is_read_under_either_of_its_names() {
    let tracker = tracker().await;
    for params in [
        json!({ "file_id": "page-9" }),
        json!({ "document_id": "page-9" }),
    ] {
        let answer = call(&tracker, "open", params).await;
        assert_eq!(answer, (200, success(json!("page-9"))));
    }
    let missing = error("invalid params: the field `document_id` is missing");
    assert_eq!(call(&tracker, "open", json!({})).await, (400, missing));
}

#[tokio::test]
async fn the_manifest_states_the_limits_that_are_enforced() {
    let (_, manifest) = tracker().await.get("/manifest").await;
    let actions = manifest["actions"].as_array().unwrap();
    let schema = |name: &str| {
        let action = actions.iter().find(|action| action["name"] == name);
        action.unwrap()["input_schema"].clone()
    };
    assert_eq!(
        schema("create"),
        json!({
            "type": "object",
            "properties": {
                "title": { "type": "string", "minLength": 1, "maxLength": 10, "description": "One line" },
                "count": {
                    "type": "integer", "minimum": 1, "maximum": 9_007_199_254_740_993_i64, "default": 1,
                    "description": "How many",
                },
                "labels": {
                    "type": "array", "items": { "type": "string", "pattern": "^[a-z]+$" }, "maxItems": 2,
                    "description": "Words",
                },
                "due": { "type": "string", "format": "date", "description": "Last day" },
                "target": {
                    "anyOf": [
                        { "type": "string", "maxLength": 3 },
                        { "type": "object", "properties": { "x": { "type": "integer", "minimum": 0, "maximum": 255 } },
                          "required": ["x"] },
                    ],
                    "description": "Where to",
                },
            },
            "required": ["title"],
        })
    );
    assert_eq!(
        schema("open"),
        json!({
            "type": "object",
            "properties": { "document_id": { "type": "string", "minLength": 1, "description": "The page" } },
            "required": ["document_id"],
        })
    );
}

#[tokio::test]
async fn a_connector_that_omni_would_refuse_does_not_start() {
    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only described")]
    struct Node {
        next: Option<Box<Node>>,
    }

    struct Broken;

    #[async_trait]
    impl Connector for Broken {
        type Config = Value;
        type Credentials = Value;
        type State = Value;

        fn name(&self) -> &'static str {
            "broken"
        }

        fn version(&self) -> &'static str {
            "1.0.0"
        }

        fn source_types(&self) -> Vec<SourceType> {
            vec![SourceType::Web]
        }

        async fn sync(
            &self,
            _: Source,
            _: Option<ServiceCredential>,
            _: Option<Value>,
            _: SyncContext,
        ) -> Result<()> {
            Ok(())
        }

        fn actions(&self) -> Vec<ActionDefinition> {
            vec![ActionDefinition {
                name: "walk".to_owned(),
                description: "Walks.".to_owned(),
                input_schema: omni_connector::generated::input_schema::<Node>(),
                mode: ActionMode::Read,
                source_types: vec![],
                admin_only: false,
                hidden: false,
            }]
        }
    }

    let config = omni_connector::ServerConfig::loopback("http://127.0.0.1:9");
    let served = omni_connector::serve_with_config(Broken, config);
    let served = tokio::time::timeout(Duration::from_secs(30), served).await;
    let refused = served.expect("it does not serve").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "connector `broken` cannot work as it is declared\n\
         action `walk`: the input type `Node` contains itself, and Omni takes no references\n\
         help: end the circle: take the inner part as `serde_json::Value`, or by its id; write a schema of your own without `$ref`"
    );
}
