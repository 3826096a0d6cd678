//! The supported kinds of paging.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::end::{End, Unended};
use crate::http::Answer;

/// How a list is read page by page. In tests the same value describes a fake of the service.
///
/// With tokens or links, a page without one is the last. For page numbers and offsets the author chooses the end
/// condition; a [`Paging::page_number`] cannot walk without one.
///
/// ```
/// use omni_connector::http::Paging;
///
/// let by_token = Paging::cursor("/meta/next").param("cursor").total("/meta/total").size("limit", 100);
/// let by_number = Paging::page_number("page").size("per_page", 100).until_empty();
/// let by_link = Paging::link_header();
/// let graphql = Paging::relay("/data/repository/issues");
/// ```
///
/// A short page proves nothing, so page numbers alone do not compile:
///
/// ```compile_fail
/// # use omni_connector::http::{Api, Paging};
/// # let api = Api::at("https://api.example.com");
/// let pages = api.get("issues").pages(Paging::page_number("page"));
/// ```
#[must_use = "pages are read by `Call::pages`"]
#[derive(Clone)]
pub struct Paging {
    pub(super) kind: Kind,
    /// Where the token, number or offset is sent.
    pub(super) put: Put,
    pub(super) size: Option<(Put, u64)>,
    pub(super) end: End,
    pub(super) total: Option<String>,
    pub(super) has_more: Option<String>,
    pub(super) cap: Option<u64>,
}

#[derive(Clone)]
pub(super) enum Kind {
    Single,
    LinkHeader,
    NextUrl(String),
    Cursor(String),
    /// Pages counted from this number.
    Number(u64),
    Offset,
    Relay(String),
    By(Arc<By>),
}

pub(super) type By = dyn Fn(&Answer, &Position) -> Next + Send + Sync;

/// The place of a value in a request: a query parameter, or a pointer into the JSON body.
#[derive(Debug, Clone)]
pub(super) enum Put {
    Parameter(String),
    Body(String),
}

impl Put {
    /// Treats a name that starts with a slash as a JSON pointer into the body.
    pub(super) fn at(name: impl Into<String>) -> Self {
        let name = name.into();
        if name.starts_with('/') {
            Self::Body(name)
        } else {
            Self::Parameter(name)
        }
    }
}

/// The start of a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// At the first item.
    Start,
    /// At a token of the service: a string or a number.
    Token(Value),
    /// At a link of the service.
    Url(String),
    /// At the page with this number.
    Number(u64),
    /// After this many items.
    Offset(u64),
}

/// The successor of a page, as a function of [`Paging::by`] returns it.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// The page at this position.
    At(Position),
    /// Nothing: the page was the last.
    End,
    /// The answer contradicts itself.
    Contradiction(String),
}

impl Paging {
    fn of(kind: Kind, put: Put) -> Self {
        Self {
            kind,
            put,
            size: None,
            end: End::Declared,
            total: None,
            has_more: None,
            cap: None,
        }
    }

    /// Reads the whole list from one answer. An answer with `Link: <…>; rel="next"` is an error, since it is not the whole
    /// list.
    pub fn single() -> Self {
        Self::of(Kind::Single, Put::at(""))
    }

    /// Follows `Link: <…>; rel="next"`. A page without it is the last.
    pub fn link_header() -> Self {
        Self::of(Kind::LinkHeader, Put::at("page"))
    }

    /// Follows the URL at a JSON pointer of the answer. A page where it is missing, `null` or empty is the last.
    pub fn next_url(pointer: impl Into<String>) -> Self {
        Self::of(Kind::NextUrl(pointer.into()), Put::at("page"))
    }

    /// Sends the token at a JSON pointer of the answer with the next request. The parameter is `cursor` unless
    /// [`param`](Self::param) or [`body_field`](Self::body_field) names another. A page where the token is missing,
    /// `null` or empty is the last.
    pub fn cursor(pointer: impl Into<String>) -> Self {
        Self::of(Kind::Cursor(pointer.into()), Put::at("cursor"))
    }

