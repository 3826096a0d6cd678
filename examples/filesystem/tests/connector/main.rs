//! The connector as its own process, on real trees, with the development manager as the manager.
#![cfg(unix)]

mod actions;
mod churn;
mod odd_things;
mod realtime;
mod recorded;
mod resume;
mod support;
mod sync;
mod takeover;
