//! How a connector talks to its source: one service's HTTP, described once.
//!
//! An author describes the service as an [`Api`] in a struct that implements [`ApiClient`]. That struct is then an argument of
//! syncs, actions, webhooks and hooks, and every call through it waits for its turn, keeps to the quotas of the service, is
//! repeated where that is safe, renews its credential, stops when the run is cancelled, and fails with a [`SourceError`].
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
//! #[derive(Clone)]
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
//! [`HttpClient`] is for what is not an API: a download from anywhere.
//!
//! Answers may be compressed with gzip or deflate, which every request offers; other codings are not offered, and an answer in
//! one is [`Unreadable`](SourceError::Unreadable). An MCP server behind a connector is asked in the same way.

mod answer;
mod api;
mod attempt;
mod auth;
mod call;
mod client;
mod download;
mod error;
mod flight;
mod keys;
mod order;
mod pace;
mod paging;
mod quota;
mod retry;
mod scope;
mod send;
mod tokens;
mod transport;
mod validators;

pub use crate::transport::HttpClient;
pub use answer::{Answer, Refusal, Verdict};
pub use api::Api;
pub use auth::{Auth, Token};
pub use call::{Call, MayBeMissing, segment};
pub use client::ApiClient;
pub(crate) use client::{NoClient, Whose, client};
pub use download::{Download, Saved};
pub use error::{At, SourceError};
pub use order::InOrder;
pub use paging::{
    Incomplete, Next, Odd, Page, Pages, Paging, Position, ResumePoint, Unended, Walk,
};
pub use quota::{Quota, Reset};
pub(crate) use scope::Scope;
pub use tokens::Tokens;
pub use validators::{Fresh, Validators};
