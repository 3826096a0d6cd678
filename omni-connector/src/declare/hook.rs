//! What an annotated connector answers beside syncs and actions: whether a run may start, how people sign in, which MCP
//! server stands behind it, what teaches language models.

use std::collections::HashMap;

use anyhow::{Result, bail};

use super::{
    call::{CallOf, Called, OfValidate},
    table::Declared,
};
use crate::{
    connector::McpServer,
    manager::ManagerClient,
    wire::{
        CredentialReady, McpCredentials, OAuthConfig, OAuthExtra, OAuthTokens, ServiceCredential,
        Skill, Source, SourceType,
    },
};
use futures_util::future::BoxFuture;

/// A method with `#[validate]`: reads the arguments and calls it.
pub type Validate<K> = fn(&K, CallOf<K, OfValidate>) -> Called<'_, ()>;

/// Asks the method with `#[validate]`; without one every run may start.
///
/// # Errors
/// What the method says, which becomes the refusal of the run.
pub async fn validate<K: Declared>(
    connector: &K,
    source: &Source,
    credentials: Option<&ServiceCredential>,
    manager: &ManagerClient,
) -> Result<()> {
    let Some(validate) = K::VALIDATE else {
        return Ok(());
    };
    let call = CallOf::new(OfValidate {
        source: source.clone(),
        credentials: credentials.cloned(),
        manager: manager.clone(),
    });
    validate(connector, call)?.await
}

/// What the method with `#[oauth]` says.
pub fn oauth_config<K: Declared>(connector: &K) -> Option<OAuthConfig> {
    K::OAUTH.and_then(|oauth| oauth(connector))
}

/// A method with `#[credential_ready]`.
pub type Ready<K> = fn(&K, CredentialReady, ManagerClient) -> BoxFuture<'_, Result<()>>;

/// A method with `#[enrich]`.
pub type Enrich<K> = fn(&K, OAuthTokens) -> BoxFuture<'_, Result<OAuthExtra>>;

/// A method with `#[mcp_env]` or `#[mcp_headers]`.
pub type Prepare<K> = fn(&K, &McpCredentials) -> Result<HashMap<String, String>>;

/// Tells the method with `#[credential_ready]`, if there is one.
///
/// # Errors
/// What the method says.
pub async fn credential_ready<K: Declared>(
    connector: &K,
    ready: CredentialReady,
    manager: &ManagerClient,
) -> Result<()> {
    match K::CREDENTIAL_READY {
        Some(told) => told(connector, ready, manager.clone()).await,
        None => Ok(()),
    }
}

/// Asks the method with `#[enrich]`.
///
/// # Errors
/// There is none, or what the method says.
pub async fn enrich<K: Declared>(connector: &K, tokens: OAuthTokens) -> Result<OAuthExtra> {
    match K::ENRICH {
        Some(enrich) => enrich(connector, tokens).await,
        None => bail!("this connector adds nothing to credentials"),
    }
}

/// The server of the method with `#[mcp]`.
pub fn mcp_server<K: Declared>(connector: &K) -> Option<McpServer> {
    K::MCP.and_then(|server| server(connector))
}

/// What the method with `#[mcp_env]` says.
///
/// # Errors
/// Those of the method.
pub fn prepare_mcp_env<K: Declared>(
    connector: &K,
    credentials: &McpCredentials,
) -> Result<HashMap<String, String>> {
    K::MCP_ENV.map_or_else(|| Ok(HashMap::new()), |env| env(connector, credentials))
}

/// What the method with `#[mcp_headers]` says.
///
/// # Errors
/// Those of the method.
pub fn prepare_mcp_headers<K: Declared>(
    connector: &K,
    credentials: &McpCredentials,
) -> Result<HashMap<String, String>> {
    K::MCP_HEADERS.map_or_else(
        || Ok(HashMap::new()),
        |headers| headers(connector, credentials),
    )
}

/// The type that a method takes for what it is asked with.
#[diagnostic::on_unimplemented(
    message = "this function is not asked with `{Self}`",
    label = "asked with something else",
    note = "help: take `{W}`"
)]
pub trait Asked<W> {
    /// The same value.
    fn of(with: W) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T> Asked<T> for T {
    fn of(with: T) -> T {
        with
    }
}

/// What a method is asked with.
pub fn asked<T: Asked<W>, W>(with: W) -> T {
    T::of(with)
}

/// What a method with `#[oauth]` returns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how people sign in",
    label = "no OAuth config",
    note = "help: return `OAuthConfig`, or `Option<OAuthConfig>` where some deployments have none"
)]
pub trait OAuthReturn {
    /// The config, if there is one.
    fn into_config(self) -> Option<OAuthConfig>;
}

impl OAuthReturn for OAuthConfig {
    fn into_config(self) -> Option<OAuthConfig> {
        Some(self)
    }
}

impl OAuthReturn for Option<OAuthConfig> {
    fn into_config(self) -> Option<OAuthConfig> {
        self
    }
}

