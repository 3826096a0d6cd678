//! The checkpoint of a run.

use std::collections::BTreeSet;

use omni_connector::prelude::*;

/// The version of the checkpoint of Omni's own connector, so that a source can return to it.
const OMNIS_VERSION: u16 = 4;

/// The checkpoint. It can be read from any value: it takes the addresses from one of Omni's own connector, and ignores
/// unknown values.
#[derive(Debug, Serialize, Deserialize)]
#[serde(from = "Value")]
pub struct Cursor {
    schema_version: u16,
    /// Addresses of people in Omni.
    pub(crate) synced_person_emails: BTreeSet<String>,
    /// Documents in Omni.
    pub(crate) documents: Inventory<Value>,
    /// Whether Omni's own connector saved it.
    #[serde(skip_serializing)]
    pub(crate) is_omnis: bool,
}

impl Default for Cursor {
    fn default() -> Self {
        Self::from(Value::Null)
    }
}

impl From<Value> for Cursor {
    fn from(saved: Value) -> Self {
        let emails = saved["synced_person_emails"].as_array();
        let emails = emails.into_iter().flatten().filter_map(Value::as_str);
        Self {
            schema_version: OMNIS_VERSION,
            synced_person_emails: emails.map(|email| email.trim().to_lowercase()).collect(),
            documents: serde_json::from_value(saved["documents"].clone()).unwrap_or_default(),
            is_omnis: saved["modules"].is_object(),
        }
    }
}
