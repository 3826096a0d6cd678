//! `/sync`, `/sync/{id}` and `/cancel`: starting, probing and stopping runs (`protocol.md` §2.3–2.5).

use std::time::Duration;

use anyhow::anyhow;
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio_util::task::AbortOnDropHandle;

pub(super) use super::panic::panic_message;
use super::{
    App,
    body::Body,
    panic::{self, Panicked},
    runs::{Slot, Taken},
};
use crate::{
    contract::{
        McpCredentials, ServiceCredential, Source, SyncType,
        wire::{RunId, RunningResponse, StatusResponse, SyncRequest},
    },
    outgoing::ManagerError,
    run::{RunError, RunReport, SyncContext},
};

/// The manager gives up on an answer after 30 s; what cannot be prepared by then is refused with a reason.
const PREPARE: Duration = Duration::from_secs(20);

/// A cancelled run may finish what it is doing for this long before its task is stopped.
const GRACE: Duration = Duration::from_secs(10);

/// Failures that are named in the log when a run ends; all of them were logged when they happened.
const NAMED_FAILURES: usize = 10;

/// A run that was not started, with the status and the reason that people will read on the run.
#[derive(Debug)]
struct Refusal(StatusCode, String);

impl Refusal {
    fn bad_request(reason: impl std::fmt::Display) -> Self {
        Self(StatusCode::BAD_REQUEST, reason.to_string())
    }
}

pub(super) async fn start(State(app): State<App>, Body(request): Body<SyncRequest>) -> Response {
    let (run, mode) = (request.sync_run_id.clone(), request.sync_mode);
    match try_start(app, request).await {
        Ok(()) => answer(StatusCode::OK, "started", None),
        Err(Refusal(status, reason)) => {
            tracing::warn!(run, %mode, %status, reason, "a run was refused");
            answer(status, "error", Some(reason))
        }
    }
}

pub(super) async fn probe(
    State(app): State<App>,
    Path(run): Path<String>,
) -> Json<RunningResponse> {
    Json(RunningResponse {
        running: app.runs.is_active(&run),
    })
}

pub(super) async fn report(State(app): State<App>, Path(run): Path<String>) -> Response {
    match app.runs.report(&run) {
        Some(report) => Json(report).into_response(),
        None => answer(StatusCode::NOT_FOUND, "not_found", None),
    }
}

pub(super) async fn cancel(State(app): State<App>, Body(request): Body<RunId>) -> Response {
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

async fn try_start(app: App, request: SyncRequest) -> Result<(), Refusal> {
    if app.runs.is_active(&request.sync_run_id) {
        return Ok(());
    }
    let mode = declared_mode(&app, request.sync_mode)?;
    let prepared = tokio::time::timeout(PREPARE, prepare(&app, &request, mode)).await;
    let (source, credentials) = prepared.unwrap_or_else(|_| {
        Err(Refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "the manager did not answer in time".to_owned(),
        ))
    })?;
    let slot = match app
        .runs
        .reserve_soon(&request.sync_run_id, &request.source_id, mode)
        .await
    {
        Ok(slot) => slot,
        // The manager repeats a request whose answer was lost; the run it asks for is executing.
        Err(Taken::ByItself) => return Ok(()),
        Err(Taken::ByRun(other)) => {
            let reason = format!("sync run `{other}` is already working on this source");
            return Err(Refusal(StatusCode::CONFLICT, reason));
        }
        Err(Taken::Closing) => {
            return Err(Refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "the connector is about to stop".to_owned(),
            ));
        }
    };
    let ctx = SyncContext::start(
        &request,
        mode,
        source,
        app.connector.operators(),
        app.manager.clone(),
    );
    if slot.begin(&ctx) {
        if let Some(bridge) = &app.bridge {
            // In the background: a late answer makes the manager ask again and then fail the run (protocol.md §2.3).
            bridge.discover_later(credentials.as_ref().map(McpCredentials::of));
        }
        app.runs.clone().spawn(execute(app, ctx, credentials, slot));
    } else {
        ctx.cancel();
    }
    Ok(())
}

