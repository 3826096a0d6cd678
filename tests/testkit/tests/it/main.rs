//! Tests the test kit.

mod bad_connectors;
mod fake;
mod files;
mod setup;
mod source;
mod tape;
mod vault;
