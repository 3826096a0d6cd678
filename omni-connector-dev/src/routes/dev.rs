//! Routes under `/dev/api` that only the development manager has, for the command line. A wait that
//! times out answers 204.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    App,
    body::{Id, JsonBody},
};
use crate::{
    extract::FileNote,
    lookup,
    oauth::SignIns,
    rules::{
        self, ActionCall, Changes, Described, Description, Descriptions, DryRun, Listed, ManualRun,
        Progress, Refusal, StartedRun,
    },
    shared::Shared,
    store::{
        runs::{RefusedEvent, Run},
        search::{Hits, Query as Search},
        sources::SourceRecord,
        textless::Textless,
        users::{User, UserRole},
    },
};

/// Longest wait of one request. Clients repeat the request to wait longer.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/dev/api/registration", get(registration))
        .route("/dev/api/resume", post(resume))
        .route("/dev/api/sources", get(sources).put(describe))
        .route(
            "/dev/api/sources/{id}",
            get(source).patch(change).delete(remove),
        )
        .route("/dev/api/sources/{id}/take-back", post(take_back))
        .route("/dev/api/sources/{id}/run", post(begin))
        .route("/dev/api/runs/{id}", get(progress))
        .route("/dev/api/runs/{id}/refusals", get(refusals))
        .route("/dev/api/runs/{id}/textless", get(textless))
        .route("/dev/api/runs/{id}/file-notes", get(file_notes))
        .route("/dev/api/runs/{id}/give-up", post(give_up))
        .route("/dev/api/dry-run", post(dry_run))
        .route("/dev/api/users", put(user))
        .route("/dev/api/missing-scopes", get(missing_scopes))
        .route("/dev/api/sign-ins", get(sign_ins))
        .route("/dev/api/sign-ins/next", get(next_sign_in))
        .route("/dev/api/oauth-clients/{provider}", put(keep_client))
        .route("/dev/api/search", get(search))
}

/// Returns the route whose answer is sent back changed, so nothing may be hidden in it.
pub(super) fn settings_route() -> Router<App> {
    Router::new().route("/dev/api/sources/{id}/settings", get(settings))
}

/// Answers with the value, or with 204 after the longest wait.
async fn in_time<T: IntoResponse>(value: impl Future<Output = T>) -> Response {
    match timeout(LONGEST_WAIT, value).await {
        Ok(value) => value.into_response(),
        Err(_) => StatusCode::NO_CONTENT.into_response(),
    }
}

#[derive(Debug, Deserialize)]
struct Place {
    port: Option<u16>,
}

/// Answers with the first connector that registered since the manager started, or the one on the given port.
async fn registration(State(shared): State<Shared>, Query(place): Query<Place>) -> Response {
    in_time(async {
        Json(match place.port {
            Some(port) => rules::registration_at(&shared, port).await,
            None => rules::first_registration(&shared).await,
        })
    })
    .await
}

/// Resumes interrupted runs.
async fn resume(State(shared): State<Shared>) -> Result<Json<Vec<Run>>, Refusal> {
    rules::resume_all(&shared).await.map(Json)
}

async fn sources(State(shared): State<Shared>) -> Result<Json<Vec<Listed>>, Refusal> {
    Ok(Json(rules::listed(&shared).await?))
}

async fn describe(
    State(shared): State<Shared>,
    State(descriptions): State<Descriptions>,
    JsonBody(description): JsonBody<Description>,
) -> Result<Json<Described>, Refusal> {
    let described = rules::describe(&shared, &descriptions, description).await?;
    Ok(Json(described))
}

async fn source(State(shared): State<Shared>, Id(wanted): Id) -> Result<Json<Listed>, Refusal> {
    rules::find_one(&shared, &wanted).await.map(Json)
}

async fn settings(State(shared): State<Shared>, Id(wanted): Id) -> Result<Json<Value>, Refusal> {
    let found = rules::find_one(&shared, &wanted).await?;
    Ok(Json(found.source.config))
}

async fn change(
    State(shared): State<Shared>,
    Id(id): Id,
    JsonBody(changes): JsonBody<Changes>,
) -> Result<Json<SourceRecord>, Refusal> {
    rules::change(&shared, id, changes).await.map(Json)
}

