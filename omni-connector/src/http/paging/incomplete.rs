//! Reasons why a walk does not prove that every item was read.

use crate::http::{At, SourceError};

/// Why a walk missed its declared end or found contradictory pages. No documents may be deleted after it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Incomplete {
    /// The service repeated a token or link, so the pages form a circle.
    #[error("{}: `{token}` leads on, and led on from page {first} before", place(.at))]
    TokenSeenBefore {
        /// The token or link, without a query.
        token: String,
        /// The page that led there first.
        first: u32,
        /// The page that led there again.
        at: Box<At>,
    },
    /// A page repeats an earlier page's items, as when a service ignores the page parameter.
    #[error("{}: the items are those of page {first}; does the service know the parameter?", place(.at))]
    PageSeenBefore {
        /// The earlier page.
        first: u32,
        /// The page.
        at: Box<At>,
    },
    /// Too many pages in a row are empty, although the service reports more.
    #[error("{}: {pages} pages in a row are empty, and there is always more", place(.at))]
    NoProgress {
        /// The number of empty pages.
        pages: u32,
        /// The last page.
        at: Box<At>,
    },
    /// The service reports more items but gives no next position.
    #[error("{}: there is more, but the answer does not say where", place(.at))]
    NoNextThoughMore {
        /// The page.
        at: Box<At>,
    },
    /// Fewer items were read than the service's total.
    #[error("{}: only {seen} of {total} items were read", place(.at))]
    FewerThanTotal {
        /// The service's total.
        total: u64,
        /// How many were read.
        seen: u64,
        /// The last page.
        at: Box<At>,
    },
    /// More items were read than the service's total.
    #[error("{}: {seen} items were read where there are only {total}", place(.at))]
    MoreThanTotal {
        /// The service's total.
        total: u64,
        /// How many were read.
        seen: u64,
        /// The last page.
        at: Box<At>,
    },
    /// The total shrank during the walk, so items may have moved to pages already read.
    #[error("{}: {before} items became {now} while they were read, and some may have moved to earlier pages", place(.at))]
    Shifted {
        /// The earlier total.
        before: u64,
        /// The current total.
        now: u64,
        /// The page.
        at: Box<At>,
    },
    /// The service shows no more than this many items, and there may be others.
    #[error("{}: the service shows only the first {limit} items", place(.at))]
    Capped {
        /// The limit.
        limit: u64,
        /// The last page.
        at: Box<At>,
    },
    /// The next page is at an origin that is not the API's.
    #[error("{}: the next page is at `{origin}`; name it with `Api::also_at` if it may be asked", place(.at))]
    ForeignNext {
        /// The origin.
        origin: String,
        /// The page.
        at: Box<At>,
    },
    /// Items could not be decoded. Each is a failed item of the run.
    #[error("{}: {count} items cannot be decoded", place(.at))]
    OddItems {
        /// The number of these items.
        count: u64,
        /// The last page.
        at: Box<At>,
    },
    /// A page could not be read.
    #[error(transparent)]
    Failed(Box<SourceError>),
    /// The run was cancelled.
    #[error("the run was cancelled")]
    Cancelled,
    /// The walk was abandoned, or its kind of end proves nothing.
    #[error(
        "{}: nothing proves that all items were read; call `next` until it returns none, and use an end that the source declares",
        place(.at)
    )]
    EndNotProven {
        /// The walk.
        at: Box<At>,
    },
}

fn place(at: &At) -> String {
    match at.page {
        Some(page) => format!("`{}` (page {page}) at {}", at.operation, at.url),
        None => format!("`{}` at {}", at.operation, at.url),
    }
}
