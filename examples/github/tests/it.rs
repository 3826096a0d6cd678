//! The connector against a small MCP server, a fake of GitHub's API and the development manager, over real HTTP.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::Query,
    http::{HeaderMap, StatusCode},
    routing::{get, put},
};
use github::GitHub;
use omni_connector::{AuthType, McpServer, ServerConfig, SyncType, schema::check};
use omni_connector_dev::{Manager, Options};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult,
        PaginatedRequestParams, ServerCapabilities, ServerConfig as McpConfig, Tool,
    },
    service::RequestContext,
    transport::{
        StreamableHttpService, streamable_http_server::session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const PATIENCE: Duration = Duration::from_secs(20);

/// Offers two tools, and says what it was asked with.
#[derive(Clone)]
struct Tools;

impl ServerHandler for Tools {
    fn get_info(&self) -> McpConfig {
        let mut capabilities = ServerCapabilities::default();
        capabilities.tools = Some(rmcp::model::ToolsCapability::default());
        McpConfig::new(capabilities)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tool = |name: &'static str| {
            let schema = json!({ "type": "object", "properties": {} });
            Tool::new(name, "A tool.", schema.as_object().cloned().unwrap())
        };
        Ok(ListToolsResult::with_all_items(vec![
            tool("list_issues"),
            tool("get_me"),
        ]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let parts = context
            .extensions
            .get::<axum::http::request::Parts>()
            .unwrap();
        let token = parts.headers["authorization"].to_str().unwrap();
        let text = format!("{} with {token}", request.name);
        Ok(CallToolResponse::Complete(CallToolResult::success(vec![
            ContentBlock::text(text),
        ])))
    }
}

/// GitHub's API and its MCP server, in one place.
async fn fake_github() -> String {
    let tools = StreamableHttpService::new(
        || Ok(Tools),
        Arc::new(LocalSessionManager::default()),
        rmcp::transport::StreamableHttpServerConfig::default(),
    );
    let app = Router::new()
        .route("/user", get(user))
        .route("/user/repos", get(repositories))
        // Any path: what may be starred is the connector's to say.
        .route("/user/{*path}", put(async || StatusCode::NO_CONTENT))
        .route_service("/mcp", tools);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn user(headers: HeaderMap) -> Json<Value> {
    assert_eq!(headers["authorization"], "Bearer gho_secret");
    Json(json!({ "login": "ann", "html_url": "https://github.com/ann", "id": 7 }))
}

async fn repositories(
    Query(query): Query<std::collections::HashMap<String, String>>,
) -> Json<Value> {
    let repository = |name: &str, private: bool| json!({ "full_name": name, "description": "Tea.", "html_url": "https://github.com/x", "private": private, "topics": ["drinks"] });
    Json(match query["page"].as_str() {
        "1" => json!([repository("ann/tea", false), repository("ann/secret", true)]),
        _ => json!([]),
    })
}

#[tokio::test]
async fn tools_stand_beside_the_connectors_own_actions_and_see_the_token_of_who_signed_in() {
    let github = fake_github().await;
    let manager = Manager::start(Options::default()).await.unwrap();
    let cache = tempfile::tempdir().unwrap();
    let config = ServerConfig {
        listen: [127, 0, 0, 1].into(),
        catalog_cache_dir: cache.path().to_owned(),
        ..ServerConfig::new(manager.url(), "127.0.0.1", 0)
    };
    let connector = GitHub::new(&github, McpServer::http(format!("{github}/mcp")));
    tokio::spawn(omni_connector::serve_with_config(connector, config));
    let manifest = manager.registration("github", PATIENCE).await.unwrap();
    assert_eq!(check(&manifest), []);
    assert!(manifest.mcp_enabled && !manifest.mcp_catalog_loaded);
    let oauth = manifest.oauth.unwrap();
    assert_eq!(
        oauth["scopes"],
        json!({ "github": { "read": ["read:org", "repo:status"], "write": ["repo"] } })
    );
    assert_eq!(
        oauth.as_object().unwrap().len(),
        13,
        "the web app fills in no defaults"
    );

    let source = manager.source("GitHub", "github", json!({})).await.unwrap();
    let secret = json!({ "access_token": "gho_secret" });
    manager
        .put_credential(&source.id, None, "github", AuthType::Oauth, secret)
        .await
        .unwrap();
    let run = manager.sync(&source.id, SyncType::Full).await.unwrap();
    let with_tools = async {
        loop {
            let manifest = manager.registration("github", PATIENCE).await.unwrap();
            if manifest.mcp_catalog_loaded {
                return manifest;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let manifest = tokio::time::timeout(PATIENCE, with_tools).await.unwrap();
    let names: Vec<_> = manifest
        .actions
        .iter()
        .map(|action| &*action.name)
        .collect();
    assert_eq!(names, ["get_me", "star", "list_issues"]);
    assert_eq!(check(&manifest), []);

    let call_with = async |action, input| {
        let answer = manager.call_action(&source.id, None, action, input).await;
        serde_json::from_slice::<Value>(&answer.unwrap().body).unwrap()
    };
    let call = async |action| call_with(action, json!({})).await["result"].clone();
    for (repository, status) in [
        ("ann/tea", "success"),
        ("ann/.github", "success"),
        ("../keys", "error"),
        ("ann/..", "error"),
        ("ann/.", "error"),
        ("ann/tea?x", "error"),
        ("ann/tea/x", "error"),
    ] {
        let answer = call_with("star", json!({ "repository": repository })).await;
        assert_eq!(answer["status"], status, "{repository}: {answer}");
    }
    assert_eq!(
        call("list_issues").await,
        json!({ "content": "list_issues with Bearer gho_secret" })
    );
    assert_eq!(
        call("get_me").await,
        json!({ "login": "ann", "html_url": "https://github.com/ann" }),
        "an action of its own goes before a tool of its name"
    );
    let ended = manager.wait(&run.id, |_| ()).await.unwrap();
    assert_eq!(ended.run.error_message, None);
}
