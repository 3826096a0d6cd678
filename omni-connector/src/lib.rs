//! Connect a company's system to Omni: annotate a struct, get a connector.
//!
//! A connector reads documents, permissions and people from one system into Omni and offers actions on it. The folders of
//! this crate are its story: [`contract`] is what a connector *is*, [`mod@run`] what happens in one sync run, `incoming`
//! the server that the manager calls, [`actions`] what callers ask for, [`outgoing`] the clients, [`declare`] what the macros
//! write against, [`telemetry`] what is told of it all. [`connector`](macro@connector) is where an author begins.
//!
//! Two features are off by default: `mcp` (an MCP server behind the connector, and the connector as one) and `otel` (traces).

pub mod actions;
mod bridges;
pub mod contract;
pub mod declare;
#[doc(hidden)]
pub mod generated;
mod incoming;
mod macros;
pub mod outgoing;
pub mod prelude;
pub mod run;
mod start;
pub mod telemetry;

pub use anyhow::Result;
pub use async_trait::async_trait;
pub use reqwest;
pub use schemars;
pub use serde_json::Value;

pub use actions::{ActionCall, ActionError, ActionResponse, File, Response};
pub use bridges::McpServer;
#[cfg(feature = "mcp")]
pub use bridges::{HttpMcpServer, StdioMcpServer};
pub use contract::{
    ActionDefinition, ActionMode, Attributes, AuthType, BoxFuture, Connector, ConnectorEvent,
    CredentialReady, DocumentMetadata, DocumentPermissions, Email, Manifest, McpCredentials,
    OAuthConfig, OAuthExtra, OAuthScopes, OAuthTokens, Operator, PersonSyncRecord, SearchOperator,
    SecretString, ServiceCredential, Skill, Source, SourceType, SyncType, TokenEndpointAuthMethod,
    ValueType, decode,
};
pub use declare::{Actor, Args, Checkpoint, Config, Credentials, DocRef};
pub use incoming::{
    ConfigError, Runner, ServerConfig, Webhook, WebhookCall, WebhookRequest, verify_hmac_sha256,
};
pub use macros::{action, connector, search_operator, sync};
pub use outgoing::{HttpClient, ManagerClient, ManagerError, Patience};
pub use run::{
    Deletions, Document, FailureBudget, Group, IncompleteListing, Listing, RunError, RunReport,
    SyncContext, Walked, WalkedListing,
};
pub use start::{run, serve, serve_with_config, serve_with_extra_routes, serve_with_shutdown};

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
