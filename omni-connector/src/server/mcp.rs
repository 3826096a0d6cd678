//! `/resource`, `/prompt` and `/skill` (`protocol.md` §2.7): content of the MCP server behind a connector, and skills that
//! the connector declares itself.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::{
    App, PATIENCE,
    body::{Body, Refused},
};
use crate::{
    connector::ActionError,
    panic,
    redact::Secrets,
    schema::decode,
    wire::{ErrorBody, McpCredentials},
};

/// The prefix of skills that are prompts, even if the manifest does not list them.
const PROMPT_PREFIX: &str = "mcp:";

#[derive(Deserialize)]
pub(super) struct ResourceRequest {
    uri: String,
    #[serde(default)]
    credentials: Option<McpCredentials>,
}

#[derive(Deserialize)]
pub(super) struct PromptRequest {
    name: String,
    #[serde(default)]
    arguments: Option<Map<String, Value>>,
    #[serde(default)]
    credentials: Option<McpCredentials>,
}

#[derive(Deserialize)]
pub(super) struct SkillRequest {
    skill_id: String,
    /// Checked separately: the decoder's error would quote a long string in full.
    #[serde(default)]
    arguments: Option<Value>,
    #[serde(default)]
    credentials: Option<Value>,
}

pub(super) async fn resource(State(app): State<Arc<App>>, Body(request): Body<Value>) -> Response {
    let Some(server) = app.connector.mcp_behind() else {
        return not_enabled();
    };
    let ResourceRequest { uri, credentials } = match decode("request", request) {
        Ok(request) => request,
        Err(error) => return refused(&error.into(), None),
    };
    let read = server.read_resource(uri, credentials.as_ref());
    match guarded(read).await {
        Ok(contents) => Json(contents).into_response(),
        Err(error) => refused(&error, credentials.as_ref()),
    }
}

pub(super) async fn prompt(State(app): State<Arc<App>>, Body(request): Body<Value>) -> Response {
    let Some(server) = app.connector.mcp_behind() else {
        return not_enabled();
    };
    let request: PromptRequest = match decode("request", request) {
        Ok(request) => request,
        Err(error) => return refused(&error.into(), None),
    };
    let credentials = request.credentials.as_ref();
    let got = server.get_prompt(request.name, request.arguments, credentials);
    match guarded(got).await {
        Ok(prompt) => Json(prompt).into_response(),
        Err(error) => refused(&error, request.credentials.as_ref()),
    }
}

pub(super) async fn skill(
    State(app): State<Arc<App>>,
    Body(request): Body<SkillRequest>,
) -> Response {
    let id = &request.skill_id;
    let arguments = match request.arguments {
        None => None,
        Some(Value::Object(arguments)) => Some(arguments),
        Some(_) => {
            let reason = "invalid request: the field `arguments` must be an object or null";
            return Refused::new(StatusCode::BAD_REQUEST, reason).into_response();
        }
    };
    let declared = app
        .manifest()
        .skills
        .into_iter()
        .find(|skill| skill.id == *id);
    let (title, prompt) = match declared {
        Some(skill) => match skill.content {
            Some(content) => return skill_answer(id, &skill.title, content),
            None => (skill.title, skill.mcp_prompt),
        },
        None => ("MCP Prompt".to_owned(), None),
    };
    let prompt = prompt.or_else(|| id.strip_prefix(PROMPT_PREFIX).map(str::to_owned));
    let (Some(prompt), Some(server)) = (prompt, app.connector.mcp_behind()) else {
        return not_found(format!("Skill not found: {id}"));
    };
    // Decoded here, because the connector's own skills need no credential.
    let credentials = request
        .credentials
        .map(|value| decode("credentials", value));
    let credentials: Option<McpCredentials> = match credentials.transpose() {
        Ok(credentials) => credentials,
        Err(error) => return refused(&error.into(), None),
    };
    let got = server.get_prompt(prompt, arguments, credentials.as_ref());
    match guarded(got).await {
        Ok(prompt) => skill_answer(id, &title, text_of(&prompt)),
        Err(error) => refused(&error, credentials.as_ref()),
    }
}

/// Joins a prompt's description and the text of its messages into one string.
fn text_of(prompt: &Value) -> String {
    let messages = prompt["messages"].as_array().into_iter().flatten();
    let texts = messages.filter_map(|message| message["content"]["text"].as_str());
    let parts: Vec<_> = prompt["description"]
        .as_str()
        .into_iter()
        .chain(texts)
        .filter(|text| !text.is_empty())
        .collect();
    parts.join("\n\n")
}

/// Turns a panic of the connector's preparation, or the silence of the server, into an error answer.
async fn guarded(
    call: impl Future<Output = Result<Value, ActionError>>,
) -> Result<Value, ActionError> {
    let called = timeout(PATIENCE, panic::catch(call)).await;
    let called = called.unwrap_or_else(|_| {
        Ok(Err(ActionError::timeout(format!(
            "the MCP server did not answer within {} s, which is as long as Omni waits",
            PATIENCE.as_secs()
        ))))
    });
    called.unwrap_or_else(|panic| {
        Err(ActionError::upstream(format!(
            "the connector panicked {panic}"
        )))
    })
}

fn skill_answer(id: &str, title: &str, content: String) -> Response {
    Json(json!({ "skill_id": id, "title": title, "content": content })).into_response()
}

fn refused(error: &ActionError, credentials: Option<&McpCredentials>) -> Response {
    let secret = credentials.map_or(&Value::Null, |credentials| &credentials.credentials);
    let message = Secrets::of_secret(secret).redact(&error.to_string());
    tracing::warn!("{message}");
    (error.status(), Json(ErrorBody { error: message })).into_response()
}

fn not_enabled() -> Response {
    not_found("MCP is not enabled for this connector".to_owned())
}

fn not_found(error: String) -> Response {
    (StatusCode::NOT_FOUND, Json(ErrorBody { error })).into_response()
}
