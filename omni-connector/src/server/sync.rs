//! `/sync`, `/sync/{id}` and `/cancel`: start, probe and stop runs (`protocol.md` §2.3–2.5).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{
    App,
    body::Body,
    source::{Found, Unusable},
};
use crate::{
    connector::Unavailable,
    http::{PlannedFault, RequestId},
    manager::ManagerClient,
    panic,
    redact::{Secrets, redact},
    run::{NewRun, SlotRefusal, Work, starts_over},
    wire::{
        McpCredentials, RunId, RunningResponse, ServiceCredential, Source, StatusResponse,
        SyncRequest, SyncType,
    },
};

/// The longest accepted id; the manager's have 26 characters.
const LONGEST_ID: usize = 256;

/// A refused run: the status, and the reason shown to people on the run.
#[derive(Debug)]
struct Refusal(StatusCode, String);

impl Refusal {
    fn bad_request(reason: impl std::fmt::Display) -> Self {
        Self(StatusCode::BAD_REQUEST, reason.to_string())
    }
}

pub(super) async fn start(
    State(app): State<Arc<App>>,
    Body(request): Body<SyncRequest>,
) -> Response {
    let ids = check_id("sync_run_id", &request.sync_run_id)
        .and_then(|()| check_id("source_id", &request.source_id));
    if let Err(Refusal(status, reason)) = ids {
        // Neither counted nor logged as a refused run: no manager sends such ids.
        return answer(status, "error", Some(reason));
    }
    let (run, mode) = (request.sync_run_id.clone(), request.sync_mode);
    match try_start(Arc::clone(&app), request).await {
        Ok(()) => answer(StatusCode::OK, "started", None),
        Err(Refusal(status, reason)) => {
            let reason = redact(&reason).into_owned();
            app.manager.metrics().run_refused(mode.as_str());
            tracing::warn!(run, %mode, %status, reason, "a run was refused");
            answer(status, "error", Some(reason))
        }
    }
}

pub(super) async fn probe(
    State(app): State<Arc<App>>,
    run: Result<Path<String>, PathRejection>,
) -> Json<RunningResponse> {
    // An undecodable id means "not running"; any other answer would count as a lost run.
    let running = run.is_ok_and(|Path(run)| app.runs.is_known(&run));
    Json(RunningResponse { running })
}

pub(super) async fn report(
    State(app): State<Arc<App>>,
    run: Result<Path<String>, PathRejection>,
) -> Response {
    match run.ok().and_then(|Path(run)| app.runs.report(&run)) {
        Some(report) => Json(report).into_response(),
        None => answer(StatusCode::NOT_FOUND, "not_found", None),
    }
}

/// What a run asked of its source behind the request of that number. Only a process that `cargo omni` started knows.
pub(super) async fn requests(
    State(app): State<Arc<App>>,
    Path((run, after)): Path<(String, u64)>,
) -> Response {
    match app.runs.requests(&run, after) {
        Some(requests) => Json(requests).into_response(),
        None => answer(StatusCode::NOT_FOUND, "not_found", None),
    }
}

/// Plans a fault for the next calls of an operation.
pub(super) async fn plan_fault(Body(fault): Body<PlannedFault>) -> Response {
    if crate::http::plan_fault(fault) {
        answer(StatusCode::OK, "planned", None)
    } else {
        let reason = "no fault is planned: it happens to no call, or too many are planned";
        answer(StatusCode::CONFLICT, "error", Some(reason.to_owned()))
    }
}

/// Makes a call of a run once more.
pub(super) async fn repeat(Body(id): Body<RequestId>) -> Response {
    match crate::http::repeat(id).await {
        Some(repeated) => Json(repeated).into_response(),
        None => answer(StatusCode::NOT_FOUND, "not_found", None),
    }
}

pub(super) async fn cancel(State(app): State<Arc<App>>, Body(request): Body<RunId>) -> Response {
    match app.runs.cancel(&request.sync_run_id) {
        Some(()) => {
            tracing::info!(run = request.sync_run_id, "the run is cancelled");
            answer(StatusCode::OK, "cancelled", None)
        }
        None => answer(StatusCode::NOT_FOUND, "not_found", None),
    }
}

