//! Why a walk does not prove that everything was seen.

use crate::http::{At, SourceError};

/// Why a walk over pages did not reach its declared end, or contradicts itself. Nothing may be deleted after it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Incomplete {
    /// The service gave a token or link again that it gave before, so the walk goes in a circle.
    #[error("{}: `{token}` leads on, and led on from page {first} before", place(.at))]
    TokenSeenBefore {
        /// The token or link, without a query.
        token: String,
        /// The page that led there first.
        first: u32,
        /// The page that led there again.
        at: Box<At>,
    },
    /// A page has the very items of an earlier one, as of a service that ignores which page is asked for.
    #[error("{}: the items are those of page {first}; does the service know the parameter?", place(.at))]
    PageSeenBefore {
        /// The earlier page.
        first: u32,
        /// The page.
        at: Box<At>,
    },
    /// Page after page is empty, and there is always more.
    #[error("{}: {pages} pages in a row are empty, and there is always more", place(.at))]
    NoProgress {
        /// How many were empty.
        pages: u32,
        /// The last page.
        at: Box<At>,
    },
    /// The service says that there is more, and not where.
    #[error("{}: there is more, but the answer does not say where", place(.at))]
    NoNextThoughMore {
        /// The page.
        at: Box<At>,
    },
    /// The pages ended before as many items were read as there are.
    #[error("{}: only {seen} of {total} items were read", place(.at))]
    FewerThanTotal {
        /// How many there are, says the service.
        total: u64,
        /// How many were read.
        seen: u64,
        /// The last page.
        at: Box<At>,
    },
    /// More items were read than there are.
    #[error("{}: {seen} items were read where there are only {total}", place(.at))]
    MoreThanTotal {
        /// How many there are, says the service.
        total: u64,
        /// How many were read.
        seen: u64,
        /// The last page.
        at: Box<At>,
    },
    /// Items were deleted while pages were counted, so that others moved to pages that were read before.
    #[error("{}: {before} items became {now} while they were read, and some may have moved to earlier pages", place(.at))]
    Shifted {
        /// How many there were.
        before: u64,
        /// How many there are now.
        now: u64,
        /// The page.
        at: Box<At>,
    },
    /// The service shows no more than this many items, and there may be others.
    #[error("{}: the service shows only the first {limit} items", place(.at))]
    Capped {
        /// How many it shows.
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
        /// How many.
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
    /// The walk was left before its end, or its end proves nothing.
    #[error("{}: the pages were not read to an end that proves anything", place(.at))]
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
