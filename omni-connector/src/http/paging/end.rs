//! How to recognise the end of a list with page numbers or offsets.

use super::kinds::{Kind, Paging, Put};

#[derive(Debug, Clone)]
pub(super) enum End {
    /// By a token or link that is not there.
    Declared,
    Empty,
    Total,
    HasMore(String),
    Pages(String),
    Short,
}

/// Page numbers or offsets without an end condition. One of the `until_…` methods sets it.
///
/// A page that is shorter than asked for proves nothing: services send fewer items for reasons of their own.
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

    /// Asks for pages of this many items, in a parameter of this name; a name that begins with `/` is a place in the JSON
    /// body.
    pub fn size(mut self, parameter: impl Into<String>, items: u64) -> Self {
        self.0.size = Some((Put::at(parameter), items));
        self
    }

    /// Ends at the first page without items.
    ///
    /// An item that is deleted while the list is walked moves those behind it by one, and one of them is missed. Only a
    /// [`total`](Paging::total) shows that.
    pub fn until_empty(self) -> Paging {
        self.until(End::Empty)
    }

    /// Ends when as many items were read as the number at a JSON pointer of the answers says.
    pub fn until_total(mut self, pointer: impl Into<String>) -> Paging {
        self.0.total = Some(pointer.into());
        self.until(End::Total)
    }

    /// Ends when the answer says `false` at a JSON pointer.
    pub fn until_has_more(self, pointer: impl Into<String>) -> Paging {
        self.until(End::HasMore(pointer.into()))
    }

    /// Ends when as many pages were read as the number at a JSON pointer of the answers says.
    pub fn until_pages(self, pointer: impl Into<String>) -> Paging {
        self.until(End::Pages(pointer.into()))
    }

    /// Ends at the first page with fewer items than asked for. Such a walk proves nothing, and nothing is deleted after it.
    pub fn until_short(self) -> Paging {
        self.until(End::Short)
    }
}
