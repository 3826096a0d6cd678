//! From the answer of an action to the result of a tool.

use axum::{
    body::to_bytes,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::Value;

/// A client holds a result in memory, several times over.
const MOST_BYTES: usize = 64 << 20;

/// The result. One with `is_structured` promised a schema, which its value keeps to.
pub(super) async fn of(answer: Response, is_structured: bool) -> CallToolResult {
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
            Ok(answer) => json(answer, is_structured),
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
        // The name stands percent-encoded in the header, as it must in a URI.
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

/// `{"status":"success","result":…}` or `{"status":"error","error":"…"}`; any other JSON is a result of its own.
fn json(mut answer: Value, is_structured: bool) -> CallToolResult {
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
        result if is_structured && result.is_object() => CallToolResult::structured(result),
        result => {
            let text = serde_json::to_string_pretty(&result).unwrap_or_default();
            CallToolResult::success(vec![ContentBlock::text(text)])
        }
    }
}

fn failure(message: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(message)])
}
