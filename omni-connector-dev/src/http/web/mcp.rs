//! Resources, prompts and skills of a connector's MCP server (`protocol.md` §2.7, §3.9). Of the connector's answer only the
//! JSON is passed on.

use axum::{Json, extract::State};
use omni_connector::{Manifest, wire::McpCredentials};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    connector::ConnectorError,
    credentials,
    http::{body::JsonBody, error::ApiError},
    manager::Shared,
    store::sources::{self, SourceRecord},
};

#[derive(Debug, Deserialize)]
pub(super) struct Resource {
    source_id: String,
    uri: String,
}

pub(super) async fn resource(
    State(shared): State<Shared>,
    JsonBody(Resource { source_id, uri }): JsonBody<Resource>,
) -> Result<Json<Value>, ApiError> {
    #[derive(Serialize)]
    struct Dispatch {
        uri: String,
        credentials: McpCredentials,
    }
    let source = source(&shared, &source_id).await?;
    let manifest = serving(&shared, &source)?;
    let credentials = owner(&shared, &source).await?;
    let dispatch = Dispatch { uri, credentials };
    send(&shared, &manifest, "resource", &dispatch).await
}

#[derive(Debug, Deserialize)]
pub(super) struct Prompt {
    source_id: String,
    name: String,
    #[serde(default)]
    arguments: Value,
}

pub(super) async fn prompt(
    State(shared): State<Shared>,
    JsonBody(prompt): JsonBody<Prompt>,
) -> Result<Json<Value>, ApiError> {
    #[derive(Serialize)]
    struct Dispatch {
        name: String,
        arguments: Value,
        credentials: McpCredentials,
    }
    let source = source(&shared, &prompt.source_id).await?;
    let manifest = serving(&shared, &source)?;
    let dispatch = Dispatch {
        name: prompt.name,
        arguments: prompt.arguments,
        credentials: owner(&shared, &source).await?,
    };
    send(&shared, &manifest, "prompt", &dispatch).await
}

#[derive(Debug, Deserialize)]
pub(super) struct SkillCall {
    skill_id: String,
    source_id: Option<String>,
    #[serde(default)]
    arguments: Value,
}

/// A skill with a text of its own is answered from the manifest. The connector that declares it is asked for any other,
/// whatever the type of the named source is.
pub(super) async fn skill(
    State(shared): State<Shared>,
    JsonBody(request): JsonBody<SkillCall>,
) -> Result<Json<Value>, ApiError> {
    #[derive(Serialize)]
    struct Dispatch {
        skill_id: String,
        arguments: Value,
        credentials: McpCredentials,
    }
    let id = request.skill_id;
    let declared = shared.registry.live().into_iter().find_map(|manifest| {
        let skill = manifest.skills.iter().find(|skill| skill.id == id)?.clone();
        Some((manifest, skill))
    });
    let Some((manifest, skill)) = declared else {
        return Err(ApiError::NotFound(format!("Skill not found: {id}")));
    };
    if let Some(content) = skill.content {
        return Ok(Json(
            json!({ "skill_id": id, "title": skill.title, "content": content }),
        ));
    }
    let Some(source_id) = request.source_id else {
        return Err(ApiError::BadRequest(format!(
            "source_id is required to load connector skill: {id}"
        )));
    };
    let source = source(&shared, &source_id).await?;
    let dispatch = Dispatch {
        skill_id: id,
        arguments: request.arguments,
        credentials: owner(&shared, &source).await?,
    };
    send(&shared, &manifest, "skill", &dispatch).await
}

async fn source(shared: &Shared, id: &str) -> Result<SourceRecord, ApiError> {
    let wanted = id.to_owned();
    let source = shared
        .store
        .read(move |db| sources::find(db, &wanted))
        .await?;
    source.ok_or_else(|| ApiError::source_not_found(id))
}

fn serving(shared: &Shared, source: &SourceRecord) -> Result<Manifest, ApiError> {
    shared
        .registry
        .serving(&source.source_type)
        .ok_or_else(|| ApiError::connector_not_registered(&source.source_type))
}

/// The owner's credential, whoever asks.
async fn owner(shared: &Shared, source: &SourceRecord) -> Result<McpCredentials, ApiError> {
    credentials::owner(shared, source)
        .await?
        .as_ref()
        .map(McpCredentials::of)
        .ok_or_else(|| ApiError::credentials_not_found(&source.id))
}

async fn send(
    shared: &Shared,
    manifest: &Manifest,
    route: &str,
    dispatch: &impl Serialize,
) -> Result<Json<Value>, ApiError> {
    let url = format!("{}/{route}", manifest.connector_url);
    let answer: Result<Value, ConnectorError> = shared.connectors.post(&url, dispatch).await;
    answer
        .map(Json)
        .map_err(|error| ApiError::Internal(error.to_string()))
}
