//! Conditional requests: an answer is downloaded again only if it changed.

use std::collections::BTreeMap;

use reqwest::header::{
    ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use serde::{Deserialize, Serialize};

use super::{Call, auth::remove_parameter};

/// The version validators of earlier answers, by URL, for a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Validators(BTreeMap<String, Validator>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Validator {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
}

/// An answer that may be the same as the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fresh<T> {
    /// It changed, or is read for the first time.
    New(T),
    /// It is unchanged.
    Same,
}

impl Validators {
    /// Forgets all validators, so that every next answer is read in full.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Requests an answer only if it changed. Returns false if it was never read before.
    pub(super) fn ask(&self, key: &str, headers: &mut HeaderMap) -> bool {
        let Some(validator) = self.0.get(key) else {
            return false;
        };
        let pairs = [
            (IF_NONE_MATCH, &validator.etag),
            (IF_MODIFIED_SINCE, &validator.modified),
        ];
        let mut asks = false;
        for (name, value) in pairs {
            if let Some(Ok(value)) = value.as_deref().map(HeaderValue::from_str) {
                headers.insert(name, value);
                asks = true;
            }
        }
        asks
    }

    pub(super) fn keep(&mut self, key: String, headers: &HeaderMap) {
        let text = |name| Some(headers.get(name)?.to_str().ok()?.to_owned());
        let validator = Validator {
            etag: text(ETAG),
            modified: text(LAST_MODIFIED),
        };
        if validator.etag.is_some() || validator.modified.is_some() {
            self.0.insert(key, validator);
        } else {
            self.0.remove(&key);
        }
    }
}

/// Returns the key of an answer: its URL, without the credential in it.
pub(super) fn key(call: &Call) -> String {
    let Ok(mut url) = call.url.clone() else {
        return String::new();
    };
    if let Some(name) = call.api.settings().auth.secret_parameter() {
        remove_parameter(&mut url, name);
    }
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}