fn answer(code: StatusCode, status: &str, message: Option<String>) -> Response {
    (
        code,
        Json(StatusResponse {
            status: status.to_owned(),
            message,
        }),
    )
        .into_response()
}

/// Checks that an id can be the manager's: it goes into paths, where U+0000 always yields 500 (`protocol.md` §3.1).
fn check_id(name: &str, id: &str) -> Result<(), Refusal> {
    if id.is_empty() || id.len() > LONGEST_ID || id.contains(char::is_control) {
        return Err(Refusal::bad_request(format!(
            "invalid request: `{name}` is no id of the manager"
        )));
    }
    Ok(())
}

async fn try_start(app: Arc<App>, request: SyncRequest) -> Result<(), Refusal> {
    if app.runs.is_active(&request.sync_run_id) {
        return Ok(());
    }
    let mode = declared_mode(&app, request.sync_mode)?;
    let preparing = app.runs.prepare(&request.sync_run_id);
    let within = app.manager.patience().prepare;
    let is_read = Arc::new(AtomicBool::new(false));
    let request = Arc::new(request);
    // In a task of its own: the author's code may block, and the answer must not wait for it.
    let mut prepared = AbortOnDropHandle::new(tokio::spawn({
        let (app, request, is_read) =
            (Arc::clone(&app), Arc::clone(&request), Arc::clone(&is_read));
        async move { prepare(&app, &request, mode, &is_read).await }.in_current_span()
    }));
    let (source, credentials, secrets) = tokio::select! {
        prepared = &mut prepared => prepared.unwrap_or_else(|error| Err(stopped(&error))),
        () = tokio::time::sleep(within) => Err(too_slow(within, is_read.load(Ordering::Relaxed))),
        () = preparing.cancelled() => Err(cancelled()),
    }?;
    // The task has ended, and with it the other handle.
    let request = Arc::unwrap_or_clone(request);
    let reserving = app
        .runs
        .reserve_soon(&request.sync_run_id, &request.source_id, mode);
    let reserved = tokio::select! {
        // Check this first: a run must not start after its cancel was answered.
        biased;
        () = preparing.cancelled() => return Err(cancelled()),
        reserved = reserving => reserved,
    };
    if preparing.is_cancelled() {
        return Err(cancelled());
    }
    let slot = match reserved {
        Ok(slot) => slot,
        // The manager repeats a request whose answer was lost; that run is already executing.
        Err(SlotRefusal::ByItself) => return Ok(()),
        Err(SlotRefusal::ByRun(other)) => {
            let reason = format!("sync run `{other}` is already working on this source");
            return Err(Refusal(StatusCode::CONFLICT, reason));
        }
        Err(SlotRefusal::Closing) => {
            return Err(Refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "the connector is about to stop".to_owned(),
            ));
        }
    };
    if let Some(server) = app.connector.mcp_behind() {
        // In the background: a late answer makes the manager ask again and then fail the run (protocol.md §2.3).
        let credentials = credentials.as_ref().map(McpCredentials::of);
        server.discover_later(credentials.map(|credentials| credentials.about(&source)));
    }
    let connector = Arc::clone(&app.connector);
    let new = NewRun {
        request,
        mode,
        source,
        operators: connector.operators(),
        manager: app.manager.clone(),
        secrets,
    };
    let work: Work = Box::new(move |ctx| {
        let (source, checkpoint) = (ctx.source().clone(), ctx.checkpoint());
        Box::pin(async move { connector.sync(source, credentials, checkpoint, ctx).await })
    });
    app.runs.start(slot, new, work);
    Ok(())
}

/// Names the cause of a timeout: the manager until everything is read, then the connector's own check.
fn too_slow(within: Duration, is_read: bool) -> Refusal {
    let who = if is_read {
        "`validate` of the connector takes too long"
    } else {
        "the manager answers slowly"
    };
    let reason = format!(
        "the run could not be prepared within {} s; {who}",
        within.as_secs_f64()
    );
    Refusal(StatusCode::SERVICE_UNAVAILABLE, reason)
}

