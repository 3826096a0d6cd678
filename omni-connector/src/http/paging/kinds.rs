//! The supported kinds of paging.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::end::{End, Unended};
use crate::http::Answer;

/// How a list is read page by page. The same value describes a fake of the service in tests.
///
/// With tokens or links, a page without one is the last. For page numbers and offsets the author chooses how the end is
/// recognised: a [`Paging::page_number`] cannot walk before that.
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
    /// Where the token, number or offset goes.
    pub(super) put: Put,
    pub(super) size: Option<(Put, u64)>,
    pub(super) end: End,
    pub(super) total: Option<String>,
    pub(super) has_more: Option<String>,
    pub(super) cap: Option<u64>,
}

#[derive(Clone)]
pub(super) enum Kind {
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

/// Where a value goes: a parameter of the query, or a place in the JSON body.
#[derive(Debug, Clone)]
pub(super) enum Put {
    Parameter(String),
    Body(String),
}

impl Put {
    /// A name that begins with a slash is a JSON pointer into the body.
    pub(super) fn at(name: impl Into<String>) -> Self {
        let name = name.into();
        if name.starts_with('/') {
            Self::Body(name)
        } else {
            Self::Parameter(name)
        }
    }
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// At the first item.
    Start,
    /// At a token that the service gave: a text or a number.
    Token(Value),
    /// At a link that the service gave.
    Url(String),
    /// At the page of this number.
    Number(u64),
    /// Behind this many items.
    Offset(u64),
}

/// What follows a page, as a function of [`Paging::by`] says it.
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

    /// Follows `Link: <…>; rel="next"`. A page without it is the last.
    pub fn link_header() -> Self {
        Self::of(Kind::LinkHeader, Put::at("page"))
    }

    /// Follows the URL at a JSON pointer of the answer. A page where it is missing, `null` or empty is the last.
    pub fn next_url(pointer: impl Into<String>) -> Self {
        Self::of(Kind::NextUrl(pointer.into()), Put::at("page"))
    }

    /// Sends the token at a JSON pointer of the answer with the next request, as the parameter `cursor` unless
    /// [`param`](Self::param) or [`body_field`](Self::body_field) says otherwise. A page where it is missing, `null` or empty
    /// is the last.
    pub fn cursor(pointer: impl Into<String>) -> Self {
        Self::of(Kind::Cursor(pointer.into()), Put::at("cursor"))
    }

    /// Counts pages from 1, in a parameter of this name.
    pub fn page_number(parameter: impl Into<String>) -> Unended {
        Unended::new(Self::of(Kind::Number(1), Put::at(parameter)))
    }

    /// Says how many items were read before, in a parameter of this name.
    pub fn offset(parameter: impl Into<String>) -> Unended {
        Unended::new(Self::of(Kind::Offset, Put::at(parameter)))
    }

    /// Reads a connection of GraphQL: `pageInfo` below this pointer names the cursor, which becomes the variable `after`
    /// unless [`body_field`](Self::body_field) says otherwise. Errors beside the data are refusals.
    pub fn relay(pointer: impl Into<String>) -> Self {
        Self::of(Kind::Relay(pointer.into()), Put::at("/variables/after"))
    }

    /// Lets a function say what follows a page, from the answer and the page's own position.
    pub fn by(next: impl Fn(&Answer, &Position) -> Next + Send + Sync + 'static) -> Self {
        Self::of(Kind::By(Arc::new(next)), Put::at("cursor"))
    }

    /// Names the parameter that carries token, number or offset.
    pub fn param(mut self, name: impl Into<String>) -> Self {
        self.put = Put::Parameter(name.into());
        self
    }

    /// Names the place in the JSON body that carries token, number or offset, as a JSON pointer.
    pub fn body_field(mut self, pointer: impl Into<String>) -> Self {
        self.put = Put::Body(pointer.into());
        self
    }

    /// Asks for pages of this many items, in a parameter of this name; a name that begins with `/` is a place in the JSON
    /// body.
    pub fn size(mut self, parameter: impl Into<String>, items: u64) -> Self {
        self.size = Some((Put::at(parameter), items));
        self
    }

    /// Compares the items at the end with the largest number that stood at a JSON pointer of the answers. A list from which items
    /// were deleted meanwhile may therefore be incomplete, and is proven by a later walk.
    pub fn total(mut self, pointer: impl Into<String>) -> Self {
        self.total = Some(pointer.into());
        self
    }

    /// Says where the service says whether there is more. A token without more is the end; more without a token is an error.
    pub fn has_more(mut self, pointer: impl Into<String>) -> Self {
        self.has_more = Some(pointer.into());
        self
    }

    /// Says that the service shows at most this many items. A walk that reaches them is incomplete.
    pub const fn capped_at(mut self, items: u64) -> Self {
        self.cap = Some(items);
        self
    }

    /// Where the walk begins.
    pub(super) const fn start(&self) -> Position {
        match self.kind {
            Kind::Number(first) => Position::Number(first),
            Kind::Offset => Position::Offset(0),
            _ => Position::Start,
        }
    }

    /// Whether a position can be one of this kind: a checkpoint may be older than the code.
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

    /// Whether a page is found by counting, so that items which come or go move the pages behind them.
    pub(super) const fn counts(&self) -> bool {
        matches!(self.kind, Kind::Number(_) | Kind::Offset)
    }
}

impl fmt::Debug for Paging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
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
