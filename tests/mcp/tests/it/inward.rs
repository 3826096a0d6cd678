//! Tests a server behind a connector.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    Connector, SERVER, action_request, http_server, http_server_at, is_alive, mcp_credentials,
    signal, until,
};

fn names(manifest: &Value, list: &str, key: &str) -> Vec<String> {
    let items = manifest[list].as_array().unwrap().iter();
    items
        .map(|item| item[key].as_str().unwrap().to_owned())
        .collect()
}

fn action<'m>(manifest: &'m Value, name: &str) -> &'m Value {
    let mut actions = manifest["actions"].as_array().unwrap().iter();
    actions.find(|action| action["name"] == name).unwrap()
}

#[tokio::test]
async fn every_page_of_every_list_reaches_the_manifest_and_nothing_that_omni_refuses() {
    let connector = Connector::over_stdio().await;
    let before = connector.manifest().await;
    assert_eq!(
        (&before["mcp_enabled"], &before["mcp_catalog_loaded"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        names(&before, "actions", "name"),
        ["greet", "sum", "share", "export", "fail"]
    );

    let (status, manifest) = connector.discover().await;
    assert_eq!(
        (status, &manifest["mcp_catalog_loaded"]),
        (200, &json!(true))
    );
    let actions = names(&manifest, "actions", "name");
    assert_eq!(actions.len(), 5 + 21 - 2, "{actions:?}");
    assert!(!actions.iter().any(|name| name == "negative"));
    assert_eq!(
        action(&manifest, "recursive")["input_schema"]["properties"]["tree"],
        json!({ "type": "object", "properties": { "of": { "type": "object" } } })
    );
    let echo = action(&manifest, "echo");
    assert_eq!(
        (&echo["mode"], &echo["source_types"]),
        (&json!("read"), &json!(["github"]))
    );
    assert_eq!(action(&manifest, "token")["mode"], "write");
    assert_eq!(
        action(&manifest, "scoped")["required_scopes"],
        json!(["repo", "user"])
    );
    assert_eq!(
        action(&manifest, "referring")["input_schema"],
        json!({ "type": "object", "properties": {
            "at": { "type": "object", "properties": { "x": { "type": "integer" } } },
        } })
    );
    assert!(
        action(&manifest, "greet")["description"]
            .as_str()
            .unwrap()
            .starts_with("Greets")
    );
    assert_eq!(names(&manifest, "resources", "uri_template").len(), 7);
    assert_eq!(names(&manifest, "prompts", "name"), ["brief"]);
    assert_eq!(
        names(&manifest, "skills", "id"),
        ["greeting", "mcp:brief_by_hand", "mcp:brief"]
    );
    assert_eq!(
        connector.discover().await,
        (204, json!("")),
        "the same lists again are no change"
    );
    let log = connector.kill().await;
    let mut lines = log.lines().filter(|line| line.contains("WARN"));
    let told = lines.any(|line| {
        line.contains("a tool of the MCP server is left out")
            && line.contains("negative")
            && line.contains("properties.not is not supported")
    });
    assert!(told, "{log}");
}

#[tokio::test]
async fn a_server_without_prompts_and_resources_still_has_tools() {
    let env = [("WITHOUT_PROMPTS", "1")];
    let connector = Connector::start(&json!([SERVER]).to_string(), &env, None).await;
    let (status, manifest) = connector.discover().await;
    assert_eq!(status, 200);
    assert_eq!(manifest["prompts"], json!([]));
    assert_eq!(
        connector.text("pid").await.parse::<u32>().ok(),
        connector.children().first().copied()
    );
}

#[tokio::test]
async fn after_a_sync_was_answered_the_tools_are_registered_before_the_next_tick() {
    let connector = Connector::over_stdio().await;
    let started = Instant::now();
    let (status, _) = connector
        .post(
            "/sync",
            json!({ "sync_run_id": "r", "source_id": "s", "sync_mode": "full" }),
        )
        .await;
    assert_eq!(status, 200);
    let manifest = connector
        .registration(|manifest| manifest["mcp_catalog_loaded"] == true)
        .await;
    assert!(names(&manifest, "actions", "name").contains(&"echo".to_owned()));
    assert!(
        started.elapsed() < Duration::from_secs(15),
        "a tick is 30 s"
    );
}

#[tokio::test]
async fn results_of_every_kind_arrive_and_none_is_lost() {
    let connector = Connector::over_stdio().await;
    connector.discover().await;
    assert_eq!(
        connector
            .call("echo", json!({ "text": "hi", "host": "from the config" }))
            .await,
        (200, json!({ "content": "hi" })),
        "what the manager adds is taken back where the tool has no such argument"
    );
    assert_eq!(
        connector.call("structured", json!({})).await,
        (200, json!({ "total": 3 }))
    );
    let (status, mixed) = connector.call("mixed", json!({})).await;
    assert_eq!((status, &mixed["content"]), (200, &json!("before\nafter")));
    assert_eq!(
        mixed["files"],
        json!([
            { "name": "image.png", "mime_type": "image/png", "data": "iVBORw0KGgo=" },
            { "name": "audio.wav", "mime_type": "audio/wav", "data": "UklGRg==" },
        ])
    );
    assert_eq!(mixed["links"][0]["uri"], "test://7");
    for (tool, mime, name, bytes) in [
        (
            "picture",
            "image/png",
            "image.png",
            &b"\x89PNG\r\n\x1a\n"[..],
        ),
        ("sound", "audio/wav", "audio.wav", b"RIFF"),
        ("document", "text/csv", "q3.csv", b"a;b"),
        ("bytes", "application/pdf", "q3.pdf", b"%PDF"),
    ] {
        let answer = connector
            .raw("/action", action_request(tool, json!({}), "secret"))
            .await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], mime);
        assert_eq!(answer.headers()["x-file-name"], name);
        assert_eq!(&answer.bytes().await.unwrap()[..], bytes);
    }
}

