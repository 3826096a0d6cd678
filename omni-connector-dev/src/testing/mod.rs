//! Tests for authors of a connector: the manager in memory, the author's own binary as a process, and a source.
//!
//! ```no_run
//! use omni_connector_dev::testing::{Setup, SyncType};
//! use serde_json::json;
//!
//! # async fn example() {
//! // In a test: `env!("CARGO_BIN_EXE_acme")`.
//! let setup = Setup::of("target/debug/acme").config(json!({ "team": "ops" })).start().await;
//! setup.sync(SyncType::Full).await;
//! let documents = setup.documents().await;
//! assert_eq!(documents["OPS-7"].title, "Disk full");
//! # }
//! ```
//!
//! A [`Tape`] is a recording of a real source. It answers in place of the source, and its [`Mutation`]s break one answer each.

mod builder;
mod changes;
mod conformance;
mod documents;
mod fake;
mod fake_mcp;
mod fault;
mod journal;
mod mutation;
mod process;
mod proxy;
mod random;
mod requests;
mod setup;
mod source;
mod taped;
pub mod wire;

pub use crate::tape::{NotRecorded, Tape, TapeError};
pub use builder::SetupBuilder;
pub use conformance::{Address, Check, Conformance, Failure, Verdict};
pub use documents::{Documents, Found, assert_documents};
pub use fake::FakeApi;
pub use fake_mcp::FakeMcp;
pub use fault::{Action, Fault, Replacement, RetryAfter};
pub use journal::{Entry, Journal, Side};
pub use mutation::Mutation;
pub use omni_connector::SyncType;
pub use process::free_port;
pub use proxy::{Plan, Proxy, route_of};
pub use random::Random;
pub use setup::{Ended, Setup, options};
pub use source::{Change, Oddity, Source, Unable};
