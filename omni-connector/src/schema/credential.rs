//! Decodes the secret of a credential into a connector's type, which may depend on the row's `auth_type`.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::{Value, json};

use super::{DecodeError, decode, decode::decode_inner};
use crate::wire::{AuthType, McpCredentials, ServiceCredential};

/// An enum with one variant for each form of credential, selected by the `auth_type` of the stored row.
///
/// Derive it as the macro's page shows. It is decoded from the row `{"auth_type": …, "credentials": …}`; the derive
/// implements [`Deserialize`] in that form.
pub trait CredentialSet: Sized {
    /// The accepted names of `auth_type`.
    const AUTH_TYPES: &'static [&'static str];

    /// Decodes the secret as the variant of an accepted `auth_type`; none for any other.
    ///
    /// # Errors
    /// Returns an error if the secret has another shape.
    fn form<'de, D: Deserializer<'de>>(
        auth_type: &str,
        secret: D,
    ) -> Result<Option<Self>, D::Error>;
}

/// A struct that can be one form of a [`CredentialSet`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be decoded from a credential",
    label = "cannot be decoded",
    note = "help: add `#[derive(Deserialize)]` to `{Self}`"
)]
pub trait CredentialForm<'de>: Deserialize<'de> {}

#[diagnostic::do_not_recommend]
impl<'de, T: Deserialize<'de>> CredentialForm<'de> for T {}

/// Decodes one form of a [`CredentialSet`].
///
/// # Errors
/// Returns an error if the secret has another shape.
pub fn credential_form<'de, T: CredentialForm<'de>, D: Deserializer<'de>>(
    secret: D,
) -> Result<T, D::Error> {
    T::deserialize(secret)
}

/// Decodes a [`CredentialSet`] from a row.
///
/// # Errors
/// Returns an error if its `auth_type` is not accepted, or its secret has another shape.
pub fn credential_set<'de, T: CredentialSet, D: Deserializer<'de>>(row: D) -> Result<T, D::Error> {
    row.deserialize_newtype_struct(SET, Row(PhantomData))
}

/// The type name by which a [`CredentialSet`] requests the row in place of the secret.
const SET: &str = "$omni_connector::CredentialSet";
const AUTH_TYPE: &str = "auth_type";
const SECRET: &str = "credentials";

/// Decodes the secret of a credential. Without one, only a type that takes null can be decoded.
///
/// # Errors
/// Returns the first wrong field, or an `auth_type` that the connector does not accept.
pub(crate) fn decode_credential<T: DeserializeOwned>(
    credential: Option<&ServiceCredential>,
) -> Result<T, DecodeError> {
    match credential {
        None => decode(SECRET, Value::Null),
        Some(credential) => decode_secret(Some(credential.auth_type), &credential.credentials),
    }
}

/// Decodes the settings of a credential.
///
/// # Errors
/// Returns the first wrong field.
pub(crate) fn decode_settings<T: DeserializeOwned>(
    credential: Option<&ServiceCredential>,
) -> Result<T, DecodeError> {
    // The manager stores null when a form has no such settings.
    let settings = credential
        .map(|credential| credential.config.clone())
        .filter(|config| !config.is_null());
    decode(
        "settings of the credential",
        settings.unwrap_or_else(|| json!({})),
    )
}

/// The secret of a credential with its settings that are not secret, such as the site on which a token works: the
/// `credentials` and the `config` of its row. It is an [`ApiClient::Credentials`](crate::http::ApiClient::Credentials).
///
/// ```
/// use omni_connector::{http::WithSettings, prelude::*};
///
/// #[derive(Deserialize)]
/// struct Login { email: String, api_token: SecretString }
///
/// #[derive(Deserialize)]
/// struct Site { domain: String }
///
/// #[derive(Clone, FromCall)]
/// struct Wiki { api: Api }
///
/// impl ApiClient for Wiki {
///     type Config = Value;
///     type Credentials = WithSettings<Login, Site>;
///
///     fn connect(_: &Value, WithSettings { secret, settings }: &Self::Credentials) -> Result<Self> {
///         let api = Api::at(format!("https://{}/wiki/api/v2", settings.domain));
///         Ok(Self { api: api.auth(Auth::basic(&secret.email, &secret.api_token)) })
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct WithSettings<T, S> {
    /// The secret.
    pub secret: T,
    /// The settings. Missing ones are decoded from an empty object.
    pub settings: S,
}

