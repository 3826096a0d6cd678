//! Executes a run from its start until the manager knows its end.

use std::{
    cmp::Reverse,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use futures_util::future::BoxFuture;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, Span, field};

use super::{
    Operator, RunError, RunReport, Runs, Slot, SyncContext,
    report::{FIRST, OTHER_CAUSES},
};
use crate::{
    manager::{ManagerClient, ManagerError},
    panic::{self, Panicked},
    redact::Secrets,
    telemetry::{Ending, RunUnderWay},
    wire::{Source, SyncRequest, SyncType},
};

/// How long a cancelled run may continue before its task is stopped.
const GRACE: Duration = Duration::from_secs(10);

/// The number of failure causes that are logged separately when a run ends.
const NAMED_CAUSES: usize = 20;

/// The span of a run. It has the highest level, so that no filter for log lines removes it.
fn span(run: &str, source: &str, mode: SyncType) -> Span {
    tracing::error_span!("sync_run", run, source, %mode, ending = field::Empty)
}

/// The work of a run, from its context to its end.
pub(crate) type Work =
    Box<dyn FnOnce(SyncContext) -> BoxFuture<'static, anyhow::Result<()>> + Send>;

/// The input of a run that has a slot.
pub(crate) struct NewRun {
    pub(crate) request: SyncRequest,
    /// The mode to run in, which may differ from the requested one.
    pub(crate) mode: SyncType,
    pub(crate) source: Source,
    pub(crate) operators: Vec<Operator>,
    pub(crate) manager: ManagerClient,
    pub(crate) secrets: Secrets,
}

impl Runs {
    /// Starts a run in its own task. Every run starts here, whether `/sync` or a webhook requested it.
    ///
    /// A run that was cancelled during its preparation does not start.
    pub(crate) fn start(&self, slot: Slot, new: NewRun, work: Work) {
        let span = span(&new.request.sync_run_id, &new.request.source_id, new.mode);
        let ctx = span.in_scope(|| SyncContext::start(new));
        if slot.begin(&ctx) {
            let execution = execute(self.clone(), ctx, work, slot);
            self.spawn(execution.instrument(span));
        } else {
            ctx.cancel();
        }
    }
}

/// The outcome of the author's function.
enum End {
    Returned(anyhow::Result<()>),
    Panicked(Panicked),
    /// The run was closed, and its task had time to notice.
    Stopped(RunError),
}

