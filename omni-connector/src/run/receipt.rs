//! Reports the outcome of an emitted item to its scope and its inventory.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{Failure, inventory::Shared, keeper::Piece};

/// Counts the items of a part of a run, and their outcomes. The whole run is one scope; a partition is a scope within
/// it.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    emitted: AtomicU64,
    /// The number of items that were sent. They are sent in order.
    sent: AtomicU64,
    /// The number of items whose content was refused. That is known before the items in front of them are sent.
    refused: AtomicU64,
    /// The number of failed items, including those never emitted.
    failed: AtomicU64,
    /// The number of items that failed in this scope itself, not in a scope within it.
    failed_here: AtomicU64,
    /// The scope around this one.
    around: Option<Arc<Scope>>,
}

/// A moment in a scope. It identifies the items emitted before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    emitted: u64,
    refused: u64,
}

impl Scope {
    fn count(&self, counter: impl Fn(&Self) -> &AtomicU64) {
        let mut scope = Some(self);
        while let Some(this) = scope {
            counter(this).fetch_add(1, Ordering::SeqCst);
            scope = this.around.as_deref();
        }
    }

    /// Makes a scope within this one.
    pub(crate) fn within(self: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self {
            around: Some(Arc::clone(self)),
            ..Self::default()
        })
    }

    /// Counts an item that failed before it was emitted.
    pub(crate) fn fail(&self) {
        self.failed_here.fetch_add(1, Ordering::SeqCst);
        self.count(|scope| &scope.failed);
    }

    /// Returns the number of failed items, including those of the scopes around this one: they may belong to this one.
    pub(crate) fn failed(&self) -> u64 {
        let mut failed = self.failed.load(Ordering::SeqCst);
        let mut around = self.around.as_deref();
        while let Some(scope) = around {
            failed += scope.failed_here.load(Ordering::SeqCst);
            around = scope.around.as_deref();
        }
        failed
    }

    pub(crate) fn now(&self) -> Moment {
        Moment {
            // First: a refused item is always already counted as emitted.
            refused: self.refused.load(Ordering::SeqCst),
            emitted: self.emitted.load(Ordering::SeqCst),
        }
    }

    /// Returns whether the outcome of every item emitted before the moment is known.
    pub(crate) fn is_past(&self, moment: Moment) -> bool {
        let sent = self.sent.load(Ordering::SeqCst);
        let refused = self.refused.load(Ordering::SeqCst);
        // An item refused later may have been emitted before or after the moment. With nothing pending, both count as
        // settled.
        sent + moment.refused >= moment.emitted
            || sent + refused >= self.emitted.load(Ordering::SeqCst)
    }
}

/// Accompanies an item to the place where its outcome is known.
#[derive(Debug)]
pub(crate) struct Receipt {
    scope: Arc<Scope>,
    noted: Option<Noted>,
}

/// The inventory that must learn the outcome.
#[derive(Debug)]
pub(crate) struct Noted {
    pub(crate) by: Arc<Shared>,
    pub(crate) token: u64,
    /// The number of the document. An accepted save must name it before it is sent; 0 when one does.
    pub(crate) number: u64,
}

impl Receipt {
    pub(crate) fn new(scope: &Arc<Scope>, noted: Option<Noted>) -> Self {
        scope.count(|scope| &scope.emitted);
        Self {
            scope: Arc::clone(scope),
            noted,
        }
    }

    /// Returns the number that an accepted save must include before the item is sent, and the piece that names it.
    pub(crate) fn to_be_named(&self) -> Option<(u64, &dyn Piece)> {
        let noted = self.noted.as_ref().filter(|noted| noted.number > 0)?;
        Some((noted.number, &*noted.by))
    }

    /// Records that the manager accepted the item.
    pub(crate) fn accepted(&self, item: &str) {
        if let Some(noted) = &self.noted {
            noted.by.accepted(item, noted.token);
        }
        self.scope.count(|scope| &scope.sent);
    }

    /// Records that the manager refused the item itself.
    pub(crate) fn not_sent(&self, item: &str, failure: &Failure) {
        self.fail(item, failure);
        self.scope.count(|scope| &scope.sent);
    }

    /// Records that the manager refused the item's content.
    pub(crate) fn refused(&self, item: &str, failure: &Failure) {
        self.fail(item, failure);
        self.scope.count(|scope| &scope.refused);
    }

    // Counts the failure before the item's outcome: a reader that sees the outcome must also see the failure.
    fn fail(&self, item: &str, failure: &Failure) {
        if let Some(noted) = &self.noted {
            noted.by.failed(item, None, failure, Some(noted.token));
        }
        self.scope.fail();
    }
}
