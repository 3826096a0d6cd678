//! One page, and the point after it from which a walk can resume.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kinds::Position;

/// The point after a page from which a walk resumes, even in another process. It is plain JSON, for a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResumePoint {
    #[serde(flatten)]
    pub(super) next: Position,
    /// Pages that were read before.
    pub(super) page: u32,
    /// Items that were read before.
    pub(super) seen: u64,
    /// The largest total so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<u64>,
    /// Items before that could not be decoded.
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
    /// What the service sent.
    pub value: Value,
    /// Where it stands in the answer, as a JSON pointer.
    pub pointer: String,
    /// What is wrong with it.
    pub why: String,
}

impl<T> Page<T> {
    /// Returns the items.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// Goes through the items.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }

    /// Returns the items themselves.
    pub fn into_items(self) -> Vec<T> {
        self.items
    }

    /// Returns the items that could not be decoded. In a sync each is a failed item of the run already, and the walk proves
    /// nothing.
    pub fn odd(&self) -> &[Odd] {
        &self.odd
    }

    /// Returns the number of the page in the walk, from 1.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Returns how many items there are in all, if [`Paging::total`](super::Paging::total) says where that stands.
    pub const fn total(&self) -> Option<u64> {
        self.total
    }

    /// Returns the point behind this page; none behind the last. Save it after the page's items were handed over.
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
