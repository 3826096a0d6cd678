//! The connector as its own process, on real trees, with the development manager as the manager.
#![cfg(unix)]

mod odd_things;
mod realtime;
mod resume;
mod support;
mod sync;
