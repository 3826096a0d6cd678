//! What a connector *is*: the trait it implements, the manifest it registers, and the values that cross the wire.
//!
//! The types here are the protocol's own shapes (`protocol.md` §4): they decode as strictly as the manager does where
//! both sides must agree, and they never carry behaviour of a run or of the server.

mod attribute;
mod check;
mod connector;
mod credential;
mod dates;
mod decode;
mod enums;
mod erased;
mod event;
mod limits;
mod manifest;
mod oauth;
mod operator;
mod redact;
#[cfg(feature = "mcp")]
mod republish;
mod schema;
mod secret;
mod simplify;
mod source;
pub mod timestamp;
pub mod wire;

pub use attribute::{AttributeValue, Email, InvalidEmail, token};
#[cfg(feature = "mcp")]
pub(crate) use check::LONGEST_TOOL_NAME;
pub use check::RESERVED_OPERATORS;
pub(crate) use check::is_free_path;
pub use check::{Problem, Severity, check};
pub use connector::{BoxFuture, Connector};
pub use credential::{McpCredentials, ServiceCredential};
pub use dates::{Day, Timestamp};
pub(crate) use decode::decode_field;
pub use decode::{DecodeError, decode};
pub use enums::{ActionMode, AuthType, SourceType, SyncType, UnknownName};
pub(crate) use erased::ErasedConnector;
#[cfg(feature = "mcp")]
pub(crate) use erased::McpBehind;
pub use event::{
    Attributes, ConnectorEvent, DocumentMetadata, DocumentPermissions, PersonSyncRecord,
};
pub(crate) use limits::{Rule, compare};
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
pub use schema::{REFUSED_KEYS, SchemaError, check_input_schema};
pub use secret::SecretString;
pub(crate) use simplify::{
    DOCUMENT_MARK, DOCUMENT_NAMES, Null, safe_part, safe_schema, unmark_documents,
};
pub use source::{Source, SourceScope, UserFilterMode};
