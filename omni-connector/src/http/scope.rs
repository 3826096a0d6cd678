//! The caller of a request: a patient, cancellable run that shows its waits, or an action, which must answer soon.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::client::Account;
use crate::{
    manager::ManagerClient,
    run::{RequestLog, RequestStep, SyncContext, millis},
    telemetry::Metrics,
};

/// How long one call of a run may wait in total.
const PATIENT: Duration = Duration::from_mins(30);
/// The longest time that does not count as a wait.
const NOTHING: Duration = Duration::from_millis(5);
/// How long any other call may wait in total.
const IMPATIENT: Duration = Duration::from_secs(5);

/// The run or action that an `Api` works for.
#[derive(Clone, Default)]
pub(crate) struct Scope {
    pub(super) run: Option<SyncContext>,
    pub(super) metrics: Option<Arc<Metrics>>,
    pub(super) account: Option<Arc<Account>>,
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

impl Scope {
    /// Returns the scope of a run; without one, that of any other caller.
    pub(crate) fn of(run: Option<SyncContext>, manager: &ManagerClient) -> Self {
        Self {
            run,
            metrics: Some(Arc::clone(manager.metrics())),
            account: None,
        }
    }

    pub(super) const fn patience(&self) -> Duration {
        if self.run.is_some() {
            PATIENT
        } else {
            IMPATIENT
        }
    }

    /// The log of the run's requests, where one is kept.
    pub(super) fn requests(&self) -> Option<&RequestLog> {
        self.run.as_ref()?.requests().map(Arc::as_ref)
    }

    /// Ends when the run is cancelled; never without one.
    pub(super) async fn cancelled(&self) {
        match &self.run {
            Some(run) => run.cancelled().await,
            None => std::future::pending().await,
        }
    }
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wait {
    /// The account's limit of concurrent calls.
    Slot,
    /// The source's quota, or a pause that it requested.
    Pace,
    /// A retry after a failure of the source.
    Retry,
    /// A new credential.
    Credential,
}

impl Wait {
    pub(crate) const ALL: [Self; 4] = [Self::Slot, Self::Pace, Self::Retry, Self::Credential];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Slot => "slot",
            Self::Pace => "pace",
            Self::Retry => "retry",
            Self::Credential => "credential",
        }
    }
}

/// One call's time budget for waits, and its waits by reason.
#[derive(Debug)]
pub(super) struct Budgeted<'a> {
    scope: &'a Scope,
    left: Duration,
    pub(super) waited: [Duration; Wait::ALL.len()],
    /// The waits and attempts so far, where they are kept.
    pub(super) steps: Vec<RequestStep>,
}

impl<'a> Budgeted<'a> {
    pub(super) const fn new(scope: &'a Scope, patience: Duration) -> Self {
        Self {
            scope,
            left: patience,
            waited: [Duration::ZERO; Wait::ALL.len()],
            steps: Vec::new(),
        }
    }

    pub(super) const fn left(&self) -> Duration {
        self.left
    }

    /// Returns when the budget ends if the wait begins now.
    pub(super) fn ends(&self) -> Instant {
        Instant::now() + self.left
    }

    /// Counts a finished wait.
    pub(super) fn waited(&mut self, wait: Wait, since: Instant) {
        let waited = since.elapsed();
        self.left = self.left.saturating_sub(waited);
        self.waited[wait as usize] += waited;
        // A call that had its turn at once has waited for nothing.
        if waited > NOTHING {
            self.step(since, |step| step.wait = Some(wait.as_str().to_owned()));
        }
    }

    /// Keeps a wait or an attempt that is over, where they are kept.
    pub(super) fn step(&mut self, since: Instant, describe: impl FnOnce(&mut RequestStep)) {
        let Some(log) = self.scope.requests() else {
            return;
        };
        let mut step = RequestStep {
            at_ms: log.at(since),
            took_ms: millis(since.elapsed()),
            ..RequestStep::default()
        };
        describe(&mut step);
        self.steps.push(step);
    }

    /// Shows the run's wait to people until the returned value is dropped.
    pub(super) fn show_wait(&self, wait: Wait, text: &str) -> WaitMessage<'a> {
        if let Some(run) = &self.scope.run {
            tracing::debug!(wait = wait.as_str(), "waiting: {text}");
            run.set_waiting_for(Some(text.to_owned()));
        }
        WaitMessage(self.scope)
    }
}

/// The message about a wait, shown until the value is dropped.
pub(super) struct WaitMessage<'a>(&'a Scope);

impl Drop for WaitMessage<'_> {
    fn drop(&mut self) {
        if let Some(run) = &self.0.run {
            run.set_waiting_for(None);
        }
    }
}
