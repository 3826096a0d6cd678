//! The counts that an item adds to the counters.

/// Counts that are sent together. The manager counts deletes as updates; the report also counts them separately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) scanned: i32,
    pub(crate) updated: i32,
    pub(crate) deleted: i32,
}

impl Tally {
    pub(crate) const NONE: Self = Self {
        scanned: 0,
        updated: 0,
        deleted: 0,
    };
    pub(crate) const UPSERT: Self = Self {
        scanned: 1,
        updated: 1,
        deleted: 0,
    };
    pub(crate) const DELETE: Self = Self {
        scanned: 0,
        updated: 0,
        deleted: 1,
    };
    pub(crate) const SCAN: Self = Self {
        scanned: 1,
        updated: 0,
        deleted: 0,
    };

    pub(super) fn add(&mut self, other: Self) {
        self.scanned = self.scanned.saturating_add(other.scanned);
        self.updated = self.updated.saturating_add(other.updated);
        self.deleted = self.deleted.saturating_add(other.deleted);
    }
}
