//! Runs third-party MCP clients against the connector's own MCP server.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{Paths, report::Report};

const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) async fn all(paths: &Paths, report: &mut Report) -> Result<()> {
    let (url, _connector) = over_http(paths).await?;
    let connector = paths.connector.display().to_string();
    let python = paths.cache.join("py/bin/python");
    let client = paths.scripts.join("client.py").display().to_string();
    for (transport, arguments) in [
        ("stdio", vec![connector.as_str(), "mcp"]),
        ("streamable HTTP", vec![url.as_str()]),
    ] {
        report.row(transport, "own server, python client");
        let mut command = Command::new(&python);
        command.arg(&client).args(arguments);
        let ended = output(command).await?;
        // One line for each check, `ok …` or `no …`.
        let lines: Vec<_> = ended
            .lines()
            .filter(|line| line.starts_with("ok ") || line.starts_with("no "))
            .collect();
        for line in &lines {
            let result = if line.starts_with("ok ") {
                Ok(())
            } else {
                Err((*line).to_owned())
            };
            report.check(line, result);
        }
        let count = lines.len();
        report.check("the client spoke", (count >= 8).then_some(()).ok_or(ended));
    }
    inspector(paths, &connector, &url, report).await
}

async fn over_http(paths: &Paths) -> Result<(String, Child)> {
    let mut process = Command::new(&paths.connector)
        .args(["mcp", "--http", "127.0.0.1:0"])
        .env("RUST_LOG", "error")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stderr = process.stderr.take().context("no standard error")?;
    let line = BufReader::new(stderr)
        .lines()
        .next_line()
        .await?
        .unwrap_or_default();
    let url = line
        .strip_prefix("MCP server at ")
        .with_context(|| format!("it said `{line}`"))?;
    Ok((url.to_owned(), process))
}

/// Runs the inspector's command line, one process for each request.
async fn inspector(paths: &Paths, connector: &str, url: &str, report: &mut Report) -> Result<()> {
    let inspector = paths.cache.join("node_modules/.bin/mcp-inspector");
    let call: &[&str] = &[
        "--method",
        "tools/call",
        "--tool-name",
        "sum",
        "--tool-arg",
        "a=2",
        "--tool-arg",
        "b=3",
    ];
    let prompt: &[&str] = &["--method", "prompts/get", "--prompt-name", "greeting"];
    for (transport, target) in [
        ("stdio", vec![connector, "mcp"]),
        ("streamable HTTP", vec![url, "--transport", "http"]),
    ] {
        report.row(transport, "own server, inspector");
        for (arguments, expected) in [
            (&["--method", "tools/list"][..], "\"greet\""),
            (call, "\"total\": 5"),
            (&["--method", "prompts/list"], "\"greeting\""),
            (prompt, "Say hello."),
        ] {
            let mut command = Command::new(&inspector);
            command.arg("--cli").args(&target).args(arguments);
            let said = output(command).await?;
            let result = said.contains(expected).then_some(()).ok_or(said);
            report.check(arguments[1], result);
        }
    }
    Ok(())
}

/// Returns both outputs of a command.
async fn output(mut command: Command) -> Result<String> {
    command
        .stdin(Stdio::null())
        .env("RUST_LOG", "error")
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output())
        .await
        .with_context(|| format!("{command:?} does not end"))??;
    let said = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&said).into_owned())
}
