//! Decodes the secret of a credential into a connector's type.

use serde::de::DeserializeOwned;

use super::{DecodeError, decode};
use crate::wire::McpCredentials;

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
    /// The secret has another shape; the error names the field and never its value.
    pub fn secret<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        decode("credentials", self.credentials.clone())
    }
}
