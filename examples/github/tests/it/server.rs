//! GitHub's MCP server behind the connector: its tools are actions, and a token goes to its own GitHub only.

use std::sync::{Arc, Mutex};

use axum::{extract::Request, middleware::Next};
use github::{Address, GitHub};
use omni_connector::{
    AuthType, Connector, McpCredentials, McpServer, SyncType, prelude::*, schema::check,
};
use omni_connector_dev::Manager;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult,
        PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
        ReadResourceResult, ResourceContents, ServerCapabilities, ServerConfig as McpConfig, Tool,
    },
    service::RequestContext,
    transport::{
        StreamableHttpService, streamable_http_server::session::local::LocalSessionManager,
    },
};
use tokio::net::TcpListener;

use crate::{
    fake::{Fake, TOKEN},
    support::{PATIENCE, config, options},
};

/// Offers two tools, and says what it was asked with.
#[derive(Clone)]
struct Tools;

impl ServerHandler for Tools {
    fn get_info(&self) -> McpConfig {
        let mut capabilities = ServerCapabilities::default();
        capabilities.resources = Some(rmcp::model::ResourcesCapability::default());
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

    async fn read_resource(
        &self,
        _: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        Ok(ReadResourceResponse::Complete(ReadResourceResult::new(
            vec![ResourceContents::text("the README", "repo://acme/tea")],
        )))
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

/// The server, and every `Authorization` that it is sent.
async fn remote_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let tools = StreamableHttpService::new(
        || Ok(Tools),
        Arc::new(LocalSessionManager::default()),
        rmcp::transport::StreamableHttpServerConfig::default(),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let note = axum::middleware::from_fn(move |request: Request, next: Next| {
        let token = request.headers().get("authorization");
        let token = token.map(|it| it.to_str().unwrap().to_owned());
        log.lock().unwrap().extend(token);
        next.run(request)
    });
    let app = axum::Router::new().route_service("/mcp", tools).layer(note);
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, seen)
}

/// A manager, and a connector whose people sign in at `home`.
async fn served(home: &str) -> (Manager, tempfile::TempDir, Arc<Mutex<Vec<String>>>) {
    let manager = Manager::start(options()).await.unwrap();
    let cache = tempfile::tempdir().unwrap();
    let mut config = config(&manager);
    config.catalog_cache_dir = cache.path().to_owned();
    let (url, seen) = remote_server().await;
    let connector = GitHub::new(Address::parse(home).unwrap(), McpServer::http(url));
    tokio::spawn(omni_connector::serve_with_config(connector, config));
    manager.registration("github", PATIENCE).await.unwrap();
    (manager, cache, seen)
}

async fn source(manager: &Manager, github: &Fake, kind: AuthType, secret: Value) -> String {
    let source = manager
        .source("GitHub", "github", json!({ "api_url": github.url }))
        .await
        .unwrap();
    manager
        .put_credential(&source.id, None, "github", kind, secret)
        .await
        .unwrap();
    source.id
}

async fn call(manager: &Manager, source: &str, action: &str) -> Value {
    let answer = manager
        .call_action(source, None, action, json!({}))
        .await
        .unwrap();
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn the_tools_of_the_server_are_the_actions_and_see_the_token_of_the_source() {
    let github = Fake::start().await;
    let (manager, _cache, _) = served(&github.url).await;
    let manifest = manager.registration("github", PATIENCE).await.unwrap();
    assert_eq!(check(&manifest), []);
    assert!(manifest.mcp_enabled && !manifest.mcp_catalog_loaded);
    assert_eq!(manifest.sync_modes, [SyncType::Full, SyncType::Incremental]);
    let operators = manifest
        .search_operators
        .iter()
        .map(|it| (&*it.operator, &*it.attribute_key, &*it.value_type));
    assert_eq!(
        operators.collect::<Vec<_>>(),
        [
            ("status", "status", "text"),
            ("label", "labels", "text"),
            ("lang", "language", "text"),
            ("assignee", "assignee", "person")
        ]
    );
    let source = source(
        &manager,
        &github,
        AuthType::BearerToken,
        json!({ "token": TOKEN }),
    )
    .await;
    // Whose token it is, nothing has said yet.
    let http: HttpClient = HttpClient::builder().no_proxy().build().unwrap().into();
    let read = async || {
        let body = json!({ "uri": "repo://acme/tea", "credentials": { "credentials": { "token": TOKEN }, "config": {} } });
        let answer = http
            .post(format!("{}/resource", manifest.connector_url))
            .json(&body)
            .send()
            .await
            .unwrap();
        answer.text().await.unwrap()
    };
    let refused = read().await;
    assert!(
        refused.contains("which GitHub this token is for"),
        "{refused}"
    );
    let run = manager.sync(&source, SyncType::Full).await.unwrap();
    manager.wait(&run.id, |_| {}).await.unwrap();
    let with_tools = async {
        loop {
            let manifest = manager.registration("github", PATIENCE).await.unwrap();
            if manifest.mcp_catalog_loaded {
                return manifest;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let manifest = tokio::time::timeout(PATIENCE, with_tools).await.unwrap();
    let names: Vec<_> = manifest
        .actions
        .iter()
        .map(|action| &*action.name)
        .collect();
    assert_eq!(
        names,
        ["list_issues", "get_me"],
        "all of the server's, and none beside them"
    );
    assert_eq!(check(&manifest), []);
    let answer = call(&manager, &source, "get_me").await;
    assert_eq!(
        answer["result"],
        json!({ "content": format!("get_me with Bearer {TOKEN}") })
    );
    let found = read().await;
    assert!(found.contains("the README"), "{found}");
}

#[tokio::test]
async fn a_token_goes_to_no_other_github_than_its_own() {
    let (home, other) = (Fake::start().await, Fake::start().await);
    let (manager, _cache, seen) = served(&home.url).await;
    // A token of the other GitHub is for that one alone, and the remote server works for the first.
    let theirs = source(
        &manager,
        &other,
        AuthType::BearerToken,
        json!({ "token": TOKEN }),
    )
    .await;
    let run = manager.sync(&theirs, SyncType::Full).await.unwrap();
    manager.wait(&run.id, |_| {}).await.unwrap();
    assert!(
        other
            .world()
            .tokens
            .iter()
            .all(|token| token.contains(TOKEN))
    );
    other.world().tokens.clear();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(
        *seen.lock().unwrap(),
        [""; 0],
        "the lists of the server are not read with it"
    );
    // Who signed in did so at the first one.
    let signed_in = manager
        .source("GitHub 2", "github", json!({ "api_url": other.url }))
        .await
        .unwrap()
        .id;
    let secret = json!({ "access_token": TOKEN });
    manager
        .put_credential(&signed_in, None, "github", AuthType::Oauth, secret)
        .await
        .unwrap();
    let refused = manager
        .sync(&signed_in, SyncType::Full)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("people sign in at") && refused.contains("GITHUB_API_URL"),
        "{refused}"
    );
    assert_eq!(other.world().tokens, [""; 0]);
    assert_eq!(home.world().tokens, [""; 0]);
}

#[test]
fn every_address_follows_from_that_of_the_api() {
    for (api, web) in [
        ("https://api.github.com", "https://github.com"),
        ("https://api.acme.ghe.com/", "https://acme.ghe.com"),
        (
            "https://github.acme.example/api/v3",
            "https://github.acme.example",
        ),
        (
            "https://api.acme.example:8443/api/v3/",
            "https://api.acme.example:8443",
        ),
    ] {
        let github = GitHub::new(
            Address::parse(api).unwrap(),
            McpServer::stdio("github-mcp-server"),
        );
        let oauth = github.oauth_config().unwrap();
        assert_eq!(oauth.auth_endpoint, format!("{web}/login/oauth/authorize"));
        assert_eq!(
            oauth.token_endpoint,
            format!("{web}/login/oauth/access_token")
        );
        assert_eq!(
            oauth.userinfo_endpoint,
            format!("{}/user/emails", api.trim_end_matches('/'))
        );
        let mut credentials: McpCredentials =
            serde_json::from_value(json!({ "credentials": { "token": "t" }, "config": {} }))
                .unwrap();
        assert!(
            github.prepare_mcp_env(&credentials).is_err(),
            "nobody says where the token belongs"
        );
        credentials.source_config = Some(json!({ "api_url": api }));
        let env = github.prepare_mcp_env(&credentials).unwrap();
        assert_eq!(
            (&*env["GITHUB_HOST"], &*env["GITHUB_PERSONAL_ACCESS_TOKEN"]),
            (web, "t")
        );
    }
}
