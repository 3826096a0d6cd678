//! Tests a connector as MCP server, used by MCP clients.

use std::process::Stdio;

use rmcp::{
    RoleClient, ServiceError, ServiceExt,
    model::{
        CallToolRequestParams, CallToolResult, ContentBlock, GetPromptRequestParams,
        ResourceContents,
    },
    service::RunningService,
    transport::{
        StreamableHttpClientTransport, TokioChildProcess,
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::support::CONNECTOR;

type Client = RunningService<RoleClient, ()>;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(CONNECTOR);
    command
        .arg("mcp")
        .args(arguments)
        .env("OMNI_MCP_CREDENTIALS", r#"{"token":"hunter2hunter2"}"#)
        .kill_on_drop(true);
    command
}

async fn over_stdio(arguments: &[&str]) -> Client {
    let transport = TokioChildProcess::new(command(arguments)).unwrap();
    ().serve(transport).await.unwrap()
}

/// Starts the connector over HTTP and returns its URL.
async fn listening() -> (String, Child) {
    let mut process = command(&["--http", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let url = line.strip_prefix("MCP server at ").unwrap();
    (url.to_owned(), process)
}

async fn over_http() -> (Client, Child) {
    // The first client selects the TLS provider of the process.
    let http = omni_connector::HttpClient::new();
    let (url, process) = listening().await;
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let transport = StreamableHttpClientTransport::with_client((*http).clone(), config);
    (().serve(transport).await.unwrap(), process)
}

async fn call(
    client: &Client,
    tool: &str,
    arguments: Value,
) -> Result<CallToolResult, ServiceError> {
    let arguments = arguments.as_object().cloned().unwrap();
    let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
    client.call_tool(request).await
}

fn text(result: &CallToolResult) -> &str {
    &result.content[0].as_text().unwrap().text
}

async fn answers(client: &Client) {
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["greet", "sum", "share", "export", "fail"]);
    let hints: Vec<_> = tools
        .iter()
        .map(|tool| tool.annotations.as_ref().unwrap().read_only_hint.unwrap())
        .collect();
    assert_eq!(hints, [true, true, true, false, false]);
    assert_eq!(
        tools[0].output_schema, None,
        "a text is no structured content"
    );
    let sum = &tools[1];
    assert_eq!(sum.input_schema["properties"]["a"]["minimum"], 0);
    assert_eq!(
        sum.output_schema.as_ref().unwrap()["properties"]["total"]["description"],
        "The sum"
    );

    let greeting = call(client, "greet", json!({ "name": "Ann" }))
        .await
        .unwrap();
    assert_eq!(text(&greeting), "hello Ann from the connector");
    let sum = call(client, "sum", json!({ "a": 2, "b": 3 }))
        .await
        .unwrap();
    assert_eq!(
        sum.structured_content,
        Some(json!({ "total": 5, "note": null }))
    );
    let wrong = call(client, "sum", json!({ "a": -2, "b": 3 }))
        .await
        .unwrap();
    assert_eq!(wrong.is_error, Some(true));
    assert!(text(&wrong).contains("`a`"), "{wrong:?}");
    let refused = call(client, "fail", json!({})).await.unwrap();
    assert_eq!(refused.is_error, Some(true));
    assert_eq!(text(&refused), "refused \"[redacted]\"");
    let file = call(client, "export", json!({})).await.unwrap();
    let ContentBlock::Resource(file) = &file.content[0] else {
        panic!("{file:?}");
    };
    let ResourceContents::BlobResourceContents {
        uri,
        mime_type,
        blob,
        ..
    } = &file.resource
    else {
        panic!("{file:?}");
    };
    assert_eq!(
        (uri.as_str(), mime_type.as_deref(), blob.as_str()),
        (
            "file:///a%20report.pdf",
            Some("application/pdf"),
            "JVBERiBmb3Igbm9ib2R5"
        )
    );
    assert!(call(client, "no_such", json!({})).await.is_err());

    let prompts = client.list_all_prompts().await.unwrap();
    assert_eq!(prompts[0].name, "greeting");
    let prompt = client
        .get_prompt(GetPromptRequestParams::new("greeting"))
        .await
        .unwrap();
    assert_eq!(
        prompt.messages[0].content.as_text().unwrap().text,
        "Say hello."
    );
}

#[tokio::test]
async fn actions_are_tools_and_skills_are_prompts_over_both_transports() {
    answers(&over_stdio(&[]).await).await;
    let (client, _process) = over_http().await;
    answers(&client).await;
}

#[tokio::test]
async fn a_read_only_connector_offers_no_write_actions() {
    let client = over_stdio(&["--read-only", "--actor", "ann@example.com"]).await;
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["greet", "sum", "share"]);
    assert!(call(&client, "export", json!({})).await.is_err());
}

#[tokio::test]
async fn a_page_of_another_site_is_refused() {
    let (url, _process) = listening().await;
    for (header, value) in [("origin", "https://evil.example"), ("host", "evil.example")] {
        let http = omni_connector::HttpClient::new();
        let answer = http
            .post(&url)
            .header(header, value)
            .header("accept", "application/json, text/event-stream")
            .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }))
            .send()
            .await;
        assert_eq!(answer.unwrap().status(), 403, "{header}");
    }
}

#[tokio::test]
async fn a_mistake_on_the_command_line_is_reported_at_once() {
    for (arguments, expected) in [
        (
            &["--http", "0.0.0.0:1"][..],
            "can be reached from elsewhere",
        ),
        (&["--confg", "x"], "unknown argument `--confg`"),
        (&["--source-type", "jira"], "does not serve `jira`"),
        (
            &["--config", "/nowhere.json"],
            "cannot be read from `/nowhere.json`",
        ),
    ] {
        let output = command(arguments)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && said.contains(expected),
            "{said}"
        );
    }
}

#[tokio::test]
async fn what_is_returned_keeps_to_a_schema_that_strict_clients_take() {
    let client = over_stdio(&[]).await;
    let tools = client.list_all_tools().await.unwrap();
    let share = tools.iter().find(|tool| tool.name == "share").unwrap();
    let schema = Value::Object((**share.output_schema.as_ref().unwrap()).clone());
    assert_eq!(
        schema,
        json!({
            "type": "object", "description": "What `share` returns.", "required": ["parts", "ratio", "shares"],
            "properties": {
                "parts": { "type": "integer", "minimum": 0 },
                "ratio": { "type": ["number", "null"] },
                "shares": { "type": "array", "items": { "type": "number" } },
            },
        })
    );
    let whole = call(&client, "share", json!({ "parts": 4 })).await.unwrap();
    assert_eq!(
        whole.structured_content,
        Some(json!({ "parts": 4, "ratio": null, "shares": [0.25] }))
    );
    let broken = call(&client, "share", json!({ "parts": 0 })).await.unwrap();
    assert_eq!(
        (broken.is_error, &broken.structured_content),
        (Some(true), &None)
    );
    assert!(
        text(&broken).contains("`shares.0` is null"),
        "{}",
        text(&broken)
    );
}
