//! `POST /action` (`protocol.md` §6): relays the connector's answer, except for its CORS header.

use axum::{
    body::Body,
    extract::State,
    http::header::ACCESS_CONTROL_ALLOW_ORIGIN,
    response::{IntoResponse, Response},
};

use crate::{
    routes::body::JsonBody,
    rules::{self, ActionAnswer, ActionCall, Refusal},
    shared::Shared,
};

pub(super) async fn call(
    State(shared): State<Shared>,
    JsonBody(call): JsonBody<ActionCall>,
) -> Result<Response, Refusal> {
    let ActionAnswer {
        status,
        mut headers,
        body,
    } = rules::call(&shared, call).await?;
    // Only the manager decides which origins may read an answer.
    headers.remove(ACCESS_CONTROL_ALLOW_ORIGIN);
    Ok((status, headers, Body::from(body)).into_response())
}
