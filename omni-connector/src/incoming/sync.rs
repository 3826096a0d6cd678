//! `/sync`, `/sync/{id}` and `/cancel`: starting, probing and stopping runs (`protocol.md` §2.3–2.5).

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, Span, field};

use super::{
    App,
    body::Body,
    panic::{self, Panicked},
    runs::{Runs, Slot, Taken},
};
use crate::{
    contract::{
        BoxFuture, McpCredentials, Secrets, ServiceCredential, Source, SyncType, redact,
        wire::{RunId, RunningResponse, StatusResponse, SyncRequest},
    },
    outgoing::{ManagerClient, ManagerError},
    run::{RunError, RunReport, SyncContext},
    telemetry::Ending,
};

/// A cancelled run may finish what it is doing for this long before its task is stopped.
const GRACE: Duration = Duration::from_secs(10);

/// Failures that are named in the log when a run ends; all of them were logged when they happened.
const NAMED_FAILURES: usize = 10;

/// Longer ids are nobody's; the manager's have 26 characters.
const LONGEST_ID: usize = 256;

/// A run that was not started, with the status and the reason that people will read on the run.
#[derive(Debug)]
struct Refusal(StatusCode, String);

impl Refusal {
    fn bad_request(reason: impl std::fmt::Display) -> Self {
        Self(StatusCode::BAD_REQUEST, reason.to_string())
    }
}

pub(super) async fn start(State(app): State<App>, Body(request): Body<SyncRequest>) -> Response {
    let ids = check_id("sync_run_id", &request.sync_run_id)
        .and_then(|()| check_id("source_id", &request.source_id));
    if let Err(Refusal(status, reason)) = ids {
        return answer(status, "error", Some(reason));
    }
    let (run, mode) = (request.sync_run_id.clone(), request.sync_mode);
    match try_start(app.clone(), request).await {
        Ok(()) => answer(StatusCode::OK, "started", None),
        Err(Refusal(status, reason)) => {
            let reason = redact(&reason).into_owned();
            app.manager.metrics().run_refused(mode);
            tracing::warn!(run, %mode, %status, reason, "a run was refused");
            answer(status, "error", Some(reason))
        }
    }
}

pub(super) async fn probe(
    State(app): State<App>,
    run: Result<Path<String>, PathRejection>,
) -> Json<RunningResponse> {
    // An id that is no text is one that nobody works on; any other answer would count as a lost run.
    let running = run.is_ok_and(|Path(run)| app.runs.is_known(&run));
    Json(RunningResponse { running })
}

