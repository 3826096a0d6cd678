//! `POST /resource`, `/prompt` and `/skill` (`protocol.md` §3.9).

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    routes::body::JsonBody,
    rules::{self, LoadedSkill, Refusal},
    shared::Shared,
};

#[derive(Debug, Deserialize)]
pub(super) struct Resource {
    source_id: String,
    uri: String,
}

pub(super) async fn resource(
    State(shared): State<Shared>,
    JsonBody(Resource { source_id, uri }): JsonBody<Resource>,
) -> Result<Json<Value>, Refusal> {
    rules::resource(&shared, &source_id, uri).await.map(Json)
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
) -> Result<Json<Value>, Refusal> {
    let Prompt {
        source_id,
        name,
        arguments,
    } = prompt;
    let answer = rules::prompt(&shared, &source_id, name, arguments).await;
    answer.map(Json)
}

#[derive(Debug, Deserialize)]
pub(super) struct SkillCall {
    skill_id: String,
    source_id: Option<String>,
    #[serde(default)]
    arguments: Value,
}

pub(super) async fn skill(
    State(shared): State<Shared>,
    JsonBody(call): JsonBody<SkillCall>,
) -> Result<Json<Value>, Refusal> {
    let SkillCall {
        skill_id: id,
        source_id,
        arguments,
    } = call;
    let loaded = rules::load_skill(&shared, &id, source_id.as_deref(), arguments).await?;
    Ok(Json(match loaded {
        LoadedSkill::Declared { title, content } => {
            json!({ "skill_id": id, "title": title, "content": content })
        }
        LoadedSkill::Answered(answer) => answer,
    }))
}
