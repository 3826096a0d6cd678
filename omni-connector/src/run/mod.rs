//! What happens in one sync run: documents go in, and come out at the manager in order, bounded and counted.

mod budget;
mod content;
mod context;
mod document;
mod ending;
mod error;
mod listing;
mod pipeline;
mod report;
mod walked;

pub use budget::FailureBudget;
pub use context::SyncContext;
pub use document::{Document, Group};
pub use error::RunError;
pub use listing::{Deletions, IncompleteListing, Listing, WalkedListing};
pub use report::{Failure, RunReport, Skip, Stage};
pub use walked::Walked;