pub(super) async fn report(
    State(app): State<App>,
    run: Result<Path<String>, PathRejection>,
) -> Response {
    match run.ok().and_then(|Path(run)| app.runs.report(&run)) {
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

/// An id that can be one of the manager's: it goes into paths, where a U+0000 is 500 for ever (`protocol.md` §3.1).
fn check_id(name: &str, id: &str) -> Result<(), Refusal> {
    if id.is_empty() || id.len() > LONGEST_ID || id.contains(char::is_control) {
        return Err(Refusal::bad_request(format!(
            "invalid request: `{name}` is no id of the manager"
        )));
    }
    Ok(())
}

async fn try_start(app: App, request: SyncRequest) -> Result<(), Refusal> {
    if app.runs.is_active(&request.sync_run_id) {
        return Ok(());
    }
    let mode = declared_mode(&app, request.sync_mode)?;
    let preparing = app.runs.prepare(&request.sync_run_id);
    let within = app.manager.patience().prepare;
    let (source, credentials, secrets) = tokio::select! {
        prepared = prepare(&app, &request, mode) => prepared,
        () = tokio::time::sleep(within) => Err(Refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the run could not be prepared within {} s; the manager answers slowly", within.as_secs_f64()),
        )),
        () = preparing.cancelled() => Err(cancelled()),
    }?;
    let reserving = app
        .runs
        .reserve_soon(&request.sync_run_id, &request.source_id, mode);
    let reserved = tokio::select! {
        // First: a cancel that was answered must not be followed by a run.
        biased;
        () = preparing.cancelled() => return Err(cancelled()),
        reserved = reserving => reserved,
    };
    if preparing.is_cancelled() {
        return Err(cancelled());
    }
    let slot = match reserved {
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
    let span = span(&request.sync_run_id, &request.source_id, mode);
    let ctx = span.in_scope(|| {
        let (operators, manager) = (app.connector.operators(), app.manager.clone());
        SyncContext::start(&request, mode, source, operators, manager, secrets)
    });
    if slot.begin(&ctx) {
        if let Some(server) = app.connector.mcp_behind() {
            // In the background: a late answer makes the manager ask again and then fail the run (protocol.md §2.3).
            server.discover_later(credentials.as_ref().map(McpCredentials::of));
        }
        let (connector, source, checkpoint) = (
            Arc::clone(&app.connector),
            ctx.source().clone(),
            ctx.checkpoint(),
        );
        let work: Work = Box::new(move |ctx| {
            Box::pin(async move { connector.sync(source, credentials, checkpoint, ctx).await })
        });
        let runs = app.runs.clone();
        let execution = execute(runs, ctx, work, slot);
        app.runs.spawn(execution.instrument(span));
    } else {
        ctx.cancel();
    }
    Ok(())
}

fn cancelled() -> Refusal {
    Refusal(
        StatusCode::CONFLICT,
        "the run was cancelled before it started".to_owned(),
    )
}

/// The span of a run, at the highest level: a filter for lines keeps what the lines are about.
pub(super) fn span(run: &str, source: &str, mode: SyncType) -> Span {
    tracing::error_span!("sync_run", run, source, %mode, ending = field::Empty)
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
) -> Result<(Source, Option<ServiceCredential>, Secrets), Refusal> {
    let manager = app.manager.before_giving_up(app.manager.patience().prepare);
    let source = manager
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
    let credentials = match manager.credentials(&request.source_id).await {
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
    let secrets = Secrets::of(credentials.as_ref(), [&source.config]);
    let judged = panic::catch(judge(app, request, &manager, &source, credentials.as_ref())).await;
    let judged = judged.unwrap_or_else(|panic| {
        let reason = format!("the connector panicked {panic}");
        Err(Refusal(StatusCode::INTERNAL_SERVER_ERROR, reason))
    });
    judged.map_err(|Refusal(status, reason)| Refusal(status, secrets.redact(&reason)))?;
    Ok((source, credentials, secrets))
}

/// What the connector itself says about the run: its types, and its last look.
async fn judge(
    app: &App,
    request: &SyncRequest,
    manager: &ManagerClient,
    source: &Source,
    credentials: Option<&ServiceCredential>,
) -> Result<(), Refusal> {
    let checkpoint = request
        .checkpoint
        .as_ref()
        .filter(|checkpoint| !checkpoint.is_null());
    app.connector
        .check(source, credentials, checkpoint)
        .map_err(Refusal::bad_request)?;
    app.connector
        .validate(source, credentials, manager)
        .await
        .map_err(|error| Refusal::bad_request(format!("{error:#}")))
}

fn unavailable(what: &str, error: &ManagerError) -> Refusal {
    Refusal(
        StatusCode::BAD_GATEWAY,
        format!("the {what} cannot be read: {error}"),
    )
}

/// What a run does, from its context to its end.
pub(super) type Work =
    Box<dyn FnOnce(SyncContext) -> BoxFuture<'static, anyhow::Result<()>> + Send>;

/// How the author's function ended.
enum End {
    Returned(anyhow::Result<()>),
    Panicked(Panicked),
    /// The run takes nothing any more, and its task was given time to notice.
    Stopped(RunError),
}

/// Executes a run to its end: calls `work`, and tells the manager what became of it.
pub(super) async fn execute(runs: Runs, ctx: SyncContext, work: Work, slot: Slot) {
    tracing::info!(resume = ctx.is_resume(), "the run begins");
    let started = std::time::Instant::now();
    let metrics = ctx.manager().metrics();
    let under_way = metrics.run_began(&ctx);
    let end = supervise(&runs, &ctx, work).await;
    let outcome = finish(&ctx, end).await;
    let report = ctx.report();
    let seconds = started.elapsed().as_secs_f64();
    let ending = match outcome {
        Ok(ending) => {
            tracing::info!(
                scanned = report.scanned,
                updated = report.updated,
                deleted = report.deleted,
                skipped = report.skipped,
                failed = report.failed,
                seconds,
                "the run {}{}",
                ending.as_str(),
                losses(&report)
            );
            ending
        }
        Err(
            RunError::Cancelled | RunError::Ended | RunError::Manager(ManagerError::RunOver { .. }),
        ) => {
            tracing::info!(
                scanned = report.scanned,
                updated = report.updated,
                seconds,
                "the run is over"
            );
            if ctx.is_cancelled() {
                Ending::Stopped
            } else {
                Ending::Over
            }
        }
        Err(error) => {
            let error = ctx.clean(&error.to_string());
            tracing::error!(error, "the run ends without the manager knowing how");
            Ending::Unreported
        }
    };
    Span::current().record("ending", ending.as_str());
    under_way.ended(ending);
    drop(slot);
}

/// Tells the manager how the run ended.
async fn finish(ctx: &SyncContext, end: End) -> Result<Ending, RunError> {
    if ctx.is_cancelled() {
        // Completing or failing a cancelled run would overwrite what the manager made of it.
        return ctx.flush().await.map(|()| Ending::Stopped);
    }
    let failure = match end {
        End::Returned(Ok(())) => match ctx.complete().await {
            // A manager that refuses the rest will refuse it again: a run that goes on would only come here once more.
            Err(
                reason @ (RunError::TooManyFailures { .. }
                | RunError::Manager(
                    ManagerError::Refused { .. } | ManagerError::Unreadable { .. },
                )),
            ) => reason.to_string(),
            other => return other.map(|()| Ending::Completed),
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
    let failure = ctx.clean(&failure);
    tracing::error!("the run failed: {failure}");
    ctx.fail(failure).await.map(|()| Ending::Failed)
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

async fn supervise(runs: &Runs, ctx: &SyncContext, work: Work) -> End {
    let author = ctx.clone();
    // A task of its own: the author's code may block or panic without taking the supervision with it. While it blocks, it
    // counts as a run that has not ended, for the runtime could not end either.
    let work = async move { panic::catch(async { work(author).await }).await };
    let mut task = AbortOnDropHandle::new(runs.spawn(work.in_current_span()));
    let ended = tokio::select! {
        ended = &mut task => ended,
        reason = ctx.closed() => tokio::select! {
            ended = &mut task => ended,
            () = tokio::time::sleep(GRACE) => return End::Stopped(reason),
            () = runs.stopped() => return End::Stopped(reason),
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
