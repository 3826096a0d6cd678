//! A small MCP server with everything that a connector must handle: pages, odd schemas, files,
//! changing lists, hanging calls, and a crash during a call. Serves stdio, or HTTP with `--http
//! ADDRESS`.

use std::{
    collections::BTreeMap,
    env, process,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock,
        GetPromptRequestParams, GetPromptResponse, GetPromptResult, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, MetaObject,
        PaginatedRequestParams, Prompt, PromptArgument, PromptMessage, ReadResourceRequestParams,
        ReadResourceResponse, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
        Role, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
    },
    service::RequestContext,
    transport::{
        StreamableHttpServerConfig, StreamableHttpService, stdio,
        streamable_http_server::session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};

/// Items of a list on a page.
const PAGE: usize = 4;

#[derive(Clone, Default)]
struct Server {
    has_grown: Arc<AtomicBool>,
    lists: Arc<AtomicUsize>,
}

fn object(schema: Value) -> Arc<serde_json::Map<String, Value>> {
    Arc::new(schema.as_object().cloned().unwrap_or_default())
}

fn tool(name: &'static str, schema: Value) -> Tool {
    Tool::new(name, format!("The tool {name}."), object(schema))
}

impl Server {
    fn tools(&self) -> Vec<Tool> {
        let nothing = || json!({ "type": "object", "properties": {} });
        let text = || json!({ "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"], "additionalProperties": false });
        let mut tools = vec![
            tool("echo", text()).with_annotations(ToolAnnotations::new().read_only(true)),
            tool(
                "arguments",
                json!({ "type": "object", "properties": { "a": {} } }),
            ),
            tool("pid", nothing()).with_annotations(ToolAnnotations::new().read_only(true)),
            tool("token", nothing()),
            tool("lists", nothing()),
            tool("refuse", nothing()),
            tool("invalid", nothing()),
            tool("structured", nothing()),
            tool("picture", nothing()),
            tool("mixed", nothing()),
            tool("sound", nothing()),
            tool("document", nothing()),
            tool("bytes", nothing()),
            tool(
                "sleep",
                json!({ "type": "object", "properties": { "ms": { "type": "integer" } } }),
            ),
            tool("exit", nothing()),
            tool(
                "grow",
                json!({ "type": "object", "properties": { "list": { "type": "string" } } }),
            ),
            tool("greet", nothing()),
            tool("scoped", nothing()).with_meta(MetaObject(
                json!({ "required_scopes": ["repo", 7, "user"] })
                    .as_object()
                    .cloned()
                    .unwrap_or_default(),
            )),
            tool(
                "referring",
                json!({
                    "type": "object", "properties": { "at": { "$ref": "#/$defs/Point" } },
                    "$defs": { "Point": { "type": "object", "properties": { "x": { "type": "integer" } } } },
                }),
            ),
            tool(
                "recursive",
                json!({
                    "type": "object", "properties": { "tree": { "$ref": "#/$defs/Tree" } },
                    "$defs": { "Tree": { "type": "object", "properties": { "of": { "$ref": "#/$defs/Tree" } } } },
                }),
            ),
            tool(
                "negative",
                json!({ "type": "object", "properties": { "not": { "type": "string" } } }),
            ),
        ];
        if self.has_grown.load(Ordering::SeqCst) {
            tools.push(tool("grown", nothing()));
        }
        tools
    }
}

/// Returns one page of a list, and the cursor of the next one.
fn page<T: Clone>(all: &[T], request: Option<PaginatedRequestParams>) -> (Vec<T>, Option<String>) {
    let cursor = request.and_then(|request| request.cursor);
    let start = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let end = (start + PAGE).min(all.len());
    let next = (end < all.len()).then(|| end.to_string());
    (all[start..end].to_vec(), next)
}