/// The config that a method with `#[oauth]` returned.
pub fn oauth(returned: impl OAuthReturn) -> Option<OAuthConfig> {
    returned.into_config()
}

/// What a method with `#[enrich]` returns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` adds nothing to a credential",
    label = "cannot be returned",
    note = "help: it returns `Result<OAuthExtra>`"
)]
pub trait EnrichReturn {
    /// What is added.
    ///
    /// # Errors
    /// Those of the method.
    fn into_extra(self) -> Result<OAuthExtra>;
}

impl<E: Into<anyhow::Error>> EnrichReturn for Result<OAuthExtra, E> {
    fn into_extra(self) -> Result<OAuthExtra> {
        self.map_err(Into::into)
    }
}

/// What a method with `#[enrich]` adds.
///
/// # Errors
/// Those of the method.
pub fn enriched(returned: impl EnrichReturn) -> Result<OAuthExtra> {
    returned.into_extra()
}

/// What a method with `#[mcp]` returns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no MCP server",
    label = "no MCP server",
    note = "help: return `McpServer::stdio(…)` as `StdioMcpServer`, `McpServer::http(…)` as `HttpMcpServer`, or `Option<McpServer>`"
)]
pub trait McpReturn {
    /// The server, if there is one.
    fn into_server(self) -> Option<McpServer>;
}

impl McpReturn for McpServer {
    fn into_server(self) -> Option<McpServer> {
        Some(self)
    }
}

impl<T: McpReturn> McpReturn for Option<T> {
    fn into_server(self) -> Option<McpServer> {
        self.and_then(T::into_server)
    }
}

#[cfg(feature = "mcp")]
impl McpReturn for crate::connector::StdioMcpServer {
    fn into_server(self) -> Option<McpServer> {
        Some(self.into())
    }
}

#[cfg(feature = "mcp")]
impl McpReturn for crate::connector::HttpMcpServer {
    fn into_server(self) -> Option<McpServer> {
        Some(self.into())
    }
}

/// The server that a method with `#[mcp]` returned.
pub fn server(returned: impl McpReturn) -> Option<McpServer> {
    returned.into_server()
}

/// What a method with `#[mcp_env]` or `#[mcp_headers]` returns: a `Result` of pairs of texts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are no names and values",
    label = "no names and values",
    note = "help: return `Result<[(&'static str, String); 1]>`, or `Result` of any other list of pairs of texts"
)]
pub trait PairsReturn {
    /// The pairs.
    ///
    /// # Errors
    /// Those of the method.
    fn into_pairs(self) -> Result<HashMap<String, String>>;
}

// A list that is none is to be told of in the words above.
#[diagnostic::do_not_recommend]
impl<L, N, V, E> PairsReturn for Result<L, E>
where
    L: IntoIterator<Item = (N, V)>,
    N: Into<String>,
    V: Into<String>,
    E: Into<anyhow::Error>,
{
    fn into_pairs(self) -> Result<HashMap<String, String>> {
        let pairs = self.map_err(Into::into)?.into_iter();
        Ok(pairs
            .map(|(name, value)| (name.into(), value.into()))
            .collect())
    }
}

/// The pairs that a method with `#[mcp_env]` or `#[mcp_headers]` returned.
///
/// # Errors
/// Those of the method.
pub fn pairs(returned: impl PairsReturn) -> Result<HashMap<String, String>> {
    returned.into_pairs()
}

/// What a method with `#[skills]` returns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of skills",
    label = "no list of skills",
    note = "help: return `Vec<Skill>`"
)]
pub trait SkillsReturn {
    /// The skills.
    fn into_skills(self) -> Vec<Skill>;
}

// A list that is none is to be told of in the words above.
#[diagnostic::do_not_recommend]
impl<L: IntoIterator<Item = Skill>> SkillsReturn for L {
    fn into_skills(self) -> Vec<Skill> {
        self.into_iter().collect()
    }
}

/// The skills that a method with `#[skills]` returned.
pub fn skill_list(returned: impl SkillsReturn) -> Vec<Skill> {
    returned.into_skills()
}

/// A declared skill.
pub fn skill(
    id: &str,
    title: &str,
    description: Option<&str>,
    text: &str,
    source_types: &[SourceType],
) -> Skill {
    Skill {
        id: id.to_owned(),
        title: title.to_owned(),
        description: description.map(str::to_owned),
        source_types: source_types.to_vec(),
        content: Some(text.to_owned()),
        mcp_prompt: None,
    }
}

/// The declared skills, and those of the method with `#[skills]`.
pub fn skills<K: Declared>(connector: &K, declared: impl IntoIterator<Item = Skill>) -> Vec<Skill> {
    let mut skills: Vec<_> = declared.into_iter().collect();
    skills.extend(K::SKILLS.map(|more| more(connector)).unwrap_or_default());
    skills
}
