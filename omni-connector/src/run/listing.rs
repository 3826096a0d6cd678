//! Proven deletes: only a listing that reached its end can delete the items that it did not see.
//!
//! A crawl that stops early, an unreadable folder and an unmounted disk all look like many deletes. A program that only
//! compares ids cannot tell the difference; these types can.

use std::{collections::BTreeSet, fmt::Display};

use tokio_util::sync::CancellationToken;

use super::budget::variable;

/// The environment variable for the largest share of a source that may be deleted at once.
pub(crate) const SHARE_VARIABLE: &str = "OMNI_DELETE_SHARE_LIMIT";

/// The default share: half of a source does not disappear by itself.
const SHARE_LIMIT: f64 = 0.5;

/// Fewer deletes than this are never suspicious, unless they are all known items.
const HARMLESS: usize = 10;

/// Compares the items seen while walking a source with the known ones. Made by
/// [`SyncContext::listing`](super::SyncContext::listing).
///
/// ```
/// # async fn example(ctx: omni_connector::SyncContext, pages: Vec<Vec<String>>) -> anyhow::Result<()> {
/// # let known: Vec<String> = vec![];
/// let mut listing = ctx.listing(known);
/// for page in pages {
///     for id in page {
///         listing.saw(&id);
///     }
/// }
/// let deletions = ctx.delete_unseen(listing.finish()?).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "only a finished listing can delete anything"]
#[derive(Debug)]
pub struct Listing {
    unseen: BTreeSet<String>,
    known: usize,
    seen: usize,
    cancelled: CancellationToken,
    failure: Option<String>,
}

/// The error of a listing that proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the listing is incomplete, so nothing can be deleted by it: {0}")]
pub struct IncompleteListing(String);

/// A listing that reached its end without an error and without a cancel. Only [`Listing::finish`] makes one.
#[must_use = "`ctx.delete_unseen(listing)` deletes what was not seen"]
#[derive(Debug)]
pub struct WalkedListing {
    unseen: BTreeSet<String>,
    known: usize,
    seen: usize,
}

/// The documents that were not seen: deleted or held back. One of the two lists is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deletions {
    /// Ids of documents that were deleted.
    pub deleted: Vec<String>,
    /// Ids of documents that look deleted, but are suspiciously many. Keep them among the known ones.
    pub held_back: Vec<String>,
    known: usize,
}

impl Listing {
    pub(super) fn new(known: BTreeSet<String>, cancelled: CancellationToken) -> Self {
        Self {
            known: known.len(),
            unseen: known,
            seen: 0,
            cancelled,
            failure: None,
        }
    }

    /// Records that this item exists.
    pub fn saw(&mut self, id: &str) {
        self.seen += 1;
        self.unseen.remove(id);
    }

    /// Records that this many other items are known and still there, for a listing of a part of the source.
    pub fn saw_elsewhere(&mut self, count: usize) {
        self.known += count;
        self.seen += count;
    }

    /// Records a part that could not be listed. All known items whose id begins with `prefix` are kept.
    pub fn could_not_list(&mut self, prefix: &str) {
        let below: Vec<_> = self
            .unseen
            .range(prefix.to_owned()..)
            .take_while(|id| id.starts_with(prefix))
            .cloned()
            .collect();
        for id in below {
            self.seen += 1;
            self.unseen.remove(&id);
        }
    }

    /// Records a failure after which the listing proves nothing.
    pub fn failed(&mut self, cause: impl Display) {
        self.failure.get_or_insert_with(|| cause.to_string());
    }

    /// Ends a listing that reached its end.
    ///
    /// # Errors
    /// A part of the listing failed, or the run was cancelled meanwhile.
    pub fn finish(self) -> Result<WalkedListing, IncompleteListing> {
        if self.cancelled.is_cancelled() {
            return Err(IncompleteListing("the run was cancelled".to_owned()));
        }
        match self.failure {
            Some(cause) => Err(IncompleteListing(cause)),
            None => Ok(WalkedListing {
                unseen: self.unseen,
                known: self.known,
                seen: self.seen,
            }),
        }
    }
}

impl WalkedListing {
    /// Returns the ids that were known and not seen.
    pub fn unseen(&self) -> impl Iterator<Item = &str> {
        self.unseen.iter().map(String::as_str)
    }

    pub(super) fn judge(self, share_limit: f64) -> Deletions {
        let known = self.known;
        let suspicious = is_suspicious(self.unseen.len(), known, self.seen, share_limit);
        let ids = self.unseen.into_iter().collect();
        Deletions::of(ids, known, suspicious)
    }
}

