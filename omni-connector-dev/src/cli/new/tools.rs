//! The tools of an MCP server that is a program: starts it, lists them, and puts them into the new package.

use std::{fs, path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{ChildStdin, ChildStdout, Command},
    time::timeout,
};

use super::template::Written;
use crate::{cli::output::printable, samples::sample};

/// How long a server may take. A package runner may fetch it first.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long a server may take to end, once its input has ended.
const FAREWELL: Duration = Duration::from_secs(2);
/// The most pages of tools.
const MOST_PAGES: usize = 50;

/// The list in a package.
const FILE: &str = "tests/server/tools.json";

/// Tools as a server lists them.
pub(super) struct Tools(Vec<Value>);

/// A tool that only reads, with an input that its schema allows.
pub(super) struct Read<'a> {
    name: &'a str,
    input: Value,
}

impl Tools {
    /// Starts a server, and lists its tools.
    ///
    /// # Errors
    /// Returns a reason for people if the server does not start or does not list them.
    pub(super) async fn of(command: &str) -> Result<Self, String> {
        let mut words = command.split_whitespace();
        let program = words.next().unwrap_or_default();
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("it does not start: {error}"))?;
        let (input, output, errors) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let errors = tokio::spawn(async move {
            let mut text = Vec::new();
            if let Some(mut errors) = errors {
                let _ = errors.read_to_end(&mut text).await;
            }
            String::from_utf8_lossy(&text).into_owned()
        });
        let (Some(input), Some(output)) = (input, output) else {
            return Err("it has no input or output".to_owned());
        };
        let session = Session {
            input,
            output: BufReader::new(output).lines(),
            id: 0,
        };
        let listed = timeout(PATIENCE, session.tools()).await;
        if timeout(FAREWELL, child.wait()).await.is_err() {
            let _ = child.kill().await;
        }
        let said = timeout(FAREWELL, errors).await;
        let said = said.ok().and_then(Result::ok).unwrap_or_default();
        let said = said.lines().rev().find(|line| !line.trim().is_empty());
        match listed {
            Ok(Ok(tools)) => Ok(Self(tools)),
            Ok(Err(why)) => Err(match said {
                Some(said) => format!("{why}; its last words: {}", printable(said)),
                None => why,
            }),
            Err(_) => Err(format!("it takes longer than {} s", PATIENCE.as_secs())),
        }
    }

    /// The list that a package has.
    pub(super) fn in_package(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join(FILE)).ok()?;
        serde_json::from_str(&text).ok().map(Self)
    }

    pub(super) const fn count(&self) -> usize {
        self.0.len()
    }

    /// The first tool that says that it only reads, and whose schema says what it accepts.
    pub(super) fn read(&self) -> Option<Read<'_>> {
        self.0.iter().find_map(|tool| {
            let is_read = tool["annotations"]["readOnlyHint"] == true;
            let input = sample(&tool["inputSchema"]).filter(|_| is_read)?;
            // In code, JSON is what it is elsewhere as long as nothing in it is escaped.
            let is_plain = !input.to_string().contains('\\');
            let name = tool["name"].as_str().filter(|_| is_plain)?;
            Some(Read { name, input })
        })
    }

    /// Puts the tools into a file of the package that has the made-up one.
    pub(super) fn write(&self, file: &mut Written) {
        match &*file.path {
            FILE => {
                let list = serde_json::to_string_pretty(&self.0).unwrap_or_default();
                file.text = list + "\n";
            }
            "README.md" => {
                let rows = self.0.iter().map(row).collect::<String>();
                file.text = file.text.replace(MADE_UP_ROW, &rows);
            }
            "tests/tools.rs" => {
                let first = self.0.first().and_then(|tool| tool["name"].as_str());
                let (name, input) = match self.read() {
                    Some(read) => (read.name, read.input),
                    None => (first.unwrap_or_default(), json!({})),
                };
                file.text = file.text.replace("\"search\"", &format!("{name:?}"));
                let input = format!("json!({input})");
                file.text = file.text.replace("json!({ \"query\": \"disks\" })", &input);
            }
            _ => {}
        }
    }
}

