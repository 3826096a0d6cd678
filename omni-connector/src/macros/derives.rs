//! The derive macros.

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
