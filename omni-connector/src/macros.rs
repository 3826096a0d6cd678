//! The attribute macros and their documentation.

/// Turns a struct into a connector, and collects the annotated methods of its `impl` block.
///
/// # On the struct
/// Implements [`Connector`](crate::Connector) for it. The doc comment becomes the connector's description.
///
/// | key | what it says | without it |
/// |---|---|---|
/// | `name = "acme"` | the connector's id: `a-z`, `0-9`, `_` | required |
/// | `source_types = [Jira]` | the systems it serves, variants of [`SourceType`](crate::SourceType) | required |
/// | `sync_modes = [full, incremental, realtime]` | what it can be asked for | `[full]` |
/// | `config = Settings` | shape of a source's config | any JSON |
/// | `credentials = ApiKey` | shape of a credential's secret | any JSON |
/// | `state = Cursor` | the checkpoint; required by `incremental` | any JSON |
/// | `display_name = "Acme Tracker"` | what people read | the name |
/// | `version = "1.0.0"` | the connector's version | that of the author's crate |
/// | `description = "…"` | what people read | the doc comment |
/// | `actions = [reports::monthly]` | functions with [`#[action]`](macro@crate::action) that live elsewhere | none |
/// | `search_operators = [issues::project]` | functions with [`#[search_operator]`](macro@crate::search_operator) that live elsewhere | none |
/// | `mcp = McpServer::stdio("npx").args(["server-memory"])` | the MCP server behind the connector, with the feature `mcp`; `self` is the connector | that of the method with `#[mcp]`, if there is one |
/// | `skill(id = "triage", title = "How we triage", file = "triage.md")` | a text that teaches language models; also `description`, `source_types`, and `text = "…"` in place of a file; may stand there several times | none |
/// | `extra = Extra` | shape of `metadata.extra`, in which Omni looks for e-mail addresses | not declared |
/// | `read_only` | blocks every write action | |
/// | `crate = ::path` | where generated code finds this crate | `::omni_connector` |
///
/// # On the `impl` block
/// Collects methods with [`#[sync]`](macro@crate::sync), [`#[action]`](macro@crate::action) and
/// [`#[search_operator]`](macro@crate::search_operator), and those with
///
/// | marker | what the method says |
/// |---|---|
/// | [`#[validate]`](macro@crate::validate) | whether a run may start |
/// | [`#[webhook]`](macro@crate::webhook) | what follows from a call of another system |
/// | [`#[oauth]`](macro@crate::oauth) | how people sign in |
/// | [`#[credential_ready]`](macro@crate::credential_ready) | what to do after somebody has signed in |
/// | [`#[enrich]`](macro@crate::enrich) | what to add to a fresh credential |
/// | [`#[skills]`](macro@crate::skills) | skills that are not known when compiling |
/// | [`#[mcp]`](macro@crate::mcp) | the MCP server behind the connector |
/// | [`#[mcp_env]`](macro@crate::mcp_env), [`#[mcp_headers]`](macro@crate::mcp_headers) | how that server gets the secret |
///
/// There is one method for each of them, but any number of syncs, actions, operators and webhooks. The block sees the
/// attributes that are written in it, not those of a `macro_rules!` or a `cfg_attr`.
///
/// Every function of the block stays what it is, so a unit test can call it.
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
/// A webhook of a source whose credential knows the secret:
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
/// Returning `Ok` completes the run, an error or a panic fails it with its message. Counting, heartbeats, batches and
/// cancellation belong to the framework.
///
/// | key | for which runs |
/// |---|---|
/// | none | all that no other method is for |
/// | `full`, `incremental`, `realtime` | those of this mode; several may stand there |
/// | `source_type = Gmail`, `source_types = [Gmail, GoogleDrive]` | those of sources of this type |
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

