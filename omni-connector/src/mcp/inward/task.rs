//! Runs tools that require task execution. Version 2025-11-25 of MCP lets a server require it and report so by an error.

use rmcp::{
    RoleClient, ServiceError,
    model::{CallToolResult, ClientRequest, CustomRequest, ErrorCode, JsonObject},
    service::Peer,
};
use serde_json::{Value, json};

/// How long a server may keep a result that was not fetched, in milliseconds.
const KEPT: u64 = 60_000;

/// Returns whether a tool was refused because it runs only as a task. The lists also say so, in a field that the client
/// library does not read.
pub(super) fn is_demanded(called: &Result<CallToolResult, ServiceError>) -> bool {
    match called {
        Err(ServiceError::McpError(error)) => error.code == ErrorCode::METHOD_NOT_FOUND,
        Err(_) => false,
        // Servers built on the TypeScript SDK return that error as a result.
        Ok(result) => {
            let text = result.content.first().and_then(|block| block.as_text());
            result.is_error == Some(true)
                && text.is_some_and(|text| {
                    text.text.starts_with("MCP error -32601") && text.text.contains("task")
                })
        }
    }
}

/// Calls a tool as a task and waits for its result.
pub(super) async fn call(
    peer: &Peer<RoleClient>,
    tool: &str,
    arguments: &JsonObject,
) -> Result<CallToolResult, ServiceError> {
    let task = json!({ "name": tool, "arguments": arguments, "task": { "ttl": KEPT } });
    let created = ask(peer, "tools/call", task).await?;
    let id = created["task"]["taskId"]
        .as_str()
        .ok_or(ServiceError::UnexpectedResponse)?;
    // The answer arrives when the task has ended.
    let result = ask(peer, "tasks/result", json!({ "taskId": id })).await?;
    serde_json::from_value(result).map_err(|_| ServiceError::UnexpectedResponse)
}

async fn ask(peer: &Peer<RoleClient>, method: &str, params: Value) -> Result<Value, ServiceError> {
    let request = CustomRequest::new(method, Some(params));
    let answer = peer
        .send_request(ClientRequest::CustomRequest(request))
        .await?;
    serde_json::to_value(answer).map_err(|_| ServiceError::UnexpectedResponse)
}
