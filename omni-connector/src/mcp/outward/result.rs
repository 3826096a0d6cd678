//! Converts the answer of an action into the result of a tool.

use axum::{
    body::to_bytes,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, ResourceContents};
use serde_json::Value;

use super::nulls;

/// The largest result: a client holds several copies of it in memory.
const MOST_BYTES: usize = 64 << 20;

/// Converts an answer. If the tool has an output schema, a value that violates it is an error.
pub(super) async fn of(answer: Response, schema: Option<&JsonObject>) -> CallToolResult {
    let (head, body) = answer.into_parts();
    let header = |name: &str| {
        let value = head.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let mime = header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = mime
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_file = head.headers.contains_key(CONTENT_DISPOSITION);
    let bytes = match to_bytes(body, MOST_BYTES).await {
        Ok(bytes) => bytes,
        Err(error) => return failure(&format!("the answer cannot be read: {error}")),
    };
    if essence == "application/json" && !is_file {
        return match serde_json::from_slice(&bytes) {
            Ok(answer) => json(answer, schema),
            Err(error) => failure(&format!("the answer is not JSON: {error}")),
        };
    }
    let encoded = || BASE64_STANDARD.encode(&bytes);
    let block = if essence.starts_with("image/") {
        ContentBlock::image(encoded(), essence)
    } else if essence.starts_with("audio/") {
        ContentBlock::audio(encoded(), essence)
    } else if let (true, Ok(text)) = (essence.starts_with("text/"), std::str::from_utf8(&bytes)) {
        ContentBlock::text(text)
    } else {
        // The name in the header is percent-encoded, as a URI requires.
        let name = header("x-file-name").unwrap_or_else(|| "download".to_owned());
        let uri = format!("file:///{}", name.replace(' ', "%20"));
        ContentBlock::resource(ResourceContents::blob(encoded(), uri).with_mime_type(essence))
    };
    if head.status.is_success() {
        CallToolResult::success(vec![block])
    } else {
        CallToolResult::error(vec![block])
    }
}

/// Converts `{"status":"success","result":…}` or `{"status":"error","error":"…"}`. Any other JSON is the result itself.
fn json(mut answer: Value, schema: Option<&JsonObject>) -> CallToolResult {
    if answer["status"] == "error" || answer.get("error").is_some_and(Value::is_string) {
        return failure(answer["error"].as_str().unwrap_or("the action failed"));
    }
    let result = if answer["status"] == "success" {
        answer["result"].take()
    } else {
        answer
    };
    match result {
        Value::String(text) => CallToolResult::success(vec![ContentBlock::text(text)]),
        result => match schema {
            Some(schema) if result.is_object() => match nulls::misplaced(&result, schema) {
                None => CallToolResult::structured(result),
                Some(path) => failure(&format!(
                    "the result does not keep to its own schema: `{path}` is null\nhelp: a number that is not finite is written so"
                )),
            },
            _ => {
                let text = serde_json::to_string_pretty(&result).unwrap_or_default();
                CallToolResult::success(vec![ContentBlock::text(text)])
            }
        },
    }
}

fn failure(message: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(message)])
}
