//! Repairs what a tool or a prompt returns, block by block.

use rmcp::model::{ContentBlock, ResourceContents};
use serde_json::{Value, json};

use super::{Object, decoded, drop_unless, keep, name_by, object};

/// Repairs the result of a tool. Other results, such as a task or a question, are not changed.
pub(super) fn called(result: &mut Object) {
    if !(result.contains_key("content") || result.contains_key("structuredContent")) {
        return;
    }
    let blocks = match result.remove("content") {
        Some(Value::Array(blocks)) => blocks,
        None | Some(Value::Null) => Vec::new(),
        Some(one) => vec![one],
    };
    let blocks = blocks.into_iter().map(block).collect();
    result.insert("content".to_owned(), Value::Array(blocks));
    let is_error = match result.get("isError") {
        Some(Value::String(text)) => {
            let text = text.trim();
            Some(
                ["true", "yes", "1"]
                    .iter()
                    .any(|yes| text.eq_ignore_ascii_case(yes)),
            )
        }
        Some(Value::Number(number)) => Some(number.as_f64() != Some(0.0)),
        _ => None,
    };
    if let Some(is_error) = is_error {
        result.insert("isError".to_owned(), is_error.into());
    }
    drop_unless(result, "isError", Value::is_boolean);
    drop_unless(result, "structuredContent", |value| !value.is_null());
    drop_unless(result, "resultType", Value::is_string);
    keep(
        result,
        &["content", "structuredContent", "isError", "resultType"],
    );
}

/// Returns a block of content that can be read, or a note in its place.
pub(super) fn block(value: Value) -> Value {
    let Value::Object(mut block) = value else {
        return match value {
            Value::String(text) => json!({ "type": "text", "text": text }),
            other => note(other["type"].as_str(), "it is not an object"),
        };
    };
    if decoded::<ContentBlock>(&block).is_ok() {
        return Value::Object(block);
    }
    let kind = block.get("type").and_then(Value::as_str).map(str::to_owned);
    let required: &[&str] = match kind.as_deref() {
        Some("text") => &["type", "text"],
        Some("image" | "audio") => {
            if !block.get("mimeType").is_some_and(Value::is_string) {
                block.insert("mimeType".to_owned(), json!("application/octet-stream"));
            }
            &["type", "data", "mimeType"]
        }
        Some("resource") => {
            if let Some(Value::Object(inner)) = block.get_mut("resource") {
                let _ = object::<ResourceContents>(inner, &["uri", "text"])
                    .or_else(|_| object::<ResourceContents>(inner, &["uri", "blob"]));
            }
            &["type", "resource"]
        }
        Some("resource_link") => {
            name_by(&mut block, "uri");
            &["type", "uri", "name"]
        }
        other => return note(other, "its kind is not known"),
    };
    match object::<ContentBlock>(&mut block, required) {
        Ok(dropped) => {
            tracing::debug!(
                ?kind,
                ?dropped,
                "a block of the MCP server was taken without odd parts"
            );
            Value::Object(block)
        }
        Err(error) => note(kind.as_deref(), &error),
    }
}

fn note(kind: Option<&str>, reason: &str) -> Value {
    let kind: String = kind.unwrap_or("unknown").chars().take(60).collect();
    tracing::warn!("content of kind `{kind}` of the MCP server cannot be read: {reason}");
    json!({ "type": "text", "text": format!("[content of kind `{kind}` that cannot be read]") })
}
