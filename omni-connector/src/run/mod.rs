//! One run: its documents, inventories, watches and pipeline, the slots that runs work in, and how a run is executed and ended.

mod budget;
mod content;
mod context;
mod document;
mod ending;
mod error;
mod execute;
mod finite;
mod inventory;
mod keeper;
mod listing;
mod once;
mod operator;
mod pipeline;
mod receipt;
mod report;
mod slots;
mod walked;
mod watch;
mod watermark;

pub use budget::FailureBudget;
pub use context::SyncContext;
pub(crate) use context::starts_over;
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
pub use watch::{News, Watch, Watching};
pub use watermark::{Advance, Watermark};
