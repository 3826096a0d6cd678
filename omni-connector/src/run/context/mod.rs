//! The author's handle to one run.

mod checkpoint;
mod emit;
mod progress;

use std::{fmt, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::{
    NewRun, RunError,
    groups::Groups,
    keeper::Keeper,
    once::LookedUp,
    operator::Operators,
    pipeline::{Limits, Pipeline},
    receipt::Scope,
    repeats::Repeats,
    requests::RequestLog,
};
use crate::{
    manager::{ManagerClient, NotesError},
    redact::Secrets,
    wire::{Source, SourceType, SyncRequest, SyncType},
};

pub(super) use emit::all;

/// The author's handle of a run. It emits items, saves checkpoints and says whether the run should stop.
///
/// Cheap to clone; all clones are the same run. An emitted item is in the run's pipeline when the call returns its
/// future. So dropping the future loses nothing; awaiting it only waits for room.
#[derive(Clone)]
pub struct SyncContext {
    pub(super) inner: Arc<Inner>,
    /// The scope in which this handle's items are counted.
    scope: Arc<Scope>,
}

impl fmt::Debug for SyncContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncContext")
            .field("sync_run_id", &self.inner.run)
            .field("source", &self.inner.source)
            .field("sync_mode", &self.inner.mode)
            .finish_non_exhaustive()
    }
}

pub(super) struct Inner {
    pub(super) run: Arc<str>,
    pub(super) source: Source,
    pub(super) mode: SyncType,
    pub(super) is_resume: bool,
    /// The only item that is wanted.
    refetch: Option<String>,
    pub(super) last_sync_at: Option<OffsetDateTime>,
    /// The checkpoint that is published again if the run saves none: completing a run always publishes one.
    pub(super) previous: Option<Value>,
    /// Whether the author begins anew, even if there is a checkpoint.
    starts_over: bool,
    pub(super) ended: Mutex<bool>,
    pub(super) cancelled: CancellationToken,
    pub(super) operators: Operators,
    pub(super) manager: ManagerClient,
    pub(super) pipeline: Pipeline,
    pub(super) keeper: Arc<Keeper>,
    /// Secrets that must not appear in any message about the run.
    pub(super) secrets: Arc<Secrets>,
    /// The results of look-ups made once for the whole run.
    looked_up: LookedUp,
    /// The groups that were sent, and those named by documents.
    pub(super) groups: Groups,
    /// The documents that were sent, to find those that were sent twice.
    pub(super) repeats: Repeats,
    /// What the run asked of its source, where that is kept.
    requests: Option<Arc<RequestLog>>,
}

impl SyncContext {
    /// Makes the context of a run that begins now.
    pub(crate) fn start(new: NewRun) -> Self {
        let NewRun {
            request,
            mode,
            source,
            operators,
            manager,
            secrets,
        } = new;
        let run: Arc<str> = request.sync_run_id.as_str().into();
        let secrets = Arc::new(secrets);
        let keeper = Arc::new(Keeper::default());
        let pipeline = Pipeline::start(
            manager.clone(),
            Arc::clone(&run),
            &source.id,
            Limits::of(mode),
            Arc::clone(&secrets),
            Arc::clone(&keeper),
        );
        let starts_over = starts_over(&request, mode, &source);
        // The order of precedence in `protocol.md` §5.5. An explicit null counts as absent.
        let previous = known(request.checkpoint.as_ref())
            .or(known(source.checkpoint.as_ref()))
            .cloned();
        let groups = Groups::of_notes(source.kit_notes());
        Self {
            inner: Arc::new(Inner {
                run,
                source,
                mode,
                is_resume: request.is_resume,
                refetch: request.refetch,
                last_sync_at: request.last_sync_at,
                previous,
                starts_over,
                ended: Mutex::new(false),
                cancelled: CancellationToken::new(),
                operators: Operators::new(operators),
                manager,
                pipeline,
                keeper,
                secrets,
                looked_up: LookedUp::default(),
                groups,
                repeats: Repeats::of(mode),
                requests: crate::redact::are_requests_kept().then(Arc::default),
            }),
            scope: Arc::default(),
        }
    }

    /// Returns the run's id.
    pub fn sync_run_id(&self) -> &str {
        &self.inner.run
    }

