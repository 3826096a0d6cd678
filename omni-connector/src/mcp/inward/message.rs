//! Converts a server's messages for the client library. Repairs them where possible; otherwise the call that they answer
//! fails. A call whose answer arrived never waits for its timeout.

use std::collections::{HashMap, VecDeque};

use rmcp::{
    RoleClient,
    model::{ErrorCode, ErrorData, JsonRpcMessage, RequestId},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
};
use serde_json::Value;

use super::{answer::message_in, lenient, mend};
use crate::excerpt::excerpt;

/// A message of a server.
pub(super) type Received = RxJsonRpcMessage<RoleClient>;

/// The most bytes of a message on several lines.
const LONGEST_SPREAD: usize = 16 << 20;

/// How much of an answer an error quotes.
const QUOTED: usize = 120;

/// The calls that wait for their answer.
#[derive(Debug, Default)]
pub(super) struct Pending {
    calls: HashMap<String, (RequestId, String)>,
    /// Further messages of a batch.
    further: VecDeque<Received>,
    /// The lines so far of a message that is spread over several lines.
    open: Vec<u8>,
}

impl Pending {
    /// Records a message to the server.
    pub(super) fn note(&mut self, message: &TxJsonRpcMessage<RoleClient>) {
        match message {
            JsonRpcMessage::Request(request) => {
                let method = request.request.method().to_owned();
                self.calls
                    .insert(request.id.to_string(), (request.id.clone(), method));
            }
            JsonRpcMessage::Notification(_) => {
                // A cancelled call gets no answer.
                let cancelled = serde_json::to_value(message).unwrap_or_default();
                if cancelled["method"] == "notifications/cancelled" {
                    self.calls.remove(&id(&cancelled["params"]["requestId"]));
                }
            }
            _ => {}
        }
    }

    /// Removes a call that was answered another way.
    pub(super) fn forget(&mut self, request: &RequestId) {
        self.calls.remove(&request.to_string());
    }

    /// Returns whether every call was answered.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Returns the next message of a batch that was received before.
    pub(super) fn further(&mut self) -> Option<Received> {
        self.further.pop_front()
    }

    /// Converts a line like [`receive`](Self::receive). Some servers write a message on several lines.
    pub(super) fn receive_line(&mut self, line: &[u8]) -> Option<Received> {
        let text = line.trim_ascii();
        let begins = text == b"{" || text == b"[";
        if self.open.is_empty() && !begins {
            return self.receive(text);
        }
        // A new message, or too much for one: what is open was no message.
        if begins && line.trim_ascii_end() == text
            || text.starts_with(b"{\"")
            || self.open.len() + line.len() > LONGEST_SPREAD
        {
            self.open.clear();
            if !begins {
                return self.receive(text);
            }
        }
        self.open.extend_from_slice(line);
        let is_end = matches!(text, b"}" | b"]") && line.trim_ascii_end() == text;
        if !is_end {
            return None;
        }
        let message = std::mem::take(&mut self.open);
        self.receive(&message)
    }

    /// Converts `text` for the client library. Returns none if it is not a message, such as a log line.
    pub(super) fn receive(&mut self, text: &[u8]) -> Option<Received> {
        let text = text.trim_ascii();
        match lenient::read(text) {
            Some(Value::Array(batch)) => {
                let is_answer = |message: &Value| message.get("method").is_none();
                let (answers, others): (Vec<_>, Vec<_>) = batch.into_iter().partition(is_answer);
                for message in answers.into_iter().chain(others) {
                    let received = self.receive_one(message, text);
                    self.further.extend(received);
                }
                self.further()
            }
            Some(message) => self.receive_one(message, text),
            None => self.unreadable(text, "it is not JSON"),
        }
    }

    fn receive_one(&mut self, message: Value, text: &[u8]) -> Option<Received> {
        if !message.is_object() {
            return None;
        }
        let (is_result, is_error) = (
            message.get("result").is_some(),
            message.get("error").is_some_and(|error| !error.is_null()),
        );
        if message.get("method").is_some() && !is_result && !is_error {
            return match serde_json::from_value(message) {
                Ok(message) => Some(message),
                Err(error) => {
                    tracing::debug!(%error, "a message of the MCP server is ignored");
                    None
                }
            };
        }
        // A log line may be an object with an `error`, but then it names no waiting call.
        let is_message = message.get("jsonrpc").is_some()
            || (is_error && self.calls.contains_key(&id(&message["id"])));
        if !(is_message || is_result) {
            return None;
        }
        let (request, method) = match self.calls.remove(&id(&message["id"])) {
            Some(known) => known,
            None if message["id"].is_null() => self.only()?,
            // The answer to a cancelled call.
            None => return None,
        };
        if is_error {
            return Some(failed(request, &message["error"]));
        }
        if !is_result {
            return Some(refused(
                request,
                "it has neither a result nor an error",
                text,
            ));
        }
        Some(answered(request, &method, message, text))
    }

    /// Fails the call that an unreadable message names, or the only waiting one. Lines that do not look like a
    /// message are ignored.
    pub(super) fn unreadable(&mut self, text: &[u8], reason: &str) -> Option<Received> {
        let said = String::from_utf8_lossy(text);
        if !said.starts_with('{') || !said.contains("\"jsonrpc\"") {
            return None;
        }
        let (request, _) = match named_id(&said) {
            Some(id) => self.calls.remove(&id)?,
            None if said.contains("\"method\"") => return None,
            None => self.only()?,
        };
        tracing::warn!("an answer of the MCP server cannot be read: {reason}");
        Some(refused(request, reason, text))
    }

