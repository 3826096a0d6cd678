//! What a run remembers for the next one.

use std::collections::BTreeSet;

use omni_connector::prelude::*;

/// The version of Omni's own checkpoint, so that a source can go back to its connector.
const OMNIS_VERSION: u16 = 4;

/// The checkpoint. It is read from anything: of Omni's own it takes the addresses, and what it does not know is set aside.
#[derive(Debug, Serialize, Deserialize)]
#[serde(from = "Value")]
pub struct Cursor {
    schema_version: u16,
    /// Addresses of people who are in Omni.
    pub(crate) synced_person_emails: BTreeSet<String>,
    /// Documents that are in Omni.
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
