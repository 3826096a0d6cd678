//! The markers of functions that a table lists: syncs, actions, search operators and webhooks.

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
/// The keywords of `#[schemars(…)]` on the fields of an [`Args`](crate::Args) type are checked as well, also `propertyNames`,
/// `contains` and `enum`. A whole number has at most 64 bits, also as a `u128` or `i128`, because JSON readers round larger ones.
/// Take a larger one as a string.
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
