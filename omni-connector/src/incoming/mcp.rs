//! `/resource`, `/prompt` and `/skill` of a connector without an MCP server (`protocol.md` §2.7): declared skills are
//! answered, everything else does not exist.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, body::Body};
use crate::contract::wire::ErrorBody;

#[derive(Debug, Deserialize)]
pub(super) struct SkillRequest {
    skill_id: String,
}

pub(super) async fn resource(Body(_): Body<Value>) -> Response {
    not_found("MCP is not enabled for this connector".to_owned())
}

pub(super) async fn prompt(Body(_): Body<Value>) -> Response {
    not_found("MCP is not enabled for this connector".to_owned())
}

pub(super) async fn skill(State(app): State<App>, Body(request): Body<SkillRequest>) -> Response {
    let declared = app
        .manifest()
        .skills
        .into_iter()
        .find(|skill| skill.id == request.skill_id);
    match declared.and_then(|skill| Some((skill.title, skill.content?))) {
        Some((title, content)) => {
            Json(json!({ "skill_id": request.skill_id, "title": title, "content": content }))
                .into_response()
        }
        None => not_found(format!("Skill not found: {}", request.skill_id)),
    }
}

fn not_found(error: String) -> Response {
    (StatusCode::NOT_FOUND, Json(ErrorBody { error })).into_response()
}
