//! Tells whoever emitted something what became of it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{Failure, inventory::Shared, keeper::Piece};

/// Counts what a part of a run emitted, and what became of it. The whole run is one; a partition is one within it.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    emitted: AtomicU64,
    /// Items that were sent, in their order.
    sent: AtomicU64,
    /// Items whose content was refused, which is known before the items in front of them are sent.
    refused: AtomicU64,
    /// Items that failed, those that never were emitted included.
    failed: AtomicU64,
    /// Items that failed in this scope itself, and in no scope within it.
    failed_here: AtomicU64,
    /// The scope around it.
    around: Option<Arc<Scope>>,
}

/// A moment in a scope: what was emitted before it.
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

    /// A scope within this one.
    pub(crate) fn within(self: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self {
            around: Some(Arc::clone(self)),
            ..Self::default()
        })
    }

    /// Notes that an item failed before it was emitted.
    pub(crate) fn fail(&self) {
        self.failed_here.fetch_add(1, Ordering::SeqCst);
        self.count(|scope| &scope.failed);
    }

    /// How many items failed: those of this scope, and those of the scopes around it, which may belong to this one as well.
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
            // First: an item that is counted as refused is counted as emitted.
            refused: self.refused.load(Ordering::SeqCst),
            emitted: self.emitted.load(Ordering::SeqCst),
        }
    }

    /// Whether it is known what became of everything that was emitted before a moment.
    pub(crate) fn is_past(&self, moment: Moment) -> bool {
        let sent = self.sent.load(Ordering::SeqCst);
        let refused = self.refused.load(Ordering::SeqCst);
        // An item that is refused later may have been emitted before or after; when nothing is on its way, it does not matter.
        sent + moment.refused >= moment.emitted
            || sent + refused >= self.emitted.load(Ordering::SeqCst)
    }
}

/// Travels with an item to the place where its outcome is known.
#[derive(Debug)]
pub(crate) struct Receipt {
    scope: Arc<Scope>,
    noted: Option<Noted>,
}

/// The inventory that waits for the outcome.
#[derive(Debug)]
pub(crate) struct Noted {
    pub(crate) by: Arc<Shared>,
    pub(crate) token: u64,
    /// The number of the document, of which an accepted save must know before it is sent; 0 when one does.
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

    /// The number that an accepted save must include before the item is sent, and the piece of the checkpoint that names it.
    pub(crate) fn to_be_named(&self) -> Option<(u64, &dyn Piece)> {
        let noted = self.noted.as_ref().filter(|noted| noted.number > 0)?;
        Some((noted.number, &*noted.by))
    }

    /// The manager accepted the item.
    pub(crate) fn accepted(&self, item: &str) {
        if let Some(noted) = &self.noted {
            noted.by.accepted(item, noted.token);
        }
        self.scope.count(|scope| &scope.sent);
    }

    /// The manager refused the item itself.
    pub(crate) fn not_sent(&self, item: &str, failure: &Failure) {
        self.fail(item, failure);
        self.scope.count(|scope| &scope.sent);
    }

    /// The manager refused the item's content.
    pub(crate) fn refused(&self, item: &str, failure: &Failure) {
        self.fail(item, failure);
        self.scope.count(|scope| &scope.refused);
    }

    // Counted before the item is: who sees that it went must see that it failed.
    fn fail(&self, item: &str, failure: &Failure) {
        if let Some(noted) = &self.noted {
            noted.by.failed(item, None, failure, Some(noted.token));
        }
        self.scope.fail();
    }
}