    /// Counts pages from 1, in a parameter of this name.
    pub fn page_number(parameter: impl Into<String>) -> Unended {
        Unended::new(Self::of(Kind::Number(1), Put::at(parameter)))
    }

    /// Sends the number of items read before, in a parameter of this name.
    pub fn offset(parameter: impl Into<String>) -> Unended {
        Unended::new(Self::of(Kind::Offset, Put::at(parameter)))
    }

    /// Reads a GraphQL connection. `pageInfo` at this pointer has the cursor. It becomes the variable `after` unless
    /// [`body_field`](Self::body_field) names another. Errors next to the data are refusals.
    pub fn relay(pointer: impl Into<String>) -> Self {
        Self::of(Kind::Relay(pointer.into()), Put::at("/variables/after"))
    }

    /// Determines the successor of a page by a function of the answer and the page's position.
    pub fn by(next: impl Fn(&Answer, &Position) -> Next + Send + Sync + 'static) -> Self {
        Self::of(Kind::By(Arc::new(next)), Put::at("cursor"))
    }

    /// Names the parameter for the token, number or offset.
    pub fn param(mut self, name: impl Into<String>) -> Self {
        self.put = Put::Parameter(name.into());
        self
    }

    /// Names the JSON pointer in the body for the token, number or offset.
    pub fn body_field(mut self, pointer: impl Into<String>) -> Self {
        self.put = Put::Body(pointer.into());
        self
    }

    /// Requests pages of this many items, in the parameter of this name. A name that starts with `/` is a pointer into
    /// the JSON body.
    pub fn size(mut self, parameter: impl Into<String>, items: u64) -> Self {
        self.size = Some((Put::at(parameter), items));
        self
    }

    /// Compares the number of items with the largest total at this JSON pointer of the answers. So a list may count as
    /// incomplete if items were deleted during the walk; a later walk then proves it. An item that comes again does not
    /// stand for one that is missing: without repeated items there must be at least as many as the smallest total. With a
    /// total of 0, `null` in place of the list is an empty one.
    pub fn total(mut self, pointer: impl Into<String>) -> Self {
        self.total = Some(pointer.into());
        self
    }

    /// Names the JSON pointer where the service reports more items. A token without more items is the end; more items
    /// without a token are an error.
    pub fn has_more(mut self, pointer: impl Into<String>) -> Self {
        self.has_more = Some(pointer.into());
        self
    }

    /// Declares that the service shows at most this many items. A walk that reaches this number is incomplete.
    pub const fn capped_at(mut self, items: u64) -> Self {
        self.cap = Some(items);
        self
    }

    /// Returns the start of the walk.
    pub(super) const fn start(&self) -> Position {
        match self.kind {
            Kind::Number(first) => Position::Number(first),
            Kind::Offset => Position::Offset(0),
            _ => Position::Start,
        }
    }

    /// Returns whether a position fits this kind of paging. A checkpoint may be older than the code.
    pub(super) const fn knows(&self, position: &Position) -> bool {
        matches!(
            (&self.kind, position),
            (Kind::LinkHeader | Kind::NextUrl(_), Position::Url(_))
                | (Kind::Cursor(_) | Kind::Relay(_), Position::Token(_))
                | (Kind::Number(_), Position::Number(_))
                | (Kind::Offset, Position::Offset(_))
                | (Kind::By(_), _)
        )
    }

    /// Returns whether pages are found by counting, so that added or deleted items shift later pages.
    pub(super) const fn counts(&self) -> bool {
        matches!(self.kind, Kind::Number(_) | Kind::Offset)
    }
}

impl fmt::Debug for Paging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Single => "single",
            Kind::LinkHeader => "link_header",
            Kind::NextUrl(_) => "next_url",
            Kind::Cursor(_) => "cursor",
            Kind::Number(_) => "page_number",
            Kind::Offset => "offset",
            Kind::Relay(_) => "relay",
            Kind::By(_) => "by",
        };
        f.debug_struct("Paging")
            .field("kind", &kind)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
