//! Dry runs of actions: calls that may change something in the source are stopped, and the first one is shown. Only a process
//! that `cargo omni` started makes dry runs.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whether a dry run is under way. Without one, a call only reads this flag.
static IS_DRY: AtomicBool = AtomicBool::new(false);
static FIRST: Mutex<Option<StoppedRequest>> = Mutex::new(None);

/// A request that was stopped, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedRequest {
    /// Its name, or the method and the path with ids replaced.
    pub operation: String,
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The JSON body, or a description of another body; null without one.
    pub body: Value,
}

/// A dry run under way. It stops the calls of the whole process, so that no task of the action escapes it, and ends when it is
/// dropped.
#[derive(Debug)]
pub(crate) struct DryRun(());

impl DryRun {
    /// Begins a dry run; none while another one is under way.
    pub(crate) fn begin() -> Option<Self> {
        let is_free = IS_DRY
            .compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        is_free.then_some(Self(()))
    }

    /// Ends the dry run, and returns the first stopped request.
    pub(crate) fn end(self) -> Option<StoppedRequest> {
        first().take()
    }
}

impl Drop for DryRun {
    fn drop(&mut self) {
        *first() = None;
        IS_DRY.store(false, Ordering::Release);
    }
}

fn first() -> MutexGuard<'static, Option<StoppedRequest>> {
    FIRST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether a dry run is under way.
pub(super) fn is_dry() -> bool {
    IS_DRY.load(Ordering::Acquire)
}

/// Keeps the first stopped request of a dry run.
pub(super) fn stopped(request: impl FnOnce() -> StoppedRequest) {
    first().get_or_insert_with(request);
}
