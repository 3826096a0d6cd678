//! The attribute macros and their documentation.

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
/// | `config = Settings` | the type of a source's config | any JSON |
/// | `credentials = ApiKey` | the type of a credential's secret | any JSON |
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

/// Marks the method that a run executes.
///
/// Returning `Ok` completes the run; an error or a panic fails it with its message. The framework does the counting,
/// heartbeats, batches and cancellation.
///
/// | key | runs |
/// |---|---|
/// | none | all that have no more specific method |
/// | `full`, `incremental`, `realtime` | those of this mode; several are allowed |
/// | `source_type = Gmail`, `source_types = [Gmail, GoogleDrive]` | those of sources of these types |
///
/// Arguments are supplied by their types, in any order: [`Config<T>`](crate::Config),
/// [`Credentials<T>`](crate::Credentials), `Option<Credentials<T>>`, [`Checkpoint<T>`](crate::Checkpoint),
/// [`SyncContext`](crate::SyncContext), [`Source`](crate::Source), [`SourceType`](crate::SourceType),
/// [`ServiceCredential`](crate::ServiceCredential), [`ManagerClient`](crate::ManagerClient), and every type that
/// implements [`FromCall`](crate::arguments::FromCall).
///
/// ```
/// # use omni_connector::prelude::*;
/// #[derive(Default, Serialize, Deserialize)]
/// struct Cursor { page: u32 }
///
/// #[connector(name = "notes", source_types = [Notion], sync_modes = [full, incremental, realtime], state = Cursor)]
/// struct Notes;
///
/// #[connector]
/// impl Notes {
///     #[sync]
///     async fn pages(&self, mut checkpoint: Checkpoint<Cursor>, ctx: SyncContext) -> Result<()> {
///         while checkpoint.page < 3 {
///             ctx.delete(format!("note-{}", checkpoint.page)).await?;
///             checkpoint.page += 1;
///             checkpoint.save().await?;
///         }
///         Ok(())
///     }
///
///     #[sync(realtime)]
///     async fn watch(&self, ctx: SyncContext) -> Result<()> {
///         ctx.cancelled().await;
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::sync;

/// Marks a function that people, agents and the system can call: a method of the `#[connector] impl` block, or another
/// function that the struct lists with `actions = […]`.
///
/// The doc comment is the description. Arguments marked `#[arg]` are supplied by the caller, all others by their type,
/// as in a [`#[sync]`](macro@crate::sync). Additional types are [`Actor`](crate::Actor) and `Option<Actor>` (the acting
/// person), and [`Args<T>`](crate::Args) (the caller's whole input as one struct). The function returns a `Result`. Its
/// value is serializable, or one of the types of [`actions`](crate::actions).
///
/// | key | meaning | default |
/// |---|---|---|
/// | `read` or `write` | whether it changes anything; one of the two is required | |
/// | `name = "list_files"` | its name for callers | the function's |
/// | `scopes = ["issues:write"]` | the OAuth scopes that it requires | undeclared |
/// | `source_types = [Jira]` | the source types that it works for | all of the connector |
/// | `admin_only` | only for admins, with the organisation's credential | |
/// | `hidden` | not listed for anybody, but can be called by name | |
/// | `timeout = 20` | the time limit in seconds, after which the caller gets 504 | 29, one second less than Omni waits; the action then continues |
///
/// The limits of an argument are the keys of [`#[arg]`](macro@crate::arg).
///
/// ```
/// # use omni_connector::prelude::*;
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes;
/// #[connector]
/// impl Notes {
///     /// Find notes by their title.
///     #[action(read)]
///     async fn find_notes(
///         &self,
///         /// Part of the title
///         #[arg(max_length = 100)]
///         title: String,
///         /// How many to return
///         #[arg(default = 20, min = 1, max = 100)]
///         limit: u32,
///     ) -> Result<Vec<String>> {
///         Ok(vec![title; limit as usize])
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::action;

/// Marks a function that reads the value of a search operator from an item: `project:ops` finds the documents of all
/// items whose `project` is `ops`.
///
/// It takes the item by reference and returns the value for its documents: see
/// [`AttributeValue`](crate::wire::AttributeValue) for the types. A document made with
/// [`attributes_of`](crate::Document::attributes_of) has the values of all operators that read this type of item. So
/// the manifest and the documents always agree. Operators with the same name may read different items.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `name = "project"` | the name that people type before the colon | the function's name |
/// | `attribute = "project_key"` | the attribute's key | the operator's name |
///
/// ```
/// # use omni_connector::prelude::*;
/// struct Note { author: Option<Email>, folder: String }
///
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes;
/// #[connector]
/// impl Notes {
///     /// `folder:recipes` finds the notes of one folder.
///     #[search_operator]
///     fn folder(note: &Note) -> &str {
///         &note.folder
///     }
///
///     /// `writer:ann@example.com` finds the notes of one person.
///     #[search_operator(name = "writer", attribute = "author")]
///     fn author(note: &Note) -> Option<Email> {
///         note.author.clone()
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
///
/// assert_eq!(Notes.search_operators()[1].value_type, "person");
/// ```
#[doc(inline)]
pub use omni_connector_macros::search_operator;

