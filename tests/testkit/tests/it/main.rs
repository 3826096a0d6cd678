//! Tests the test kit.

mod bad_connectors;
mod context;
mod fake;
mod files;
mod items;
mod lists;
mod parts;
mod setup;
mod source;
mod tape;
mod vault;
