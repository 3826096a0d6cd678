//! The records of the connector: settings, credential, items, checkpoint and inputs.

use std::collections::BTreeSet;

use omni_connector::{
    arguments::{Call, FromCall},
    prelude::*,
};

use crate::makes;

/// The settings. Version 1 had `url`.
#[derive(Deserialize)]
pub(crate) struct Settings {
    #[serde(alias = "url")]
    pub(crate) api_url: Url,
}

/// The credential. Version 1 had `token`.
#[derive(Deserialize)]
pub(crate) struct ApiKey {
    #[serde(alias = "token")]
    pub(crate) api_key: SecretString,
}

/// The key of an action's call.
pub(crate) struct GivenKey(pub(crate) ApiKey);

impl<C: Call> FromCall<C> for GivenKey {
    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        let read = call.credentials();
        assert!(
            read.is_ok() || !makes("an action panics without a credential"),
            "there is no key"
        );
        match read {
            Err(_) if makes("a missing credential is not named") => {
                Err(ActionError::BadRequest("this is not possible".to_owned()))
            }
            read => read.map(Self),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Issue {
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) title: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) project: String,
    #[serde(default)]
    pub(crate) readers: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) watchers: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) updated: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Team {
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) members: Option<Vec<String>>,
}

/// The known documents, and the position from which an interrupted run resumes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) ids: BTreeSet<String>,
    pub(crate) seen: BTreeSet<String>,
    pub(crate) cursor: Option<String>,
    #[serde(default)]
    pub(crate) resumes: u32,
    #[serde(default)]
    pub(crate) runs: u32,
    /// The newest time of a change that the source gave.
    #[serde(default)]
    pub(crate) newest: Option<String>,
    /// The time since which this run asks for changes; none for all issues.
    #[serde(default)]
    pub(crate) since: Option<String>,
}

/// A new issue. The title is checked in the function, as by connectors that take optional parameters.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct NewIssue {
    /// One-line summary
    #[schemars(required)]
    pub(crate) title: Option<String>,
}

/// Refuses settings of version 1, in two mistakes.
pub(crate) struct NewForm;

impl<C: Call> FromCall<C> for NewForm {
    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        let refused = |name: &str| Err(ActionError::BadRequest(format!("unknown field `{name}`")));
        let (config, secret): (Value, Value) = (call.config()?, call.credentials()?);
        if makes("an old config is refused") && !config["url"].is_null() {
            return refused("url");
        }
        if makes("an old credential is refused") && !secret["token"].is_null() {
            return refused("token");
        }
        Ok(Self)
    }
}
