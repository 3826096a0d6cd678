//! Runs the connector of the published SDK page, which implements the trait without macros.

// The page's name for this crate.
extern crate omni_connector as omni_connector_sdk;

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use axum::http::{StatusCode, header};
use omni_connector_sdk::{
    ActionDefinition, ActionMode, ActionResponse, Connector, ConnectorEvent, DocumentMetadata,
    DocumentPermissions, SearchOperator, ServiceCredential, Skill, Source, SourceType, SyncContext,
    SyncType, serve,
};
use omni_connector_tests::system::{self, is_watched};
use serde::{Deserialize, Serialize};
use serde_json::{Value as JsonValue, json};

#[derive(Debug, Clone, Deserialize, Serialize)]
struct MyConfig {
    api_url: String,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
struct MyCredentials {
    api_key: String,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
struct MyCheckpoint {
    cursor: Option<String>,
}

struct MyConnector;

#[async_trait]
impl Connector for MyConnector {
    type Config = MyConfig;
    type Credentials = MyCredentials;
    type State = MyCheckpoint;

    fn name(&self) -> &'static str {
        "my_connector"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn display_name(&self) -> String {
        "My Connector".to_string()
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Web]
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        if is_watched() {
            vec![SyncType::Full, SyncType::Realtime]
        } else {
            vec![SyncType::Full, SyncType::Incremental]
        }
    }

    async fn sync(
        &self,
        source: Source,
        credentials: Option<ServiceCredential>,
        checkpoint: Option<Self::State>,
        ctx: SyncContext,
    ) -> Result<()> {
        let config: MyConfig =
            serde_json::from_value(source.config).context("failed to decode source config")?;
        let creds = credentials.context("credentials are required")?;
        let creds: MyCredentials =
            serde_json::from_value(creds.credentials).context("failed to decode credentials")?;

        run_sync(config, creds, checkpoint.unwrap_or_default(), ctx).await
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        let action =
            |name: &str, description: &str, properties: JsonValue, hidden| ActionDefinition {
                name: name.to_string(),
                description: description.to_string(),
                input_schema: json!({ "type": "object", "properties": properties }),
                mode: ActionMode::Read,
                source_types: vec![],
                admin_only: false,
                hidden,
            };
        vec![
            action(
                "validate_connection",
                "Validate connector credentials",
                json!({}),
                true,
            ),
            action(
                "greet",
                "Greet somebody",
                json!({ "name": { "type": "string" } }),
                false,
            ),
            action("export", "Everything as a file", json!({}), false),
            action("fall_over", "Fail", json!({}), false),
        ]
    }

    async fn execute_action(
        &self,
        action: &str,
        params: JsonValue,
        _credentials: Option<ServiceCredential>,
    ) -> Result<axum::response::Response> {
        match action {
            "validate_connection" => {
                Ok(ActionResponse::success(json!({ "ok": true })).into_response())
            }
            "greet" => Ok(match params["name"].as_str() {
                Some(name) => ActionResponse::success(json!({ "text": format!("Hello {name}") })),
                None => ActionResponse::error("`name` is required"),
            }
            .into_response()),
            "export" => Ok(axum::response::Response::builder()
                .header(header::CONTENT_TYPE, "text/csv")
                .header("x-file-name", "items.csv")
                .body("id\nitem-123\n".into())?),
            "fall_over" => bail!("the system is down"),
            other => Ok(ActionResponse::not_supported(other)
                .into_response_with_status(StatusCode::NOT_FOUND)),
        }
    }

    fn search_operators(&self) -> Vec<SearchOperator> {
        vec![SearchOperator {
            operator: "project".to_string(),
            attribute_key: "project_id".to_string(),
            value_type: "text".to_string(),
        }]
    }

    fn skills(&self) -> Vec<Skill> {
        vec![Skill {
            id: "my-help".to_string(),
            title: "How to ask".to_string(),
            description: None,
            source_types: vec![],
            content: Some("Ask for an item.".to_string()),
            mcp_prompt: None,
        }]
    }
}

async fn run_sync(
    config: MyConfig,
    _creds: MyCredentials,
    checkpoint: MyCheckpoint,
    ctx: SyncContext,
) -> Result<()> {
    let has_cursor = system::follow(&config.api_url, &ctx, || emit_one(&ctx)).await?;
    if has_cursor {
        let next_cursor = system::next(checkpoint.cursor.as_deref());
        let checkpoint = serde_json::json!({ "cursor": next_cursor });
        ctx.save_checkpoint(checkpoint).await?;
    }
    Ok(())
}

async fn emit_one(ctx: &SyncContext) -> Result<()> {
    let content_id = ctx.store_content("Hello from my data source").await?;
    let external_id = "item-123".to_string();

    ctx.emit_event(ConnectorEvent::DocumentCreated {
        sync_run_id: ctx.sync_run_id().to_string(),
        source_id: ctx.source_id().to_string(),
        document_id: external_id.clone(),
        content_id,
        metadata: DocumentMetadata {
            title: Some("Example item".to_string()),
            author: None,
            created_at: None,
            updated_at: None,
            content_type: Some("text/plain".to_string()),
            mime_type: Some("text/plain".to_string()),
            size: None,
            url: Some("https://example.com/items/123".to_string()),
            path: None,
            extra: None,
        },
        permissions: DocumentPermissions {
            public: true,
            users: vec![],
            groups: vec![],
        },
        attributes: Some(
            [("project_id".to_string(), json!("alpha"))]
                .into_iter()
                .collect(),
        ),
    })
    .await?;

    ctx.increment_scanned(1).await?;
    ctx.increment_updated(1).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    serve(MyConnector).await
}