/// Executes a run to its end: calls `work`, and reports the outcome to the manager.
async fn execute(runs: Runs, ctx: SyncContext, work: Work, slot: Slot) {
    tracing::info!(resume = ctx.is_resume(), "the run begins");
    let started = Instant::now();
    let under_way = count(&ctx);
    let end = supervise(&runs, &ctx, work).await;
    let outcome = finish(&ctx, end).await;
    let report = ctx.report();
    let seconds = started.elapsed().as_secs_f64();
    let ending = match outcome {
        Ok(ending) => {
            log_losses(&report);
            if ending == Ending::Completed {
                log_idle_operators(&ctx, &report);
            }
            tracing::info!(
                scanned = report.scanned,
                updated = report.updated,
                deleted = report.deleted,
                skipped = report.skipped,
                failed = report.failed,
                seconds,
                "the run {}{}",
                ending.as_str(),
                if report.failed > 0 {
                    ", with failures"
                } else {
                    ""
                }
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

/// Reports the outcome of a run to the manager.
async fn finish(ctx: &SyncContext, end: End) -> Result<Ending, RunError> {
    if ctx.is_cancelled() {
        // Completing or failing a cancelled run would overwrite its state at the manager.
        return ctx.flush().await.map(|()| Ending::Stopped);
    }
    let failure = match end {
        End::Returned(Ok(())) => match ctx.complete().await {
            // The manager would refuse the rest again after a resume, so the run fails.
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
        // The manager already knows. A failure would affect a run that no longer belongs to this process.
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

/// Logs skipped and failed items: a line for each reason, with a count and the first names. Operators of Omni see only
/// these lines.
fn log_losses(report: &RunReport) {
    for (reason, count) in &report.reasons {
        let named = report.skips.iter().filter(|skip| skip.reason == *reason);
        let items = first(named.map(|skip| skip.item.as_str()));
        tracing::info!(count, items, "skipped: {reason}");
    }
    let mut causes: Vec<_> = report.causes.iter().collect();
    causes.sort_by_key(|(cause, count)| (*cause == OTHER_CAUSES, Reverse(*count)));
    for (cause, count) in causes.iter().take(NAMED_CAUSES) {
        let of_cause = || {
            let failures = report.failures.iter();
            failures.filter(|failure| failure.cause == **cause)
        };
        let stage = of_cause().next().map(|failure| failure.stage);
        let items = first(of_cause().map(|failure| failure.item.as_str()));
        tracing::info!(
            count,
            stage = stage.map(field::debug),
            items,
            "failed: {cause}"
        );
    }
    let others: u64 = causes
        .iter()
        .skip(NAMED_CAUSES)
        .map(|(_, count)| **count)
        .sum();
    if others > 0 {
        tracing::info!(count = others, "failed: for other causes");
    }
    if report.unsent_groups > 0 {
        let groups = first(report.first_unsent_groups.iter().map(String::as_str));
        tracing::warn!(
            count = report.unsent_groups,
            groups,
            "documents name groups that no run ever sent, so nobody reads them by these"
        );
    }
    if report.odd_users > 0 {
        let users = first(report.first_odd_users.iter().map(String::as_str));
        tracing::warn!(
            count = report.odd_users,
            users,
            "documents, groups or records of people name users that are not e-mail addresses, so nobody reads them by these; give the bare address"
        );
    }
    if !report.repeated.is_empty() {
        let times = report
            .repeated
            .iter()
            .map(|(id, times)| format!("{id} ({times} times)"));
        let ids = times.take(FIRST).collect::<Vec<_>>().join(", ");
        tracing::warn!(
            count = report.repeated_documents,
            ids,
            "documents were sent more than once, and the last one counts; if they are different items, give each its \
             own id"
        );
    }
    if report.held_back > 0 {
        tracing::info!(
            count = report.held_back,
            "held back: deletes that look like an accident"
        );
    }
}

/// Logs the operators for which a full run found no value: a search with them finds nothing.
fn log_idle_operators(ctx: &SyncContext, report: &RunReport) {
    if ctx.sync_mode() != SyncType::Full || report.updated == 0 {
        return;
    }
    let names = ctx.idle_operators();
    if !names.is_empty() {
        let operators = first(names.iter().copied());
        tracing::info!(
            count = names.len(),
            operators,
            "no document of this run has a value for these search operators, so a search with them finds nothing"
        );
    }
}

fn first<'a>(items: impl Iterator<Item = &'a str>) -> String {
    items.take(FIRST).collect::<Vec<_>>().join(", ")
}

async fn supervise(runs: &Runs, ctx: &SyncContext, work: Work) -> End {
    let author = ctx.clone();
    // The author's code runs in its own task, so it can block or panic without stopping the supervision. While it
    // blocks, the run counts as active: the runtime could not end either.
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
    // An author whose call was refused returns that error; the reason itself says more. A run that `sync` completed
    // itself is also closed; its result counts.
    if let Some(reason) = ctx.refusal().filter(|reason| *reason != RunError::Ended) {
        return End::Stopped(reason);
    }
    match ended {
        Ok(Ok(result)) => End::Returned(result),
        Ok(Err(panic)) => End::Panicked(panic),
        Err(error) => End::Returned(Err(anyhow!("the task of the run was stopped: {error}"))),
    }
}

/// Counts a run as active until the value is dropped.
fn count(ctx: &SyncContext) -> RunUnderWay {
    let (mode, counted) = (ctx.sync_mode().as_str(), ctx.clone());
    let progress = move || counted.read_report(RunReport::progress);
    ctx.manager().metrics().run_began(mode, progress)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_run_whose_task_is_dropped_leaves_nothing_behind() {
        let manager = ManagerClient::new("http://127.0.0.1:9");
        let metrics = Arc::downgrade(manager.metrics());
        let source = json!({
            "id": "S1", "name": "Wiki", "source_type": "web", "integration_type": "connector", "config": {},
            "is_active": true, "is_deleted": false, "scope": "org", "user_filter_mode": "all",
            "created_at": "2026-08-01T09:00:00Z", "updated_at": "2026-08-01T09:00:00Z", "created_by": "U1",
        });
        let request = json!({ "sync_run_id": "R1", "source_id": "S1", "sync_mode": "full" });
        let ctx = SyncContext::start(NewRun {
            request: serde_json::from_value(request).unwrap(),
            mode: SyncType::Full,
            source: serde_json::from_value(source).unwrap(),
            operators: Vec::new(),
            manager: manager.clone(),
            secrets: Secrets::default(),
        });
        let under_way = count(&ctx);
        ctx.abandon();
        let task = async move { drop((under_way, ctx, manager)) };
        drop(task);
        // The tasks of the run's pipeline end once the runtime has polled them.
        for _ in 0..100 {
            if metrics.strong_count() == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("{} still hold the counters", metrics.strong_count());
    }
}