/// Returns the server's secret: from its environment, or from a request header.
fn secret(context: &RequestContext<RoleServer>) -> String {
    let parts = context.extensions.get::<axum::http::request::Parts>();
    let header = parts.and_then(|parts| parts.headers.get("x-token")?.to_str().ok());
    header.map_or_else(|| env::var("TOKEN").unwrap_or_default(), str::to_owned)
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::default();
        let mut tools = rmcp::model::ToolsCapability::default();
        tools.list_changed = Some(true);
        capabilities.tools = Some(tools);
        if env::var_os("WITHOUT_PROMPTS").is_none() {
            capabilities.prompts = Some(rmcp::model::PromptsCapability::default());
            capabilities.resources = Some(rmcp::model::ResourcesCapability::default());
        }
        ServerConfig::new(capabilities)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.lists.fetch_add(1, Ordering::SeqCst);
        let (tools, next) = page(&self.tools(), request);
        let mut result = ListToolsResult::with_all_items(tools);
        result.next_cursor = next;
        Ok(result)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let text = |text: &str| CallToolResult::success(vec![ContentBlock::text(text)]);
        let picture = || ContentBlock::image("iVBORw0KGgo=", "image/png");
        let result = match &*request.name {
            "echo" => text(arguments["text"].as_str().unwrap_or_default()),
            "arguments" => text(&arguments.to_string()),
            "pid" => text(&process::id().to_string()),
            "token" => text(&secret(&context)),
            "lists" => text(&self.lists.load(Ordering::SeqCst).to_string()),
            "refuse" => CallToolResult::error(vec![ContentBlock::text(format!(
                "no access with {}",
                secret(&context)
            ))]),
            "invalid" => return Err(ErrorData::invalid_params("text is missing", None)),
            "structured" => CallToolResult::structured(json!({ "total": 3 })),
            "picture" => CallToolResult::success(vec![picture()]),
            "mixed" => CallToolResult::success(vec![
                ContentBlock::text("before"),
                picture(),
                ContentBlock::audio("UklGRg==", "audio/wav"),
                ContentBlock::text("after"),
                ContentBlock::resource_link(Resource::new("test://7", "seven")),
            ]),
            "sound" => CallToolResult::success(vec![ContentBlock::audio("UklGRg==", "audio/wav")]),
            "bytes" => CallToolResult::success(vec![ContentBlock::resource(
                ResourceContents::blob("JVBERg==", "file:///reports/q3.pdf")
                    .with_mime_type("application/pdf"),
            )]),
            "document" => CallToolResult::success(vec![ContentBlock::resource(
                ResourceContents::text("a;b", "file:///reports/q3.csv").with_mime_type("text/csv"),
            )]),
            "sleep" => {
                let ms = arguments["ms"].as_u64().unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(ms)).await;
                text("slept")
            }
            "exit" => process::exit(3),
            "grow" => {
                self.has_grown.store(true, Ordering::SeqCst);
                let peer = &context.peer;
                let notified = match arguments["list"].as_str() {
                    Some("prompts") => peer.notify_prompt_list_changed().await,
                    Some("resources") => peer.notify_resource_list_changed().await,
                    _ => peer.notify_tool_list_changed().await,
                };
                notified.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
                text("grew")
            }
            "greet" => text("hello from the server"),
            other => {
                return Err(ErrorData::invalid_params(
                    format!("unknown tool {other}"),
                    None,
                ));
            }
        };
        Ok(CallToolResponse::Complete(result))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut all: Vec<_> = (0..6)
            .map(|n| Resource::new(format!("test://{n}"), n.to_string()))
            .collect();
        if self.has_grown.load(Ordering::SeqCst) {
            all.push(Resource::new("test://grown", "grown"));
        }
        let (resources, next) = page(&all, request);
        let mut result = ListResourcesResult::with_all_items(resources);
        result.next_cursor = next;
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template = ResourceTemplate::new("test://{n}", "numbers").with_mime_type("text/plain");
        Ok(ListResourceTemplatesResult::with_all_items(vec![template]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let Some(number) = request.uri.strip_prefix("test://") else {
            return Err(ErrorData::resource_not_found("no such resource", None));
        };
        let text = ResourceContents::text(format!("number {number}"), &request.uri);
        let blob = ResourceContents::blob("AAE=", &request.uri);
        Ok(ReadResourceResponse::Complete(ReadResourceResult::new(
            vec![text, blob],
        )))
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let topic = PromptArgument::new("topic").with_required(true);
        let prompt = Prompt::new("brief", Some("Writes a brief."), Some(vec![topic]));
        let mut prompts = vec![prompt];
        if self.has_grown.load(Ordering::SeqCst) {
            prompts.push(Prompt::new("grown", None::<String>, None));
        }
        Ok(ListPromptsResult::with_all_items(prompts))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if request.name != "brief" {
            return Err(ErrorData::invalid_params("no such prompt", None));
        }
        let arguments: BTreeMap<_, _> = request.arguments.unwrap_or_default().into_iter().collect();
        let topic = arguments
            .get("topic")
            .and_then(Value::as_str)
            .unwrap_or("everything");
        let mut result = GetPromptResult::new(vec![
            PromptMessage::new_text(Role::User, format!("Write about {topic}.")),
            PromptMessage::new(
                Role::Assistant,
                ContentBlock::image("iVBORw0KGgo=", "image/png"),
            ),
        ]);
        result.description = Some("Writes a brief.".to_owned());
        Ok(GetPromptResponse::Complete(result))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => drop(Server::default().serve(stdio()).await?.waiting().await?),
        ["--http", address] => {
            let server = Server::default();
            let service = StreamableHttpService::new(
                move || Ok(server.clone()),
                Arc::new(LocalSessionManager::default()),
                StreamableHttpServerConfig::default(),
            );
            let listener = tokio::net::TcpListener::bind(address).await?;
            println!("{}", listener.local_addr()?);
            axum::serve(listener, axum::Router::new().route_service("/mcp", service)).await?;
        }
        ["--broken"] => {
            eprintln!(
                "the configuration holds no TOKEN of value {}",
                env::var("TOKEN").unwrap_or_default()
            );
            process::exit(1);
        }
        _ => return Err("unknown arguments".into()),
    }
    Ok(())
}