#[tokio::test]
async fn a_failed_tool_is_an_error_without_the_secret() {
    let connector = Connector::over_stdio().await;
    connector.discover().await;
    assert_eq!(
        connector
            .call_as("refuse", json!({}), "hunter2hunter2")
            .await,
        (400, json!("no access with [redacted]"))
    );
    assert_eq!(
        connector.call("invalid", json!({})).await,
        (400, json!("text is missing"))
    );
    assert_eq!(
        connector.call("negative", json!({})).await,
        (404, json!("Action not supported: negative"))
    );
    assert_eq!(connector.call("echo", json!([1])).await.0, 400);
    let log = connector.kill().await;
    assert!(!log.contains("hunter2"), "{log}");
}

#[tokio::test]
async fn an_action_of_the_connector_never_reaches_the_server() {
    let connector = Connector::over_stdio().await;
    connector.discover().await;
    assert_eq!(
        connector.call("greet", json!({ "name": "Ann" })).await,
        (200, json!("hello Ann from the connector")),
        "the server has a tool of this name"
    );

    let connector = Connector::start("[\"/nowhere/no-such-server\"]", &[], None).await;
    assert_eq!(
        connector.call("greet", json!({ "name": "Ann" })).await,
        (200, json!("hello Ann from the connector"))
    );
    let (status, error) = connector.discover().await;
    assert_eq!(status, 502);
    assert!(
        error["error"]
            .as_str()
            .unwrap()
            .contains("`/nowhere/no-such-server` cannot be started"),
        "{error}"
    );
    let (status, manifest) = (200, connector.manifest().await);
    assert_eq!(
        (status, &manifest["mcp_catalog_loaded"]),
        (200, &json!(false))
    );
}

#[tokio::test]
async fn a_server_that_exits_at_once_is_reported_without_the_secret() {
    let server = json!([SERVER, "--broken"]).to_string();
    let connector = Connector::start(&server, &[], None).await;
    let (status, error) = connector.call_as("echo", json!({}), "hunter2hunter2").await;
    assert_eq!((status, error), (404, json!("Action not supported: echo")));
    let ready = json!({
        "source_id": "s", "provider": "github", "flow": "user_read", "credentials": mcp_credentials("hunter2hunter2"),
    });
    let (status, error) = connector.post("/oauth/credential-ready", ready).await;
    assert_eq!(status, 502, "{error}");
    let error = error["error"].as_str().unwrap();
    assert!(
        error.contains("the configuration holds no TOKEN of value [redacted]"),
        "{error}"
    );
    let log = connector.kill().await;
    assert!(!log.contains("hunter2"), "{log}");
}

#[tokio::test]
async fn one_child_serves_a_thousand_calls_and_each_credential_has_its_own_child() {
    let connector = Connector::over_stdio().await;
    connector.discover().await;
    let first = connector.text("pid").await;
    let calls = (0..1000).map(async |n| {
        let (status, result) = connector
            .call("echo", json!({ "text": n.to_string() }))
            .await;
        assert_eq!((status, &result["content"]), (200, &json!(n.to_string())));
    });
    let mut calls = calls.collect::<Vec<_>>().into_iter();
    loop {
        let batch: Vec<_> = calls.by_ref().take(50).collect();
        if batch.is_empty() {
            break;
        }
        join_all(batch).await;
    }
    assert_eq!(connector.children().len(), 1);
    assert_eq!(connector.text("pid").await, first);
    for token in ["another", "secret"] {
        let (_, result) = connector.call_as("token", json!({}), token).await;
        assert_eq!(result["content"], token);
    }
    assert_eq!(connector.children().len(), 2);
}

