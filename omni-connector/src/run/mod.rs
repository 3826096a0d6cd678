//! One run: its documents, listings and pipeline, the slots that runs work in, and how a run is executed and ended.

mod budget;
mod content;
mod context;
mod document;
mod ending;
mod error;
mod execute;
mod inventory;
mod keeper;
mod listing;
mod operator;
mod pipeline;
mod receipt;
mod report;
mod slots;
mod walked;

pub use budget::FailureBudget;
pub use context::SyncContext;
pub use document::{Document, Group};
pub use error::RunError;
pub(crate) use execute::{NewRun, Work};
pub use inventory::{Inventory, Part, Walk};
pub(crate) use keeper::Snapshot;
pub use listing::{Deletions, IncompleteListing, Listing, WalkedListing};
pub use operator::Operator;
pub use report::{Failure, RunReport, Skip, Stage};
pub(crate) use slots::{Runs, Slot, Taken};
pub use walked::Walked;
