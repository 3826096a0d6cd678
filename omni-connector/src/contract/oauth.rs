//! The OAuth part of a manifest (`protocol.md` §8.1). The web app fills in no defaults, so every field is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SourceType;

/// How Omni gets a person's tokens from the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthConfig {
    /// The credential's provider, such as `github`.
    pub provider: String,
    /// Where people give their consent.
    pub auth_endpoint: String,
    /// Where codes become tokens.
    pub token_endpoint: String,
    /// Where the person's address is read.
    pub userinfo_endpoint: String,
    /// Dot path to the address in that answer.
    #[serde(default = "email")]
    pub userinfo_email_field: String,
    /// Added to every request.
    #[serde(default)]
    pub identity_scopes: Vec<String>,
    /// Scopes of each source type.
    #[serde(default)]
    pub scopes: BTreeMap<SourceType, OAuthScopes>,
    /// Extra query parameters of the authorization request; they can override standard ones.
    #[serde(default)]
    pub extra_auth_params: BTreeMap<String, String>,
    /// What joins scopes.
    #[serde(default = "blank")]
    pub scope_separator: String,
    /// A path of the connector, called after the token exchange.
    pub enrich_endpoint: Option<String>,
    /// Dynamic client registration.
    pub registration_endpoint: Option<String>,
    /// How the client identifies itself.
    #[serde(default)]
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// RFC 8707 resource indicator, sent to the token endpoint.
    pub resource: Option<String>,
}

impl OAuthConfig {
    /// The three endpoints, and the protocol's defaults for everything else.
    pub fn new(
        provider: impl Into<String>,
        auth_endpoint: impl Into<String>,
        token_endpoint: impl Into<String>,
        userinfo_endpoint: impl Into<String>,
    ) -> Self {
        Self {
            provider: provider.into(),
            auth_endpoint: auth_endpoint.into(),
            token_endpoint: token_endpoint.into(),
            userinfo_endpoint: userinfo_endpoint.into(),
            userinfo_email_field: email(),
            identity_scopes: Vec::new(),
            scopes: BTreeMap::new(),
            extra_auth_params: BTreeMap::new(),
            scope_separator: blank(),
            enrich_endpoint: None,
            registration_endpoint: None,
            token_endpoint_auth_method: TokenEndpointAuthMethod::default(),
            resource: None,
        }
    }
}

/// What one source type asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthScopes {
    /// For syncing and reading actions.
    #[serde(default)]
    pub read: Vec<String>,
    /// For writing actions.
    #[serde(default)]
    pub write: Vec<String>,
}

/// How the client identifies itself at the token endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuthMethod {
    /// In the form.
    #[default]
    ClientSecretPost,
    /// In a Basic header.
    ClientSecretBasic,
    /// Not at all; PKCE protects the exchange.
    None,
}

fn email() -> String {
    "email".to_owned()
}

fn blank() -> String {
    " ".to_owned()
}