/// What the client of an API is made of: every type that serde decodes, from the secret of the credential, and
/// [`WithSettings`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be decoded from a credential",
    label = "cannot be decoded",
    note = "help: add `#[derive(Deserialize)]` to `{Self}`"
)]
pub trait FromCredential: Sized {
    /// Decodes the credential of a source.
    ///
    /// # Errors
    /// Returns an error if there is no credential and one is needed, or if it has another shape. The error names the
    /// field, never its value.
    fn from_credential(credential: Option<&ServiceCredential>) -> Result<Self, DecodeError>;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> FromCredential for T {
    fn from_credential(credential: Option<&ServiceCredential>) -> Result<Self, DecodeError> {
        decode_credential(credential)
    }
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned, S: DeserializeOwned> FromCredential for WithSettings<T, S> {
    fn from_credential(credential: Option<&ServiceCredential>) -> Result<Self, DecodeError> {
        Ok(Self {
            secret: decode_credential(credential)?,
            settings: decode_settings(credential)?,
        })
    }
}

fn decode_secret<T: DeserializeOwned>(
    auth_type: Option<AuthType>,
    secret: &Value,
) -> Result<T, DecodeError> {
    if !takes_a_row::<T>() {
        return decode(SECRET, secret.clone());
    }
    let auth_type = auth_type.map_or("", AuthType::as_str);
    let row = json!({ AUTH_TYPE: auth_type, SECRET: secret });
    decode_inner::<T>(SECRET, row).map_err(|error| error.of_auth_type(AUTH_TYPE, auth_type))
}

impl McpCredentials {
    /// Decodes the secret into a type of the connector.
    ///
    /// ```
    /// # use omni_connector::{McpCredentials, SecretString, Result};
    /// # use std::collections::HashMap;
    /// #[derive(serde::Deserialize)]
    /// struct Token { access_token: SecretString }
    ///
    /// fn prepare_mcp_env(credentials: &McpCredentials) -> Result<HashMap<String, String>> {
    ///     let token: Token = credentials.secret()?;
    ///     Ok([("TOKEN".to_owned(), token.access_token.expose().to_owned())].into())
    /// }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the secret has another shape or an `auth_type` that the type does not accept. The error
    /// names the field, never its value.
    pub fn secret<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        decode_secret(self.auth_type, &self.credentials)
    }
}

/// Decodes a row: the secret takes the form of the preceding `auth_type`.
struct Row<T>(PhantomData<T>);

impl<'de, T: CredentialSet> Visitor<'de> for Row<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a credential with `auth_type` and `credentials`")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, row: D) -> Result<T, D::Error> {
        row.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut row: A) -> Result<T, A::Error> {
        let mut auth_type: Option<String> = None;
        let mut early: Option<Value> = None;
        let mut set = None;
        while let Some(key) = row.next_key::<String>()? {
            match (key.as_str(), &auth_type) {
                (AUTH_TYPE, _) => {
                    auth_type = Some(row.next_value_seed(Accepted(T::AUTH_TYPES))?);
                }
                (SECRET, Some(name)) => set = row.next_value_seed(Secret(name, PhantomData))?,
                (SECRET, None) => early = Some(row.next_value()?),
                _ => drop(row.next_value::<IgnoredAny>()?),
            }
        }
        let name = auth_type.ok_or_else(|| A::Error::missing_field(AUTH_TYPE))?;
        if let Some(secret) = early {
            set = T::form(&name, secret).map_err(A::Error::custom)?;
        }
        set.ok_or_else(|| A::Error::missing_field(SECRET))
    }
}

/// Decodes an `auth_type` that is one of these.
struct Accepted(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Accepted {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<String, D::Error> {
        let name = String::deserialize(name)?;
        if self.0.contains(&name.as_str()) {
            Ok(name)
        } else {
            Err(D::Error::unknown_variant(&name, self.0))
        }
    }
}

/// Decodes a secret as the form of this `auth_type`.
struct Secret<'a, T>(&'a str, PhantomData<T>);

impl<'de, T: CredentialSet> DeserializeSeed<'de> for Secret<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, secret: D) -> Result<Option<T>, D::Error> {
        T::form(self.0, secret)
    }
}

/// Returns whether a type is a [`CredentialSet`], also inside an `Option` or a newtype. It only examines the type and
/// decodes nothing.
fn takes_a_row<T: DeserializeOwned>() -> bool {
    matches!(T::deserialize(Question), Err(TakesARow(true)))
}

struct Question;

#[derive(Debug, thiserror::Error)]
#[error("a question, not a value")]
struct TakesARow(bool);

impl Error for TakesARow {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(false)
    }
}

impl<'de> Deserializer<'de> for Question {
    type Error = TakesARow;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, TakesARow> {
        Err(TakesARow(false))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TakesARow> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TakesARow> {
        if name == SET {
            return Err(TakesARow(true));
        }
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}
