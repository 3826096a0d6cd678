//! One page, and the point after it from which a walk can resume.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kinds::Position;

/// The point after a page from which a walk resumes, even in another process. It is plain JSON, for a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResumePoint {
    #[serde(flatten)]
    pub(super) next: Position,
    /// The number of pages read before.
    pub(super) page: u32,
    /// The number of items read before.
    pub(super) seen: u64,
    /// The largest total so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<u64>,
    /// The number of undecodable items before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) odd: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) odd: Vec<Odd>,
    pub(super) number: u32,
    pub(super) total: Option<u64>,
    pub(super) resume_point: Option<ResumePoint>,
}

/// An item that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// The item as the service sent it.
    pub value: Value,
    /// The JSON pointer of the item in the answer.
    pub pointer: String,
    /// The decoding error.
    pub why: String,
}

impl<T> Page<T> {
    /// Returns the items.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// Iterates over the items.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }

    /// Returns the owned items.
    pub fn into_items(self) -> Vec<T> {
        self.items
    }

    /// Returns the items that could not be decoded. In a sync each already counts as a failed item of the run, and the
    /// walk proves nothing.
    pub fn odd(&self) -> &[Odd] {
        &self.odd
    }

    /// Returns the number of the page in the walk, from 1.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Returns the total number of items, if [`Paging::total`](super::Paging::total) names its place.
    pub const fn total(&self) -> Option<u64> {
        self.total
    }

    /// Returns the point after this page; none after the last. Save it after the page's items were emitted.
    pub fn resume_point(&self) -> Option<ResumePoint> {
        self.resume_point.clone()
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'page, T> IntoIterator for &'page Page<T> {
    type Item = &'page T;
    type IntoIter = std::slice::Iter<'page, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}
