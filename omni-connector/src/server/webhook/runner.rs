//! Runs requested by the connector. Runs of one source execute in order, and equal requests are merged.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Result, bail};
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};

use crate::{
    connector::{ActionError, Order, OrderKind, Webhook},
    manager::{Backoff, ManagerError},
    redact::redact,
    run::{NewRun, Work},
    server::App,
    wire::{SyncRequest, SyncType},
};

/// The most one-off runs that wait for one source. Further requests are refused with a time to retry.
const MOST_WAITING: usize = 1_000;

/// When to retry if the connector is about to stop: another process has replaced it by then.
const RESTARTED: Duration = Duration::from_secs(30);

/// Starts runs for requests from outside the protocol.
///
/// The queue is in memory only and is lost with the process. The next scheduled run then finds the
/// changes.
///
/// A function with `#[webhook]` does not need it: its return value is started. A handler among
/// [extra routes](crate::serve_with_extra_routes) takes it as an argument:
///
/// ```
/// use omni_connector::{Runner, Webhook};
///
/// async fn changed(runner: Runner) -> &'static str {
///     match runner.start(Webhook::sync("01K39ZC2M4E8T0QY7H5N3R6WAB")) {
///         Ok(()) => "soon",
///         Err(_) => "come again",
///     }
/// }
/// # let _: axum::Router = axum::Router::new().route("/changed", axum::routing::get(changed));
/// ```
#[derive(Clone)]
pub struct Runner {
    app: Arc<App>,
    window: Duration,
    queues: Arc<Mutex<HashMap<String, Queue>>>,
}

/// The pending requests of one source. It exists while a task works on them.
#[derive(Default)]
struct Queue {
    runs: VecDeque<Work>,
    wants_sync: bool,
}

impl Runner {
    pub(in crate::server) fn new(app: Arc<App>, window: Duration) -> Self {
        Self {
            app,
            window,
            queues: Arc::default(),
        }
    }

