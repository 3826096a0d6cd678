//! An MCP server that speaks exactly one protocol version, which no library allows:
//! `mcp-test-versions answers|refuses VERSION`, over stdio or with `--http ADDRESS`.
//!
//! `answers` replies to every client with its version, whatever was requested. `refuses` refuses
//! `initialize` and names its version when asked. Its one tool, `greeting`, returns how the client
//! began.

use std::{
    env,
    io::{self, BufRead, Write},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use serde_json::{Value, json};

/// The protocol's error code for an unsupported version.
const UNSUPPORTED: i64 = -32_022;

#[derive(Clone)]
struct Server {
    takes_greetings: bool,
    version: String,
    greeting: Arc<Mutex<String>>,
}

impl Server {
    /// Returns the answer to a request, or `None` for a notification.
    fn answer(&self, message: &Value) -> Option<Value> {
        let id = message.get("id")?;
        let (method, params) = (message["method"].as_str()?, &message["params"]);
        let answer = self.result(method, params);
        Some(match answer {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
        })
    }

    fn result(&self, method: &str, params: &Value) -> Result<Value, Value> {
        let capabilities = json!({ "tools": {} });
        let name = json!({ "name": "by hand", "version": "1" });
        match method {
            "initialize" if self.takes_greetings => {
                self.greet(&format!("initialize {}", params["protocolVersion"]));
                Ok(
                    json!({ "protocolVersion": self.version, "capabilities": capabilities, "serverInfo": name }),
                )
            }
            "server/discover" if !self.takes_greetings => {
                self.greet("discover");
                Ok(json!({
                    "resultType": "complete", "supportedVersions": [self.version], "capabilities": capabilities,
                    "ttlMs": 0, "cacheScope": "private", "_meta": { "io.modelcontextprotocol/serverInfo": name },
                }))
            }
            "initialize" => Err(json!({
                "code": UNSUPPORTED, "message": "Unsupported protocol version",
                "data": { "supported": [self.version], "requested": params["protocolVersion"] },
            })),
            "ping" => Ok(json!({})),
            "tools/list" => Ok(json!({
                "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
                "tools": [{ "name": "greeting", "description": "How it began.", "inputSchema": { "type": "object" } }],
            })),
            "tools/call" => {
                let text = self
                    .greeting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                Ok(
                    json!({ "resultType": "complete", "content": [{ "type": "text", "text": text }] }),
                )
            }
            _ => Err(json!({ "code": -32_601, "message": "Method not found" })),
        }
    }

    fn greet(&self, how: &str) {
        how.clone_into(&mut self.greeting.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [manner, version, rest @ ..] = &arguments[..] else {
        return Err(io::Error::other("answers|refuses VERSION [--http ADDRESS]"));
    };
    let server = Server {
        takes_greetings: manner == "answers",
        version: version.clone(),
        greeting: Arc::default(),
    };
    match rest {
        [] => over_stdio(&server),
        [_, address] => over_http(server, address).await,
        _ => Err(io::Error::other("one address")),
    }
}

fn over_stdio(server: &Server) -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let answer = serde_json::from_str(&line?)
            .ok()
            .and_then(|message| server.answer(&message));
        if let Some(answer) = answer {
            writeln!(io::stdout().lock(), "{answer}")?;
        }
    }
    Ok(())
}

async fn over_http(server: Server, address: &str) -> io::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("{}", listener.local_addr()?);
    let app = Router::new().route("/mcp", post(posted)).with_state(server);
    axum::serve(listener, app).await
}

/// Answers a refusal with the status for a bad request, as the protocol requires.
async fn posted(State(server): State<Server>, Json(message): Json<Value>) -> impl IntoResponse {
    match server.answer(&message) {
        None => StatusCode::ACCEPTED.into_response(),
        Some(answer) if answer["error"]["code"] == UNSUPPORTED => {
            (StatusCode::BAD_REQUEST, Json(answer)).into_response()
        }
        Some(answer) => Json(answer).into_response(),
    }
}
