//! Runs `cargo omni check` for the page, beside the connector that serves.

use std::{env, io, path::PathBuf, process::Stdio};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
};

use super::build::Group;
use crate::{
    cli::Failure,
    workbench::{Checks, Workbench},
};

/// Checks a package and keeps what is found. Dropping the future ends the processes that it started.
pub(super) async fn run(folder: PathBuf, workbench: Workbench) {
    workbench.change(|bench| bench.checks = Some(Checks::Running));
    let checks = check(&folder).await.unwrap_or_else(|failure| {
        let why = failure.message;
        Checks::Failed { why }
    });
    workbench.change(|bench| bench.checks = Some(checks));
}

async fn check(folder: &PathBuf) -> Result<Checks, Failure> {
    let this = env::current_exe().map_err(Failure::failed)?;
    let mut command = Command::new(this);
    command
        .args(["check", "--json"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut group = Group::start(command)?;
    let (stdout, stderr) = (group.child.stdout.take(), group.child.stderr.take());
    let read = tokio::try_join!(all(stdout), all(stderr));
    let (printed, said) = read.map_err(Failure::failed)?;
    group.child.wait().await.map_err(Failure::failed)?;
    group.set_ended();
    let found: serde_json::Value = serde_json::from_str(&printed).map_err(|_| {
        let said: Vec<_> = said.lines().rev().take(20).collect();
        let said: Vec<_> = said.into_iter().rev().collect();
        Failure::failed(said.join("\n"))
    })?;
    Ok(match found["error"].as_str() {
        Some(why) => Checks::Failed {
            why: why.to_owned(),
        },
        None => Checks::Done {
            found,
            is_current: true,
        },
    })
}

async fn all(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let mut text = String::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_string(&mut text).await?;
    }
    Ok(text)
}

/// Notes that another build serves than the one that was checked.
pub(super) fn built_again(workbench: &Workbench) {
    workbench.change(|bench| {
        if let Some(Checks::Done { is_current, .. }) = &mut bench.checks {
            *is_current = false;
        }
    });
}
