//! How a run ends: completed, failed, cancelled, or let go of so that the manager resumes it.

use std::{fmt::Display, time::Duration};

use serde_json::Value;

use super::{RunError, Snapshot, SyncContext};
use crate::{manager::ManagerError, wire::SyncType};

/// How long a failing run tries to hand over what it still holds.
const LAST_FLUSH: Duration = Duration::from_secs(20);

impl SyncContext {
    /// Completes the run after everything before was accepted; nothing is taken any more from this call on. The runtime does
    /// so when `sync` returns; call it only to end earlier. Doing so twice is harmless.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert), and more failures than the run may have.
    pub async fn complete(&self) -> Result<(), RunError> {
        let mut ended = self.inner.ended.lock().await;
        if *ended {
            return Ok(());
        }
        self.inner.pipeline.finish().await?;
        let keeper = &self.inner.keeper;
        if keeper.has_changed() {
            // What was accepted, or failed, since the author saved.
            self.inner.pipeline.save_kept().await?;
        }
        for failure in keeper.missing() {
            self.inner.pipeline.remember(failure);
        }
        self.note_groups().await;
        if !self.inner.pipeline.has_saved()
            && let Some(previous) = self.to_carry_forward().await?
        {
            let previous = Snapshot::of(&previous)?;
            self.inner.pipeline.checkpoint(previous).await?;
        }
        self.inner.manager.complete(&self.inner.run).await?;
        *ended = true;
        self.inner.pipeline.close(RunError::Ended);
        Ok(())
    }

    /// Reports groups that have no list, and notes those that have one.
    async fn note_groups(&self) {
        let groups = &self.inner.groups;
        let never_sent = groups.never_sent();
        if !never_sent.is_empty() {
            let clean = never_sent.iter().map(|group| self.clean(group)).collect();
            self.inner
                .pipeline
                .report(|report| report.name_unsent_groups(clean));
        }
        if groups.has_news() {
            let (manager, source) = (&self.inner.manager, &self.inner.source.id);
            let noted = manager.change_kit_notes(source, |notes| groups.note(notes));
            if let Err(error) = noted.await {
                tracing::warn!(%error, "the groups of the run could not be noted; the next run does it");
            }
        }
    }

    /// The checkpoint that completing must not erase.
    async fn to_carry_forward(&self) -> Result<Option<Value>, RunError> {
        if self.inner.mode != SyncType::Realtime {
            return Ok(self.inner.previous.clone());
        }
        // Scheduled runs may have completed while this one watched; theirs is the one to keep.
        let source = self.inner.manager.source(&self.inner.source.id).await?;
        Ok(source.checkpoint.filter(|value| !value.is_null()))
    }

    /// Fails the run with a message that people read, after handing over what it still holds as far as possible. The
    /// runtime does so when `sync` returns an error or panics. A run that was cancelled is left alone.
    ///
    /// # Errors
    /// The manager is gone.
    pub async fn fail(&self, error: impl Display) -> Result<(), RunError> {
        let mut ended = self.inner.ended.lock().await;
        if *ended || self.is_cancelled() {
            return Ok(());
        }
        // What cannot be handed over will be emitted again by the next run.
        let _ = tokio::time::timeout(LAST_FLUSH, self.inner.pipeline.flush()).await;
        self.inner
            .manager
            .fail(&self.inner.run, &self.clean(&error.to_string()))
            .await?;
        *ended = true;
        self.inner.pipeline.close(RunError::Ended);
        Ok(())
    }

    /// Whether the run has ended, or its end is under way.
    pub(crate) fn is_ending(&self) -> bool {
        self.inner.ended.try_lock().map_or(true, |ended| *ended)
    }

    /// Whether the manager knows that the run has ended.
    pub(crate) fn is_over(&self) -> bool {
        let has_told = self.inner.ended.try_lock().is_ok_and(|ended| *ended);
        let refusal = self.refusal();
        has_told
            || matches!(
                refusal,
                Some(RunError::Manager(ManagerError::RunOver { .. }))
            )
    }

    /// A text about the run, without the secrets in it.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.inner.secrets.redact(text)
    }

    /// Stops the run: nothing more of it is sent, and `is_cancelled` is true.
    pub(crate) fn cancel(&self) {
        self.inner.cancelled.cancel();
        self.inner.pipeline.close(RunError::Cancelled);
    }

    /// Asks the author to stop, but still takes what is emitted: the process is about to end and the run goes on later.
    pub(crate) fn wind_down(&self) {
        self.inner.cancelled.cancel();
    }

    /// Sends what waits, without ending the run.
    pub(crate) async fn flush(&self) -> Result<(), RunError> {
        self.inner.pipeline.flush().await
    }

    /// Ends when nothing of the run is taken any more; why.
    pub(crate) async fn closed(&self) -> RunError {
        self.inner.pipeline.closed().await
    }

    /// Why nothing of the run is taken any more, if so.
    pub(crate) fn refusal(&self) -> Option<RunError> {
        self.inner.pipeline.refusal()
    }

    /// Lets go of the run without telling the manager, which will resume it.
    pub(crate) fn abandon(&self) {
        self.inner.pipeline.close(RunError::Ended);
    }
}
