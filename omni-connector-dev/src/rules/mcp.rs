//! Resources, prompts and skills of a connector's MCP server (`protocol.md` §2.7, §3.9). Passes on
//! only the JSON of the connector's answer.

use omni_connector::{Manifest, wire::McpCredentials};
use serde::Serialize;
use serde_json::Value;

use super::Refusal;
use crate::{lookup, oauth, shared::Shared, state::ConnectorError, store::sources::SourceRecord};

/// Reads a resource on behalf of a source.
pub(crate) async fn resource(
    shared: &Shared,
    source_id: &str,
    uri: String,
) -> Result<Value, Refusal> {
    #[derive(Serialize)]
    struct Dispatch {
        uri: String,
        credentials: McpCredentials,
    }
    let source = source(shared, source_id).await?;
    let manifest = serving(shared, &source)?;
    let credentials = owner(shared, &source).await?;
    let dispatch = Dispatch { uri, credentials };
    send(shared, &manifest, "resource", &dispatch).await
}

/// Renders a prompt on behalf of a source.
pub(crate) async fn prompt(
    shared: &Shared,
    source_id: &str,
    name: String,
    arguments: Value,
) -> Result<Value, Refusal> {
    #[derive(Serialize)]
    struct Dispatch {
        name: String,
        arguments: Value,
        credentials: McpCredentials,
    }
    let source = source(shared, source_id).await?;
    let manifest = serving(shared, &source)?;
    let dispatch = Dispatch {
        name,
        arguments,
        credentials: owner(shared, &source).await?,
    };
    send(shared, &manifest, "prompt", &dispatch).await
}

/// A loaded skill.
#[derive(Debug)]
pub(crate) enum LoadedSkill {
    /// From the manifest.
    Declared {
        /// Its title.
        title: String,
        /// Its text.
        content: String,
    },
    /// The connector's answer.
    Answered(Value),
}

/// Loads a skill. A skill with content comes from the manifest. Any other is loaded from the
/// connector that declares it, whatever the named source's type.
pub(crate) async fn load_skill(
    shared: &Shared,
    id: &str,
    source_id: Option<&str>,
    arguments: Value,
) -> Result<LoadedSkill, Refusal> {
    #[derive(Serialize)]
    struct Dispatch<'a> {
        skill_id: &'a str,
        arguments: Value,
        credentials: McpCredentials,
    }
    let declared = shared.registry.live().into_iter().find_map(|manifest| {
        let skill = manifest.skills.iter().find(|skill| skill.id == id)?.clone();
        Some((manifest, skill))
    });
    let Some((manifest, skill)) = declared else {
        return Err(Refusal::NotFound(format!("Skill not found: {id}")));
    };
    if let Some(content) = skill.content {
        return Ok(LoadedSkill::Declared {
            title: skill.title,
            content,
        });
    }
    let Some(source_id) = source_id else {
        return Err(Refusal::BadRequest(format!(
            "source_id is required to load connector skill: {id}"
        )));
    };
    let source = source(shared, source_id).await?;
    let dispatch = Dispatch {
        skill_id: id,
        arguments,
        credentials: owner(shared, &source).await?,
    };
    let answer = send(shared, &manifest, "skill", &dispatch).await?;
    Ok(LoadedSkill::Answered(answer))
}

async fn source(shared: &Shared, id: &str) -> Result<SourceRecord, Refusal> {
    let source = lookup::source(shared, id).await?;
    source.ok_or_else(|| Refusal::source_not_found(id))
}

fn serving(shared: &Shared, source: &SourceRecord) -> Result<Manifest, Refusal> {
    lookup::connector(shared, source)
        .ok_or_else(|| Refusal::connector_not_registered(&source.source_type))
}

/// Returns the owner's credential, regardless of the caller.
async fn owner(shared: &Shared, source: &SourceRecord) -> Result<McpCredentials, Refusal> {
    oauth::owner(shared, source)
        .await?
        .as_ref()
        .map(McpCredentials::of)
        .ok_or_else(|| Refusal::credentials_not_found(&source.id))
}

async fn send(
    shared: &Shared,
    manifest: &Manifest,
    route: &str,
    dispatch: &impl Serialize,
) -> Result<Value, Refusal> {
    let url = format!("{}/{route}", manifest.connector_url);
    let answer: Result<Value, ConnectorError> = shared.connectors.post(&url, dispatch).await;
    answer.map_err(|error| Refusal::Internal(error.to_string()))
}
