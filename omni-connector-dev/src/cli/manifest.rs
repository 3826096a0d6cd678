//! `cargo omni manifest`: prints the manifest of a connector.

use std::{process::Stdio, time::Duration};

use clap::Args;
use serde_json::Value;
use tokio::{process::Command, time::timeout};

use super::{
    Code, Failure, Interrupts, Output,
    package::{self, Profile},
    running::Running,
    session::{fetch_manifest, http},
    target::Program,
    watchdog,
};

/// How long a program may take to print its manifest.
const PATIENCE: Duration = Duration::from_secs(30);

/// Print the manifest of a connector
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Package of the workspace, by its name or the end of it, or its folder
    #[arg(required_unless_present_any = ["url", "command"], conflicts_with_all = ["url", "command"])]
    package: Option<String>,
    /// URL of a connector that runs already
    #[arg(long, conflicts_with = "command")]
    url: Option<String>,
    /// Any program that is a connector, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let manifest: Value = match (arguments.package, arguments.url, &arguments.command[..]) {
        (None, None, [program, rest @ ..]) => {
            let program = Program {
                name: program.clone(),
                path: program.into(),
                arguments: rest.to_vec(),
                environment: Vec::new(),
            };
            registered(&program, interrupts).await?
        }
        (Some(package), ..) => {
            let program = package::build(&package, Profile::Dev, interrupts).await?;
            tokio::select! {
                manifest = printed(&program) => manifest?,
                () = interrupts.first() => return Err(Failure::interrupted()),
            }
        }
        (None, url, _) => {
            let url = url.unwrap_or_default();
            let http = http()?;
            tokio::select! {
                manifest = fetch_manifest(&http, url.trim_end_matches('/')) => manifest?,
                () = interrupts.first() => return Err(Failure::interrupted()),
            }
        }
    };
    output.result(&manifest, format!("{manifest:#}\n"));
    Ok(Code::Done)
}

/// Returns the manifest that a program registers, at a manager in memory. Its output goes to a temporary file.
async fn registered(program: &Program, interrupts: &Interrupts) -> Result<Value, Failure> {
    let running = Running::start(program, interrupts).await?;
    let manifest = serde_json::to_value(&running.manifest).map_err(Failure::failed);
    running.stop(interrupts).await;
    manifest
}

/// Returns the manifest that the program prints.
async fn printed(program: &Program) -> Result<Value, Failure> {
    let help =
        "its `main` ends with `omni_connector::run(…).await`, which knows the argument `manifest`";
    let mut command = Command::new(&program.path);
    command
        .arg("manifest")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let failed = |what: String| Failure::not_started(format!("`{} manifest` {what}", program.name));
    let answer = timeout(PATIENCE, watchdog::output(&mut command))
        .await
        .map_err(|_| failed(format!("printed nothing for {} s", PATIENCE.as_secs())).help(help))?
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    if !answer.status.success() {
        return Err(failed(format!("ended with {}", answer.status)).help(help));
    }
    serde_json::from_slice(&answer.stdout)
        .map_err(|error| failed(format!("printed no JSON: {error}")).help(help))
}
