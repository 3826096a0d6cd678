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
    requests::{RequestLog, are_requests_kept},
};
use crate::{
    manager::{Data, Extract, ManagerClient, NotesError},
    redact::Secrets,
    wire::{ConnectorEvent, PersonSyncRecord, Source, SourceType, SyncRequest, SyncType},
};
use futures_util::future::{BoxFuture, ready};

/// One run, as its author sees it: emit, checkpoint, and look whether somebody wants it to stop.
///
/// Cheap to clone; all clones are the same run. What is emitted is in the run's pipeline when the call returns its future,
/// so dropping a future loses nothing; awaiting it only waits for room.
#[derive(Clone)]
pub struct SyncContext {
    pub(super) inner: Arc<Inner>,
    /// What this handle emits is counted here.
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
    /// Published again if the run saves nothing: completing publishes a checkpoint in any case.
    pub(super) previous: Option<Value>,
    /// Whether the author begins at the beginning, whatever there is to go on from.
    starts_over: bool,
    pub(super) ended: Mutex<bool>,
    pub(super) cancelled: CancellationToken,
    pub(super) operators: Vec<Operator>,
    pub(super) manager: ManagerClient,
    pub(super) pipeline: Pipeline,
    pub(super) keeper: Arc<Keeper>,
    /// What must stand in no text about the run.
    pub(super) secrets: Arc<Secrets>,
    /// What was looked up once for the whole run.
    looked_up: LookedUp,
    /// The groups that were sent, and those that documents name.
    pub(super) groups: Groups,
    /// What the run asked of its source, where that is kept.
    requests: Option<Arc<RequestLog>>,
}

