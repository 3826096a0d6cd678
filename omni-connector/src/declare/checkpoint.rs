//! The checkpoint of a run, as its author holds it.

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

/// Where the run goes on: the connector's state, saved with [`save`](Self::save).
///
/// In a full run that is no resume it is the default, but for what a full run must not forget: the ids in an
/// [`Inventory`](crate::Inventory). [`last`](Self::last) is what the latest completed run knew.
#[derive(Debug)]
pub struct Checkpoint<T> {
    state: T,
    ctx: SyncContext,
    save_at: Instant,
    /// The save that is under way.
    saving: Option<oneshot::Receiver<Result<(), RunError>>>,
}

impl<T: Default + Serialize + DeserializeOwned> Checkpoint<T> {
    /// The checkpoint of a run, from the state that `sync` was given: for connectors that are written by hand.
    ///
    /// # Errors
    /// The last checkpoint has another shape than today's.
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
            match decode::<T>("checkpoint", last.clone()) {
                Ok(last) => {
                    if let Ok(last) = Snapshot::of(&last) {
                        checkpoint.state = last.for_full_run()?;
                    }
                }
                // A full run needs nothing of it but the ids of what may be gone.
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
    /// The state itself.
    pub fn into_inner(self) -> T {
        self.state
    }
}

impl<T: DeserializeOwned> Checkpoint<T> {
    /// The state at the end of the latest completed run; none before there was one.
    ///
    /// # Errors
    /// It has another shape than today's.
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

impl<T: Serialize> Checkpoint<T> {
    /// Saves the state as it is now, after everything emitted before was accepted.
    ///
    /// # Errors
    /// As [`SyncContext::save_checkpoint`].
    pub async fn save(&self) -> Result<(), RunError> {
        self.ctx.save_checkpoint(&self.state).await
    }

    /// Saves the state if the last save is some time ago: two seconds, or ten times what a save takes. To be called at every page,
    /// or every item: it waits for nothing, and the save itself happens after everything emitted before was accepted.
    ///
    /// # Errors
    /// As [`SyncContext::save_checkpoint`], of this save or the one before it.
    #[allow(
        clippy::unused_async,
        reason = "a save that has to wait for room will be one day, and callers need not change"
    )]
    pub async fn save_now_and_then(&mut self) -> Result<(), RunError> {
        if let Some(saving) = &mut self.saving {
            match saving.try_recv() {
                Err(TryRecvError::Empty) => return Ok(()),
                Ok(outcome) => outcome?,
                // The run is over; the next call on it says why.
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
