//! `GET /sources`, `/schedules` and related routes (`protocol.md` §3.9).

use axum::{Json, extract::State};

use crate::{
    routes::body::Id,
    rules::{self, Overview, Refusal, Schedule},
    shared::Shared,
};

pub(super) async fn all(State(shared): State<Shared>) -> Result<Json<Vec<Overview>>, Refusal> {
    rules::all_sources(&shared).await.map(Json)
}

pub(super) async fn active(State(shared): State<Shared>) -> Result<Json<Vec<Overview>>, Refusal> {
    rules::active_sources(&shared).await.map(Json)
}

pub(super) async fn one(
    State(shared): State<Shared>,
    Id(id): Id,
) -> Result<Json<Overview>, Refusal> {
    rules::one_source(&shared, id).await.map(Json)
}

pub(super) async fn schedules(
    State(shared): State<Shared>,
) -> Result<Json<Vec<Schedule>>, Refusal> {
    rules::schedules(&shared).await.map(Json)
}

pub(super) async fn refresh_remote_mcp(
    State(shared): State<Shared>,
    Id(id): Id,
) -> Result<(), Refusal> {
    rules::refresh_remote_mcp(&shared, &id).await
}
