//! `#[connector]` and `#[replaces]`, on a struct and its `impl` block.

/// Turns a struct into a connector, and collects the annotated methods of its `impl` block.
///
/// # On the struct
/// Implements [`Connector`](crate::Connector) for it. The doc comment becomes the connector's description.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `name = "acme"` | the connector's id: `a-z`, `0-9`, `_` | required |
/// | `source_types = [Jira]` | the systems it serves, variants of [`SourceType`](crate::SourceType) | required |
/// | `sync_modes = [full, incremental, realtime]` | the modes that it supports | `[full]` |
/// | `config = Settings` | the type of a source's config. If it implements `JsonSchema`, `cargo omni dev` has a form for it | any JSON |
/// | `credentials = ApiKey` | the type of a credential's secret. The same | any JSON |
/// | `state = Cursor` | the checkpoint; required by `incremental` | any JSON |
/// | `display_name = "Acme Tracker"` | the name that people see | the name |
/// | `version = "1.0.0"` | the connector's version | that of the author's crate |
/// | `description = "…"` | the description that people see | the doc comment |
/// | `actions = [reports::monthly]` | functions with [`#[action]`](macro@crate::action) outside the `impl` block | none |
/// | `search_operators = [issues::project]` | functions with [`#[search_operator]`](macro@crate::search_operator) outside the `impl` block | none |
/// | `mcp = McpServer::stdio("npx").args(["server-memory"])` | the MCP server behind the connector, with the feature `mcp`; `self` is the connector | the server of the method with `#[mcp]`, if there is one |
/// | `skill(id = "triage", title = "How we triage", file = "triage.md")` | instructions for language models; also `description`, `source_types`, and `text = "…"` in place of a file; can be repeated | none |
/// | `extra = Extra` | the type of `metadata.extra`, in which Omni looks for e-mail addresses | not declared |
/// | `read_only` | blocks every write action | |
/// | `crate = ::path` | the path of this crate in generated code | `::omni_connector` |
///
/// # On the `impl` block
/// Collects methods with [`#[sync]`](macro@crate::sync), [`#[action]`](macro@crate::action) and
/// [`#[search_operator]`](macro@crate::search_operator), and those with
///
/// | marker | the method |
/// |---|---|
/// | [`#[validate]`](macro@crate::validate) | decides whether a run may start |
/// | [`#[refetch]`](macro@crate::refetch) | fetches one item again |
/// | [`#[webhook]`](macro@crate::webhook) | handles a call of another system |
/// | [`#[oauth]`](macro@crate::oauth) | describes how people sign in |
/// | [`#[credential_ready]`](macro@crate::credential_ready) | is called after somebody signed in |
/// | [`#[enrich]`](macro@crate::enrich) | adds data to a new credential |
/// | [`#[skills]`](macro@crate::skills) | returns skills that are not known at compile time |
/// | [`#[mcp]`](macro@crate::mcp) | declares the MCP server behind the connector |
/// | [`#[mcp_env]`](macro@crate::mcp_env), [`#[mcp_headers]`](macro@crate::mcp_headers) | passes a secret to that server |
///
/// Each marker is allowed once, except those of syncs, actions, operators and webhooks. Only attributes written in the
/// block count, not those from a `macro_rules!` or a `cfg_attr`.
///
/// The signatures and bodies of the functions stay as they are, so a unit test can call them.
///
/// ```
/// use omni_connector::prelude::*;
///
/// #[derive(Deserialize)]
/// struct Settings { folder: String }
///
/// /// Notes of a folder.
/// #[connector(name = "notes", source_types = [LocalFiles], config = Settings)]
/// struct Notes;
///
/// #[connector]
/// impl Notes {
///     #[sync]
///     async fn sync(&self, config: Config<Settings>, ctx: SyncContext) -> Result<()> {
///         let note = Document::new("note-1", DocumentPermissions::public())
///             .title("First note")
///             .text(format!("in {}", config.folder));
///         ctx.upsert(note).await?;
///         Ok(())
///     }
/// }
///
/// assert_eq!(Notes.name(), "notes");
/// assert_eq!(Notes.description().unwrap(), "Notes of a folder.");
/// ```
///
/// A webhook of a source whose credential contains the secret:
///
/// ```
/// use omni_connector::prelude::*;
///
/// #[derive(Deserialize)]
/// struct ApiKey { webhook_secret: SecretString }
///
/// #[connector(name = "notes", source_types = [Notion], sync_modes = [full, incremental], credentials = ApiKey, state = u64)]
/// struct Notes;
///
/// #[connector]
/// impl Notes {
///     #[sync]
///     async fn sync(&self) -> Result<()> { Ok(()) }
///
///     #[webhook(path = "/hooks/notes/{source_id}")]
///     async fn changed(&self, request: WebhookRequest, source: Source, key: Credentials<ApiKey>) -> Result<Webhook> {
///         request.verify_hmac_sha256(&key.webhook_secret, "x-hub-signature-256")?;
///         #[derive(Deserialize)]
///         struct Event { deleted: Option<String> }
///         Ok(match request.json::<Event>()?.deleted {
///             Some(note) => Webhook::run(source.id, |ctx| async move { Ok(ctx.delete(note).await?) }),
///             None => Webhook::sync(source.id),
///         })
///     }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::connector;

/// Marks a method that replaces a generated method of the trait [`Connector`](crate::Connector), the one with its own name.
///
/// Whatever the macros generate can be replaced by ordinary code, one method at a time:
///
/// | method | signature |
/// |---|---|
/// | `display_name` | `fn(&self) -> String` |
/// | `description` | `fn(&self) -> Option<String>` |
/// | `source_types`, `sync_modes` | `fn(&self) -> Vec<SourceType>`, `fn(&self) -> Vec<SyncType>` |
/// | `read_only`, `requires_credentials` | `fn(&self) -> bool` |
/// | `actions` | `fn(&self) -> Vec<ActionDefinition>` |
/// | `action_scopes` | `fn(&self, action: &str) -> Option<Vec<String>>` |
/// | `action_output` | `fn(&self, action: &str) -> Option<Value>` |
/// | `call_action` | `async fn(&self, call: ActionCall) -> Result<Response>` |
/// | `webhooks` | `fn(&self) -> Vec<&'static str>` |
/// | `call_webhook` | `async fn(&self, call: WebhookCall) -> Result<Webhook>` |
/// | `operators`, `search_operators` | `fn(&self) -> Vec<Operator>`, `fn(&self) -> Vec<SearchOperator>` |
/// | `extra_schema`, `attributes_schema` | `fn(&self) -> Option<Value>` |
///
/// [`Annotated`](crate::Annotated) gives such a method what the macros generated. The other methods of the trait have a marker of
/// their own, such as [`#[oauth]`](macro@crate::oauth).
///
/// ```
/// # use omni_connector::prelude::*;
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes { tenant: String }
/// #[connector]
/// impl Notes {
///     #[replaces]
///     fn display_name(&self) -> String {
///         format!("Notes of {}", self.tenant)
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::replaces;
