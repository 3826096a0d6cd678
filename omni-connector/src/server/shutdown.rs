//! How the process ends: runs get a while to reach a checkpoint, hand over what they hold, and stay resumable.

use std::{future, process, sync::Arc, thread, time::Duration};

use futures_util::future::join_all;
use tokio::{runtime, signal, sync::oneshot, time::timeout};

use crate::{
    connector::ErasedConnector,
    run::{Runs, SyncContext},
};

/// How long runs that did not stop may take to hand over what they hold.
const LAST_FLUSH: Duration = Duration::from_secs(1);

/// Ends when the process may: `asked` ended, and the runs stopped or `grace` and [`LAST_FLUSH`] are over. The manager
/// resumes what was running.
pub(super) async fn after(
    asked: impl Future<Output = ()>,
    runs: Runs,
    connector: Arc<dyn ErasedConnector>,
    grace: Duration,
) {
    asked.await;
    wind_down(&runs, &*connector, grace).await;
}

/// [`after`] a signal. A second one ends the process at once, and so does the end of the time for whatever does not let go:
/// an author's code that blocks its thread would hold up the runtime for ever.
pub(super) async fn after_signal(runs: Runs, connector: Arc<dyn ErasedConnector>, grace: Duration) {
    let (told, asked) = oneshot::channel();
    let (ended, orderly) = oneshot::channel();
    let limit = grace.saturating_add(LAST_FLUSH * 2);
    // A thread and a runtime of their own: a task that blocks can keep the others of its runtime from hearing of signals.
    let watch = thread::Builder::new().name("signals".to_owned());
    let watching = watch.spawn(move || watch_signals(told, orderly, limit));
    if watching.is_err() || asked.await.is_err() {
        // Where signals cannot be listened to, the system's own handling ends the process.
        future::pending::<()>().await;
    }
    if wind_down(&runs, &*connector, grace).await {
        let _ = ended.send(());
    } else {
        process::exit(0);
    }
}

/// Tells of the first signal. Ends the process at a second one, whenever it comes, and when the runs are not in order after
/// `limit`.
fn watch_signals(told: oneshot::Sender<()>, orderly: oneshot::Receiver<()>, limit: Duration) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return };
    runtime.block_on(async {
        signalled().await;
        let _ = told.send(());
        let late = async {
            if matches!(timeout(limit, orderly).await, Ok(Ok(()))) {
                future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = signalled() => tracing::warn!("stopped at once; the manager will resume what was running"),
            () = late => tracing::warn!("something blocks the end; the manager will resume what was running"),
        }
        process::exit(0);
    });
}

/// Whether every run has ended. The MCP server behind the connector ends beside them.
async fn wind_down(runs: &Runs, connector: &dyn ErasedConnector, grace: Duration) -> bool {
    let server = async {
        if let Some(server) = connector.mcp_behind() {
            server.close().await;
        }
    };
    tokio::join!(wind_down_runs(runs, grace), timeout(grace, server)).0
}

async fn wind_down_runs(runs: &Runs, grace: Duration) -> bool {
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
    if active.is_empty() {
        tracing::warn!("an action or a webhook did not end in time, and is stopped");
    } else {
        tracing::warn!("some runs did not stop in time; the manager will resume them");
    }
    let _ = timeout(LAST_FLUSH, join_all(active.iter().map(SyncContext::flush))).await;
    runs.stop();
    timeout(LAST_FLUSH, runs.ended()).await.is_ok()
}

/// Waits for SIGTERM or SIGINT.
pub(crate) async fn signalled() {
    let interrupt = async {
        // Where signals cannot be listened to, the system's own handling ends the process.
        if signal::ctrl_c().await.is_err() {
            future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = future::pending::<()>();
    tokio::select! { () = interrupt => {}, () = terminate => {} }
}
