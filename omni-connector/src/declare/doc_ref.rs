//! A document as an argument. The caller uses Omni's id; the connector receives its own.

use std::{borrow::Cow, fmt, ops};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::schema::DOCUMENT_MARK;

/// A reference to a document of this connector, as an argument of an action.
///
/// Callers know documents by Omni's ids, connectors by the `document_id` that they emitted. The manager replaces the
/// id, but only in an argument named `document_id` or `file_id`. It sends either as `file_id` (`protocol.md` §6.4). So
/// give the argument or field one of these names; it is read under both. Any other name is reported before the
/// connector registers.
///
/// An id that Omni does not know arrives unchanged. Answer 404 if it does not exist.
///
/// ```
/// use omni_connector::prelude::*;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Input {
///     /// The page to export
///     document_id: DocRef,
/// }
///
/// let input: Input = serde_json::from_value(json!({ "document_id": "page-9" }))?;
/// assert_eq!(input.document_id.as_str(), "page-9");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DocRef(String);

impl DocRef {
    /// Returns the id with which the document was emitted.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ops::Deref for DocRef {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DocRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<DocRef> for String {
    fn from(document: DocRef) -> Self {
        document.0
    }
}

impl JsonSchema for DocRef {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DocRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "Id of a document in Omni",
        });
        schema.insert(DOCUMENT_MARK.to_owned(), true.into());
        schema
    }
}
