//! How to recognise the end of a list with page numbers or offsets.

use super::kinds::{Kind, Paging, Put};

#[derive(Debug, Clone)]
pub(super) enum End {
    /// By a missing token or link.
    Declared,
    Empty,
    Total,
    HasMore(String),
    Pages(String),
    Short,
}

/// Page numbers or offsets without an end condition. One of the `until_…` methods sets it.
///
/// A page shorter than requested proves nothing, since services may send fewer items for their own reasons.
#[must_use = "say how the end is recognised, such as by `until_empty`"]
#[derive(Debug, Clone)]
pub struct Unended(Paging);

impl Unended {
    pub(super) const fn new(paging: Paging) -> Self {
        Self(paging)
    }

    fn until(mut self, end: End) -> Paging {
        self.0.end = end;
        self.0
    }

    /// Counts pages from this number instead of 1.
    pub const fn from(mut self, first: u64) -> Self {
        if let Kind::Number(from) = &mut self.0.kind {
            *from = first;
        }
        self
    }

    /// Requests pages of this many items, in the parameter of this name. A name that starts with `/` is a pointer into
    /// the JSON body.
    pub fn size(mut self, parameter: impl Into<String>, items: u64) -> Self {
        self.0.size = Some((Put::at(parameter), items));
        self
    }

    /// Ends at the first page without items.
    ///
    /// Deleting an item during the walk moves the later ones by one, so one of them is missed. Only a
    /// [`total`](Paging::total) reveals that.
    pub fn until_empty(self) -> Paging {
        self.until(End::Empty)
    }

    /// Ends when as many items were read as the number at this JSON pointer of the answers.
    pub fn until_total(mut self, pointer: impl Into<String>) -> Paging {
        self.0.total = Some(pointer.into());
        self.until(End::Total)
    }

    /// Ends when the value at this JSON pointer of the answer is `false`.
    pub fn until_has_more(self, pointer: impl Into<String>) -> Paging {
        self.until(End::HasMore(pointer.into()))
    }

    /// Ends when as many pages were read as the number at this JSON pointer of the answers.
    pub fn until_pages(self, pointer: impl Into<String>) -> Paging {
        self.until(End::Pages(pointer.into()))
    }

    /// Ends at the first page with fewer items than requested. Such a walk proves nothing, so nothing is deleted after
    /// it.
    pub fn until_short(self) -> Paging {
        self.until(End::Short)
    }
}