async fn join_all(futures: Vec<impl Future<Output = ()>>) {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

#[tokio::test]
async fn the_number_of_children_is_bounded() {
    let connector = Connector::over_stdio().await;
    connector.discover().await;
    for n in 0..20 {
        let token = format!("token-{n}");
        let (_, result) = connector.call_as("token", json!({}), &token).await;
        assert_eq!(result["content"], token);
    }
    until("at most 16 children are left", || {
        connector.children().len() <= 16
    })
    .await;
}

#[tokio::test]
async fn an_unused_server_is_stopped_and_the_next_call_restarts_it() {
    let env = [("OMNI_CONNECTOR_MCP_IDLE_SECONDS", "1")];
    let connector = Connector::start(&json!([SERVER]).to_string(), &env, None).await;
    connector.discover().await;
    let first: u32 = connector.text("pid").await.parse().unwrap();
    until("an idle server is ended", || !is_alive(first)).await;
    assert!(connector.children().is_empty());
    let second: u32 = connector.text("pid").await.parse().unwrap();
    assert_ne!(first, second);
    assert_eq!(connector.children(), [second]);

    let (status, result) = connector.call("sleep", json!({ "ms": 2500 })).await;
    assert_eq!(
        (status, &result["content"]),
        (200, &json!("slept")),
        "a call under way is no idleness"
    );
}

#[tokio::test]
async fn a_server_killed_in_the_middle_of_a_call_is_an_error_and_the_next_call_works() {
    let connector = Connector::over_stdio().await;
    connector.discover().await;
    let first: u32 = connector.text("pid").await.parse().unwrap();
    let sleeping = connector.call("sleep", json!({ "ms": 20_000 }));
    let killing = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        signal("KILL", first);
    };
    let ((status, error), ()) = tokio::join!(sleeping, killing);
    assert_eq!(status, 502, "{error}");
    let second: u32 = connector.text("pid").await.parse().unwrap();
    assert_ne!(first, second);
    assert_eq!(connector.children(), [second]);
}

#[tokio::test]
async fn a_server_that_exits_in_every_call_is_restarted_with_growing_delay() {
    let connector = Connector::over_stdio().await;
    connector.discover().await;
    assert_eq!(connector.call("exit", json!({})).await.0, 502);
    assert_eq!(connector.call("exit", json!({})).await.0, 502);
    let (status, error) = connector.call("pid", json!({})).await;
    assert_eq!(status, 502);
    assert!(
        error
            .as_str()
            .unwrap()
            .contains("it failed 2 times in a row and is tried again in 1 s"),
        "{error}"
    );
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(connector.call("pid", json!({})).await.0, 200);
}

