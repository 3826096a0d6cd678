//! Where the program that reads is: named in the options, beside this one, built once where its sources are, or on the path.

use std::{
    env,
    ffi::OsString,
    fmt, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::SystemTime,
};

use serde_json::Value;
use tokio::{process::Command, sync::OnceCell};

use crate::options::ExtractionLimits;

const NAME: &str = "omni-readers";
/// The sources of the program, where this crate's own are in a checkout.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../omni-connector-readers");

/// A program that reads files, and the arguments before the job.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) arguments: Vec<OsString>,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

/// The program that one manager uses, found when the first file is to be read.
#[derive(Debug, Default)]
pub(crate) struct Readers(OnceCell<Program>);

impl Readers {
    /// The program, or why there is none and what to do. A failed search is made again for the next file.
    pub(super) async fn program(&self, limits: &ExtractionLimits) -> Result<Program, String> {
        let found = self.0.get_or_try_init(|| find(limits));
        found.await.cloned()
    }
}

async fn find(limits: &ExtractionLimits) -> Result<Program, String> {
    if let [path, arguments @ ..] = &limits.program[..] {
        return Ok(Program {
            path: path.into(),
            arguments: arguments.to_vec(),
        });
    }
    let path = match beside() {
        Some(path) => path,
        None if Path::new(SOURCES).is_dir() => build().await?,
        None => on_path().ok_or_else(|| {
            format!(
                "`{NAME}`, which reads files, is neither beside this program nor on the path\n\
                 help: `cargo install omni-connector-readers` installs it"
            )
        })?,
    };
    Ok(Program {
        path,
        arguments: Vec::new(),
    })
}

/// Beside this program, or, for a test, one folder up; not when its sources have changed since.
fn beside() -> Option<PathBuf> {
    let this = env::current_exe().ok()?;
    let file = format!("{NAME}{}", env::consts::EXE_SUFFIX);
    let folders = this.ancestors().skip(1).take(2);
    folders
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file() && !is_outdated(path))
}

fn on_path() -> Option<PathBuf> {
    let file = format!("{NAME}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
}

/// Whether a source of the program is newer than the program.
fn is_outdated(program: &Path) -> bool {
    let built = modified(program);
    newest(&Path::new(SOURCES).join("src"))
        .is_some_and(|source| built.is_some_and(|built| source > built))
}

fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    entries
        .filter_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                newest(&path)
            } else {
                modified(&path)
            }
        })
        .max()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// Builds the program once, where this crate's sources have it beside them.
async fn build() -> Result<PathBuf, String> {
    let manifest = Path::new(SOURCES).join("Cargo.toml");
    tracing::warn!("building `{NAME}`, which reads files: this takes a minute or two, once");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(&cargo);
    build
        .args([
            "build",
            "--bin",
            NAME,
            "--message-format=json-render-diagnostics",
        ])
        .arg("--manifest-path")
        .arg(&manifest)
        .stdin(Stdio::null())
        // Cargo says itself what it does.
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let help = format!(
        "help: `cargo build -p omni-connector-readers` shows why; it needs {}",
        manifest.display()
    );
    let failed = |error| format!("`{NAME}` cannot be built: {error}\n{help}");
    let building = build.spawn().map_err(failed)?;
    let output = building.wait_with_output().await.map_err(failed)?;
    if !output.status.success() {
        return Err(format!(
            "`{NAME}` cannot be built: {}\n{help}",
            output.status
        ));
    }
    let lines = String::from_utf8_lossy(&output.stdout);
    lines
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| format!("`{NAME}` was built nowhere\n{help}"))
}
