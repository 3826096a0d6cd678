//! The definition of a connector: its trait, the calls and answers of its actions, and its webhooks.

pub mod actions;
mod definition;
mod erased;
mod mcp_server;
mod unavailable;
mod webhook;

pub use actions::{ActionCall, ActionError, ActionResponse};
pub use definition::{Connector, TypeSchemas};
pub(crate) use erased::ErasedConnector;
#[cfg(feature = "mcp")]
pub(crate) use erased::McpBehind;
pub use mcp_server::McpServer;
#[cfg(feature = "mcp")]
pub use mcp_server::{HttpMcpServer, StdioMcpServer};
pub use unavailable::Unavailable;
pub(crate) use webhook::{Order, OrderKind};
pub use webhook::{Webhook, WebhookCall, WebhookRequest, sign_hmac_sha256, verify_hmac_sha256};