#[tokio::test]
async fn a_hanging_call_times_out_and_the_connection_stays() {
    let env = [("MCP_TIMEOUT", "1")];
    let connector = Connector::start(&json!([SERVER]).to_string(), &env, None).await;
    connector.discover().await;
    let before = connector.text("pid").await;
    let started = Instant::now();
    let (status, error) = connector.call("sleep", json!({ "ms": 20_000 })).await;
    assert_eq!(status, 504, "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(connector.text("pid").await, before);
}

#[tokio::test]
async fn no_child_outlives_the_connector() {
    let mut connector = Connector::over_stdio().await;
    connector.discover().await;
    let child: u32 = connector.text("pid").await.parse().unwrap();
    connector.terminate().await;
    assert!(
        !is_alive(child),
        "after SIGTERM nothing is left, not even for a moment"
    );

    let connector = Connector::over_stdio().await;
    connector.discover().await;
    let child: u32 = connector.text("pid").await.parse().unwrap();
    // Includes a server during a call that no client waits for any more.
    let asked = connector.begin("sleep", json!({ "ms": 60_000 }));
    asked.await;
    connector.kill().await;
    until("a child hears that its connector was killed", || {
        !is_alive(child)
    })
    .await;
}

#[tokio::test]
async fn a_changed_list_is_registered_without_a_request() {
    for over_http in [false, true] {
        for (list, in_manifest, key, grown) in [
            ("tools", "actions", "name", "grown"),
            ("prompts", "prompts", "name", "grown"),
            ("resources", "resources", "uri_template", "test://grown"),
        ] {
            let server = http_server().await;
            let spec = if over_http {
                server.url.clone()
            } else {
                json!([SERVER]).to_string()
            };
            let connector = Connector::start(&spec, &[], None).await;
            connector.discover().await;
            let has_grown =
                |manifest: &Value| names(manifest, in_manifest, key).contains(&grown.to_owned());
            assert!(!has_grown(&connector.manifest().await));
            // The server notifies about this list only.
            let (status, result) = connector.call("grow", json!({ "list": list })).await;
            assert_eq!((status, &result["content"]), (200, &json!("grew")));
            connector.registration(has_grown).await;
        }
    }
}

#[tokio::test]
async fn over_http_the_secret_is_a_header_and_a_restarted_server_is_found() {
    let server = http_server().await;
    let connector = Connector::start(&server.url, &[], None).await;
    assert_eq!(connector.discover().await.0, 200);
    for token in ["one-secret", "two-secret"] {
        let (status, result) = connector.call_as("token", json!({}), token).await;
        assert_eq!((status, &result["content"]), (200, &json!(token)));
    }
    let address = server.url.strip_prefix("http://").unwrap();
    let address = address.strip_suffix("/mcp").unwrap().to_owned();
    let before = connector.text("pid").await;
    server.kill().await;
    let (status, error) = connector.call("pid", json!({})).await;
    assert_eq!(status, 502, "{error}");
    let _server = http_server_at(&address).await;
    assert_ne!(connector.text("pid").await, before);
}

#[tokio::test]
async fn resources_prompts_and_skills_are_passed_on() {
    let connector = Connector::over_stdio().await;
    let credentials = mcp_credentials("secret");
    assert_eq!(
        connector
            .post(
                "/resource",
                json!({ "uri": "test://7", "credentials": credentials })
            )
            .await,
        (
            200,
            json!({ "contents": [
            { "uri": "test://7", "text": "number 7", "mime_type": "text/plain" },
            { "uri": "test://7", "blob": "AAE=", "mime_type": null },
        ] })
        )
    );
    let missing = json!({ "uri": "other:x", "credentials": credentials });
    assert_eq!(
        connector.post("/resource", missing).await,
        (404, json!({ "error": "no such resource" }))
    );
    let prompt =
        json!({ "name": "brief", "arguments": { "topic": "tea" }, "credentials": credentials });
    assert_eq!(
        connector.post("/prompt", prompt).await,
        (
            200,
            json!({ "description": "Writes a brief.", "messages": [
            { "role": "user", "content": { "type": "text", "text": "Write about tea." } },
            { "role": "assistant", "content": { "type": "image" } },
        ] })
        )
    );
    for (id, title, content) in [
        ("greeting", "How to greet", "Say hello."),
        ("mcp:brief_by_hand", "Not the server's", "Written by hand."),
        (
            "mcp:brief",
            "MCP Prompt",
            "Writes a brief.\n\nWrite about everything.",
        ),
    ] {
        let asked = json!({ "skill_id": id, "arguments": null, "credentials": credentials });
        assert_eq!(
            connector.post("/skill", asked).await,
            (
                200,
                json!({ "skill_id": id, "title": title, "content": content })
            )
        );
    }
    assert_eq!(
        connector
            .post("/skill", json!({ "skill_id": "other" }))
            .await
            .0,
        404
    );
    let odd = json!({ "uri": "test://7", "credentials": { "credentials": { "token": 7 }, "config": {} } });
    assert_eq!(
        connector.post("/resource", odd).await,
        (
            400,
            json!({ "error": "the credentials do not fit the MCP server: invalid credentials: `token` is of the wrong type, expected a string" })
        )
    );
}

#[tokio::test]
async fn a_restarted_connector_calls_known_tools_without_listing_them() {
    let cache = tempfile::tempdir().unwrap();
    let server = json!([SERVER]).to_string();
    let connector = Connector::start(&server, &[], Some(cache.path())).await;
    connector.discover().await;
    connector.kill().await;
    let connector = Connector::start(&server, &[], Some(cache.path())).await;
    let first = connector.registration(|_| true).await;
    assert_eq!(
        first["mcp_catalog_loaded"], true,
        "the first registration has them already"
    );
    assert!(connector.children().is_empty());
    assert_eq!(connector.text("lists").await, "0");
}

#[tokio::test]
async fn without_a_time_to_live_a_restart_forgets_the_tools_and_no_file_is_written() {
    let cache = tempfile::tempdir().unwrap();
    let server = json!([SERVER]).to_string();
    let env = [("CATALOG_CACHE_TTL_SECONDS", "0")];
    for _ in 0..2 {
        let connector = Connector::start(&server, &env, Some(cache.path())).await;
        let first = connector.registration(|_| true).await;
        assert_eq!(first["mcp_catalog_loaded"], false);
        assert_eq!(connector.discover().await.0, 200);
        assert_eq!(connector.manifest().await["mcp_catalog_loaded"], true);
        connector.kill().await;
        assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
    }
}