    /// Queues a request and returns at once. The log and the manager show the outcome of the
    /// runs.
    ///
    /// # Errors
    /// Returns 429 with a time to retry if too many runs wait for a source, or the process is about to end.
    /// Nothing was queued then.
    pub fn start(&self, webhook: Webhook) -> Result<(), ActionError> {
        if self.app.runs.is_closed() {
            return Err(ActionError::rate_limited(
                "the connector is about to stop",
                Some(RESTARTED),
            ));
        }
        let mut queues = self.queues();
        for Order { source_id, kind } in &webhook.orders {
            let waiting = queues.get(source_id).map_or(0, |queue| queue.runs.len());
            if matches!(kind, OrderKind::Run(_)) && waiting >= MOST_WAITING {
                return Err(ActionError::rate_limited(
                    format!("{waiting} runs wait for source `{source_id}`"),
                    Some(Duration::from_mins(1)),
                ));
            }
        }
        for Order { source_id, kind } in webhook.orders {
            let queue = match queues.entry(source_id) {
                Entry::Occupied(queue) => queue.into_mut(),
                Entry::Vacant(place) => {
                    tokio::spawn(self.clone().work_on(place.key().clone()));
                    place.insert(Queue::default())
                }
            };
            match kind {
                OrderKind::Sync => queue.wants_sync = true,
                OrderKind::Run(work) => queue.runs.push_back(work),
            }
        }
        Ok(())
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<String, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Processes the requests of one source in order.
    async fn work_on(self, source: String) {
        while let Some(next) = self.next(&source) {
            let (what, done) = match next {
                OrderKind::Sync => ("sync", self.sync(&source).await),
                OrderKind::Run(work) => ("run", self.run(&source, work).await),
            };
            if let Err(error) = done {
                let error = format!("{error:#}");
                tracing::error!(source, error = %redact(&error), "the {what} of a webhook did not start");
            }
        }
    }

    /// Takes the next request. Removes an empty queue under the same lock that found it empty.
    fn next(&self, source: &str) -> Option<OrderKind> {
        let mut queues = self.queues();
        let queue = queues.get_mut(source)?;
        if let Some(work) = queue.runs.pop_front() {
            return Some(OrderKind::Run(work));
        }
        if queue.wants_sync {
            return Some(OrderKind::Sync);
        }
        queues.remove(source);
        None
    }

    async fn sync(&self, source: &str) -> Result<()> {
        tokio::time::sleep(self.window).await;
        let notify = || {
            // A run that begins after this point sees all changes requested before it.
            if let Some(queue) = self.queues().get_mut(source) {
                queue.wants_sync = false;
            }
            self.app.manager.notify_webhook(source, "webhook")
        };
        let run = self.when_vacant(source, notify).await.inspect_err(|_| {
            if let Some(queue) = self.queues().get_mut(source) {
                queue.wants_sync = false;
            }
        })?;
        tracing::info!(source, run, "a webhook asked for a run");
        Ok(())
    }

    async fn run(&self, source_id: &str, work: Work) -> Result<()> {
        let mode = SyncType::Incremental;
        let create = || self.app.manager.create_run(source_id, mode);
        let run = self.when_vacant(source_id, create).await?;
        if let Err(error) = self.begin(source_id, &run, mode, work).await {
            // This process created the run and must end it.
            let message = redact(&format!("{error:#}")).into_owned();
            self.app.manager.fail(&run, &message).await?;
            return Err(error);
        }
        Ok(())
    }

    async fn begin(&self, source_id: &str, run: &str, mode: SyncType, work: Work) -> Result<()> {
        let App {
            connector,
            manager,
            runs,
            ..
        } = &*self.app;
        let Ok(slot) = runs.reserve(run, source_id, mode) else {
            bail!(
                "another run is already working on the source, or the connector is about to stop"
            );
        };
        // Read now, when no other run can publish a checkpoint: this one publishes it again.
        let found = self.app.find(manager, source_id).await?;
        let request = SyncRequest {
            sync_run_id: run.to_owned(),
            source_id: source_id.to_owned(),
            sync_mode: mode,
            last_sync_at: None,
            checkpoint: None,
            is_resume: false,
            refetch: None,
        };
        let new = NewRun {
            request,
            mode,
            source: found.source,
            operators: connector.operators(),
            manager: manager.clone(),
            secrets: found.secrets,
        };
        runs.start(slot, new, work);
        Ok(())
    }

    /// Calls the manager for a new run when none works on the source, and again for as long as something is in the way: what
    /// was asked for is not lost, however long the manager is busy or away.
    async fn when_vacant<F>(&self, source: &str, call: impl Fn() -> F) -> Result<String>
    where
        F: Future<Output = Result<String, ManagerError>>,
    {
        let patience = self.app.manager.patience();
        let mut backoff = Backoff::new(patience);
        loop {
            self.app.runs.vacant(source).await;
            if self.app.runs.is_closed() {
                bail!(
                    "the connector is about to stop; the next scheduled run finds what it was about"
                );
            }
            match call().await {
                Err(error) if is_passing(&error) => {
                    let pause = backoff.pause(None).unwrap_or_else(|| {
                        let error = error.to_string();
                        tracing::warn!(source, error = %redact(&error), "a webhook's run still waits for the manager");
                        backoff = Backoff::new(patience);
                        patience.longest_pause
                    });
                    tokio::time::sleep(pause).await;
                }
                done => return Ok(done?),
            }
        }
    }
}

/// Answers of a manager or of a proxy before it that has too much to do, or starts.
const BUSY: [StatusCode; 4] = [
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

/// Returns whether to retry: another run or the run limit is in the way (`protocol.md` §3.8), or the manager is
/// away. A duplicate request is harmless: the second run waits for the first.
fn is_passing(error: &ManagerError) -> bool {
    match error {
        ManagerError::Unreachable { .. } => true,
        ManagerError::Refused {
            status, message, ..
        } => {
            // With 500 the manager answers also what stays wrong.
            BUSY.contains(status)
                || *status == StatusCode::CONFLICT
                || message.contains("already running")
                || message.contains("Concurrency limit")
        }
        _ => false,
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Runner {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let runner = parts.extensions.get().cloned();
        runner.ok_or((
            StatusCode::INTERNAL_SERVER_ERROR,
            "this route is not served by `serve_with_extra_routes`",
        ))
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").finish_non_exhaustive()
    }
}
