//! Calls for a thing that may not exist.

use serde::de::DeserializeOwned;

use super::Call;
use crate::http::{Saved, SourceError};

/// A call whose answer may be that the thing does not exist. From [`Call::missing_is_none`].
#[must_use = "a call is made by the method that ends it, such as `read`"]
#[derive(Debug, Clone)]
pub struct MayBeMissing(pub(super) Call);

impl MayBeMissing {
    /// Decodes the answer as JSON; none after 404 and 410.
    ///
    /// # Errors
    /// As every call.
    pub async fn read<T: DeserializeOwned>(self) -> Result<Option<T>, SourceError> {
        or_none(self.0.read().await)
    }

    /// Reads the answer as a string of at most this many bytes; none after 404 and 410.
    ///
    /// # Errors
    /// As every call.
    pub async fn text(self, limit: u64) -> Result<Option<String>, SourceError> {
        or_none(self.0.text(limit).await)
    }

    /// Saves the answer in a temporary file; none after 404 and 410.
    ///
    /// # Errors
    /// As every call.
    pub async fn save(self, limit: u64) -> Result<Option<Saved>, SourceError> {
        or_none(self.0.save(limit).await)
    }
}

fn or_none<T>(outcome: Result<T, SourceError>) -> Result<Option<T>, SourceError> {
    match outcome {
        Err(error) if error.is_missing() => Ok(None),
        other => other.map(Some),
    }
}
