//! The OAuth part of a manifest (`protocol.md` §8.1). The web app fills in no defaults, so every field is written.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{McpCredentials, SecretString, SourceType};

/// How Omni gets a person's tokens from the system.
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

    /// Where the person's address stands in the answer of the userinfo endpoint, as a dot path: `user.email`.
    #[must_use]
    pub fn email_at(mut self, path: impl Into<String>) -> Self {
        self.userinfo_email_field = path.into();
        self
    }

    /// Scopes of every request, such as those that show the person's address.
    #[must_use]
    pub fn identity_scopes(mut self, scopes: impl IntoIterator<Item: Into<String>>) -> Self {
        self.identity_scopes = texts(scopes);
        self
    }

    /// What syncing and reading actions of a source type need.
    #[must_use]
    pub fn read_scopes(
        mut self,
        source_type: SourceType,
        scopes: impl IntoIterator<Item: Into<String>>,
    ) -> Self {
        self.scopes.entry(source_type).or_default().read = texts(scopes);
        self
    }

    /// What people can grant for actions of a source type, beside [`read_scopes`](Self::read_scopes). Every scope of an
    /// action stands here, or nobody could ever grant it.
    #[must_use]
    pub fn write_scopes(
        mut self,
        source_type: SourceType,
        scopes: impl IntoIterator<Item: Into<String>>,
    ) -> Self {
        self.scopes.entry(source_type).or_default().write = texts(scopes);
        self
    }

    /// One more query parameter of the authorization request; it goes before a standard one of its name.
    #[must_use]
    pub fn auth_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra_auth_params.insert(name.into(), value.into());
        self
    }

    /// What joins scopes, where it is no blank.
    #[must_use]
    pub fn scope_separator(mut self, separator: impl Into<String>) -> Self {
        self.scope_separator = separator.into();
        self
    }

    /// How the client identifies itself at the token endpoint.
    #[must_use]
    pub const fn auth_method(mut self, method: TokenEndpointAuthMethod) -> Self {
        self.token_endpoint_auth_method = method;
        self
    }

    /// Clients register themselves here and have no secret: PKCE protects the exchange.
    #[must_use]
    pub fn registered_at(mut self, endpoint: impl Into<String>) -> Self {
        self.registration_endpoint = Some(endpoint.into());
        self.token_endpoint_auth_method = TokenEndpointAuthMethod::None;
        self
    }

    /// RFC 8707 indicator of what the tokens are for.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// The connector's own path, such as `/oauth/enrich`, at which [`Connector::enrich`](crate::Connector::enrich) answers.
    #[must_use]
    pub fn enriched_at(mut self, path: impl Into<String>) -> Self {
        self.enrich_endpoint = Some(path.into());
        self
    }
}

fn texts(texts: impl IntoIterator<Item: Into<String>>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
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

/// A person has signed in, or an admin has: `POST /oauth/credential-ready` of a connector (`protocol.md` §8.6).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CredentialReady {
    /// The source the credential belongs to.
    pub source_id: String,
    /// Its owner; none for the organisation's own.
    #[serde(default)]
    pub user_id: Option<String>,
    /// The provider it is for.
    pub provider: String,
    /// `user_write`, or `user_read` for every other flow.
    pub flow: String,
    /// The credential itself.
    pub credentials: McpCredentials,
}

/// Fresh tokens, before they are stored: the request of the enrich endpoint (`protocol.md` §8.5).
#[derive(Debug, Clone, Deserialize)]
pub struct OAuthTokens {
    /// The access token.
    pub access_token: SecretString,
    /// The refresh token, where the provider gave one.
    #[serde(default)]
    pub refresh_token: Option<SecretString>,
}

/// What the enrich endpoint adds to the stored credential.
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct OAuthExtra {
    /// Merged into the secret.
    #[serde(rename = "credentials_extra", skip_serializing_if = "Map::is_empty")]
    pub credentials: Map<String, Value>,
    /// Merged into the settings that are no secret.
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
