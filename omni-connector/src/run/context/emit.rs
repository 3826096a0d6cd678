//! Emits documents, groups, people and events, and stores contents.

use futures_util::future::{BoxFuture, ready};

use super::SyncContext;
use crate::{
    manager::{Data, Extract},
    run::{
        Document, Failure, Group, Members, RunError, Stage,
        content::Body,
        pipeline::Tally,
        receipt::{Noted, Receipt},
    },
    wire::{ConnectorEvent, PersonSyncRecord},
};

impl SyncContext {
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
    pub(in crate::run) fn resolve(&self, document: &mut Document<'_>) -> Result<(), Failure> {
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
    pub(in crate::run) fn fail_document(
        &self,
        failure: Failure,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        self.fail_item(failure);
        let outcome = self.inner.pipeline.refusal().map_or(Ok(()), Err);
        Box::pin(ready(outcome))
    }

    /// Sends a document whose readers are resolved.
    pub(in crate::run) fn upsert_noted(
        &self,
        document: Document<'_>,
        noted: Option<Noted>,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        self.working_on(document.id());
        let (event, body) = document.into_event(&self.inner.operators.all);
        if let ConnectorEvent::DocumentCreated {
            attributes: Some(attributes),
            ..
        } = &event
        {
            self.inner.operators.note(attributes);
        }
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

    pub(in crate::run) fn delete_noted(
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
        self.emit_event(ConnectorEvent::GroupMembershipSync {
            sync_run_id: String::new(),
            source_id: String::new(),
            group_email: group.email,
            group_name: group.name,
            member_emails: group.members,
        })
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
        self.emit_event(ConnectorEvent::PersonSync {
            sync_run_id: String::new(),
            source_id: String::new(),
            person: Box::new(person),
        })
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
        self.inner.groups.note_event(&event);
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
}

/// Waits for all of these futures. Their work has begun when this returns.
pub(in crate::run) fn all(
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