    /// Returns the only item that is wanted, if the run is to fetch one item again.
    pub(crate) fn refetch(&self) -> Option<&str> {
        self.inner.refetch.as_deref()
    }

    /// Returns the source's id.
    pub fn source_id(&self) -> &str {
        &self.inner.source.id
    }

    /// Returns the source's type.
    pub fn source_type(&self) -> SourceType {
        self.inner.source.source_type
    }

    /// Returns the source, as it was when the run began.
    pub fn source(&self) -> &Source {
        &self.inner.source
    }

    /// Returns the mode of the run.
    pub fn sync_mode(&self) -> SyncType {
        self.inner.mode
    }

    /// Returns the operators for which no document of the run has a value yet.
    pub(super) fn idle_operators(&self) -> Vec<&'static str> {
        self.inner.operators.without_value()
    }

    /// Returns whether the run was interrupted before and continues from its checkpoint. Items after the checkpoint may
    /// have been emitted before; emitting them again is harmless.
    pub fn is_resume(&self) -> bool {
        self.inner.is_resume
    }

    /// Returns when the latest completed run ended, in an incremental run.
    pub fn last_sync_at(&self) -> Option<OffsetDateTime> {
        self.inner.last_sync_at
    }

    /// Returns the client of the manager, for rare needs: other sources, settings of a provider, notes about the
    /// source.
    pub fn manager(&self) -> &ManagerClient {
        &self.inner.manager
    }

    /// Returns whether the run was cancelled, or the process is about to end.
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancelled.is_cancelled()
    }

    /// Waits until the run is cancelled. Use it in `tokio::select!` together with a long wait.
    pub async fn cancelled(&self) {
        self.inner.cancelled.cancelled().await;
    }

    pub(super) const fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    /// Returns a handle of the same run with its own scope: it also counts its items separately.
    pub(super) fn within(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            scope: self.scope.within(),
        }
    }

    pub(super) fn keeper(&self) -> &Keeper {
        &self.inner.keeper
    }

    /// Returns the e-mail address of the person who created the source. Asks the manager once in a run.
    ///
    /// ```
    /// # async fn example(ctx: omni_connector::SyncContext) -> anyhow::Result<()> {
    /// let readers = omni_connector::Access::users([ctx.owner_email().await?]);
    /// # let _ = readers;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The manager refuses, or cannot be reached.
    pub async fn owner_email(&self) -> Result<String, RunError> {
        let owner = self.inner.manager.user_email(&self.inner.source.id);
        Ok(self.once("omni_connector: owner", owner).await?)
    }

    /// Changes the connector's notes about the source, such as ids of webhooks or its own secrets. Notes outlive runs.
    /// Read them with [`Source::notes`].
    ///
    /// ```
    /// use omni_connector::prelude::*;
    ///
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct Notes { webhook_id: Option<String> }
    ///
    /// # async fn example(ctx: SyncContext) -> Result<()> {
    /// let notes: Notes = ctx.source().notes()?;
    /// if notes.webhook_id.is_none() {
    ///     ctx.change_notes(|notes: &mut Notes| notes.webhook_id = Some("17".to_owned())).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ManagerClient::change_notes`].
    pub async fn change_notes<T, R>(
        &self,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R, NotesError>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        let manager = &self.inner.manager;
        manager.change_notes(&self.inner.source.id, change).await
    }

    /// Looks something up once for the whole run, such as the members of a group. A second caller with the same key
    /// waits for the first. Errors are not remembered.
    ///
    /// # Errors
    /// The errors of the look-up.
    pub async fn once<T, E>(
        &self,
        key: impl Into<String>,
        look_up: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E>
    where
        T: Clone + Send + Sync + 'static,
    {
        self.inner.looked_up.once(key.into(), look_up).await
    }
}

/// Returns whether a run begins anew, even if the manager sent a checkpoint. A resumed full run that saved no
/// checkpoint receives that of the source.
pub(crate) fn starts_over(request: &SyncRequest, mode: SyncType, source: &Source) -> bool {
    let has_own = request.is_resume
        && known(request.checkpoint.as_ref()) != known(source.checkpoint.as_ref());
    mode == SyncType::Full && !has_own
}

fn known(checkpoint: Option<&Value>) -> Option<&Value> {
    checkpoint.filter(|value| !value.is_null())
}
