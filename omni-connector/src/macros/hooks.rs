//! The markers of hooks, each of which a connector has once.

/// Marks the method that decides whether a run may start: `async fn(&self, …) -> Result<()>`.
///
/// Its arguments are supplied by their types, like those of a [`#[sync]`](macro@crate::sync); `SyncType` is the mode of
/// the run. An error refuses the run with 400: the source is misconfigured. [`Unavailable`](crate::Unavailable) refuses
/// it with 404: only this mode is not available. The marker is not part of the prelude, since other crates have an
/// attribute with this name.
///
/// ```
/// # use omni_connector::prelude::*;
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes;
/// #[connector]
/// impl Notes {
///     #[validate]
///     async fn reachable(&self, source: Source) -> Result<()> {
///         ensure!(source.config["folder"].is_string(), "the setting `folder` is missing");
///         Ok(())
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::validate;

/// Marks the method that fetches one item again: `async fn(&self, item: ItemId, ctx: SyncContext, …) -> Result<()>`.
///
/// While a connector is developed, a person can try an item again that failed. With this method that takes one call instead of a
/// whole run. It sends the item's document, or deletes it if the item is gone. Its arguments are supplied by their types, like
/// those of a [`#[sync]`](macro@crate::sync). Omni never calls it.
///
/// ```
/// # use omni_connector::prelude::*;
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes;
/// # fn find(id: &str) -> Option<String> { Some(id.to_owned()) }
/// #[connector]
/// impl Notes {
///     #[refetch]
///     async fn note(&self, item: ItemId, ctx: SyncContext) -> Result<()> {
///         match find(&item.0) {
///             Some(text) => ctx.upsert(Document::new(&item.0, Access::public()).text(&text)).await?,
///             None => ctx.delete(item.0).await?,
///         }
///         Ok(())
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::refetch;

/// Marks the method that describes how people sign in: `fn(&self) -> OAuthConfig`, or `Option<OAuthConfig>`.
///
/// ```
/// # use omni_connector::prelude::*;
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes;
/// #[connector]
/// impl Notes {
///     #[oauth]
///     fn sign_in(&self) -> OAuthConfig {
///         OAuthConfig::new("notes", "https://a.example/auth", "https://a.example/token", "https://a.example/me")
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::oauth;

/// Marks the method that is called after somebody signed in: `async fn(&self, ready: CredentialReady) -> Result<()>`.
///
/// A second argument can be a `ManagerClient`. Then the MCP server's lists are read with the new credential.
///
/// ```
/// # use omni_connector::prelude::*;
/// use omni_connector::CredentialReady;
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes;
/// #[connector]
/// impl Notes {
///     #[credential_ready]
///     async fn welcome(&self, ready: CredentialReady) -> Result<()> {
///         ensure!(ready.provider == "notes", "unknown provider `{}`", ready.provider);
///         Ok(())
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::credential_ready;

/// Marks the method that adds data from the system to a new credential:
/// `async fn(&self, tokens: OAuthTokens) -> Result<OAuthExtra>`.
///
/// [`OAuthConfig::enriched_at`](crate::OAuthConfig::enriched_at) sets its path.
///
/// ```
/// # use omni_connector::prelude::*;
/// use omni_connector::{OAuthExtra, OAuthTokens};
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes;
/// #[connector]
/// impl Notes {
///     #[enrich]
///     async fn account(&self, tokens: OAuthTokens) -> Result<OAuthExtra> {
///         let mut extra = OAuthExtra::default();
///         extra.config.insert("has_refresh_token".to_owned(), tokens.refresh_token.is_some().into());
///         Ok(extra)
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::enrich;

/// Marks the method that returns skills that are not known at compile time: `fn(&self) -> Vec<Skill>`.
///
/// They follow those of `skill(…)` on the struct.
///
/// ```
/// # use omni_connector::prelude::*;
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes;
/// #[connector]
/// impl Notes {
///     #[skills]
///     fn taught(&self) -> Vec<Skill> {
///         Vec::new()
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::skills;

/// Marks the method that declares the MCP server behind the connector, with the feature `mcp`:
/// `fn(&self) -> StdioMcpServer`, `HttpMcpServer` or `Option<McpServer>`.
///
/// The server's tools become actions, its prompts become skills. An action of the connector takes precedence over a
/// tool with the same name.
///
#[cfg_attr(feature = "mcp", doc = "```")]
#[cfg_attr(not(feature = "mcp"), doc = "```ignore")]
/// # use omni_connector::prelude::*;
/// use omni_connector::{McpServer, StdioMcpServer};
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes;
/// #[connector]
/// impl Notes {
///     #[mcp]
///     fn server(&self) -> StdioMcpServer {
///         McpServer::stdio("notes-mcp")
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::mcp;

/// Marks the method that passes a credential's secret to an MCP server over stdio, as environment variables.
///
/// `fn(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]>`, or a `Result` of any other list of pairs
/// of strings.
///
/// ```
/// # use omni_connector::prelude::*;
/// use omni_connector::McpCredentials;
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes;
/// #[connector]
/// impl Notes {
///     #[mcp_env]
///     fn secret(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]> {
///         let token = credentials.credentials["token"].as_str().context("the token is missing")?;
///         Ok([("NOTES_TOKEN", token.to_owned())])
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::mcp_env;

/// Marks the method that passes a credential's secret to an MCP server over HTTP, as headers.
///
/// `fn(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]>`, or a `Result` of any other list of pairs
/// of strings.
///
/// ```
/// # use omni_connector::prelude::*;
/// use omni_connector::McpCredentials;
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes;
/// #[connector]
/// impl Notes {
///     #[mcp_headers]
///     fn secret(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]> {
///         let token = credentials.credentials["token"].as_str().context("the token is missing")?;
///         Ok([("x-notes-token", token.to_owned())])
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::mcp_headers;
