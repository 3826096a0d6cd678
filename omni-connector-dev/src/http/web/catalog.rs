//! What the live connectors offer (`protocol.md` §3.9), flattened by source type.

use axum::{
    Json,
    extract::{Query, State},
};
use futures_util::future::join_all;
use omni_connector::{Manifest, SourceType, wire::ActionMode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{http::error::ApiError, manager::Shared, store::sources};

#[derive(Serialize)]
pub(super) struct Entry {
    source_type: String,
    url: String,
    healthy: bool,
    manifest: Manifest,
}

pub(super) async fn connectors(State(shared): State<Shared>) -> Json<Vec<Entry>> {
    let manifests = shared.registry.live();
    let healths = manifests
        .iter()
        .map(|manifest| shared.connectors.is_healthy(&manifest.connector_url));
    let healths = join_all(healths).await;
    let entries = manifests
        .iter()
        .zip(healths)
        .flat_map(|(manifest, healthy)| {
            manifest.source_types.iter().map(move |source_type| Entry {
                source_type: source_type.clone(),
                url: manifest.connector_url.clone(),
                healthy,
                manifest: manifest.clone(),
            })
        });
    Json(entries.collect())
}

#[derive(Debug, Deserialize)]
pub(super) struct OfSource {
    source_id: Option<String>,
}

/// Every action that can be offered. A source only says whether write actions are among them.
pub(super) async fn actions(
    State(shared): State<Shared>,
    Query(OfSource { source_id }): Query<OfSource>,
) -> Result<Json<Value>, ApiError> {
    let source = match source_id {
        Some(id) => shared.store.read(move |db| sources::find(db, &id)).await?,
        None => None,
    };
    let source_is_read_only = source.is_some_and(|source| source.is_read_only());
    let manifests = shared.registry.live();
    let mut actions = Vec::new();
    for (manifest, source_type) in by_type(&manifests) {
        let read_only = manifest.read_only || source_is_read_only;
        for action in &manifest.actions {
            let is_offered = !action.hidden
                && covers(&action.source_types, source_type)
                && !(read_only && action.mode == ActionMode::Write);
            if is_offered {
                actions.push(json!({
                    "source_type": source_type,
                    "name": action.name,
                    "description": action.description,
                    "input_schema": action.input_schema,
                    "mode": action.mode,
                    "admin_only": action.admin_only,
                }));
            }
        }
    }
    Ok(Json(json!({ "actions": actions })))
}

pub(super) async fn resources(State(shared): State<Shared>) -> Json<Value> {
    let manifests = shared.registry.live();
    let mut resources = Vec::new();
    for (manifest, source_type) in by_type(&manifests).filter(|(manifest, _)| manifest.mcp_enabled)
    {
        resources.extend(manifest.resources.iter().map(|resource| {
            json!({
                "source_type": source_type,
                "uri_template": resource.uri_template,
                "name": resource.name,
                "description": resource.description,
                "mime_type": resource.mime_type,
            })
        }));
    }
    Json(json!({ "resources": resources }))
}

pub(super) async fn prompts(State(shared): State<Shared>) -> Json<Value> {
    let manifests = shared.registry.live();
    let mut prompts = Vec::new();
    for (manifest, source_type) in by_type(&manifests).filter(|(manifest, _)| manifest.mcp_enabled)
    {
        prompts.extend(manifest.prompts.iter().map(|prompt| {
            json!({
                "source_type": source_type,
                "name": prompt.name,
                "description": prompt.description,
                "arguments": prompt.arguments,
            })
        }));
    }
    Json(json!({ "prompts": prompts }))
}

/// A row for each skill, source type and source; one without a source for a type that has none.
pub(super) async fn skills(State(shared): State<Shared>) -> Result<Json<Value>, ApiError> {
    let sources = shared.store.read(sources::all).await?;
    let mut rows = Vec::new();
    for manifest in shared.registry.live() {
        for skill in &manifest.skills {
            let types = manifest.source_types.iter();
            for source_type in types.filter(|name| covers(&skill.source_types, name)) {
                let of_type = sources
                    .iter()
                    .filter(|source| !source.is_deleted && source.source_type == *source_type);
                let mut ids: Vec<_> = of_type.map(|source| Some(source.id.as_str())).collect();
                if ids.is_empty() {
                    ids.push(None);
                }
                rows.extend(ids.into_iter().map(|id| {
                    json!({
                        "connector_id": manifest.connector_id,
                        "source_type": source_type,
                        "source_id": id,
                        "id": skill.id,
                        "title": skill.title,
                        "description": skill.description,
                        "mcp_prompt": skill.mcp_prompt,
                    })
                }));
            }
        }
    }
    Ok(Json(json!({ "skills": rows })))
}

fn by_type(manifests: &[Manifest]) -> impl Iterator<Item = (&Manifest, &String)> {
    manifests.iter().flat_map(|manifest| {
        let types = manifest.source_types.iter();
        types.map(move |source_type| (manifest, source_type))
    })
}

/// An empty list means every type, in listings.
fn covers(listed: &[SourceType], source_type: &str) -> bool {
    listed.is_empty() || listed.iter().any(|listed| listed.as_str() == source_type)
}