    fn only(&mut self) -> Option<(RequestId, String)> {
        if self.calls.len() > 1 {
            return None;
        }
        self.calls.drain().next().map(|(_, call)| call)
    }
}

/// Converts the answer of a call for the client library.
fn answered(request: RequestId, method: &str, mut message: Value, text: &[u8]) -> Received {
    mend::result(method, &mut message["result"]);
    message["id"] = serde_json::to_value(&request).unwrap_or_default();
    message["jsonrpc"] = "2.0".into();
    if let Value::Object(message) = &mut message {
        message.retain(|key, _| matches!(&**key, "jsonrpc" | "id" | "result"));
    }
    match serde_json::from_value(message) {
        Ok(message) => message,
        Err(error) => refused(request, &error.to_string(), text),
    }
}

/// Converts an error of the server for its call.
fn failed(request: RequestId, error: &Value) -> Received {
    let code = error["code"]
        .as_i64()
        .and_then(|code| i32::try_from(code).ok());
    let said = message_in(error).map(str::to_owned);
    let more = error.get("data").and_then(message_in);
    let more = more.map(|more| excerpt(more, QUOTED));
    let said = match (said, more) {
        (Some(said), Some(more)) if !said.contains(&*more) => format!("{said}: {more}"),
        (Some(said), _) => said,
        (None, Some(more)) => more,
        (None, None) => match &error["code"] {
            Value::Null => "the MCP server gave no reason".to_owned(),
            code => format!("the MCP server gave no reason, but the code {code}"),
        },
    };
    let code = ErrorCode(code.unwrap_or(ErrorCode::INTERNAL_ERROR.0));
    Received::error(
        ErrorData::new(code, said, error.get("data").cloned()),
        Some(request),
    )
}

/// Builds the error that replaces an unreadable answer.
pub(super) fn refused(request: RequestId, reason: &str, text: &[u8]) -> Received {
    let quoted = excerpt(&String::from_utf8_lossy(text), QUOTED);
    let quoted = if quoted.is_empty() {
        String::new()
    } else {
        format!(": `{quoted}`")
    };
    let message = format!("an answer of the MCP server cannot be read, {reason}{quoted}");
    Received::error(
        ErrorData::new(ErrorCode::PARSE_ERROR, message, None),
        Some(request),
    )
}

/// Returns an id as a string, so that `7`, `7.0` and `"7"` are equal.
fn id(value: &Value) -> String {
    match value {
        Value::String(id) => id.trim().to_owned(),
        Value::Number(id) => {
            let id = id.to_string();
            id.strip_suffix(".0").map_or(id.clone(), str::to_owned)
        }
        _ => String::new(),
    }
}

/// Finds the id in input that is not JSON.
fn named_id(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("\"id\"") {
        rest = after;
        let Some(value) = after.trim_start().strip_prefix(':') else {
            continue;
        };
        let value = value.trim_start().trim_start_matches('"');
        let id: String = value
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        if !id.is_empty() {
            return Some(id);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rmcp::model::{ClientRequest, CustomRequest, NumberOrString};
    use serde_json::json;

    use super::*;

    fn waiting(ids: &[i64]) -> Pending {
        let mut pending = Pending::default();
        for id in ids {
            let call = ClientRequest::CustomRequest(CustomRequest::new("tools/call", None));
            pending.note(&JsonRpcMessage::request(call, NumberOrString::Number(*id)));
        }
        pending
    }

    fn read(pending: &mut Pending, text: &str) -> Value {
        serde_json::to_value(pending.receive(text.as_bytes())).unwrap()
    }

    #[test]
    fn an_unreadable_answer_is_the_error_of_its_call() {
        for (text, answered) in [
            (r#"{"jsonrpc":"2.0","id":2,"result":{"content":[}"#, 2),
            (r#"{"jsonrpc":"2.0","id":"1","result":{"x":1e999}}"#, 1),
            (r#"{"jsonrpc":"2.0","id":2}"#, 2),
            (r#"{"jsonrpc":"2.0","id":1,"error":"no"}"#, 1),
        ] {
            let mut pending = waiting(&[1, 2]);
            let answer = read(&mut pending, text);
            assert_eq!(answer["id"], answered, "{text}: {answer}");
            assert!(answer["error"]["message"].is_string(), "{text}: {answer}");
            assert_eq!(
                pending.calls.len(),
                1,
                "{text}: the other call goes on waiting"
            );
        }
    }

    #[test]
    fn an_error_without_an_id_is_that_of_the_only_call() {
        let text = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no session"}}"#;
        assert_eq!(read(&mut waiting(&[7]), text)["id"], 7);
        assert_eq!(read(&mut waiting(&[7, 8]), text), json!(null));
        assert_eq!(
            read(&mut waiting(&[7]), r#"{"jsonrpc":"2.0",oops"#)["id"],
            7
        );
    }

    #[test]
    fn what_is_not_a_message_is_ignored() {
        for text in [
            "Server running on stdio",
            "[info] ready",
            "42",
            "\"x\"",
            "",
            "{",
            r#"{"level":50,"error":"no disk","id":null}"#,
            r#"{"jsonrpc":"2.0","id":6,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":6,"result":{]"#,
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":7,"#,
        ] {
            assert_eq!(read(&mut waiting(&[7]), text), json!(null), "{text}");
        }
    }
}
