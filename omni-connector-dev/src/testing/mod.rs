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
//! | To test | Use |
//! |---|---|
//! | one function that takes a `SyncContext` | [`context`] |
//! | a connector, in a story of one's own | [`Setup`] |
//! | a connector, killed and disturbed everywhere | [`conformance!`](crate::conformance) |
//! | without the real system | [`FakeApi`], [`FakeMcp`], [`FakeItems`] for a folder or a database, or a server of one's own |
//! | against a recording of the real system | [`Tape`], whose [`Mutation`]s break one answer each |

mod actions;
mod builder;
mod changes;
mod conformance;
mod context;
mod documents;
mod fake;
mod fake_answers;
mod fake_changes;
mod fake_folder;
mod fake_graphql;
mod fake_items;
mod fake_mcp;
mod fault;
mod journal;
mod mutation;
mod process;
mod proxy;
mod random;
mod reading;
mod recording;
mod requests;
mod runs;
mod self_signed;
mod settings;
mod setup;
mod snapshot;
mod source;
mod taped;
mod waiting;
pub mod wire;

pub use crate::ports::free_port;
pub use crate::tape::{NotRecorded, Tape, TapeError};
pub use builder::SetupBuilder;
pub use conformance::{Address, Check, Conformance, Failure, Verdict};
pub use context::{Collected, ContextBuilder, context};
pub use documents::{Documents, Found};
pub use fake::FakeApi;
pub use fake_items::FakeItems;
pub use fake_mcp::FakeMcp;
pub use fault::{Action, Fault, Replacement, RetryAfter};
pub use journal::{Entry, Journal, Side};
pub use mutation::Mutation;
pub use omni_connector::SyncType;
pub use process::Process;
pub use proxy::{Plan, Proxy, route_of};
pub use random::Random;
pub use runs::Ended;
pub use self_signed::SelfSigned;
pub use setup::{Setup, options};
pub use snapshot::assert_documents;
pub use source::{Change, Oddity, Removal, Source, Unable};
pub use waiting::eventually;
