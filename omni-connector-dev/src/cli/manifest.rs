//! `cargo omni manifest`: what a connector says of itself.

use std::{process::Stdio, time::Duration};

use clap::Args;
use serde_json::Value;
use tokio::{process::Command, time::timeout};

use super::{
    Code, Failure, Interrupts, Output,
    package::{self, Profile},
    session::{fetch_manifest, http},
    target::Program,
};

/// How long a program may take to print its manifest.
const PATIENCE: Duration = Duration::from_secs(30);

/// Print the manifest of a connector
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Package of the workspace, by its name or the end of it, or its folder
    #[arg(required_unless_present = "url", conflicts_with = "url")]
    package: Option<String>,
    /// URL of a connector that runs already
    #[arg(long)]
    url: Option<String>,
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let manifest: Value = match (arguments.package, arguments.url) {
        (Some(package), _) => {
            let program = package::build(&package, Profile::Dev, interrupts).await?;
            tokio::select! {
                manifest = printed(&program) => manifest?,
                () = interrupts.first() => return Err(Failure::interrupted()),
            }
        }
        (None, url) => {
            let url = url.unwrap_or_default();
            fetch_manifest(&http()?, url.trim_end_matches('/')).await?
        }
    };
    output.result(&manifest, format!("{manifest:#}\n"));
    Ok(Code::Done)
}

/// What the program prints when it is asked for its manifest.
async fn printed(program: &Program) -> Result<Value, Failure> {
    let help =
        "its `main` ends with `omni_connector::run(…).await`, which knows the argument `manifest`";
    let mut command = Command::new(&program.path);
    command
        .arg("manifest")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    let failed = |what: String| Failure::not_started(format!("`{} manifest` {what}", program.name));
    let answer = timeout(PATIENCE, command.output())
        .await
        .map_err(|_| failed(format!("printed nothing for {} s", PATIENCE.as_secs())).help(help))?
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    if !answer.status.success() {
        return Err(failed(format!("ended with {}", answer.status)).help(help));
    }
    serde_json::from_slice(&answer.stdout)
        .map_err(|error| failed(format!("printed no JSON: {error}")).help(help))
}
