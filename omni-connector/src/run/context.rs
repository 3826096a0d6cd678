//! The author's handle to one run.

use std::{
    borrow::Cow,
    fmt::{self, Display},
    sync::Arc,
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::{Mutex, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    Deletions, Document, Failure, FailureBudget, Group, Listing, Members, NewRun, Operator,
    RunError, RunReport, Stage, WalkedListing,
    content::Body,
    groups::Groups,
    keeper::{Keeper, Snapshot},
    listing,
    once::LookedUp,
    pipeline::{Limits, Pipeline, Tally},
    receipt::{Noted, Receipt, Scope},
    repeats::Repeats,
    requests::{RequestLog, are_requests_kept},
};
use crate::{
    manager::{Data, Extract, ManagerClient, NotesError},
    redact::Secrets,
    wire::{ConnectorEvent, PersonSyncRecord, Source, SourceType, SyncRequest, SyncType},
};
use futures_util::future::{BoxFuture, ready};

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
    pub(super) last_sync_at: Option<OffsetDateTime>,
    /// The checkpoint that is published again if the run saves none: completing a run always publishes one.
    pub(super) previous: Option<Value>,
    /// Whether the author begins anew, even if there is a checkpoint.
    starts_over: bool,
    pub(super) ended: Mutex<bool>,
    pub(super) cancelled: CancellationToken,
    pub(super) operators: Vec<Operator>,
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
                last_sync_at: request.last_sync_at,
                previous,
                starts_over,
                ended: Mutex::new(false),
                cancelled: CancellationToken::new(),
                operators,
                manager,
                pipeline,
                keeper,
                secrets,
                looked_up: LookedUp::default(),
                groups,
                repeats: Repeats::of(mode),
                requests: are_requests_kept().then(Arc::default),
            }),
            scope: Arc::default(),
        }
    }

    /// Returns the run's id.
    pub fn sync_run_id(&self) -> &str {
        &self.inner.run
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

    /// Creates or updates a document. Stores its content and then sends it, in the order of the calls.
    ///
    /// # Errors
    /// The run is over or cancelled, or the manager cannot be reached. If only the document's content is refused, the
    /// document is reported as failed. The run then continues within its [budget](Self::set_failure_budget).
    pub fn upsert(&self, mut document: Document<'_>) -> BoxFuture<'static, Result<(), RunError>> {
        if let Err(failure) = self.resolve(&mut document) {
            return self.fail_document(failure);
        }
        all(document.split().map(|piece| self.upsert_noted(piece, None)))
    }

    /// Resolves the readers of a document. Returns its failure when they are unknown.
    pub(super) fn resolve(&self, document: &mut Document<'_>) -> Result<(), Failure> {
        let fail = |document: &Document<'_>, stage, cause: &str| Failure {
            stage,
            ..self.read_failure(document.id(), cause, document.link())
        };
        if let Some(cause) = document.unusable() {
            return Err(fail(document, Stage::Send, cause));
        }
        document.resolve(&self.inner.groups).map_err(|cause| {
            let cause = format!("who may read it is unknown, so it was not sent: {cause}");
            fail(document, Stage::Access, &cause)
        })
    }

    /// Records the failure of a document that is not sent. The run ends only if that exceeds its budget.
    pub(super) fn fail_document(
        &self,
        failure: Failure,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        self.fail_item(failure);
        let outcome = self.inner.pipeline.refusal().map_or(Ok(()), Err);
        Box::pin(ready(outcome))
    }

    /// Sends a document whose readers are resolved.
    pub(super) fn upsert_noted(
        &self,
        document: Document<'_>,
        noted: Option<Noted>,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        self.working_on(document.id());
        let (event, body) = document.into_event(&self.inner.operators);
        self.emit(event, body, Tally::UPSERT, noted)
    }

    /// Deletes a document.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert).
    pub fn delete(
        &self,
        document_id: impl Into<String>,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        self.delete_noted(document_id, None)
    }

    pub(super) fn delete_noted(
        &self,
        document_id: impl Into<String>,
        noted: Option<Noted>,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        let event = ConnectorEvent::DocumentDeleted {
            sync_run_id: String::new(),
            source_id: String::new(),
            document_id: document_id.into(),
        };
        self.emit(event, None, Tally::DELETE, noted)
    }

    /// Replaces the members of a group.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert).
    pub fn group(&self, group: Group) -> BoxFuture<'static, Result<(), RunError>> {
        self.inner.groups.send(&group.email, Some(&group.members));
        self.inner.groups.name_users(&group.members);
        let event = ConnectorEvent::GroupMembershipSync {
            sync_run_id: String::new(),
            source_id: String::new(),
            group_email: group.email,
            group_name: group.name,
            member_emails: group.members,
        };
        self.emit(event, None, Tally::NONE, None)
    }

    /// Replaces the members of a group if they are known. Unknown members are a failed item, and Omni keeps the last
    /// list.
    ///
    /// ```
    /// use omni_connector::{Members, prelude::*};
    ///
    /// # async fn members(_: &str) -> Result<Vec<String>> { Ok(vec![]) }
    /// # async fn example(ctx: SyncContext) -> Result<()> {
    /// ctx.members("ops@example.com", members("ops").await).await?;
    /// ctx.members("dev@example.com", Members::unknown("the directory hides them")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert).
    pub fn members(
        &self,
        group: impl Into<String>,
        members: impl Into<Members>,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        let group = group.into();
        match members.into() {
            Members::Known(members) => self.group(Group::new(group, members)),
            Members::Unknown(cause) => {
                self.inner.groups.send(&group, None);
                let cause = format!("its members are unknown, so the last list stays: {cause}");
                self.fail_document(self.read_failure(&group, &cause, None))
            }
        }
    }

    /// Creates or updates a person.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert).
    pub fn person(&self, person: PersonSyncRecord) -> BoxFuture<'static, Result<(), RunError>> {
        let event = ConnectorEvent::PersonSync {
            sync_run_id: String::new(),
            source_id: String::new(),
            person: Box::new(person),
        };
        self.emit(event, None, Tally::NONE, None)
    }

    /// Deletes a person.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert).
    pub fn person_gone(
        &self,
        email: impl Into<String>,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        let event = ConnectorEvent::PersonDeleted {
            sync_run_id: String::new(),
            source_id: String::new(),
            email: email.into(),
        };
        self.emit(event, None, Tally::NONE, None)
    }

    /// Sends an event with the ids of this run, addresses in lower case, and permissions and attributes even if these
    /// are empty. Its content must already be stored. The caller counts it.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert).
    pub fn emit_event(&self, event: ConnectorEvent) -> BoxFuture<'static, Result<(), RunError>> {
        self.emit(event, None, Tally::NONE, None)
    }

    // An event has more than 400 bytes, and each call that is not inlined copies it.
    #[inline]
    fn emit(
        &self,
        mut event: ConnectorEvent,
        body: Option<Body>,
        tally: Tally,
        noted: Option<Noted>,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        event.normalize();
        self.inner.repeats.note(&event);
        let receipt = Receipt::new(&self.scope, noted);
        self.inner.pipeline.emit(event, body, tally, receipt)
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

    /// Counts an item that was scanned and need not be sent.
    pub(super) fn looked_at(&self) {
        // A closed run counts nothing.
        let _ = self.inner.pipeline.count(Tally::SCAN);
    }

    /// Stores a text and returns its id, for [`emit_event`](Self::emit_event) or [`Document::stored`].
    ///
    /// # Errors
    /// The run is over, the manager refuses the text, or it cannot be reached.
    pub async fn store_content(&self, content: impl Into<String>) -> Result<String, RunError> {
        self.inner.pipeline.store(Body::Text(content.into())).await
    }

    /// Extracts the text of a file at the manager, for connectors that process it themselves. Stores nothing.
    ///
    /// ```
    /// # async fn example(ctx: omni_connector::SyncContext, pdf: Vec<u8>) -> anyhow::Result<()> {
    /// let text = ctx.extract_text(pdf, "application/pdf", Some("plan.pdf")).await?;
    /// # let _ = text;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The run is over, the manager refuses the file, or it cannot be reached.
    pub async fn extract_text(
        &self,
        data: impl Into<Data>,
        mime_type: &str,
        filename: Option<&str>,
    ) -> Result<String, RunError> {
        if let Some(reason) = self.inner.pipeline.refusal() {
            return Err(reason);
        }
        let extract = Extract {
            data: data.into(),
            mime_type: mime_type.to_owned(),
            filename: filename.map(str::to_owned),
        };
        let extracting = self.inner.manager.extract_text(&self.inner.run, &extract);
        tokio::select! {
            text = extracting => Ok(text?),
            reason = self.closed() => Err(reason),
        }
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

    /// Extracts the text of a file at the manager and stores it. Returns the content's id.
    ///
    /// # Errors
    /// The run is over, the manager refuses the file, or it cannot be reached.
    pub async fn extract_and_store_content(
        &self,
        data: impl Into<Data>,
        mime_type: &str,
        filename: Option<&str>,
    ) -> Result<String, RunError> {
        let extract = Extract {
            data: data.into(),
            mime_type: mime_type.to_owned(),
            filename: filename.map(str::to_owned),
        };
        self.inner.pipeline.store(Body::Extract(extract)).await
    }

    /// Reports an item that should have arrived and failed, for example because it could not be read. The run continues
    /// within its [budget](Self::set_failure_budget). `link` is where people find the item.
    pub fn item_failed(&self, item: impl Into<String>, cause: impl Display, link: Option<&str>) {
        self.fail_item(self.read_failure(&item.into(), &cause.to_string(), link));
    }

    /// Describes the failure of an item that could not be read, without secrets.
    pub(super) fn read_failure(&self, item: &str, cause: &str, link: Option<&str>) -> Failure {
        let secrets = &self.inner.secrets;
        Failure {
            item: secrets.redact(item),
            stage: Stage::Read,
            cause: secrets.redact(cause),
            link: link.map(|link| secrets.redact(link)),
        }
    }

    /// Records the failure of an item that was not emitted.
    pub(super) fn fail_item(&self, failure: Failure) {
        self.scope.fail();
        self.inner.pipeline.fail(failure);
    }

    /// Sets how many items may fail before the run fails. Replaces the [defaults](FailureBudget::default).
    pub fn set_failure_budget(&self, budget: FailureBudget) {
        self.inner.pipeline.set_budget(budget);
    }

    /// Skips an item on purpose, and says why. Use the same sentence for all items with this reason: the report counts
    /// items by reason.
    pub fn skip(&self, item: impl Into<String>, reason: impl Into<Cow<'static, str>>) {
        self.record_skip(item.into(), reason.into().into_owned(), None);
    }

    /// Skips an item like [`skip`](Self::skip), with a detail about this item.
    pub fn skip_with(
        &self,
        item: impl Into<String>,
        reason: impl Into<Cow<'static, str>>,
        detail: impl Display,
    ) {
        self.record_skip(
            item.into(),
            reason.into().into_owned(),
            Some(detail.to_string()),
        );
    }

    fn record_skip(&self, item: String, reason: String, detail: Option<String>) {
        let clean = |text: String| self.inner.secrets.redact(&text);
        let (item, reason, detail) = (clean(item), clean(reason), detail.map(clean));
        tracing::debug!(item, reason, detail, "skipped");
        self.looked_at();
        self.inner
            .pipeline
            .report(|report| report.skip(item, reason, || detail));
    }

    /// Shows people the item that the run is working on.
    pub fn working_on(&self, item: &str) {
        self.inner
            .pipeline
            .report(|report| match &mut report.current {
                Some(current) => item.clone_into(current),
                none => *none = Some(item.to_owned()),
            });
    }

    /// Returns the log of requests to the source, if the process keeps one.
    pub(crate) fn requests(&self) -> Option<&Arc<RequestLog>> {
        self.inner.requests.as_ref()
    }

    /// Removes the secrets of the run from a text.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        self.inner.secrets.redact(text)
    }

    /// Shows people what the run waits for. `None` removes it.
    pub(crate) fn set_waiting_for(&self, text: Option<String>) {
        let text = text.map(|text| self.inner.secrets.redact(&text));
        self.inner
            .pipeline
            .report(|report| report.waiting_for = text);
    }

    /// Counts scanned items that are neither emitted nor skipped, above all unchanged ones.
    ///
    /// # Errors
    /// The run is over.
    #[allow(
        clippy::unused_async,
        reason = "published as async; the count itself is sent later, with others"
    )]
    pub async fn increment_scanned(&self, count: i32) -> Result<(), RunError> {
        self.inner.pipeline.count(Tally {
            scanned: count,
            ..Tally::NONE
        })
    }

    /// Counts documents changed by [`emit_event`](Self::emit_event), which does not count itself.
    ///
    /// # Errors
    /// The run is over.
    #[allow(
        clippy::unused_async,
        reason = "published as async; the count itself is sent later, with others"
    )]
    pub async fn increment_updated(&self, count: i32) -> Result<(), RunError> {
        self.inner.pipeline.count(Tally {
            updated: count,
            ..Tally::NONE
        })
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
    pub(super) fn report_held_back(&self, deletions: &Deletions) {
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
        let checkpoint = Snapshot::of(&checkpoint)?;
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

    /// Sends a heartbeat. The runtime does so whenever a run was silent for a minute.
    ///
    /// # Errors
    /// The manager cannot be reached.
    pub async fn heartbeat(&self) -> Result<(), RunError> {
        if let Some(reason) = self.inner.pipeline.refusal() {
            return Err(reason);
        }
        Ok(self.inner.manager.heartbeat(&self.inner.run).await?)
    }

    /// Returns a report of the run so far.
    pub fn report(&self) -> RunReport {
        let mut report = self.inner.pipeline.report(|report| report.clone());
        report.current = report.current.map(|current| self.clean(&current));
        report
    }

    /// Reads the [`report`](Self::report) without copying it.
    pub(crate) fn read_report<T>(&self, read: impl FnOnce(&RunReport) -> T) -> T {
        self.inner.pipeline.report(|report| read(report))
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

/// Waits for all of these futures. Their work has begun when this returns.
pub(super) fn all(
    begun: impl IntoIterator<Item = BoxFuture<'static, Result<(), RunError>>>,
) -> BoxFuture<'static, Result<(), RunError>> {
    let mut begun = begun.into_iter();
    let first = begun.next().unwrap_or_else(|| Box::pin(ready(Ok(()))));
    let others: Vec<_> = begun.collect();
    if others.is_empty() {
        return first;
    }
    Box::pin(async move {
        first.await?;
        for other in others {
            other.await?;
        }
        Ok(())
    })
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
