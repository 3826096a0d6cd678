//! What a connector *is*: the trait it implements, the manifest it registers, and the values that cross the wire.
//!
//! The types here are the protocol's own shapes (`protocol.md` §4): they decode as strictly as the manager does where
//! both sides must agree, and they never carry behaviour of a run or of the server.

mod attribute;
mod connector;
mod credential;
mod decode;
mod enums;
mod erased;
mod event;
mod manifest;
mod oauth;
mod operator;
mod redact;
#[cfg(feature = "mcp")]
mod republish;
mod schema;
mod secret;
mod source;
pub mod timestamp;
pub mod wire;

pub use attribute::{AttributeValue, Email, InvalidEmail, token};
pub use connector::{BoxFuture, Connector};
pub use credential::{McpCredentials, ServiceCredential};
pub(crate) use decode::decode_field;
pub use decode::{DecodeError, decode};
pub use enums::{ActionMode, AuthType, SourceType, SyncType, UnknownName};
pub(crate) use erased::ErasedConnector;
pub use event::{
    Attributes, ConnectorEvent, DocumentMetadata, DocumentPermissions, PersonSyncRecord,
};
pub use manifest::{
    ActionDefinition, IntegrationType, Manifest, ManifestAction, PromptArgument, PromptDefinition,
    ResourceDefinition, SearchOperator, Skill,
};
pub use oauth::{
    CredentialReady, OAuthConfig, OAuthExtra, OAuthScopes, OAuthTokens, TokenEndpointAuthMethod,
};
pub use operator::{Operator, ValueType};
pub(crate) use redact::Secrets;
pub use redact::redact;
#[cfg(feature = "mcp")]
pub(crate) use republish::republished_schema;
pub(crate) use schema::safe_schema;
pub use schema::{REFUSED_KEYS, SchemaError, check_input_schema};
pub use secret::SecretString;
pub use source::{Source, SourceScope, UserFilterMode};
