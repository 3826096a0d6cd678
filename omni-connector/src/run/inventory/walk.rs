//! A walk over a source, against what an inventory knows.

use std::{fmt::Display, marker::PhantomData, sync::Arc};

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Part, Print, Shared, fingerprint,
    shared::{Begun, OpenWalk},
};
use crate::run::{
    Deletions, Document, RunError, SyncContext, Walked, listing::share_limit, receipt::Noted,
};

/// A walk over a source, or a part of it, against what is known. From [`Inventory::walk`](super::Inventory::walk).
///
/// Documents go through it, so that sending and noting them is one step. Only [`finish`](Self::finish) deletes what was not seen;
/// a walk that is dropped deletes nothing.
#[derive(Debug)]
pub struct Walk<V> {
    shared: Arc<Shared>,
    ctx: SyncContext,
    part: Part,
    /// Whether an interrupted walk may still be gone on with.
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

    /// Without a call of [`resume_point`](Self::resume_point) before it, a walk begins at the beginning.
    fn go(&mut self) {
        if self.may_resume {
            self.may_resume = false;
            self.shared.state().begin_walk(&self.part);
        }
    }

    /// Where an interrupted walk of this run goes on; none when it begins at the beginning. Asked before anything else, it
    /// makes the walk remember what it saw before the interruption.
    pub fn resume_point<P: DeserializeOwned>(&mut self) -> Option<P> {
        if !self.may_resume {
            return None;
        }
        let mut state = self.shared.state();
        let at = state.walk.as_mut().and_then(OpenWalk::reached).cloned();
        drop(state);
        let point = at.and_then(|at| serde_json::from_value(at).ok());
        if point.is_some() {
            self.may_resume = false;
        } else {
            self.go();
        }
        point
    }

    /// Notes where the walk can be gone on with after an interruption. It counts once everything emitted before is settled.
    pub fn reached(&mut self, point: impl Serialize) {
        self.go();
        if let Ok(point) = serde_json::to_value(point) {
            let run = self.ctx.sync_run_id().to_owned();
            let mut state = self.shared.state();
            let walk = state.walk.get_or_insert_with(|| OpenWalk::begin(run));
            walk.reach(point, self.ctx.scope());
            state.touch();
        }
    }

    /// Whether this version of an item is in Omni already. Then the item is seen and counted, and need not be sent.
    pub fn is_current(&mut self, id: &str, version: &V) -> bool {
        self.go();
        let mut state = self.shared.state();
        let print = fingerprint(version);
        let is_current = print != Print::NONE && state.print(id) == Some(print);
        if is_current {
            state.see(id);
            drop(state);
            self.ctx.looked_at();
        }
        is_current
    }

    /// Sends a document, and notes it once the manager has accepted it.
    ///
    /// A [child](Document::child) belongs to its parent: it is kept for as long as the parent is current, sent anew with it, and
    /// gone with it.
    ///
    /// # Errors
    /// As [`SyncContext::upsert`].
    pub fn upsert(
        &mut self,
        mut document: Document<'_>,
        version: &V,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        self.go();
        if let Err(failure) = self.ctx.resolve(&mut document) {
            self.shared.failed(document.id(), &failure, None);
            self.shared.state().see(document.id());
            return self.ctx.fail_document(failure);
        }
        let begun = {
            let mut state = self.shared.state();
            let print = fingerprint(version);
            state.sends(document.id(), document.parent(), print, self.ctx.keeper())
        };
        self.ctx.upsert_noted(document, Some(self.noted(begun)))
    }

    /// Deletes a document that the source says is gone.
    ///
    /// # Errors
    /// As [`SyncContext::delete`].
    pub fn delete(&mut self, id: &str) -> BoxFuture<'static, Result<(), RunError>> {
        self.go();
        let begun = self.shared.state().deletes(id);
        self.ctx.delete_noted(id, Some(self.noted(begun)))
    }

    /// Sees an item without looking at it: what Omni has of it, and of what belongs to it, stays.
    pub fn keep(&mut self, id: &str) {
        self.go();
        self.shared.state().see(id);
    }

    /// Reports an item that could not be read. What Omni has of it stays, the next run tries again, and every report names it until
    /// it arrives or is gone.
    pub fn failed(&mut self, id: &str, cause: impl Display, link: Option<&str>) {
        self.go();
        let failure = self.ctx.read_failure(id, &cause.to_string(), link);
        self.shared.failed(id, &failure, None);
        self.shared.state().see(id);
        self.ctx.fail_item(failure);
    }

    /// Reports a part that could not be listed. Everything known in it is kept.
    pub fn part_failed(&mut self, part: &Part, cause: impl Display, link: Option<&str>) {
        self.go();
        self.shared.state().keep(part);
        let failure = self
            .ctx
            .read_failure(&part.to_string(), &cause.to_string(), link);
        self.ctx.fail_item(failure);
    }

    /// Keeps everything known in a part without looking at it.
    pub fn keep_part(&mut self, part: &Part) {
        self.go();
        self.shared.state().keep(part);
    }

    /// Documents that should be in Omni and failed in this or an earlier run. A run that does not see every item asks for
    /// these by itself.
    pub fn missing(&self) -> Vec<String> {
        let state = self.shared.state();
        let missing = state.missing.keys().filter(|id| self.part.has(id));
        missing.map(ToString::to_string).collect()
    }

    fn noted(&self, Begun { token, number }: Begun) -> Noted {
        Noted {
            by: Arc::clone(&self.shared),
            token,
            number,
        }
    }

    /// Ends the walk: deletes what was known in its part and not seen, unless that looks like an accident.
    /// [`Deletions::held_back`] are then the ids, and they stay known.
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
