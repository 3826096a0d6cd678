//! Ends a run: it completes, fails, is cancelled, or is abandoned so that the manager resumes it.

use std::{fmt::Display, time::Duration};

use serde_json::Value;

use super::{Failure, RunError, Snapshot, SyncContext};
use crate::{manager::ManagerError, wire::SyncType};

/// The time limit for sending the pending items of a failing run.
const LAST_FLUSH: Duration = Duration::from_secs(20);

impl SyncContext {
    /// Completes the run after everything before was accepted, and refuses later items. The runtime does so when `sync`
    /// returns; call it only to end earlier. A second call is harmless.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert), and when more items failed than the budget allows.
    pub async fn complete(&self) -> Result<(), RunError> {
        let mut ended = self.inner.ended.lock().await;
        if *ended {
            return Ok(());
        }
        self.inner.pipeline.finish().await?;
        let keeper = &self.inner.keeper;
        if keeper.has_changed() {
            // Includes items that were accepted, or failed, since the author's last save.
            self.inner.pipeline.save_kept().await?;
        }
        for failure in keeper.missing() {
            // Ids are saved as they are, and the secrets may be others than those of the earlier run.
            let clean = Failure {
                item: self.clean(&failure.item),
                cause: self.clean(&failure.cause),
                link: failure.link.map(|link| self.clean(&link)),
                ..failure
            };
            self.inner.pipeline.remember(clean);
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

    /// Reports groups without a list, users that are not addresses and repeated ids. Records sent groups in the notes.
    async fn note_groups(&self) {
        let groups = &self.inner.groups;
        let never_sent = groups.never_sent();
        if !never_sent.is_empty() {
            let clean = never_sent.iter().map(|group| self.clean(group)).collect();
            self.inner
                .pipeline
                .report(|report| report.name_unsent_groups(clean));
        }
        let odd_users = groups.odd_users();
        if !odd_users.is_empty() {
            let clean = odd_users.iter().map(|user| self.clean(user)).collect();
            self.inner
                .pipeline
                .report(|report| report.name_odd_users(clean));
        }
        let repeated = self.inner.repeats.found();
        if !repeated.is_empty() {
            let clean = |(id, times): (String, u64)| (self.clean(&id), times);
            let repeated = repeated.into_iter().map(clean).collect();
            let count = self.inner.repeats.count();
            self.inner.pipeline.report(|report| {
                report.repeated = repeated;
                report.repeated_documents = count;
            });
        }
        if groups.has_news() {
            let (manager, source) = (&self.inner.manager, &self.inner.source.id);
            let noted = manager.change_kit_notes(source, |notes| groups.note(notes));
            if let Err(error) = noted.await {
                tracing::warn!(%error, "the groups of the run could not be noted; the next run does it");
            }
        }
    }

    /// Returns the checkpoint that completing the run must not erase.
    async fn to_carry_forward(&self) -> Result<Option<Value>, RunError> {
        if self.inner.mode != SyncType::Realtime {
            return Ok(self.inner.previous.clone());
        }
        // Scheduled runs may have completed during this one; their checkpoint must stay.
        let source = self.inner.manager.source(&self.inner.source.id).await?;
        Ok(source.checkpoint.filter(|value| !value.is_null()))
    }

    /// Fails the run with a message for people, after sending pending items as far as possible. The runtime does so
    /// when `sync` returns an error or panics. Does nothing for a cancelled run.
    ///
    /// # Errors
    /// The manager cannot be reached.
    pub async fn fail(&self, error: impl Display) -> Result<(), RunError> {
        let mut ended = self.inner.ended.lock().await;
        if *ended || self.is_cancelled() {
            return Ok(());
        }
        // The next run emits again what cannot be sent now.
        let _ = tokio::time::timeout(LAST_FLUSH, self.inner.pipeline.flush()).await;
        self.inner
            .manager
            .fail(&self.inner.run, &self.clean(&error.to_string()))
            .await?;
        *ended = true;
        self.inner.pipeline.close(RunError::Ended);
        Ok(())
    }

    /// Returns whether the run has ended or is ending.
    pub(crate) fn is_ending(&self) -> bool {
        self.inner.ended.try_lock().map_or(true, |ended| *ended)
    }

    /// Returns whether the manager knows that the run has ended.
    pub(crate) fn is_over(&self) -> bool {
        let has_told = self.inner.ended.try_lock().is_ok_and(|ended| *ended);
        let refusal = self.refusal();
        has_told
            || matches!(
                refusal,
                Some(RunError::Manager(ManagerError::RunOver { .. }))
            )
    }

    /// Removes the secrets from a message about the run.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.inner.secrets.redact(text)
    }

    /// Cancels the run: nothing more of it is sent, and `is_cancelled` returns true.
    pub(crate) fn cancel(&self) {
        self.inner.cancelled.cancel();
        self.inner.pipeline.close(RunError::Cancelled);
    }

    /// Asks the author to stop, but still accepts items. The process is about to end, and the run will be resumed.
    pub(crate) fn wind_down(&self) {
        self.inner.cancelled.cancel();
    }

    /// Waits until the manager has accepted everything that was emitted before.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert).
    pub async fn flush(&self) -> Result<(), RunError> {
        self.inner.pipeline.flush().await
    }

    /// Waits until the run is closed. Returns the reason.
    pub(crate) async fn closed(&self) -> RunError {
        self.inner.pipeline.closed().await
    }

    /// Returns why the run is closed, if it is.
    pub(crate) fn refusal(&self) -> Option<RunError> {
        self.inner.pipeline.refusal()
    }

    /// Closes the run without a call to the manager, which will resume it.
    pub(crate) fn abandon(&self) {
        self.inner.pipeline.close(RunError::Ended);
    }
}
