//! Repairs what a tool or a prompt returns, block by block.

use rmcp::model::{ContentBlock, ResourceContents};
use serde_json::{Value, json};

use super::{Object, camel_case, decoded, drop_unless, keep, name_by, object};

/// Repairs the result of a tool. Other results, such as a task or a question, are not changed.
pub(super) fn called(result: &mut Object) {
    unwrap(result);
    if !(result.contains_key("content") || result.contains_key("structuredContent")) {
        return;
    }
    let blocks = match result.remove("content") {
        Some(Value::Array(blocks)) => blocks,
        None | Some(Value::Null) => Vec::new(),
        // Some programs write a list as an object with numbers as names.
        Some(Value::Object(by_number))
            if !by_number.is_empty() && by_number.values().all(Value::is_object) =>
        {
            by_number.into_iter().map(|(_, block)| block).collect()
        }
        Some(one) => vec![one],
    };
    let blocks = blocks.into_iter().flat_map(|one| match one {
        Value::Array(inner) if !inner.is_empty() => inner,
        one => vec![one],
    });
    let blocks = blocks.map(block).collect();
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
        // The error itself.
        Some(Value::Object(error)) => Some(!error.is_empty()),
        Some(Value::Array(errors)) => Some(!errors.is_empty()),
        _ => None,
    };
    if let Some(error @ (Value::Object(_) | Value::Array(_))) = result.get("isError").cloned()
        && is_error == Some(true)
    {
        result.entry("structuredContent").or_insert(error);
    }
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

/// Makes what a tool returned without the protocol's envelope its structured content. A version of the protocol that is no
/// longer in use named it `toolResult`.
fn unwrap(result: &mut Object) {
    const ENVELOPE: [&str; 8] = [
        "content",
        "structuredContent",
        "isError",
        "resultType",
        "task",
        "inputRequests",
        "requestState",
        "_meta",
    ];
    let is_enveloped = result.keys().any(|key| ENVELOPE.contains(&&**key));
    if let Some(returned) = result.remove("toolResult") {
        let key = match returned {
            Value::String(_) => "content",
            _ => "structuredContent",
        };
        result.entry(key).or_insert(returned);
    } else if !is_enveloped && !result.is_empty() {
        let returned = Value::Object(std::mem::take(result));
        result.insert("structuredContent".to_owned(), returned);
    }
}

/// Returns a block of content that can be read, or a note in its place.
pub(super) fn block(value: Value) -> Value {
    let Value::Object(mut block) = value else {
        return match value {
            Value::String(text) => json!({ "type": "text", "text": text }),
            other => note(other["type"].as_str(), "it is not an object"),
        };
    };
    camel_case(&mut block);
    if let Some(Value::Object(inner)) = block.get_mut("resource") {
        camel_case(inner);
    }
    if let Some(Value::String(kind)) = block.get_mut("type") {
        kind.make_ascii_lowercase();
    }
    if let Some(text @ (Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_))) =
        block.get_mut("text")
    {
        *text = text.to_string().into();
    }
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
