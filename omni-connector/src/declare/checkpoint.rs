//! The author's checkpoint of a run.

use std::ops;

use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    time::Instant,
};

use super::{
    argument::{DeclaredAs, FromCall},
    call::{CallOf, OfSync},
};
use crate::{
    connector::{ActionError, Connector},
    run::{RunError, SAVE_EVERY, SAVING_SHARE, Snapshot, SyncContext},
    schema::{DecodeError, decode},
};

/// The state from which the run continues. Save it with [`save`](Self::save).
///
/// In a full run that is not a resume it is the default, except for the ids in an [`Inventory`](crate::Inventory).
/// [`last`](Self::last) returns the state of the latest completed run.
#[derive(Debug)]
pub struct Checkpoint<T> {
    state: T,
    ctx: SyncContext,
    save_at: Instant,
    /// The pending save.
    saving: Option<oneshot::Receiver<Result<(), RunError>>>,
}

impl<T: Default + Serialize + DeserializeOwned> Checkpoint<T> {
    /// Makes the checkpoint of a run from the state that `sync` received, for connectors without annotations.
    ///
    /// # Errors
    /// The last checkpoint has another shape than `T`.
    pub fn new(state: Option<T>, ctx: &SyncContext) -> Result<Self, DecodeError> {
        let mut checkpoint = Self {
            state: state.unwrap_or_default(),
            ctx: ctx.clone(),
            save_at: Instant::now() + SAVE_EVERY,
            saving: None,
        };
        if ctx.starts_over()
            && let Some(last) = ctx.previous()
        {
            let read = decode::<T>("checkpoint", last.clone());
            let kept = read.and_then(|last| {
                let split = Snapshot::of(&last).ok();
                split.map(|split| split.for_full_run()).transpose()
            });
            match kept {
                Ok(Some(state)) => checkpoint.state = state,
                Ok(None) => {}
                // A full run only needs the ids of documents that may be gone.
                Err(error) => tracing::warn!(
                    "the last checkpoint cannot be read, so documents that only it knows stay in Omni: {error}"
                ),
            }
        }
        if let Ok(snapshot) = Snapshot::of(&checkpoint.state) {
            ctx.keep(snapshot);
        }
        Ok(checkpoint)
    }
}

impl<T> Checkpoint<T> {
    /// Returns the state.
    pub fn into_inner(self) -> T {
        self.state
    }
}

impl<T: DeserializeOwned> Checkpoint<T> {
    /// Returns the state at the end of the latest completed run, if there was one.
    ///
    /// # Errors
    /// It has another shape than `T`.
    pub fn last(&self) -> Result<Option<T>, DecodeError> {
        let last = self
            .ctx
            .source()
            .checkpoint
            .clone()
            .filter(|value| !value.is_null());
        last.map(|value| decode("checkpoint", value)).transpose()
    }
}

impl<T: Serialize + DeserializeOwned> Checkpoint<T> {
    /// Saves the current state, after everything emitted before was accepted.
    ///
    /// # Errors
    /// As [`SyncContext::save_checkpoint`]. Also fails for a state that cannot be read as it is saved, since the next run
    /// would be refused.
    pub async fn save(&self) -> Result<(), RunError> {
        let checkpoint = Snapshot::of(&self.state)?;
        checkpoint.comes_back::<T>()?;
        self.ctx.save_snapshot(checkpoint).await
    }

    /// Saves the state if the last save was some time ago: two seconds, or ten times the duration of a save. Call it at
    /// every page or item: it does not wait. The save itself happens after everything emitted before was accepted.
    ///
    /// # Errors
    /// As [`SyncContext::save_checkpoint`], of this save or the previous one.
    #[allow(
        clippy::unused_async,
        reason = "a save that has to wait for room will be one day, and callers need not change"
    )]
    pub async fn save_now_and_then(&mut self) -> Result<(), RunError> {
        if let Some(saving) = &mut self.saving {
            match saving.try_recv() {
                Err(TryRecvError::Empty) => return Ok(()),
                Ok(outcome) => outcome?,
                // The run is over; the next call on it returns the reason.
                Err(TryRecvError::Closed) => {}
            }
            self.saving = None;
            self.save_at = Instant::now() + SAVE_EVERY.max(self.ctx.save_cost() * SAVING_SHARE);
        }
        if Instant::now() >= self.save_at {
            self.saving = Some(self.ctx.begin_save(&self.state)?);
        }
        Ok(())
    }
}

impl<T> ops::Deref for Checkpoint<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.state
    }
}

impl<T> ops::DerefMut for Checkpoint<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.state
    }
}

impl<K, T> FromCall<CallOf<K, OfSync>> for Checkpoint<T>
where
    K: Connector,
    K::State: DeclaredAs<T>,
    T: Default + Serialize + DeserializeOwned + 'static,
{
    fn from_call(call: &mut CallOf<K, OfSync>) -> Result<Self, ActionError> {
        let state = call
            .parts
            .checkpoint
            .take()
            .and_then(|state| state.downcast().ok());
        Ok(Self::new(state.map(|state| *state), &call.parts.ctx)?)
    }
}
