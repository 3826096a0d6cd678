//! Walks over a source and compares it with an inventory.

use std::{fmt::Display, marker::PhantomData, sync::Arc};

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Fingerprint, Part, Shared, fingerprint,
    shared::{Announced, OpenWalk},
};
use crate::run::{
    Access, Deletions, Document, Failure, RunError, SyncContext, Walked, context::all,
    finite::Finite, listing::share_limit, receipt::Noted,
};

/// A walk over a source, or a part of it. Made by [`Inventory::walk`](super::Inventory::walk).
///
/// Sends documents and records them in one step. Only [`finish`](Self::finish) deletes documents that were not seen. A
/// walk that is dropped deletes nothing.
#[derive(Debug)]
pub struct Walk<V> {
    shared: Arc<Shared>,
    ctx: SyncContext,
    part: Part,
    /// Whether an interrupted walk may still be resumed.
    may_resume: bool,
    version: PhantomData<fn(V)>,
}

impl<V: Serialize> Walk<V> {
    pub(super) fn begin(shared: &Arc<Shared>, ctx: &SyncContext, part: Part) -> Self {
        let mut state = shared.state();
        let is_of_run = |walk: &OpenWalk| walk.run == ctx.sync_run_id();
        let may_resume = ctx.is_resume() && state.walk.as_ref().is_some_and(is_of_run);
        if !may_resume {
            state.begin_walk(&part);
        }
        drop(state);
        Self {
            shared: Arc::clone(shared),
            ctx: ctx.clone(),
            part,
            may_resume,
            version: PhantomData,
        }
    }

    /// Begins a new walk, unless [`resume_point`](Self::resume_point) was called before.
    fn go(&mut self) {
        if self.may_resume {
            self.may_resume = false;
            self.shared.state().begin_walk(&self.part);
        }
    }

    /// Returns the point from which an interrupted walk of this run continues. Returns `None` when the walk begins
    /// anew. Must be the walk's first call; the walk then remembers what it saw before the interruption.
    pub fn resume_point<P: DeserializeOwned>(&mut self) -> Option<P> {
        if !self.may_resume {
            return None;
        }
        let mut state = self.shared.state();
        let at = state.walk.as_mut().and_then(OpenWalk::reached).cloned();
        drop(state);
        let point = at.and_then(|at| {
            serde_json::from_value(at)
                .inspect_err(|error| {
                    tracing::warn!(
                        "the walk begins anew, since its last point cannot be read: {error}"
                    );
                })
                .ok()
        });
        if point.is_some() {
            self.may_resume = false;
        } else {
            self.go();
        }
        point
    }

    /// Records a point from which the walk can be resumed. It counts once everything emitted before is settled.
    pub fn reached(&mut self, point: impl Serialize) {
        self.go();
        match serde_json::to_value(Finite(&point)) {
            Ok(point) => {
                let run = self.ctx.sync_run_id().to_owned();
                let mut state = self.shared.state();
                let walk = state.walk.get_or_insert_with(|| OpenWalk::begin(run));
                walk.reach(point, self.ctx.scope());
                state.touch();
            }
            Err(error) => tracing::warn!(
                "a point of the walk cannot be saved, so an interrupted walk goes on from an earlier one: {error}"
            ),
        }
    }

    /// Returns whether Omni has this version of an item, and everything that belongs to it. If so, the item counts as
    /// seen and scanned, and need not be sent.
    pub fn is_current(&mut self, id: &str, version: &V) -> bool {
        self.is_current_fingerprint(id, fingerprint(version))
    }

    pub(in crate::run) fn is_current_fingerprint(
        &mut self,
        id: &str,
        fingerprint: Fingerprint,
    ) -> bool {
        self.go();
        let mut state = self.shared.state();
        let is_current = fingerprint != Fingerprint::NONE
            && state.fingerprint(id) == Some(fingerprint)
            && !state.lacks_a_child(id);
        if is_current {
            state.see(id);
            drop(state);
            self.ctx.looked_at();
        }
        is_current
    }

    /// Returns a version that changes with the document's readers.
    pub(in crate::run) fn print_with(version: &V, access: &Access) -> Fingerprint {
        fingerprint(&(version, access.readers()))
    }

    /// Sends a document, and records it once the manager has accepted it.
    ///
    /// A [child](Document::child) is kept while its parent is current, sent again with it, and deleted with it. A
    /// document whose access is [unknown](Access::unknown) is not sent: Omni keeps the version that it has.
    ///
    /// # Errors
    /// As [`SyncContext::upsert`].
    pub fn upsert(
        &mut self,
        mut document: Document<'_>,
        version: &V,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        match self.resolve(&mut document) {
            Ok(()) => self.upsert_fingerprint(document, fingerprint(version)),
            Err(failing) => failing,
        }
    }

