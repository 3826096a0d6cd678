//! The process and the source of a world, which faults kill, end and change.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::testing::{
    fault::Action,
    process::Process,
    source::{Change, Source, Unable},
};

/// The process and the source, once they have started.
#[derive(Clone, Default)]
pub(super) struct Victim(Arc<Parts>);

#[derive(Default)]
struct Parts {
    process: OnceLock<Arc<Process>>,
    source: OnceLock<Arc<dyn Source>>,
    /// Whether the source could change; none until it was asked to.
    changed: Mutex<Option<Result<(), Unable>>>,
}

impl Victim {
    pub(super) fn set_process(&self, process: &Arc<Process>) {
        let _ = self.0.process.set(Arc::clone(process));
    }

    pub(super) fn set_source(&self, source: &Arc<dyn Source>) {
        let _ = self.0.source.set(Arc::clone(source));
    }

    /// Returns an action that kills and restarts the process, the first time it is called.
    pub(super) fn kill(&self) -> Action {
        let (victim, was_killed) = (self.clone(), AtomicBool::new(false));
        Arc::new(move || {
            if let (Some(process), false) = (
                victim.0.process.get(),
                was_killed.swap(true, Ordering::Relaxed),
            ) {
                let _ = process.restart();
            }
        })
    }

    /// Returns an action that asks the process to end.
    pub(super) fn terminate(&self) -> Action {
        let victim = self.clone();
        Arc::new(move || {
            if let Some(process) = victim.0.process.get() {
                process.terminate();
            }
        })
    }

    /// Returns an action that changes the source, the first time it is called.
    pub(super) fn change(&self, change: &Change) -> Action {
        let (victim, change) = (self.clone(), change.clone());
        Arc::new(move || {
            let mut changed = victim.changed();
            if let (Some(source), None) = (victim.0.source.get(), &*changed) {
                *changed = Some(source.change(&change));
            }
        })
    }

    /// Returns whether the source could change; none if no fault asked it to.
    pub(super) fn changed(&self) -> MutexGuard<'_, Option<Result<(), Unable>>> {
        self.0
            .changed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