/// The mode to run in: the manager does not look at the declared ones before a manual trigger (`protocol.md` §2.3).
fn declared_mode(app: &App, asked: SyncType) -> Result<SyncType, Refusal> {
    let declared = app.connector.sync_modes();
    if declared.contains(&asked) {
        return Ok(asked);
    }
    if asked == SyncType::Realtime {
        // The one 404 that is meant: the manager then cancels the run and stops asking for a while.
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

/// Reads and checks what the run needs.
async fn prepare(
    app: &App,
    request: &SyncRequest,
    mode: SyncType,
) -> Result<(Source, Option<ServiceCredential>), Refusal> {
    let source = app
        .manager
        .source(&request.source_id)
        .await
        .map_err(|error| match error {
            // In realtime a 404 would mean that the mode is not available.
            error if error.is_not_found() && mode != SyncType::Realtime => Refusal(
                StatusCode::NOT_FOUND,
                format!("source `{}` does not exist", request.source_id),
            ),
            error if error.is_not_found() => {
                Refusal::bad_request(format!("source `{}` does not exist", request.source_id))
            }
            error => unavailable("source", &error),
        })?;
    if source.is_deleted {
        return Err(Refusal::bad_request(format!(
            "source `{}` is deleted",
            source.name
        )));
    }
    if !source.is_active {
        return Err(Refusal::bad_request(format!(
            "source `{}` is switched off",
            source.name
        )));
    }
    let (connector, served) = (app.connector.name(), app.connector.source_types());
    if !served.contains(&source.source_type) {
        let served = served
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        return Err(Refusal::bad_request(format!(
            "source `{}` is of type `{}`, which connector `{connector}` does not serve; it serves {served}",
            source.name, source.source_type
        )));
    }
    let credentials = match app.manager.credentials(&request.source_id).await {
        Ok(credentials) => Some(credentials),
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(unavailable("credentials", &error)),
    };
    if credentials.is_none() && app.connector.requires_credentials() {
        return Err(Refusal::bad_request(format!(
            "source `{}` has no credentials, which connector `{connector}` needs; add them to the source",
            source.name
        )));
    }
    let checkpoint = request
        .checkpoint
        .as_ref()
        .filter(|checkpoint| !checkpoint.is_null());
    app.connector
        .check(&source, credentials.as_ref(), checkpoint)
        .map_err(Refusal::bad_request)?;
    app.connector
        .validate(&source, credentials.as_ref(), &app.manager)
        .await
        .map_err(|error| Refusal::bad_request(format!("{error:#}")))?;
    Ok((source, credentials))
}

fn unavailable(what: &str, error: &ManagerError) -> Refusal {
    Refusal(
        StatusCode::BAD_GATEWAY,
        format!("the {what} cannot be read: {error}"),
    )
}

/// How the author's function ended.
enum End {
    Returned(anyhow::Result<()>),
    Panicked(Panicked),
    /// The run takes nothing any more, and its task was given time to notice.
    Stopped(RunError),
}

async fn execute(app: App, ctx: SyncContext, credentials: Option<ServiceCredential>, slot: Slot) {
    let (run, mode) = (ctx.sync_run_id().to_owned(), ctx.sync_mode());
    tracing::info!(run, source = ctx.source_id(), %mode, resume = ctx.is_resume(), "the run begins");
    let started = std::time::Instant::now();
    let end = work(&app, &ctx, credentials).await;
    let outcome = finish(&ctx, end).await;
    let report = ctx.report();
    let seconds = started.elapsed().as_secs_f64();
    match outcome {
        Ok(how) => tracing::info!(
            run,
            scanned = report.scanned,
            updated = report.updated,
            deleted = report.deleted,
            skipped = report.skipped,
            failed = report.failed,
            seconds,
            "the run {how}{}",
            losses(&report)
        ),
        Err(
            RunError::Cancelled | RunError::Ended | RunError::Manager(ManagerError::RunOver { .. }),
        ) => {
            tracing::info!(
                run,
                scanned = report.scanned,
                updated = report.updated,
                seconds,
                "the run is over"
            );
        }
        Err(error) => tracing::error!(run, %error, "the run ends without the manager knowing how"),
    }
    ctx.abandon();
    drop(slot);
}

/// Tells the manager how the run ended; in a word.
async fn finish(ctx: &SyncContext, end: End) -> Result<&'static str, RunError> {
    if ctx.is_cancelled() {
        // Completing or failing a cancelled run would overwrite what the manager made of it.
        return ctx.flush().await.map(|()| "stopped");
    }
    let failure = match end {
        End::Returned(Ok(())) => match ctx.complete().await {
            Err(reason @ RunError::TooManyFailures { .. }) => reason.to_string(),
            other => return other.map(|()| "completed"),
        },
        End::Returned(Err(error)) => format!("{error:#}"),
        End::Panicked(panic) => format!("the connector panicked {panic}"),
        // The manager knows already; a failure would be about a run that is not this one's any more.
        End::Stopped(
            reason @ (RunError::Cancelled
            | RunError::Ended
            | RunError::Manager(ManagerError::RunOver { .. })),
        ) => return Err(reason),
        End::Stopped(reason) => reason.to_string(),
    };
    tracing::error!(run = ctx.sync_run_id(), "the run failed: {failure}");
    ctx.fail(failure).await.map(|()| "failed")
}

/// What did not arrive, for the last line about a run: every reason once.
fn losses(report: &RunReport) -> String {
    let skips = report.reasons.iter();
    let skips = skips.map(|(reason, count)| format!("\n  {count} skipped: {reason}"));
    let failures = report.failures.iter().take(NAMED_FAILURES);
    let failures = failures.map(|failure| {
        let link = failure.link.as_deref().unwrap_or_default();
        format!("\n  failed: `{}` {link}: {}", failure.item, failure.cause)
    });
    let named = NAMED_FAILURES as u64;
    let more = (report.failed > named).then(|| format!("\n  … and {} more", report.failed - named));
    skips.chain(failures).chain(more).collect()
}

async fn work(app: &App, ctx: &SyncContext, credentials: Option<ServiceCredential>) -> End {
    let source = ctx.source().clone();
    let checkpoint = ctx.checkpoint();
    let connector = std::sync::Arc::clone(&app.connector);
    let author = ctx.clone();
    // A task of its own: the author's code may block or panic without taking the supervision with it.
    let mut task = AbortOnDropHandle::new(tokio::spawn(async move {
        panic::catch(async {
            connector
                .sync(source, credentials, checkpoint, author)
                .await
        })
        .await
    }));
    let ended = tokio::select! {
        ended = &mut task => ended,
        reason = ctx.closed() => tokio::select! {
            ended = &mut task => ended,
            () = tokio::time::sleep(GRACE) => return End::Stopped(reason),
            () = app.runs.stopped() => return End::Stopped(reason),
        },
    };
    // An author whose call is refused returns that error; the reason itself says more. A run that `sync` ended by its own
    // call is closed, too, and went as it returns.
    if let Some(reason) = ctx.refusal().filter(|reason| *reason != RunError::Ended) {
        return End::Stopped(reason);
    }
    match ended {
        Ok(Ok(result)) => End::Returned(result),
        Ok(Err(panic)) => End::Panicked(panic),
        Err(error) => End::Returned(Err(anyhow!("the task of the run was stopped: {error}"))),
    }
}
