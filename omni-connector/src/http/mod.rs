//! HTTP calls from a connector to its source, with each service described once.
//!
//! An author describes the service as an [`Api`] in a struct that implements [`ApiClient`]. That struct is then an argument
//! of syncs, actions, webhooks and hooks. Every call waits for its turn, respects the service's quotas, is retried where
//! that is safe, and renews its credential. It stops when the run is cancelled, and fails with a [`SourceError`].
//!
//! ```
//! use omni_connector::{http::{Api, ApiClient, Auth, Pages, Paging, Quota}, prelude::*};
//!
//! #[derive(Deserialize)]
//! struct Settings { api_url: Url }
//!
//! #[derive(Deserialize)]
//! struct ApiKey { api_key: SecretString }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Issue { key: String, title: String, readers: Vec<String> }
//!
//! #[derive(Clone, FromCall)]
//! struct Tracker { api: Api }
//!
//! impl ApiClient for Tracker {
//!     type Config = Settings;
//!     type Credentials = ApiKey;
//!
//!     fn connect(config: &Settings, key: &ApiKey) -> Result<Self> {
//!         let api = Api::at(&config.api_url).auth(Auth::bearer(&key.api_key)).quota(Quota::per_minute(300));
//!         Ok(Self { api })
//!     }
//! }
//!
//! impl Tracker {
//!     fn issues(&self) -> Pages<Issue> {
//!         self.api.get("issues").pages(Paging::cursor("/meta/next").total("/meta/total")).items("/issues")
//!     }
//! }
//!
//! /// Issues of Acme Tracker.
//! #[connector(name = "acme", source_types = [Jira], config = Settings, credentials = ApiKey)]
//! struct Acme;
//!
//! #[connector]
//! impl Acme {
//!     #[sync]
//!     async fn sync(&self, tracker: Tracker, ctx: SyncContext) -> Result<()> {
//!         let mut pages = tracker.issues();
//!         while let Some(page) = pages.next().await? {
//!             for issue in &page {
//!                 let readers = DocumentPermissions::users(&issue.readers);
//!                 ctx.upsert(Document::new(&issue.key, readers).title(&issue.title)).await?;
//!             }
//!         }
//!         let everything_was_read = pages.finish()?;
//!         # drop(everything_was_read);
//!         Ok(())
//!     }
//!
//!     /// Create an issue.
//!     #[action(write)]
//!     async fn create_issue(&self, tracker: Tracker,
//!         /// One-line summary
//!         #[arg] title: String,
//!     ) -> Result<Issue> {
//!         Ok(tracker.api.post("issues").json(&json!({ "title": title })).read().await?)
//!     }
//! }
//! ```
//!
//! Use [`HttpClient`] for all other requests, such as a download from any URL.
//!
//! Every request offers gzip and deflate compression. An answer in another coding is
//! [`Unreadable`](SourceError::Unreadable). Calls to an MCP server behind a connector work the same way.

#![allow(
    clippy::unnecessary_box_returns,
    reason = "every error keeps its location in a box"
)]

mod answer;
mod api;
mod attempt;
mod auth;
mod call;
mod carried;
mod charset;
mod client;
mod coding;
mod download;
mod dry_run;
mod error;
mod faults;
mod flight;
mod graphql;
mod keys;
mod link;
mod order;
mod pace;
mod paging;
mod path;
mod quota;
mod repeat;
mod retry;
mod scope;
mod send;
mod tape;
mod tokens;
mod transport;
mod validators;

pub use crate::schema::{FromCredential, WithSettings};
pub use crate::transport::HttpClient;
pub use answer::{Answer, Refusal, Verdict};
pub use api::Api;
pub use auth::{Auth, Token};
pub use call::{Call, MayBeMissing};
pub use client::ApiClient;
pub(crate) use client::{NoClient, Owner, client};
pub use download::{Download, Saved};
pub(crate) use dry_run::DryRun;
#[doc(hidden)]
pub use dry_run::StoppedRequest;
pub use error::{At, SourceError};
pub(crate) use faults::plan as plan_fault;
#[doc(hidden)]
pub use faults::{Fault, PlannedFault};
pub use graphql::GraphQl;
pub use order::InOrder;
#[doc(hidden)]
pub use paging::ServedPage;
pub use paging::{
    Incomplete, Next, Odd, Page, Pages, Paging, Position, ResumePoint, Unended, Walk,
};
pub use path::segment;
pub use quota::{Quota, Reset};
pub(crate) use repeat::repeat;
#[doc(hidden)]
pub use repeat::{Repeated, RequestId};
pub(crate) use scope::Scope;
pub(crate) use tape::recorded as recorded_tape;
#[doc(hidden)]
pub use tape::{Answered, Asked, Exchange, Recorded, TapeHead};
pub use tokens::Tokens;
pub use validators::{Fresh, Validators};
