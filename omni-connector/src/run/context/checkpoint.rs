//! Checkpoints, and the deletes that a complete listing proves.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::SyncContext;
use crate::run::{Deletions, Listing, RunError, WalkedListing, keeper::Snapshot, listing};

impl SyncContext {
    /// Begins a listing of all items, to find deleted ones. `known` are the ids of an earlier listing.
    pub fn listing(&self, known: impl IntoIterator<Item = impl Into<String>>) -> Listing {
        Listing::new(
            known.into_iter().map(Into::into).collect(),
            self.inner.cancelled.clone(),
        )
    }

    /// Deletes the known items that a completed listing did not see. When that is a suspiciously large share, it
    /// deletes nothing, and the ids are in [`Deletions::held_back`].
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert).
    pub async fn delete_unseen(&self, listing: WalkedListing) -> Result<Deletions, RunError> {
        let deletions = listing.judge(listing::share_limit());
        self.report_held_back(&deletions);
        for id in &deletions.deleted {
            self.delete(id).await?;
        }
        Ok(deletions)
    }

    /// Deletes the people that a listing of all addresses did not see, with the same limits as
    /// [`delete_unseen`](Self::delete_unseen).
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert).
    pub async fn delete_unseen_people(
        &self,
        listing: WalkedListing,
    ) -> Result<Deletions, RunError> {
        let deletions = listing.judge(listing::share_limit());
        self.report_held_back(&deletions);
        for email in &deletions.deleted {
            self.person_gone(email).await?;
        }
        Ok(deletions)
    }

    /// Reports deletes that were held back, if there are any.
    pub(in crate::run) fn report_held_back(&self, deletions: &Deletions) {
        if let Some(warning) = deletions.warning() {
            tracing::warn!(run = %self.inner.run, "{warning}");
            self.inner
                .pipeline
                .report(|report| report.held_back += deletions.held_back.len() as u64);
        }
    }

    /// Saves a checkpoint after everything emitted before was accepted. Returns when this checkpoint, or a later one,
    /// is saved. It reaches the source when the run completes.
    ///
    /// A checkpoint that is JSON `null` is not sent: the manager would publish it and hide the previous one.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert). Also fails for a value that JSON cannot represent, such as NaN.
    pub async fn save_checkpoint(&self, checkpoint: impl Serialize) -> Result<(), RunError> {
        self.save_snapshot(Snapshot::of(&checkpoint)?).await
    }

    /// Saves a checkpoint that was split into its parts.
    pub(crate) async fn save_snapshot(&self, checkpoint: Snapshot) -> Result<(), RunError> {
        if checkpoint.is_null() {
            return Ok(());
        }
        self.inner.pipeline.checkpoint(checkpoint).await
    }

    /// Begins a save without waiting. Returns the receiver of its outcome.
    pub(crate) fn begin_save(
        &self,
        checkpoint: &impl Serialize,
    ) -> Result<oneshot::Receiver<Result<(), RunError>>, RunError> {
        let checkpoint = Snapshot::of(checkpoint)?;
        self.inner.pipeline.begin_checkpoint(checkpoint)
    }

    /// Returns the duration of the latest save.
    pub(crate) fn save_cost(&self) -> Duration {
        self.inner.keeper.cost()
    }

    /// Gives this checkpoint to the runtime, which can save it from now on.
    pub(crate) fn keep(&self, checkpoint: Snapshot) {
        self.inner.keeper.keep(checkpoint);
    }

    /// Returns whether the author begins anew, even if there is a checkpoint.
    pub(crate) fn starts_over(&self) -> bool {
        self.inner.starts_over
    }

    /// Returns the checkpoint at the beginning of the run.
    pub(crate) fn previous(&self) -> Option<&Value> {
        self.inner.previous.as_ref()
    }

    /// Returns the checkpoint from which the author continues. A full run ignores the source's checkpoint: after it, it
    /// would find nothing to do. A resumed full run continues from a checkpoint that it saved itself.
    pub(crate) fn checkpoint(&self) -> Option<Value> {
        if self.inner.starts_over {
            None
        } else {
            self.inner.previous.clone()
        }
    }
}