/// Returns whether deletes look like an accident: most of the known items, or all of them.
pub(super) fn is_suspicious(unseen: usize, known: usize, seen: usize, share_limit: f64) -> bool {
    #[allow(
        clippy::cast_precision_loss,
        reason = "a share needs no more than 52 bits"
    )]
    let share = if known == 0 {
        0.0
    } else {
        unseen as f64 / known as f64
    };
    let emptied = unseen == known && seen == 0;
    share > share_limit && (unseen > HARMLESS || emptied)
}

impl Deletions {
    pub(super) fn of(ids: Vec<String>, known: usize, held_back: bool) -> Self {
        let (deleted, held_back) = if held_back {
            (Vec::new(), ids)
        } else {
            (ids, Vec::new())
        };
        Self {
            deleted,
            held_back,
            known,
        }
    }

    /// Returns the warning for people, if deletes were held back.
    pub(super) fn warning(&self) -> Option<String> {
        (!self.held_back.is_empty()).then(|| {
            format!(
                "{} of {} known items seem to be gone, which looks like an accident: none was deleted; if they are \
                 really gone, set {SHARE_VARIABLE}=1 for one full run",
                self.held_back.len(),
                self.known
            )
        })
    }
}

/// Returns the share of a source that may be deleted at once, between 0 and 1.
pub(super) fn share_limit() -> f64 {
    variable(SHARE_VARIABLE)
        .filter(|share: &f64| !share.is_nan())
        .unwrap_or(SHARE_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(known: usize) -> Listing {
        Listing::new(
            (0..known).map(|n| format!("doc/{n:03}")).collect(),
            CancellationToken::new(),
        )
    }

    fn saw(listing: &mut Listing, range: std::ops::Range<usize>) {
        range.for_each(|n| listing.saw(&format!("doc/{n:03}")));
    }

    #[test]
    fn items_unseen_by_a_complete_listing_are_deleted() {
        let mut listing = listing(100);
        saw(&mut listing, 0..90);
        let deletions = listing.finish().unwrap().judge(SHARE_LIMIT);
        assert_eq!(deletions.deleted.len(), 10);
        assert_eq!(deletions.held_back, Vec::<String>::new());
    }

    #[test]
    fn a_cancelled_or_failed_listing_deletes_nothing() {
        let cancelled = listing(3);
        cancelled.cancelled.cancel();
        assert!(cancelled.finish().is_err());
        let mut failed = listing(3);
        failed.failed("page 2 answers 500");
        assert_eq!(
            failed.finish().unwrap_err().to_string(),
            "the listing is incomplete, so nothing can be deleted by it: page 2 answers 500"
        );
    }

    #[test]
    fn a_folder_that_could_not_be_listed_deletes_nothing_below_it() {
        let mut listing = listing(100);
        saw(&mut listing, 0..80);
        listing.could_not_list("doc/09");
        let deletions = listing.finish().unwrap().judge(SHARE_LIMIT);
        assert_eq!(deletions.deleted.len(), 10);
        assert!(
            deletions.deleted.iter().all(|id| id.starts_with("doc/08")),
            "{deletions:?}"
        );
    }

    #[test]
    fn deleting_all_items_is_held_back_even_in_a_small_source() {
        let deletions = listing(3).finish().unwrap().judge(SHARE_LIMIT);
        assert_eq!(deletions.held_back.len(), 3);
        assert!(
            deletions
                .warning()
                .unwrap()
                .contains("OMNI_DELETE_SHARE_LIMIT=1")
        );
    }

    #[test]
    fn a_listing_of_a_part_is_judged_by_its_share_of_the_whole_source() {
        let part = |elsewhere| {
            let mut listing = listing(20);
            listing.saw_elsewhere(elsewhere);
            listing.finish().unwrap().judge(SHARE_LIMIT)
        };
        assert_eq!(part(100).deleted.len(), 20);
        assert_eq!(part(5).held_back.len(), 20);
    }

    #[test]
    fn most_of_a_source_is_held_back_unless_it_is_allowed() {
        let mostly_gone = || {
            let mut listing = listing(100);
            saw(&mut listing, 0..40);
            listing.finish().unwrap()
        };
        assert_eq!(mostly_gone().judge(SHARE_LIMIT).held_back.len(), 60);
        assert_eq!(mostly_gone().judge(1.0).deleted.len(), 60);
    }
}
