//! Finds the reader program: in the options, next to the running program, built once from its
//! sources, or on the `PATH`.

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
/// Folder of the program's sources when this crate is in a checkout.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../omni-connector-readers");

/// A reader program and the arguments that precede the job.
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

/// The reader program of one manager. Searched for when the first file is read.
#[derive(Debug, Default)]
pub(crate) struct Readers(OnceCell<Program>);

impl Readers {
    /// Returns the program, or an error that says what to do. A failed search is repeated for the
    /// next file.
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

/// Looks next to the running program or, for a test, one folder up. Ignores a program older than
/// its sources.
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

/// Returns whether a source file of the program is newer than the program.
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

/// Builds the program once when this crate is in a checkout that has its sources.
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
        // Cargo reports its own progress.
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
