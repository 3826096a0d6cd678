//! What happens in one sync run: documents go in, and come out at the manager in order, bounded and counted.

mod budget;
mod content;
mod context;
mod document;
mod ending;
mod error;
mod finite;
mod listing;
mod pipeline;
mod report;
mod walked;

pub use budget::FailureBudget;
pub use context::SyncContext;
pub(crate) use context::starts_over;
pub use document::{Document, Group};
pub use error::RunError;
pub use listing::{Deletions, IncompleteListing, Listing, WalkedListing};
pub use report::{Failure, RunReport, Skip, Stage};
pub use walked::Walked;