async fn remove(State(shared): State<Shared>, Id(id): Id) -> Result<StatusCode, Refusal> {
    rules::remove_source(&shared, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn take_back(
    State(shared): State<Shared>,
    State(descriptions): State<Descriptions>,
    Id(id): Id,
) -> Result<StatusCode, Refusal> {
    rules::take_back(&shared, &descriptions, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn begin(
    State(shared): State<Shared>,
    Id(id): Id,
    JsonBody(request): JsonBody<ManualRun>,
) -> Result<Json<StartedRun>, Refusal> {
    rules::sync_manually(&shared, &id, request).await.map(Json)
}

async fn progress(State(shared): State<Shared>, Id(run): Id) -> Result<Json<Progress>, Refusal> {
    let progress = rules::progress(&shared, &run).await?;
    progress
        .map(Json)
        .ok_or_else(|| Refusal::NotFound(format!("Sync run not found: {run}")))
}

#[derive(Debug, Deserialize)]
struct Limit {
    limit: usize,
}

async fn refusals(
    State(shared): State<Shared>,
    Id(run): Id,
    Query(Limit { limit }): Query<Limit>,
) -> Result<Json<Vec<RefusedEvent>>, Refusal> {
    Ok(Json(rules::refusals(&shared, &run, limit).await?))
}

async fn textless(
    State(shared): State<Shared>,
    Id(run): Id,
    Query(Limit { limit }): Query<Limit>,
) -> Result<Json<Textless>, Refusal> {
    Ok(Json(rules::textless(&shared, &run, limit).await?))
}

#[derive(Debug, Deserialize)]
struct GivenUp {
    reason: String,
}

async fn give_up(
    State(shared): State<Shared>,
    Id(run): Id,
    JsonBody(GivenUp { reason }): JsonBody<GivenUp>,
) -> Result<StatusCode, Refusal> {
    rules::give_up(&shared, run, reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn dry_run(
    State(shared): State<Shared>,
    JsonBody(call): JsonBody<ActionCall>,
) -> Result<Json<DryRun>, Refusal> {
    Ok(Json(rules::dry_run(&shared, call).await?))
}

#[derive(Debug, Deserialize)]
struct Person {
    email: String,
}

async fn user(
    State(shared): State<Shared>,
    JsonBody(Person { email }): JsonBody<Person>,
) -> Result<Json<User>, Refusal> {
    Ok(Json(lookup::user(&shared, &email, UserRole::User).await?))
}

#[derive(Debug, Deserialize)]
struct Call {
    source_id: String,
    user_id: String,
    action: String,
}

async fn missing_scopes(
    State(shared): State<Shared>,
    Query(call): Query<Call>,
) -> Result<Json<Vec<String>>, Refusal> {
    let Call {
        source_id,
        user_id,
        action,
    } = call;
    let missing = rules::missing_scopes(&shared, &source_id, &user_id, &action).await?;
    Ok(Json(missing))
}

/// Answers with the number of ended sign-ins.
async fn sign_ins(State(sign_ins): State<SignIns>) -> Json<Value> {
    Json(json!({ "ended": sign_ins.ended() }))
}

#[derive(Debug, Deserialize)]
struct After {
    after: u64,
}

/// The result of a sign-in: the address of the account, or the reason for the failure.
#[derive(Debug, Serialize)]
struct SignedIn {
    email: Option<String>,
    error: Option<String>,
}

/// Waits until more than `after` sign-ins have ended. Answers with the latest.
async fn next_sign_in(
    State(sign_ins): State<SignIns>,
    Query(After { after }): Query<After>,
) -> Response {
    in_time(async {
        let ended = sign_ins.after(after).await;
        Json(match ended {
            Ok(email) => SignedIn {
                email: Some(email),
                error: None,
            },
            Err(error) => SignedIn {
                email: None,
                error: Some(error),
            },
        })
    })
    .await
}

#[derive(Deserialize)]
struct Client {
    id: String,
    secret: Option<String>,
}

async fn keep_client(
    State(shared): State<Shared>,
    Id(provider): Id,
    JsonBody(Client { id, secret }): JsonBody<Client>,
) -> Result<StatusCode, Refusal> {
    rules::keep_oauth_client(&shared, provider, id, secret).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
struct Asked {
    text: String,
    #[serde(rename = "as")]
    viewer: Option<String>,
    limit: usize,
}

async fn search(
    State(shared): State<Shared>,
    Query(Asked {
        text,
        viewer,
        limit,
    }): Query<Asked>,
) -> Result<Json<Hits>, Refusal> {
    let query = Search {
        text,
        viewer,
        limit,
    };
    Ok(Json(shared.store.search(query).await?))
}

async fn file_notes(State(shared): State<Shared>, Id(run): Id) -> Json<Vec<FileNote>> {
    Json(shared.file_notes.of(&run))
}
