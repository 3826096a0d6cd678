//! The protocol's records in their exact wire form (`protocol.md` §2 to §4). Imports no other module of the crate.

mod attribute;
mod credential;
mod dates;
mod enums;
mod event;
mod manifest;
mod messages;
mod oauth;
mod secret;
mod source;
pub mod timestamp;

pub use attribute::{AttributeValue, Email, InvalidEmail, token};
pub use credential::{McpCredentials, ServiceCredential};
pub(crate) use dates::parse_day;
pub use dates::{Day, Timestamp};
pub use enums::{ActionMode, AuthType, SourceType, SyncType, UnknownName, ValueType};
pub use event::{
    Attributes, ConnectorEvent, DocumentMetadata, DocumentPermissions, PersonSyncRecord,
};
pub use manifest::{
    ActionDefinition, IntegrationType, Manifest, ManifestAction, PromptArgument, PromptDefinition,
    ResourceDefinition, SearchOperator, Skill,
};
pub use messages::{
    ActionRequest, ContentId, ContentRequest, ErrorBody, EventBatch, RunId, RunningResponse,
    StatusResponse, SyncRequest,
};
pub use oauth::{
    CredentialReady, OAuthConfig, OAuthExtra, OAuthScopes, OAuthTokens, TokenEndpointAuthMethod,
};
pub use secret::SecretString;
pub use source::{Source, SourceScope, UserFilterMode};
