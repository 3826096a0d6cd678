//! Connect a company's system to Omni: annotate a struct, get a connector.
//!
//! A connector reads documents, permissions and people from one system into Omni, and offers actions on it.
//! [`connector`](macro@connector) is where an author begins. The folders of this crate are layers. Each imports only what
//! stands before it:
//!
//! | folder | what it is for |
//! |---|---|
//! | [`wire`] | the protocol's records, exactly as they are sent |
//! | [`schema`] | values against types: decoding, limits, checks of a manifest |
//! | [`manager`] | the client of the manager |
//! | `run` | one run: documents, listings, the pipeline, executing and ending it |
//! | `connector` | the trait, calls of [`actions`] and their answers, what webhooks ask for |
//! | `declare` | [`arguments`] by type, and what the macros write against |
//! | `server` | what comes in: routes, registration, shutdown |
//! | `mcp` | an MCP server behind a connector, and a connector as one |
//!
//! [`telemetry`] (logs, metrics and traces), redaction, caught panics and the HTTP transport are leaves, and import nothing of ours.
//!
//! # Features
//!
//! No feature is on by default.
//!
//! | Feature | What it adds |
//! |---|---|
//! | `mcp` | an MCP server behind the connector, and the connector as an MCP server |
//! | `otel` | export of traces by OTLP over HTTP |

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod arguments;
mod body;
mod clock;
mod connector;
mod declare;
#[doc(hidden)]
pub mod generated;
pub mod http;
mod macros;
pub mod manager;
mod mcp;
mod panic;
pub mod prelude;
mod redact;
mod run;
pub mod schema;
mod server;
mod start;
pub mod telemetry;
mod transport;
pub mod wire;

pub use anyhow::{self, Result};
pub use async_trait::async_trait;
pub use axum;
pub use futures_util::future::BoxFuture;
pub use reqwest;
pub use schemars;
pub use serde;
pub use serde_json::{self, Value};
pub use time;
pub use url;

pub use body::{BodyError, read_body};
pub use connector::{
    ActionCall, ActionError, ActionResponse, Connector, McpServer, Unavailable, Webhook,
    WebhookCall, WebhookRequest, actions,
    actions::{File, Response},
    verify_hmac_sha256,
};
#[cfg(feature = "mcp")]
pub use connector::{HttpMcpServer, StdioMcpServer};
pub use declare::{
    Actor, Annotated, Args, Checkpoint, Config, CredentialSettings, Credentials, DocRef,
};
pub use macros::*;
pub use manager::{ManagerClient, ManagerError, NotesError, Patience};
pub use redact::redact;
pub use run::{
    Access, Advance, Attachment, Deletions, Document, Each, Failure, FailureBudget, Group,
    IncompleteListing, Inventory, Listing, Members, News, Operator, Part, Partition, PartitionKey,
    PartitionState, Partitions, Ran, RunError, RunReport, Skip, Stage, SyncContext, Walk, Walked,
    WalkedListing, Watch, Watching, Watermark,
};
pub use schema::{CredentialSet, decode};
pub use server::{ConfigError, Runner, ServerConfig};
pub use start::{
    Server, run, serve, serve_with_config, serve_with_extra_routes, serve_with_shutdown,
};
pub use transport::HttpClient;
pub use wire::{
    ActionDefinition, ActionMode, Attributes, AuthType, ConnectorEvent, CredentialReady,
    DocumentMetadata, DocumentPermissions, Email, Manifest, McpCredentials, OAuthConfig,
    OAuthExtra, OAuthScopes, OAuthTokens, PersonSyncRecord, SearchOperator, SecretString,
    ServiceCredential, Skill, Source, SourceType, SyncType, TokenEndpointAuthMethod, ValueType,
};

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