/// Marks an argument of an [`#[action]`](macro@crate::action) that the caller supplies.
///
/// The argument's doc comment is its description, and required. Every limit is written into the schema and checked when
/// a call is decoded. The action's macro removes the marker: Rust has no macros on arguments.
///
/// | key | meaning |
/// |---|---|
/// | `name = "page_size"` | its name for callers, if it differs from the parameter's |
/// | `default`, `default = 20` | makes it optional, with the type's default or this value |
/// | `min = 1`, `max = 100` | the range of a number |
/// | `min_length = 1`, `max_length = 80` | the length of a string, in characters |
/// | `min_items = 1`, `max_items = 50` | the number of items in a list; all other limits of a list apply to each item |
/// | `pattern = "^[A-Z]+$"` | a regular expression that must match anywhere in the string |
/// | `format = "date"` | `date`, `date-time`, `email` and `uri` are checked, others are only shown |
/// | `example = "OPS"` | an example for language models |
///
/// ```
/// # use omni_connector::prelude::*;
/// /// Finds notes by their title.
/// #[action(read)]
/// async fn find_notes(
///     /// Part of the title
///     #[arg(max_length = 100)]
///     title: String,
///     /// How many to return
///     #[arg(default = 20, min = 1, max = 100)]
///     limit: u32,
/// ) -> Result<Vec<String>> {
///     Ok(vec![title; limit as usize])
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::arg;

/// Marks a method that other systems call: `#[webhook(path = "/hooks/acme")]`.
///
/// It verifies the [`WebhookRequest`](crate::WebhookRequest) and returns a [`Webhook`](crate::Webhook): nothing, an
/// incremental run of a source, or a separate run. The run starts after the answer was sent.
///
/// A segment `{name}` of the path matches any value. A path with `{source_id}` names the source; its method can take
/// `Source`, `Config<T>` and `Credentials<T>`. Every method can take `WebhookRequest` and `ManagerClient`. Two paths
/// that differ only in the names of their segments are refused. A fixed segment takes precedence over a named one.
///
/// ```
/// # use omni_connector::prelude::*;
/// # #[connector(name = "notes", source_types = [Notion], sync_modes = [full, incremental], state = u64)]
/// # struct Notes;
/// #[connector]
/// impl Notes {
///     #[webhook(path = "/hooks/notes/{source_id}")]
///     async fn changed(&self, request: WebhookRequest, source: Source) -> Result<Webhook> {
///         request.verify_hmac_sha256(&"secret".to_owned().into(), "x-signature")?;
///         Ok(Webhook::sync(source.id))
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::webhook;

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

/// Makes an enum of the credentials that a connector accepts. The `auth_type` of the stored credential selects the
/// variant.
///
/// Each variant contains a type with `#[derive(Deserialize)]`: the secret in that form. `#[auth_type(…)]` names the
/// [`AuthType`](crate::AuthType)s of a variant as the protocol spells them. It is not needed for a variant with the
/// same name: `ApiKey` is for `api_key`. Before a run starts, any other `auth_type` is refused; the error names the
/// accepted ones.
///
/// ```
/// use omni_connector::prelude::*;
///
/// #[derive(CredentialSet)]
/// enum Login {
///     #[auth_type(api_key, bearer_token)]
///     Token(Token),
///     Oauth(SignedIn),
/// }
///
/// #[derive(Deserialize)]
/// struct Token { token: SecretString }
///
/// #[derive(Deserialize)]
/// struct SignedIn { access_token: SecretString }
///
/// #[connector(name = "notes", source_types = [Notion], credentials = Login)]
/// struct Notes;
///
/// #[connector]
/// impl Notes {
///     #[sync]
///     async fn sync(&self, login: Credentials<Login>) -> Result<()> {
///         let token = match &*login {
///             Login::Token(form) => &form.token,
///             Login::Oauth(form) => &form.access_token,
///         };
///         ensure!(!token.expose().is_empty(), "the token is empty");
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
///
/// It can be used wherever credentials are decoded: [`Credentials`](crate::Credentials), `ApiClient::Credentials` (also
/// in an `Option`) and [`McpCredentials::secret`](crate::McpCredentials::secret). The macro implements `Deserialize`,
/// so do not derive that. A test can decode `{"auth_type": "api_key", "credentials": {"token": "…"}}`. If an
/// `auth_type` has two forms, use one variant with an enum that has `#[serde(tag = "…")]` or `#[serde(untagged)]`.
/// `#[credential_set(crate = ::path)]` sets the path of this crate in generated code.
#[doc(inline)]
pub use omni_connector_macros::CredentialSet;

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

/// Makes the client of an API an argument. Every function with a source can take a type that implements
/// [`ApiClient`](crate::http::ApiClient).
///
/// It implements the trait [`FromCall`](trait@crate::arguments::FromCall). Any other type implements that trait itself.
/// `#[from_call(crate = ::path)]` sets the path of this crate in generated code.
///
/// ```
/// use omni_connector::prelude::*;
///
/// #[derive(Clone, FromCall)]
/// struct Tracker { api: Api }
///
/// impl ApiClient for Tracker {
///     type Config = Value;
///     type Credentials = Option<Value>;
///
///     fn connect(_: &Value, _: &Option<Value>) -> Result<Self> {
///         Ok(Self { api: Api::at("https://tracker.example") })
///     }
/// }
///
/// #[connector(name = "tracker", source_types = [Linear])]
/// struct Issues;
///
/// #[connector]
/// impl Issues {
///     #[sync]
///     async fn sync(&self, tracker: Tracker) -> Result<()> {
///         let count: u64 = tracker.api.get("count").read().await?;
///         ensure!(count < 1_000_000, "there are {count} issues");
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use omni_connector_macros::FromCall;