impl SyncContext {
    /// A run that begins now.
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
        // The precedence of protocol.md §5.5; an explicit null is none.
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
                requests: are_requests_kept().then(Arc::default),
            }),
            scope: Arc::default(),
        }
    }

    /// The run's id.
    pub fn sync_run_id(&self) -> &str {
        &self.inner.run
    }

    /// The source's id.
    pub fn source_id(&self) -> &str {
        &self.inner.source.id
    }

    /// The source's type.
    pub fn source_type(&self) -> SourceType {
        self.inner.source.source_type
    }

    /// The source itself, as it was when the run began.
    pub fn source(&self) -> &Source {
        &self.inner.source
    }

    /// How much to look at.
    pub fn sync_mode(&self) -> SyncType {
        self.inner.mode
    }

    /// Whether the run was interrupted before and goes on from its checkpoint. What follows the checkpoint may have been
    /// emitted before; emitting it again does no harm.
    pub fn is_resume(&self) -> bool {
        self.inner.is_resume
    }

    /// When the latest completed run ended, in an incremental run.
    pub fn last_sync_at(&self) -> Option<OffsetDateTime> {
        self.inner.last_sync_at
    }

    /// The manager, for what a run needs rarely: other sources, settings of a provider, notes about the source.
    pub fn manager(&self) -> &ManagerClient {
        &self.inner.manager
    }

    /// Whether somebody cancelled the run, or the process is about to end.
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancelled.is_cancelled()
    }

    /// Waits until the run is cancelled: for `tokio::select!` beside a long wait.
    pub async fn cancelled(&self) {
        self.inner.cancelled.cancelled().await;
    }

    /// Creates or updates a document: stores its content, then sends it, in the order of the calls.
    ///
    /// # Errors
    /// The run is over, was cancelled, or the manager is gone. A document whose content is refused is no error: it is
    /// reported as failed, and the run goes on as long as its [budget](Self::set_failure_budget) lasts.
    pub fn upsert(&self, mut document: Document<'_>) -> BoxFuture<'static, Result<(), RunError>> {
        if let Err(failure) = self.resolve(&mut document) {
            return self.fail_document(failure);
        }
        all(document.split().map(|piece| self.upsert_noted(piece, None)))
    }

    /// Finds out who may read a document; its failure when that is unknown.
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

    /// Records the failure of a document that is not sent, which ends the run only if it is one too many.
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
        let event = ConnectorEvent::GroupMembershipSync {
            sync_run_id: String::new(),
            source_id: String::new(),
            group_email: group.email,
            group_name: group.name,
            member_emails: group.members,
        };
        self.emit(event, None, Tally::NONE, None)
    }

    /// Replaces the members of a group, if they are known. Unknown members are a failed item, and Omni keeps the last list.
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

    /// Sends an event as it is, but with the ids of this run, addresses in lower case, and permissions and attributes
    /// present. Its content must be stored already, and counting it is up to the caller.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert).
    pub fn emit_event(&self, event: ConnectorEvent) -> BoxFuture<'static, Result<(), RunError>> {
        self.emit(event, None, Tally::NONE, None)
    }

    // An event is more than 400 bytes, and each call that is not inlined copies it.
    #[inline]
    fn emit(
        &self,
        mut event: ConnectorEvent,
        body: Option<Body>,
        tally: Tally,
        noted: Option<Noted>,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        event.normalize();
        let receipt = Receipt::new(&self.scope, noted);
        self.inner.pipeline.emit(event, body, tally, receipt)
    }

    pub(super) const fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    /// The same run, for a part of it: what is emitted through this handle is counted by itself as well.
    pub(super) fn within(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            scope: self.scope.within(),
        }
    }

    pub(super) fn keeper(&self) -> &Keeper {
        &self.inner.keeper
    }

    /// Counts an item that was looked at and need not be sent.
    pub(super) fn looked_at(&self) {
        // A run that is over counts nothing any more, which is as it should be.
        let _ = self.inner.pipeline.count(Tally::SCAN);
    }

    /// Stores a text and returns its id, for [`emit_event`](Self::emit_event) or [`Document::stored`].
    ///
    /// # Errors
    /// The run is over, or the manager refuses the text or is gone.
    pub async fn store_content(&self, content: impl Into<String>) -> Result<String, RunError> {
        self.inner.pipeline.store(Body::Text(content.into())).await
    }

    /// Has the manager extract a text from bytes, for texts that the connector works on itself; it stores nothing.
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
    /// The run is over, or the manager refuses the bytes or is gone.
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

    /// The e-mail address of the person who made the source. It is asked for once a run.
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
    /// The manager refuses, or is gone.
    pub async fn owner_email(&self) -> Result<String, RunError> {
        let owner = self.inner.manager.user_email(&self.inner.source.id);
        Ok(self.once("omni_connector: owner", owner).await?)
    }

    /// Changes the connector's notes about the source, which outlive runs: ids of webhooks, secrets of its own. Read them with
    /// [`Source::notes`].
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

    /// Has the manager extract a text from bytes and store it; the text's id.
    ///
    /// # Errors
    /// The run is over, or the manager refuses the bytes or is gone.
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

    /// Says that an item should have arrived and cannot: it could not be read from the source, say. The run goes on as long
    /// as its [budget](Self::set_failure_budget) lasts. `link` is where people find the item.
    pub fn item_failed(&self, item: impl Into<String>, cause: impl Display, link: Option<&str>) {
        self.fail_item(self.read_failure(&item.into(), &cause.to_string(), link));
    }

    /// The failure of an item that could not be read, without secrets.
    pub(super) fn read_failure(&self, item: &str, cause: &str, link: Option<&str>) -> Failure {
        let secrets = &self.inner.secrets;
        Failure {
            item: secrets.redact(item),
            stage: Stage::Read,
            cause: secrets.redact(cause),
            link: link.map(|link| secrets.redact(link)),
        }
    }

    /// Records a failure of something that was not emitted.
    pub(super) fn fail_item(&self, failure: Failure) {
        self.scope.fail();
        self.inner.pipeline.fail(failure);
    }

    /// Sets how many items may fail before the run does, in place of the [defaults](FailureBudget::default).
    pub fn set_failure_budget(&self, budget: FailureBudget) {
        self.inner.pipeline.set_budget(budget);
    }

    /// Leaves an item out of the run on purpose, and says why. The reason is a sentence that is the same for all items with this
    /// problem: the report counts items by reason.
    pub fn skip(&self, item: impl Into<String>, reason: impl Into<Cow<'static, str>>) {
        self.record_skip(item.into(), reason.into().into_owned(), None);
    }

    /// The same, with what exactly happened to this item.
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

    /// Says what the run is working on; people see it while they wait.
    pub fn working_on(&self, item: &str) {
        self.inner
            .pipeline
            .report(|report| match &mut report.current {
                Some(current) => item.clone_into(current),
                none => *none = Some(item.to_owned()),
            });
    }

    /// What the run asked of its source; none where that is not kept.
    pub(crate) fn requests(&self) -> Option<&Arc<RequestLog>> {
        self.inner.requests.as_ref()
    }

    /// A text without the secrets of the run.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        self.inner.secrets.redact(text)
    }

    /// Shows people what the run waits for, until it is taken back by `None`.
    pub(crate) fn set_waiting_for(&self, text: Option<String>) {
        let text = text.map(|text| self.inner.secrets.redact(&text));
        self.inner
            .pipeline
            .report(|report| report.waiting_for = text);
    }

    /// Counts items that were looked at beside those that are emitted or skipped: unchanged ones, above all.
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

    /// Counts documents that were changed by [`emit_event`](Self::emit_event), which counts nothing itself.
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

    /// Looks something up once for the whole run, such as the members of a group. Whoever asks for the same key meanwhile waits for
    /// the first; an error is not remembered.
    ///
    /// # Errors
    /// Those of the look-up.
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

    /// A listing of everything there is, to find what is gone. `known` are the ids of an earlier listing.
    pub fn listing(&self, known: impl IntoIterator<Item = impl Into<String>>) -> Listing {
        Listing::new(
            known.into_iter().map(Into::into).collect(),
            self.inner.cancelled.clone(),
        )
    }

    /// Deletes what a listing that was walked to its end did not see, unless that is a suspiciously large part of what was
    /// known: then nothing is deleted, and the ids are in [`Deletions::held_back`].
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

    /// Deletes people whom a listing of all addresses did not see, with the same care as
    /// [`delete_unseen`](Self::delete_unseen) deletes documents.
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

    /// Says that deletes were held back, if they were.
    pub(super) fn report_held_back(&self, deletions: &Deletions) {
        if let Some(warning) = deletions.warning() {
            tracing::warn!(run = %self.inner.run, "{warning}");
            self.inner
                .pipeline
                .report(|report| report.held_back += deletions.held_back.len() as u64);
        }
    }

    /// Saves where the run is, after everything emitted before was accepted. It returns when this checkpoint, or a later
    /// one, is saved, and reaches the source when the run completes.
    ///
    /// A checkpoint that is JSON `null` is not sent: the manager would publish it and hide the one before.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert), and a value that JSON cannot hold, such as a NaN in it.
    pub async fn save_checkpoint(&self, checkpoint: impl Serialize) -> Result<(), RunError> {
        let checkpoint = Snapshot::of(&checkpoint)?;
        if checkpoint.is_null() {
            return Ok(());
        }
        self.inner.pipeline.checkpoint(checkpoint).await
    }

    /// Begins to save, without waiting for it; the outcome.
    pub(crate) fn begin_save(
        &self,
        checkpoint: &impl Serialize,
    ) -> Result<oneshot::Receiver<Result<(), RunError>>, RunError> {
        let checkpoint = Snapshot::of(checkpoint)?;
        self.inner.pipeline.begin_checkpoint(checkpoint)
    }

    /// How long the latest save took.
    pub(crate) fn save_cost(&self) -> Duration {
        self.inner.keeper.cost()
    }

    /// From now on the runtime can save this checkpoint by itself.
    pub(crate) fn keep(&self, checkpoint: Snapshot) {
        self.inner.keeper.keep(checkpoint);
    }

    /// Whether the author begins at the beginning, whatever there is to go on from.
    pub(crate) fn starts_over(&self) -> bool {
        self.inner.starts_over
    }

    /// The checkpoint that was there when the run began.
    pub(crate) fn previous(&self) -> Option<&Value> {
        self.inner.previous.as_ref()
    }

    /// Says that the run is alive. The runtime does so whenever a run has been silent for a minute.
    ///
    /// # Errors
    /// The manager is gone.
    pub async fn heartbeat(&self) -> Result<(), RunError> {
        if let Some(reason) = self.inner.pipeline.refusal() {
            return Err(reason);
        }
        Ok(self.inner.manager.heartbeat(&self.inner.run).await?)
    }

    /// What the run has done so far.
    pub fn report(&self) -> RunReport {
        let mut report = self.inner.pipeline.report(|report| report.clone());
        report.current = report.current.map(|current| self.clean(&current));
        report
    }

    /// [`report`](Self::report), without a copy of it.
    pub(crate) fn read_report<T>(&self, read: impl FnOnce(&RunReport) -> T) -> T {
        self.inner.pipeline.report(|report| read(report))
    }

    /// Where the author goes on. A full run starts over, whatever the manager sent along, unless it is a resume and saved a
    /// checkpoint itself: behind the source's it would find nothing of what it is run for.
    pub(crate) fn checkpoint(&self) -> Option<Value> {
        if self.inner.starts_over {
            None
        } else {
            self.inner.previous.clone()
        }
    }
}

/// Waits for all of these. They have begun when this returns.
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

/// Whether a run begins at the beginning, whatever the manager sent along. A resumed full run that saved no checkpoint itself
/// is sent the source's.
pub(crate) fn starts_over(request: &SyncRequest, mode: SyncType, source: &Source) -> bool {
    let has_own = request.is_resume
        && known(request.checkpoint.as_ref()) != known(source.checkpoint.as_ref());
    mode == SyncType::Full && !has_own
}

fn known(checkpoint: Option<&Value>) -> Option<&Value> {
    checkpoint.filter(|value| !value.is_null())
}
