//! A fake of an MCP server, over HTTP or over standard input and output.

use std::{
    io::{self, BufRead, Write},
    sync::{Arc, OnceLock},
};

use axum::{
    http::{HeaderMap, Method, StatusCode, Uri},
    response::Response,
};
use serde_json::{Value, json};

use super::{requests::answered, source::Source};
use crate::serving::serve;

/// What a tool answers.
type Make = dyn Fn(&Value) -> Value + Send + Sync;

/// A fake of an MCP server with tools. Over HTTP it listens from the first time that its URL is asked for.
///
/// ```no_run
/// use omni_connector_dev::testing::FakeMcp;
/// use serde_json::json;
///
/// let query = json!({ "type": "object", "properties": { "query": { "type": "string" } }, "required": ["query"] });
/// let server = FakeMcp::new()
///     .token("canary-7f3")
///     .read("search_issues", "Search issues.", query, |input| json!({ "found": [input["query"]] }));
/// ```
#[must_use = "a fake answers at its URL, or by `serve_stdio`"]
pub struct FakeMcp {
    shared: Arc<Shared>,
    url: OnceLock<String>,
}

struct Shared {
    /// The header that every call needs, and its value.
    secret: Option<(String, String)>,
    tools: Vec<Tool>,
}

struct Tool {
    shown: Value,
    make: Box<Make>,
}

impl Default for FakeMcp {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeMcp {
    /// Starts with a server without tools.
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                secret: None,
                tools: Vec::new(),
            }),
            url: OnceLock::new(),
        }
    }

    fn with(mut self, describe: impl FnOnce(&mut Shared)) -> Self {
        let shared = Arc::get_mut(&mut self.shared);
        describe(shared.expect("a server is described before it is asked for its URL"));
        self
    }

    /// Wants this token as `Authorization: Bearer …`, and answers 401 without. It counts over HTTP alone.
    pub fn token(self, token: impl Into<String>) -> Self {
        self.header("authorization", format!("Bearer {}", token.into()))
    }

    /// Wants this header, and answers 401 without. It counts over HTTP alone.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(|shared| shared.secret = Some((name.into(), value.into())))
    }

    /// Has tools as a real server listed them, each with its name, description and schema. A call is answered with the name of
    /// the tool, and with its input.
    pub fn tools(self, tools: impl IntoIterator<Item = Value>) -> Self {
        self.with(|shared| {
            shared.tools.extend(tools.into_iter().map(|shown| {
                let name = shown["name"].clone();
                let make = move |input: &Value| {
                    let nothing = json!({});
                    let input = if input.is_null() { &nothing } else { input };
                    json!({ "tool": name, "input": input })
                };
                Tool {
                    shown,
                    make: Box::new(make),
                }
            }));
        })
    }

    /// Has a tool that only reads, with the schema of its input.
    pub fn read(
        self,
        name: &str,
        description: &str,
        input: Value,
        make: impl Fn(&Value) -> Value + Send + Sync + 'static,
    ) -> Self {
        self.tool(name, description, input, true, Box::new(make))
    }

    /// Has a tool that changes something, with the schema of its input.
    pub fn write(
        self,
        name: &str,
        description: &str,
        input: Value,
        make: impl Fn(&Value) -> Value + Send + Sync + 'static,
    ) -> Self {
        self.tool(name, description, input, false, Box::new(make))
    }

    fn tool(
        self,
        name: &str,
        description: &str,
        input: Value,
        is_read_only: bool,
        make: Box<Make>,
    ) -> Self {
        let shown = json!({
            "name": name,
            "description": description,
            "inputSchema": input,
            "annotations": { "readOnlyHint": is_read_only },
        });
        self.with(|shared| shared.tools.push(Tool { shown, make }))
    }

    /// Answers on standard output what comes on standard input, a message a line, until that ends.
    ///
    /// # Errors
    /// Standard input or output fails.
    pub fn serve_stdio(&self) -> io::Result<()> {
        let mut output = io::stdout().lock();
        for line in io::stdin().lock().lines() {
            let message: Value = serde_json::from_str(&line?).unwrap_or_default();
            if let Some(answer) = self.shared.reply(&message) {
                writeln!(output, "{answer}")?;
                output.flush()?;
            }
        }
        Ok(())
    }
}

impl Source for FakeMcp {
    fn url(&self) -> String {
        self.url
            .get_or_init(|| serve(Arc::clone(&self.shared), Shared::answer))
            .clone()
    }
}

impl Shared {
    fn answer(&self, method: &Method, _: &Uri, headers: &HeaderMap, body: &[u8]) -> Response {
        let is_known = self.secret.as_ref().is_none_or(|(name, value)| {
            let given = headers.get(name).map(axum::http::HeaderValue::as_bytes);
            given == Some(value.as_bytes())
        });
        if !is_known {
            let error = json!({ "error": "this secret is not known" });
            return answered(StatusCode::UNAUTHORIZED, &[], &error);
        }
        if method != Method::POST {
            let error = json!({ "error": "this server only answers" });
            return answered(StatusCode::METHOD_NOT_ALLOWED, &[], &error);
        }
        let message: Value = serde_json::from_slice(body).unwrap_or_default();
        match self.reply(&message) {
            Some(reply) => answered(StatusCode::OK, &[], &reply),
            None => answered(StatusCode::ACCEPTED, &[], &Value::Null),
        }
    }

    /// The answer to a message; none to a notice.
    fn reply(&self, message: &Value) -> Option<Value> {
        let id = message.get("id")?;
        let params = &message["params"];
        let result = match message["method"].as_str()? {
            "initialize" => Ok(json!({
                "protocolVersion": params["protocolVersion"],
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "fake", "version": "1.0.0" },
            })),
            "ping" => Ok(json!({})),
            "tools/list" => {
                let tools: Vec<_> = self.tools.iter().map(|tool| &tool.shown).collect();
                Ok(json!({ "tools": tools }))
            }
            "tools/call" => {
                let mut tools = self.tools.iter();
                match tools.find(|tool| tool.shown["name"] == params["name"]) {
                    Some(tool) => {
                        let made = (tool.make)(&params["arguments"]);
                        let content = json!([{ "type": "text", "text": made.to_string() }]);
                        Ok(json!({ "content": content, "structuredContent": made }))
                    }
                    None => Err((-32602, "there is no such tool")),
                }
            }
            _ => Err((-32601, "this server does not know the method")),
        };
        Some(match result {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err((code, message)) => {
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
            }
        })
    }
}