/// Marks a function that people, agents and the system can ask for: a method of the `#[connector] impl` block, or a
/// function elsewhere that the struct lists with `actions = […]`.
///
/// The doc comment is the description. Arguments marked `#[arg]` are supplied by the caller, all others by their type
/// as in a [`#[sync]`](macro@crate::sync), and beside them [`Actor`](crate::Actor) and `Option<Actor>` (who acts), and
/// [`Args<T>`](crate::Args) (all of the caller's input as one struct). It returns a `Result`, whose value is anything
/// that serializes, or one of the types of [`actions`](crate::actions).
///
/// | key | what it says | without it |
/// |---|---|---|
/// | `read` or `write` | whether it changes anything; one of them is required | |
/// | `name = "list_files"` | its name for callers | the function's |
/// | `scopes = ["issues:write"]` | OAuth scopes that a person must have granted | undeclared |
/// | `source_types = [Jira]` | where it works | wherever the connector does |
/// | `admin_only` | only for admins, with the organisation's credential | |
/// | `hidden` | offered to nobody, but can be called by name | |
/// | `timeout = 20` | seconds after which the caller gets 504 | 29, a second less than Omni waits; the action then goes on |
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
/// It takes the item by reference and returns what documents of it carry: see
/// [`AttributeValue`](crate::wire::AttributeValue) for the types. A document built with
/// [`attributes_of`](crate::Document::attributes_of) carries the values of all operators that read this type of item, so
/// that the manifest and the documents cannot disagree. Operators of one name may read different items.
///
/// | key | what it says | without it |
/// |---|---|---|
/// | `name = "project"` | what people type before the colon | the function's name |
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
/// The argument's doc comment is its description, and required. Every limit stands in the schema and is enforced when a
/// call is decoded. The action's macro takes the marker away: Rust has no macros on arguments.
///
/// | key | what it says |
/// |---|---|
/// | `name = "page_size"` | its name for callers, when the parameter's does not fit |
/// | `default`, `default = 20` | may be left out: the type's default, or this value |
/// | `min = 1`, `max = 100` | range of a number |
/// | `min_length = 1`, `max_length = 80` | characters of a text |
/// | `min_items = 1`, `max_items = 50` | items of a list; of a list, all other limits are about each item |
/// | `pattern = "^[A-Z]+$"` | a regular expression that must match somewhere in the text |
/// | `format = "date"` | `date`, `date-time`, `email` and `uri` are checked, others are only shown |
/// | `example = "OPS"` | shown to language models |
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
/// It verifies the [`WebhookRequest`](crate::WebhookRequest) and returns what to do: nothing, one incremental run of a source,
/// or a run of its own. See [`Webhook`](crate::Webhook). That is done after the answer was sent.
///
/// A segment `{name}` of the path stands for any text. A path with `{source_id}` names the source, and its method can take
/// `Source`, `Config<T>` and `Credentials<T>`. Every method can take `WebhookRequest` and `ManagerClient`. Two paths that
/// differ only in the names of their segments are refused; a fixed segment goes before a named one.
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
/// Its arguments are supplied by their types, as those of a [`#[sync]`](macro@crate::sync); `SyncType` is the mode of the run.
/// An error refuses the run with 400: the source is set up wrongly. [`Unavailable`](crate::Unavailable) refuses it with 404: only
/// this mode is not available. The marker is not part of the prelude, since other crates have an attribute of this name.
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

/// Makes an enum the credentials of a connector that accepts several forms, chosen by the `auth_type` of the stored
/// credential.
///
/// Each variant holds a type with `#[derive(Deserialize)]`: the secret in that form. `#[auth_type(…)]` names the
/// [`AuthType`](crate::AuthType)s of a variant as the protocol spells them. A variant of the same name needs none: `ApiKey` is
/// for `api_key`. A credential of any other `auth_type` is refused before a run starts, with the accepted ones.
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
/// It stands wherever credentials are decoded: [`Credentials`](crate::Credentials), `ApiClient::Credentials` (also in an
/// `Option`) and [`McpCredentials::secret`](crate::McpCredentials::secret). The macro implements `Deserialize`, so do not derive
/// that; a test can decode `{"auth_type": "api_key", "credentials": {"token": "…"}}`. Two forms of one `auth_type` are one
/// variant that holds an enum with `#[serde(tag = "…")]` or `#[serde(untagged)]`. `#[credential_set(crate = ::path)]` says where
/// generated code finds this crate.
#[doc(inline)]
pub use omni_connector_macros::CredentialSet;

/// Marks the method that says how people sign in: `fn(&self) -> OAuthConfig`, or `Option<OAuthConfig>`.
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

/// Marks the method that is called after somebody has signed in: `async fn(&self, ready: CredentialReady) -> Result<()>`.
///
/// A second argument can be a `ManagerClient`. Afterwards the lists of the MCP server are read with the new credential.
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

/// Marks the method that adds to a fresh credential what only the system knows:
/// `async fn(&self, tokens: OAuthTokens) -> Result<OAuthExtra>`.
///
/// [`OAuthConfig::enriched_at`](crate::OAuthConfig::enriched_at) names its path.
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

/// Marks the method that returns skills which are not known when compiling: `fn(&self) -> Vec<Skill>`.
///
/// They come after those of `skill(…)` on the struct.
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

/// Marks the method that names the MCP server behind the connector, with the feature `mcp`: `fn(&self) -> StdioMcpServer`,
/// `HttpMcpServer` or `Option<McpServer>`.
///
/// The server's tools become actions, its prompts skills. An action of the connector goes before a tool of its name.
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

/// Marks the method that says how an MCP server over stdio gets the secret of a credential, as environment variables.
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

/// Marks the method that says how an MCP server over HTTP gets the secret of a credential, as headers.
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

/// Makes the client of an API an argument: every function about a source can take a type that implements
/// [`ApiClient`](crate::http::ApiClient).
///
/// It implements the trait [`FromCall`](trait@crate::arguments::FromCall), which a type that is no such client implements by hand.
/// `#[from_call(crate = ::path)]` says where generated code finds this crate.
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
