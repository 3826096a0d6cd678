//! Routes that list what live connectors offer (`protocol.md` §3.9).

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    rules::{self, Offer, OfferedSkill, Refusal},
    shared::Shared,
};

pub(super) async fn connectors(State(shared): State<Shared>) -> Json<Vec<Value>> {
    let entries = rules::connectors(&shared).await.into_iter();
    let entries = entries.map(
        |Offer {
             source_type,
             of: (manifest, healthy),
         }| {
            json!({
                "source_type": source_type,
                "url": manifest.connector_url,
                "healthy": healthy,
                "manifest": manifest,
            })
        },
    );
    Json(entries.collect())
}

#[derive(Debug, Deserialize)]
pub(super) struct OfSource {
    source_id: Option<String>,
}

pub(super) async fn actions(
    State(shared): State<Shared>,
    Query(OfSource { source_id }): Query<OfSource>,
) -> Result<Json<Value>, Refusal> {
    let offers = rules::offered_actions(&shared, source_id.as_deref()).await?;
    Ok(list("actions", offers, |source_type, action| {
        json!({
            "source_type": source_type,
            "name": action.name,
            "description": action.description,
            "input_schema": action.input_schema,
            "mode": action.mode,
            "admin_only": action.admin_only,
        })
    }))
}

pub(super) async fn resources(State(shared): State<Shared>) -> Json<Value> {
    let offers = rules::offered_resources(&shared);
    list("resources", offers, |source_type, resource| {
        json!({
            "source_type": source_type,
            "uri_template": resource.uri_template,
            "name": resource.name,
            "description": resource.description,
            "mime_type": resource.mime_type,
        })
    })
}

pub(super) async fn prompts(State(shared): State<Shared>) -> Json<Value> {
    let offers = rules::offered_prompts(&shared);
    list("prompts", offers, |source_type, prompt| {
        json!({
            "source_type": source_type,
            "name": prompt.name,
            "description": prompt.description,
            "arguments": prompt.arguments,
        })
    })
}

pub(super) async fn skills(State(shared): State<Shared>) -> Result<Json<Value>, Refusal> {
    let offers = rules::offered_skills(&shared).await?;
    Ok(list("skills", offers, |source_type, offered| {
        let OfferedSkill {
            connector_id,
            source_id,
            skill,
        } = offered;
        json!({
            "connector_id": connector_id,
            "source_type": source_type,
            "source_id": source_id,
            "id": skill.id,
            "title": skill.title,
            "description": skill.description,
            "mcp_prompt": skill.mcp_prompt,
        })
    }))
}

fn list<T>(name: &str, offers: Vec<Offer<T>>, row: impl Fn(String, T) -> Value) -> Json<Value> {
    let rows = offers
        .into_iter()
        .map(|Offer { source_type, of }| row(source_type, of));
    Json(json!({ name: rows.collect::<Vec<_>>() }))
}
