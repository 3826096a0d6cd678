//! The development manager of omni-connector: Omni's connector-manager and indexer in one process
//! with one SQLite file. As strict as the real ones, for connectors written with any SDK. It
//! listens on loopback only and must never be deployed.
//!
//! The modules form layers. Each imports only earlier modules of this list: `options`, `shown`, `workbench`, `ports`, `extract`, `state`,
//! `store`, `shared`, `lookup`, `runs`, `oauth`, `rules`, `routes`, `page`, `manager`, `serving`, `tape`, `testing`, `cli`.
//!
//! # Features
//!
//! | Feature | Content |
//! |---|---|
//! | `cli` (default) | the `cargo omni` command and the development page |
//! | `extract` (default) | readers of office, PDF and mail files within `cargo-omni`, which are slow to build. Without them, the program `omni-readers` of the crate `omni-connector-readers` reads files |
//! | `testing` | tests for authors: [`testing`](mod@testing) |

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "cli"),
    allow(
        dead_code,
        unused_imports,
        reason = "only the page and the command use parts of the store and of the rules"
    )
)]

#[cfg(feature = "cli")]
pub mod cli;
mod extract;
mod json;
mod lookup;
mod manager;
mod oauth;
mod options;
#[cfg(feature = "cli")]
mod page;
#[cfg(any(feature = "cli", feature = "testing"))]
mod ports;
mod routes;
mod rules;
mod runs;
#[cfg(any(feature = "cli", feature = "testing"))]
mod samples;
#[cfg(any(feature = "cli", feature = "testing"))]
mod serving;
mod shared;
#[doc(hidden)]
pub mod shown;
mod state;
pub mod store;
#[cfg(any(feature = "cli", feature = "testing"))]
pub mod tape;
#[cfg(feature = "testing")]
pub mod testing;
mod workbench;

pub use extract::{FileNote, FileNoteKind};
pub use manager::{Manager, StartError};
pub use oauth::CredentialError;
pub use options::{CallLimits, ExtractionLimits, Options, RunLimits, Storage};
pub use rules::{ActionAnswer, ActionError, Progress};
pub use runs::{CancelError, TriggerError};
pub use state::ConnectorError;
