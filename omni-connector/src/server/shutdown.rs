//! Ends the process: runs get time to reach a checkpoint, send buffered events, and stay resumable.

use std::{future, process, sync::Arc, thread, time::Duration};

use futures_util::future::join_all;
use tokio::{runtime, signal, sync::oneshot, time::timeout};

use crate::{
    connector::ErasedConnector,
    run::{Runs, SyncContext},
};

/// Time for runs that did not stop to send their buffered events.
const LAST_FLUSH: Duration = Duration::from_secs(1);

/// Waits for `asked`, then until the runs stopped or `grace` and [`LAST_FLUSH`] passed. The manager
/// resumes interrupted runs.
pub(super) async fn after(
    asked: impl Future<Output = ()>,
    runs: Runs,
    connector: Arc<dyn ErasedConnector>,
    grace: Duration,
) {
    asked.await;
    wind_down(&runs, &*connector, grace).await;
}

/// Runs [`after`] a signal. A second signal ends the process at once. So does the end of the time limit, because author
/// code that blocks its thread would keep the runtime alive forever.
pub(super) async fn after_signal(runs: Runs, connector: Arc<dyn ErasedConnector>, grace: Duration) {
    let (told, asked) = oneshot::channel();
    let (ended, orderly) = oneshot::channel();
    let limit = grace.saturating_add(LAST_FLUSH * 2);
    // Uses its own thread and runtime: a blocking task can keep its runtime from receiving signals.
    let watch = thread::Builder::new().name("signals".to_owned());
    let watching = watch.spawn(move || watch_signals(told, orderly, limit));
    if watching.is_err() || asked.await.is_err() {
        // Without a signal handler, the system's default handling ends the process.
        future::pending::<()>().await;
    }
    if wind_down(&runs, &*connector, grace).await {
        let _ = ended.send(());
    } else {
        process::exit(0);
    }
}

/// Reports the first signal. Ends the process at a second signal, or when the runs are not finished after
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

/// Returns whether every run has ended. The MCP server is closed concurrently.
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
        // Without a signal handler, the system's default handling ends the process.
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
