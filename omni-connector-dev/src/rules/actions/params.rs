//! Rewrites the parameters of an action on a stored source (`protocol.md` §6.4).

use serde_json::Value;

use crate::{
    shared::Shared,
    store::{StoreError, documents, sources::SourceRecord},
};

/// Replaces Omni's document id with the connector's, and adds missing keys from the source's
/// config. Leaves parameters that are not an object unchanged.
pub(super) async fn rewrite(
    shared: &Shared,
    params: Value,
    source: &SourceRecord,
) -> Result<Value, StoreError> {
    let Value::Object(mut params) = params else {
        return Ok(params);
    };
    let named = params.get("document_id").or_else(|| params.get("file_id"));
    if let Some(id) = named.and_then(Value::as_str).map(str::to_owned) {
        let document = shared
            .store
            .read(move |db| documents::find_by_id(db, &id))
            .await?;
        if let Some(document) = document {
            params.remove("document_id");
            params.insert("file_id".to_owned(), document.document_id.into());
        }
    }
    if let Value::Object(config) = &source.config {
        for (key, value) in config {
            params.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    Ok(Value::Object(params))
}