    /// Resolves the readers of a document. A document with unknown readers counts as seen, and fails.
    pub(in crate::run) fn resolve(
        &mut self,
        document: &mut Document<'_>,
    ) -> Result<(), BoxFuture<'static, Result<(), RunError>>> {
        self.go();
        self.ctx.resolve(document).map_err(|failure| {
            self.fail(document.id(), document.parent(), &failure);
            self.ctx.fail_document(failure)
        })
    }

    pub(in crate::run) fn upsert_fingerprint(
        &mut self,
        document: Document<'_>,
        fingerprint: Fingerprint,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        self.go();
        let whole = document.id().to_owned();
        let mut pieces = 0;
        let begun = document.split().map(|piece| {
            pieces += 1;
            let begun = {
                let mut state = self.shared.state();
                state.sends(piece.id(), piece.parent(), fingerprint, self.ctx.keeper())
            };
            self.ctx.upsert_noted(piece, Some(self.noted(begun)))
        });
        let mut begun: Vec<_> = begun.collect();
        let behind = self.shared.state().pieces_behind(&whole, pieces);
        for id in behind {
            begun.push(self.delete(&id));
        }
        all(begun)
    }

    fn fail(&self, id: &str, parent: Option<&str>, failure: &Failure) {
        self.shared.failed(id, parent, failure, None);
        self.shared.state().see(id);
    }

    /// Reports a document that could not be read. Returns an error when that ends the run.
    pub(in crate::run) fn fail_child(
        &self,
        document: &Document<'_>,
        cause: impl Display,
    ) -> Result<(), RunError> {
        let cause = format!("{cause:#}");
        let failure = self
            .ctx
            .read_failure(document.id(), &cause, document.link());
        self.fail(document.id(), document.parent(), &failure);
        self.ctx.fail_item(failure);
        self.ctx.refusal().map_or(Ok(()), Err)
    }

    /// Returns a second handle of this walk, for work at the same time.
    pub(in crate::run) fn again(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            ctx: self.ctx.clone(),
            part: self.part.clone(),
            may_resume: false,
            version: PhantomData,
        }
    }

    /// Deletes a document that the source reports as deleted.
    ///
    /// # Errors
    /// As [`SyncContext::delete`].
    pub fn delete(&mut self, id: &str) -> BoxFuture<'static, Result<(), RunError>> {
        self.go();
        let begun = self.shared.state().deletes(id);
        self.ctx.delete_noted(id, Some(self.noted(begun)))
    }

    /// Deletes every known document in a part that no longer belongs to the source: an excluded folder, or the old name of a
    /// project. It has no limit on the share of deleted documents, since the author names the part.
    ///
    /// # Errors
    /// As [`SyncContext::delete`].
    pub fn delete_part(&mut self, part: &Part) -> BoxFuture<'static, Result<(), RunError>> {
        let known = {
            let mut state = self.shared.state();
            state.forget_failed_parts(part);
            state.ids_in(part)
        };
        let begun: Vec<_> = known.iter().map(|id| self.delete(id)).collect();
        all(begun)
    }

    /// Returns the known documents in a part that this walk has not seen yet. If a list can omit existing items, ask the
    /// source for each of these, then [`delete`](Self::delete) it or send it.
    pub fn unseen(&self, part: &Part) -> Vec<String> {
        self.shared.state().unseen(part, share_limit()).ids
    }

    /// Marks an item as seen without reading it. Omni keeps its version of the item and of its children.
    pub fn keep(&mut self, id: &str) {
        self.go();
        self.shared.state().see(id);
    }

    /// Reports an item that could not be read. Omni keeps its version of it. The next run tries it again, and every
    /// report names it until it arrives or is deleted.
    pub fn failed(&mut self, id: &str, cause: impl Display, link: Option<&str>) {
        self.go();
        let failure = self.ctx.read_failure(id, &cause.to_string(), link);
        self.fail(id, None, &failure);
        self.ctx.fail_item(failure);
    }

    /// Reports a part that could not be listed. All known documents in it are kept. Every report names it until a walk
    /// over it begins anew.
    pub fn part_failed(&mut self, part: &Part, cause: impl Display, link: Option<&str>) {
        self.go();
        let failure = self
            .ctx
            .read_failure(&part.to_string(), &cause.to_string(), link);
        {
            let mut state = self.shared.state();
            state.keep(part);
            state.part_failed(part, &failure);
        }
        self.ctx.fail_item(failure);
    }

    /// Keeps all known documents of a part without reading them.
    pub fn keep_part(&mut self, part: &Part) {
        self.go();
        self.shared.state().keep(part);
    }

    /// Returns the documents that should be in Omni and failed in this or an earlier run. A run that does not see every
    /// item fetches these itself.
    pub fn missing(&self) -> Vec<String> {
        let state = self.shared.state();
        let missing = state.missing.keys().filter(|id| self.part.has(id));
        missing.map(ToString::to_string).collect()
    }

    fn noted(&self, Announced { token, number }: Announced) -> Noted {
        Noted {
            by: Arc::clone(&self.shared),
            token,
            number,
        }
    }

    /// Ends the walk. Deletes the known documents of its part that were not seen, unless that looks like an accident.
    /// Then their ids are in [`Deletions::held_back`], and they stay known.
    ///
    /// # Errors
    /// As [`SyncContext::delete`].
    pub async fn finish(mut self, proof: Walked) -> Result<Deletions, RunError> {
        let _ = proof;
        self.go();
        if self.ctx.is_cancelled() {
            return Err(RunError::Cancelled);
        }
        let unseen = {
            let mut state = self.shared.state();
            state.end_walk(&self.part);
            state.unseen(&self.part, share_limit())
        };
        let deletions = Deletions::of(unseen.ids, unseen.known, unseen.is_suspicious);
        self.ctx.report_held_back(&deletions);
        for id in &deletions.deleted {
            self.delete(id).await?;
        }
        Ok(deletions)
    }
}
