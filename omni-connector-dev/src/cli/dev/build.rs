//! Builds a package, keeps the compiler's messages, and asks the program for its schemas.

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    time::timeout,
};

use super::super::{
    Failure,
    output::note_as_is,
    package::{Package, cargo, no_cargo},
    target::Program,
    watchdog::{self, Watchdog},
};
use crate::workbench::{Phase, Schemas, Workbench};

/// How cargo says that another build of the same folder must end first.
const BLOCKED: &str = "Blocking waiting for file lock";
/// The number of cargo's own lines that are kept.
const KEPT: usize = 60;
/// The most bytes of compiler messages that are kept.
const LONGEST: usize = 64 << 10;

#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
    #[serde(rename = "message")]
    diagnostic: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
}

/// Builds the program. Returns the messages of the compiler or of cargo if that fails. Dropping the future ends cargo
/// and the processes that it started.
pub(super) async fn build(
    package: &Package,
    is_release: bool,
    workbench: &Workbench,
) -> Result<Result<Program, String>, Failure> {
    let binary = package.binary()?;
    let mut command = cargo();
    command
        .args(["build", "--message-format", "json-diagnostic-rendered-ansi"])
        .arg("--manifest-path")
        .arg(&package.manifest_path)
        .args(["--bin", binary])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if is_release {
        command.arg("--release");
    }
    let mut group = Group::start(command)?;
    let stdout = group.child.stdout.take();
    let stderr = group.child.stderr.take();
    let (found, said) = tokio::join!(messages(stdout, binary), lines(stderr, workbench));
    let status = group.child.wait().await.map_err(no_cargo)?;
    group.set_ended();
    Ok(match (found.executable, status.success()) {
        (Some(path), true) => Ok(Program {
            environment: Vec::new(),
            name: package.name.clone(),
            path,
            arguments: Vec::new(),
        }),
        _ if found.errors.is_empty() => Err(said),
        _ => Err(found.errors),
    })
}

#[derive(Default)]
struct Found {
    executable: Option<PathBuf>,
    errors: String,
}

async fn messages(stdout: Option<impl AsyncRead + Unpin>, binary: &str) -> Found {
    let mut found = Found::default();
    let Some(stdout) = stdout else { return found };
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(message) = serde_json::from_str::<Message>(&line) else {
            continue;
        };
        if let (Some(target), Some(path)) = (message.target, message.executable)
            && target.name == binary
            && target.kind.iter().any(|kind| kind == "bin")
        {
            found.executable = Some(path);
        }
        if let Some(Diagnostic {
            level,
            rendered: Some(text),
        }) = message.diagnostic
        {
            note_as_is(text.trim_end());
            if level.starts_with("error") && found.errors.len() < LONGEST {
                found.errors.push_str(&text);
            }
        }
    }
    found
}

/// Prints cargo's own output and returns the end of it.
async fn lines(stderr: Option<impl AsyncRead + Unpin>, workbench: &Workbench) -> String {
    let mut kept = std::collections::VecDeque::new();
    let Some(stderr) = stderr else {
        return String::new();
    };
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        note_as_is(&line);
        let phase = if line.contains(BLOCKED) {
            Phase::Blocked
        } else {
            Phase::Building
        };
        if workbench.bench().phase != phase {
            workbench.change(|bench| bench.phase = phase);
        }
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(line);
    }
    Vec::from(kept).join("\n")
}

/// A process and all processes that it started, ended together.
pub(super) struct Group {
    pub(super) child: Child,
    watchdog: Option<Watchdog>,
}

impl Group {
    pub(super) fn start(mut command: Command) -> Result<Self, Failure> {
        command.kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn().map_err(no_cargo)?;
        let watchdog = child.id().and_then(Watchdog::start);
        Ok(Self { child, watchdog })
    }

    /// Records that the process ended by itself.
    pub(super) fn set_ended(&mut self) {
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.dismiss();
        }
    }
}

// Without `set_ended`, dropping the watchdog ends the group.

/// Returns the schemas that the program prints; none if it does not support that.
pub(super) async fn schemas(program: &Program, patience: Duration) -> Schemas {
    let mut command = Command::new(&program.path);
    command
        .arg("schemas")
        .env_remove("CONNECTOR_MANAGER_URL")
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    match timeout(patience, watchdog::output(&mut command)).await {
        Ok(Ok(answer)) if answer.status.success() => {
            serde_json::from_slice(&answer.stdout).unwrap_or_default()
        }
        _ => Schemas::default(),
    }
}