fn stopped(error: &tokio::task::JoinError) -> Refusal {
    let reason = format!("the preparation of the run was stopped: {error}");
    Refusal(StatusCode::INTERNAL_SERVER_ERROR, reason)
}

fn cancelled() -> Refusal {
    Refusal(
        StatusCode::CONFLICT,
        "the run was cancelled before it started".to_owned(),
    )
}

/// Returns the mode to run in: the manager ignores the declared ones on a manual trigger (`protocol.md` §2.3).
fn declared_mode(app: &App, asked: SyncType) -> Result<SyncType, Refusal> {
    let declared = app.connector.sync_modes();
    if declared.contains(&asked) {
        return Ok(asked);
    }
    if asked == SyncType::Realtime {
        // To a realtime request, 404 says that the mode is not available: the manager cancels the run and asks less often.
        return Err(Refusal(
            StatusCode::NOT_FOUND,
            "this connector has no realtime sync".to_owned(),
        ));
    }
    let other = declared
        .into_iter()
        .find(|mode| *mode != SyncType::Realtime);
    other.ok_or_else(|| Refusal::bad_request(format!("this connector has no `{asked}` sync")))
}

/// Reads and checks the run's inputs. Sets `is_read` between the two.
async fn prepare(
    app: &App,
    request: &SyncRequest,
    mode: SyncType,
    is_read: &AtomicBool,
) -> Result<(Source, Option<ServiceCredential>, Secrets), Refusal> {
    let manager = app.manager.before_giving_up(app.manager.patience().prepare);
    let Found {
        source,
        credentials,
        secrets,
    } = app
        .find(&manager, &request.source_id)
        .await
        .map_err(|unusable| Refusal(status_of(&unusable, mode), unusable.to_string()))?;
    if credentials.is_none() && app.connector.requires_credentials() {
        return Err(Refusal::bad_request(format!(
            "source `{}` has no credentials, which connector `{}` needs; add them to the source",
            source.name,
            app.connector.name()
        )));
    }
    is_read.store(true, Ordering::Relaxed);
    let judged = panic::catch(judge(
        app,
        request,
        mode,
        &manager,
        &source,
        credentials.as_ref(),
    ))
    .await;
    let judged = judged.unwrap_or_else(|panic| {
        let reason = format!("the connector panicked {panic}");
        Err(Refusal(StatusCode::INTERNAL_SERVER_ERROR, reason))
    });
    judged.map_err(|Refusal(status, reason)| Refusal(status, secrets.redact(&reason)))?;
    Ok((source, credentials, secrets))
}

/// Runs the connector's own checks: decoding into its types, and its final check.
async fn judge(
    app: &App,
    request: &SyncRequest,
    mode: SyncType,
    manager: &ManagerClient,
    source: &Source,
    credentials: Option<&ServiceCredential>,
) -> Result<(), Refusal> {
    app.connector
        .check(source, credentials)
        .map_err(Refusal::bad_request)?;
    let sent = request.checkpoint.as_ref();
    let sent = sent.filter(|sent| !sent.is_null() && !starts_over(request, mode, source));
    if let Some(checkpoint) = sent {
        app.connector.check_checkpoint(checkpoint).map_err(|error| {
            Refusal::bad_request(format!(
                "{error}\nhelp: the state of the connector has changed; run a full sync of the source, or let the state decode \
                 what was saved"
            ))
        })?;
    }
    let checked = app.connector.validate(mode, source, credentials, manager);
    checked.await.map_err(|error| {
        let status = match error.downcast_ref::<Unavailable>() {
            Some(_) => StatusCode::NOT_FOUND,
            None => StatusCode::BAD_REQUEST,
        };
        Refusal(status, format!("{error:#}"))
    })
}

const fn status_of(unusable: &Unusable, mode: SyncType) -> StatusCode {
    match (unusable, mode) {
        // A 404 to realtime says that the mode is not available.
        (Unusable::Missing(_), SyncType::Full | SyncType::Incremental) => StatusCode::NOT_FOUND,
        (Unusable::Unreadable { .. }, _) => StatusCode::BAD_GATEWAY,
        _ => StatusCode::BAD_REQUEST,
    }
}
