//! How the process ends: runs get a while to reach a checkpoint, hand over what they hold, and stay resumable.

use std::{process, time::Duration};

use futures_util::future::join_all;
use tokio::{signal, time::timeout};

use super::runs::Runs;
use crate::run::SyncContext;

/// How long runs that did not stop may take to hand over what they hold.
const LAST_FLUSH: Duration = Duration::from_secs(1);

/// Ends when the process may: `asked` ended, and the runs stopped or `grace` and [`LAST_FLUSH`] are over. The manager
/// resumes what was running.
pub(super) async fn after(asked: impl Future<Output = ()>, runs: Runs, grace: Duration) {
    asked.await;
    wind_down(&runs, grace).await;
}

/// [`after`] a signal. A second one ends the process at once, and so does a run that does not let go of its thread: an
/// author's code that blocks would hold up the end of the runtime for ever.
pub(super) async fn after_signal(runs: Runs, grace: Duration) {
    signalled().await;
    tokio::select! {
        all_ended = wind_down(&runs, grace) => if !all_ended {
            process::exit(0);
        },
        () = signalled() => {
            tracing::warn!("stopped at once; the manager will resume what was running");
            process::exit(0);
        }
    }
}

/// Whether every run has ended.
async fn wind_down(runs: &Runs, grace: Duration) -> bool {
    let active = runs.close();
    tracing::info!(
        runs = active.len(),
        ?grace,
        "stopping; a second signal stops at once"
    );
    for ctx in &active {
        ctx.wind_down();
    }
    if timeout(grace, runs.ended()).await.is_ok() {
        return true;
    }
    tracing::warn!("some runs did not stop in time; the manager will resume them");
    let _ = timeout(LAST_FLUSH, join_all(active.iter().map(SyncContext::flush))).await;
    runs.stop();
    timeout(LAST_FLUSH, runs.ended()).await.is_ok()
}

async fn signalled() {
    let interrupt = async {
        // Where signals cannot be listened to, the system's own handling ends the process.
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! { () = interrupt => {}, () = terminate => {} }
}
