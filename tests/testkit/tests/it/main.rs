//! The test kit, shown to be right.

mod bad_connectors;
mod fake;
mod files;
mod setup;
mod source;
