//! Connect a company's system to Omni: annotate a struct, get a connector.
//!
//! A connector reads documents, permissions and people from one system into Omni, and offers actions on it. Authors
//! begin with [`connector`](macro@connector). The folders of this crate are layers. Each imports only earlier ones:
//!
//! | folder | purpose |
//! |---|---|
//! | [`wire`] | the protocol's records, exactly as they are sent |
//! | [`schema`] | decoding, limits, and checks of a manifest |
//! | [`manager`] | the client of the manager |
//! | `run` | one run: documents, listings, the pipeline, execution and end |
//! | `connector` | the trait, calls of [`actions`] and their answers, webhooks |
//! | `declare` | [`arguments`] by type, and the target of the macros |
//! | `server` | routes, registration, shutdown |
//! | `mcp` | an MCP server behind a connector, and a connector as one |
//!
//! [`telemetry`] (logs, metrics and traces), redaction, caught panics and the HTTP transport are leaves: they import
//! none of these.
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
mod excerpt;
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
    ActionCall, ActionError, ActionResponse, Connector, McpServer, TypeSchemas, Unavailable,
    Webhook, WebhookCall, WebhookRequest, actions,
    actions::{File, Response},
    sign_hmac_sha256, verify_hmac_sha256,
};
#[cfg(feature = "mcp")]
pub use connector::{HttpMcpServer, StdioMcpServer};
pub use declare::{
    Actor, Annotated, Args, Checkpoint, Config, CredentialSettings, Credentials, DocRef,
};
pub use macros::*;
pub use manager::{ManagerClient, ManagerError, NotesError, Patience};
pub use redact::{hide_secrets, redact};
pub use run::{
    Access, Advance, Attachment, Deletions, Document, Each, Failure, FailureBudget, Group,
    IncompleteListing, Inventory, Listing, Members, News, OperationCost, Operator, Packed, Part,
    Partition, PartitionKey, PartitionState, Partitions, Ran, RequestStep, RunError, RunReport,
    RunRequests, Skip, SourceRequest, SourceWalk, Stage, SyncContext, Walk, Walked, WalkedListing,
    Watch, Watching, Watermark,
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