/// The line of the made-up tool in the README.
const MADE_UP_ROW: &str = "| `search` | reads | Find texts by words |\n";

/// The line of a tool in the README.
fn row(tool: &Value) -> String {
    let text = |value: &Value| {
        let line = value.as_str().unwrap_or_default().lines().next();
        line.unwrap_or_default().trim().replace('|', "\\|")
    };
    let mode = if tool["annotations"]["readOnlyHint"] == true {
        "reads"
    } else {
        "changes"
    };
    let (name, about) = (text(&tool["name"]), text(&tool["description"]));
    format!("| `{name}` | {mode} | {about} |\n")
}

/// A conversation with a server.
struct Session {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    id: u64,
}

impl Session {
    async fn tools(mut self) -> Result<Vec<Value>, String> {
        let hello = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "cargo-omni", "version": env!("CARGO_PKG_VERSION") },
        });
        self.ask("initialize", hello).await?;
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        self.send(&ready).await?;
        let (mut tools, mut params) = (Vec::new(), json!({}));
        for _ in 0..MOST_PAGES {
            let mut page = self.ask("tools/list", params).await?;
            if let Value::Array(some) = page["tools"].take() {
                tools.extend(some);
            }
            match page["nextCursor"].take() {
                Value::String(cursor) => params = json!({ "cursor": cursor }),
                _ => return Ok(tools),
            }
        }
        Err(format!(
            "its list of tools has more than {MOST_PAGES} pages"
        ))
    }

    async fn send(&mut self, message: &Value) -> Result<(), String> {
        let line = format!("{message}\n");
        let sent = self.input.write_all(line.as_bytes()).await;
        sent.map_err(|_| "it ended before it answered".to_owned())
    }

    /// Asks for something, and waits for the answer. What else the server says is left unread; what it asks is refused.
    async fn ask(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.id += 1;
        let id = self.id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .await?;
        loop {
            let line = self
                .output
                .next_line()
                .await
                .map_err(|error| error.to_string())?;
            let line = line.ok_or("it ended before it answered")?;
            let mut message: Value = serde_json::from_str(&line).unwrap_or_default();
            if message["method"].is_string() {
                if !message["id"].is_null() {
                    let error =
                        json!({ "code": -32601, "message": "this client only lists tools" });
                    let refusal = json!({ "jsonrpc": "2.0", "id": message["id"], "error": error });
                    self.send(&refusal).await?;
                }
            } else if message["id"] == id {
                if let Some(error) = message.get("error") {
                    let said = error["message"].as_str().unwrap_or("an error");
                    return Err(format!("it refuses `{method}`: {}", printable(said)));
                }
                return Ok(message["result"].take());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_tool_that_only_reads_is_called_with_what_it_requires() {
        let text = json!({ "type": "object", "properties": { "q": { "type": "string" } }, "required": ["q"] });
        let at = json!({ "type": "object", "properties": { "q": { "format": "date", "type": "string" } }, "required": ["q"] });
        let tool = |name: &str, input: &Value, is_read: bool| json!({ "name": name, "inputSchema": input, "annotations": { "readOnlyHint": is_read } });
        let tools = Tools(vec![
            tool("close", &text, false),
            tool("list_since", &at, true),
            tool("find", &text, true),
        ]);
        let read = tools.read().unwrap();
        assert_eq!((read.name, read.input), ("find", json!({ "q": "a" })));
        assert!(
            Tools(vec![tool("close", &text, false), json!({ "name": 7 })])
                .read()
                .is_none()
        );
    }

    #[test]
    fn a_row_of_the_readme_stays_one_row() {
        let tool = json!({ "name": "find", "description": "Finds a | b.\nMore." });
        assert_eq!(row(&tool), "| `find` | changes | Finds a \\| b. |\n");
    }
}
