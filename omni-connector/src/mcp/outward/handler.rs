//! Serves actions as tools and skills as prompts.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use anyhow::{Result, bail};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, GetPromptRequestParams, GetPromptResponse,
        GetPromptResult, Implementation, JsonObject, ListPromptsResult, ListToolsResult,
        PaginatedRequestParams, Prompt, PromptMessage, Role, ServerCapabilities, ServerConfig,
        Tool, ToolAnnotations,
    },
    service::RequestContext,
};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use tokio_util::task::TaskTracker;

use super::{options::Options, result};
use crate::{
    connector::{ActionCall, ErasedConnector, actions::perform},
    manager::ManagerClient,
    wire::{
        ActionMode, AuthType, IntegrationType, Manifest, ManifestAction, ServiceCredential, Skill,
        Source, SourceScope, UserFilterMode,
    },
};

/// A URL for when there is no manager: nothing listens on it.
const NO_MANAGER: &str = "http://127.0.0.1:9";

/// Answers one MCP client. Cheap to clone: each session gets one.
#[derive(Clone)]
pub(super) struct Handler(Arc<Inner>);

struct Inner {
    connector: Arc<dyn ErasedConnector>,
    manifest: Manifest,
    tools: Vec<Tool>,
    prompts: HashMap<String, (Prompt, String)>,
    source: Source,
    credentials: Option<ServiceCredential>,
    actor: Option<String>,
    manager: ManagerClient,
    /// The active calls.
    tasks: TaskTracker,
}

impl Handler {
    /// Decodes config and credentials at once, so that errors in them appear at the start.
    pub(super) fn new(connector: Arc<dyn ErasedConnector>, options: &Options) -> Result<Self> {
        let manifest = connector.manifest("http://localhost");
        let source = source(&*connector, options)?;
        let credentials = options
            .credentials
            .as_ref()
            .map(|secret| credential(&manifest, &source, secret));
        connector.check(&source, credentials.as_ref())?;
        let offered = manifest.actions.iter().filter(|action| {
            let writes = action.mode == ActionMode::Write;
            !(action.hidden || writes && (options.read_only || manifest.read_only))
        });
        let tools = offered.map(|action| tool(&*connector, action)).collect();
        let prompts = manifest.skills.iter().filter_map(prompt).collect();
        let manager = std::env::var("CONNECTOR_MANAGER_URL");
        Ok(Self(Arc::new(Inner {
            connector,
            tools,
            prompts,
            source,
            credentials,
            actor: options.actor.clone(),
            manager: ManagerClient::new(manager.as_deref().unwrap_or(NO_MANAGER)),
            tasks: TaskTracker::new(),
            manifest,
        })))
    }
}

fn source(connector: &dyn ErasedConnector, options: &Options) -> Result<Source> {
    let served = connector.source_types();
    let source_type = match options.source_type {
        Some(asked) if served.contains(&asked) => asked,
        Some(asked) => bail!("connector `{}` does not serve `{asked}`", connector.name()),
        None => match served.first() {
            Some(first) => *first,
            None => bail!("connector `{}` serves no source type", connector.name()),
        },
    };
    let now = OffsetDateTime::now_utc();
    Ok(Source {
        id: "mcp".to_owned(),
        name: "mcp".to_owned(),
        source_type,
        integration_type: IntegrationType::Connector,
        config: options.config.clone(),
        is_active: true,
        is_deleted: false,
        scope: SourceScope::Org,
        user_filter_mode: UserFilterMode::All,
        user_whitelist: None,
        user_blacklist: None,
        connector_state: None,
        checkpoint: None,
        sync_interval_seconds: None,
        created_at: now,
        updated_at: now,
        created_by: "mcp".to_owned(),
    })
}

fn credential(manifest: &Manifest, source: &Source, secret: &Value) -> ServiceCredential {
    let provider = manifest
        .oauth
        .as_ref()
        .and_then(|oauth| oauth["provider"].as_str());
    ServiceCredential {
        id: "mcp".to_owned(),
        source_id: source.id.clone(),
        user_id: None,
        provider: provider.unwrap_or(source.source_type.as_str()).to_owned(),
        auth_type: if provider.is_some() {
            AuthType::Oauth
        } else {
            AuthType::ApiKey
        },
        principal_email: None,
        credentials: secret.clone(),
        config: json!({}),
        expires_at: None,
        last_validated_at: None,
        created_at: source.created_at,
        updated_at: source.updated_at,
    }
}

fn tool(connector: &dyn ErasedConnector, action: &ManifestAction) -> Tool {
    let mut tool = Tool::new(
        action.name.clone(),
        action.description.clone(),
        object(action.input_schema.clone()),
    )
    .with_annotations(ToolAnnotations::new().read_only(action.mode == ActionMode::Read));
    // Structured content must be an object; other results are returned as text.
    let output = connector.action_output(&action.name);
    if let Some(output) = output.filter(|schema| schema["type"] == "object") {
        tool = tool.with_raw_output_schema(Arc::new(object(output)));
    }
    tool
}

fn object(schema: Value) -> JsonObject {
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn prompt(skill: &Skill) -> Option<(String, (Prompt, String))> {
    let content = skill.content.clone()?;
    let prompt = Prompt::new(skill.id.clone(), skill.description.clone(), None)
        .with_title(skill.title.clone());
    Some((skill.id.clone(), (prompt, content)))
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let manifest = &self.0.manifest;
        let mut capabilities = ServerCapabilities::default();
        capabilities.tools = Some(rmcp::model::ToolsCapability::default());
        if !self.0.prompts.is_empty() {
            capabilities.prompts = Some(rmcp::model::PromptsCapability::default());
        }
        let mut info = ServerConfig::new(capabilities);
        info.server_info = Implementation::new(manifest.name.clone(), manifest.version.clone())
            .with_title(manifest.display_name.clone());
        info.instructions.clone_from(&manifest.description);
        info
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.0.tools.clone()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.0.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = self.get_tool(&request.name) else {
            let message = Cow::Owned(format!("unknown tool `{}`", request.name));
            return Err(ErrorData::invalid_params(message, None));
        };
        let inner = &self.0;
        let call = ActionCall {
            action: request.name.into_owned(),
            params: Value::Object(request.arguments.unwrap_or_default()),
            credentials: inner.credentials.clone(),
            source: Some(inner.source.clone()),
            actor_email: inner.actor.clone(),
            manager: inner.manager.clone(),
        };
        let answer = perform(Arc::clone(&inner.connector), &inner.tasks, call).await;
        let result = result::of(answer, tool.output_schema.as_deref()).await;
        Ok(CallToolResponse::Complete(result))
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut prompts: Vec<_> = self
            .0
            .prompts
            .values()
            .map(|(prompt, _)| prompt.clone())
            .collect();
        prompts.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(ListPromptsResult::with_all_items(prompts))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let Some((prompt, content)) = self.0.prompts.get(&request.name) else {
            let message = Cow::Owned(format!("unknown prompt `{}`", request.name));
            return Err(ErrorData::invalid_params(message, None));
        };
        let message = PromptMessage::new_text(Role::User, content.clone());
        let mut result = GetPromptResult::new(vec![message]);
        result.description.clone_from(&prompt.description);
        Ok(GetPromptResponse::Complete(result))
    }
}
