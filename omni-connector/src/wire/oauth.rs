//! The OAuth part of a manifest (`protocol.md` §8.1). The web app applies no defaults, so every field is written.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{McpCredentials, SecretString, SourceType};

/// How Omni obtains a person's tokens from the system.
///
/// ```
/// use omni_connector::{OAuthConfig, SourceType};
///
/// let oauth = OAuthConfig::new(
///     "github",
///     "https://github.com/login/oauth/authorize",
///     "https://github.com/login/oauth/access_token",
///     "https://api.github.com/user/emails",
/// )
/// .identity_scopes(["user:email"])
/// .read_scopes(SourceType::Github, ["read:org"])
/// .write_scopes(SourceType::Github, ["repo"]);
///
/// assert_eq!(oauth.scopes[&SourceType::Github].write, ["repo"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OAuthConfig {
    /// The credential's provider, such as `github`.
    pub provider: String,
    /// The authorization endpoint, where people give consent.
    pub auth_endpoint: String,
    /// The token endpoint, which exchanges codes for tokens.
    pub token_endpoint: String,
    /// The endpoint that returns the person's address.
    pub userinfo_endpoint: String,
    /// Dot path to the address in the userinfo answer.
    #[serde(default = "email")]
    pub userinfo_email_field: String,
    /// Scopes added to every authorization request.
    #[serde(default)]
    pub identity_scopes: Vec<String>,
    /// Scopes of each source type.
    #[serde(default)]
    pub scopes: BTreeMap<SourceType, OAuthScopes>,
    /// Extra query parameters of the authorization request; they can override standard ones.
    #[serde(default)]
    pub extra_auth_params: BTreeMap<String, String>,
    /// The separator between scopes.
    #[serde(default = "blank")]
    pub scope_separator: String,
    /// A path of the connector, called after the token exchange.
    pub enrich_endpoint: Option<String>,
    /// The endpoint for dynamic client registration.
    pub registration_endpoint: Option<String>,
    /// How the client identifies itself.
    #[serde(default)]
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// RFC 8707 resource indicator, sent to the token endpoint.
    pub resource: Option<String>,
}

impl OAuthConfig {
    /// Creates a config with these endpoints and the protocol's defaults for everything else.
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

    /// Sets the dot path to the person's address in the userinfo answer, such as `user.email`.
    #[must_use]
    pub fn email_at(mut self, path: impl Into<String>) -> Self {
        self.userinfo_email_field = path.into();
        self
    }

    /// Sets the scopes of every request, such as those that reveal the person's address.
    #[must_use]
    pub fn identity_scopes(mut self, scopes: impl IntoIterator<Item: Into<String>>) -> Self {
        self.identity_scopes = texts(scopes);
        self
    }

    /// Sets the scopes that sync runs and read actions of a source type need.
    #[must_use]
    pub fn read_scopes(
        mut self,
        source_type: SourceType,
        scopes: impl IntoIterator<Item: Into<String>>,
    ) -> Self {
        self.scopes.entry(source_type).or_default().read = texts(scopes);
        self
    }

    /// Sets the scopes that people can grant for actions of a source type, in addition to [`read_scopes`](Self::read_scopes).
    /// Every scope of an action must be listed here; otherwise nobody can grant it.
    #[must_use]
    pub fn write_scopes(
        mut self,
        source_type: SourceType,
        scopes: impl IntoIterator<Item: Into<String>>,
    ) -> Self {
        self.scopes.entry(source_type).or_default().write = texts(scopes);
        self
    }

    /// Adds a query parameter to the authorization request; it overrides a standard parameter of the same name.
    #[must_use]
    pub fn auth_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra_auth_params.insert(name.into(), value.into());
        self
    }

    /// Sets the separator between scopes; the default is a blank.
    #[must_use]
    pub fn scope_separator(mut self, separator: impl Into<String>) -> Self {
        self.scope_separator = separator.into();
        self
    }

    /// Sets how the client authenticates at the token endpoint.
    #[must_use]
    pub const fn auth_method(mut self, method: TokenEndpointAuthMethod) -> Self {
        self.token_endpoint_auth_method = method;
        self
    }

    /// Enables dynamic client registration at this endpoint. Such clients have no secret; PKCE protects the exchange.
    #[must_use]
    pub fn registered_at(mut self, endpoint: impl Into<String>) -> Self {
        self.registration_endpoint = Some(endpoint.into());
        self.token_endpoint_auth_method = TokenEndpointAuthMethod::None;
        self
    }

    /// Sets the RFC 8707 resource indicator of the tokens.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Sets the connector's path, such as `/oauth/enrich`, that calls [`Connector::enrich`](crate::Connector::enrich).
    #[must_use]
    pub fn enriched_at(mut self, path: impl Into<String>) -> Self {
        self.enrich_endpoint = Some(path.into());
        self
    }
}

fn texts(texts: impl IntoIterator<Item: Into<String>>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
}

/// The scopes of one source type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OAuthScopes {
    /// Scopes for sync runs and read actions.
    #[serde(default)]
    pub read: Vec<String>,
    /// Scopes for write actions.
    #[serde(default)]
    pub write: Vec<String>,
}

/// How the client identifies itself at the token endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenEndpointAuthMethod {
    /// The client secret is sent in the form body.
    #[default]
    ClientSecretPost,
    /// The client secret is sent in a Basic header.
    ClientSecretBasic,
    /// No client secret is sent; PKCE protects the exchange.
    None,
}

fn email() -> String {
    "email".to_owned()
}

fn blank() -> String {
    " ".to_owned()
}

/// Reports that a person or an admin signed in: `POST /oauth/credential-ready` of a connector (`protocol.md` §8.6).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct CredentialReady {
    /// The source the credential belongs to.
    pub source_id: String,
    /// The user who owns it; none for the organisation's credential.
    #[serde(default)]
    pub user_id: Option<String>,
    /// The provider it is for.
    pub provider: String,
    /// `user_write`, or `user_read` for every other flow.
    pub flow: String,
    /// The credential itself.
    pub credentials: McpCredentials,
}

/// New tokens before they are stored: the request of the enrich endpoint (`protocol.md` §8.5).
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct OAuthTokens {
    /// The access token.
    pub access_token: SecretString,
    /// The refresh token, if the provider issued one.
    #[serde(default)]
    pub refresh_token: Option<SecretString>,
}

/// Fields that the enrich endpoint adds to the stored credential.
#[derive(Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OAuthExtra {
    /// Merged into the secret.
    #[serde(rename = "credentials_extra", skip_serializing_if = "Map::is_empty")]
    pub credentials: Map<String, Value>,
    /// Merged into the settings that are not secret.
    #[serde(rename = "config_extra", skip_serializing_if = "Map::is_empty")]
    pub config: Map<String, Value>,
}

impl fmt::Debug for OAuthExtra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthExtra")
            .field("credentials", &format_args!("[redacted]"))
            .field("config", &self.config)
            .finish()
    }
}
