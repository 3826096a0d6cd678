//! Packages of the cargo workspace: found by name and built by cargo itself, so that build errors are cargo's own.

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde::Deserialize;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use super::{failure::Failure, interrupts::Interrupts, target::Program};

/// The build profile of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    Dev,
    Release,
}

impl Profile {
    pub(super) fn of(release: bool) -> Self {
        if release { Self::Release } else { Self::Dev }
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) manifest_path: PathBuf,
    default_run: Option<String>,
    targets: Vec<Target>,
    /// Tables of other programs.
    #[serde(default)]
    pub(super) metadata: Option<Value>,
    #[serde(flatten)]
    about: About,
}

/// What a package says to those who use it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
struct About {
    #[serde(default)]
    version: String,
    license: Option<String>,
    license_file: Option<String>,
    readme: Option<String>,
    /// The registries that it may be published to; all when this is missing.
    publish: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// A message of `cargo build`; other messages have neither field.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

/// Finds the package named `wanted`.
pub(super) async fn find(wanted: &str) -> Result<Package, Failure> {
    let manifest = Path::new(wanted).join("Cargo.toml");
    let packages = metadata(manifest.is_file().then_some(&manifest)).await?;
    choose(&packages, wanted).cloned()
}

/// Finds the package of the current folder, as cargo does.
pub(super) async fn of_this_folder() -> Result<Package, Failure> {
    let unnamed = || {
        Failure::usage("no connector is named, and this folder is not in a package").help(
            "name a package of the workspace or its folder, or `--url` of a running connector, or `-- command …`",
        )
    };
    let answer = cargo()
        .args(["locate-project", "--message-format", "plain"])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(no_cargo)?;
    let manifest = PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim());
    if !answer.status.success() {
        return Err(unnamed());
    }
    let packages = metadata(Some(&manifest)).await?;
    // The manifest of a workspace may have no package.
    let mut here = packages
        .into_iter()
        .filter(|package| package.manifest_path == manifest);
    here.next().ok_or_else(unnamed)
}

/// Builds the package named `wanted`, unless a person interrupts it, and returns its program.
pub(super) async fn build(
    wanted: &str,
    profile: Profile,
    interrupts: &Interrupts,
) -> Result<Program, Failure> {
    let package = &find(wanted).await?;
    let built = tokio::select! {
        built = build_binary(package, profile) => built,
        () = interrupts.first() => return Err(Failure::interrupted()),
    };
    // Ctrl-C reaches cargo as well, which may end first.
    if interrupts.any() {
        return Err(Failure::interrupted());
    }
    let path =
        built?.ok_or_else(|| Failure::not_started(format!("`{}` does not build", package.name)))?;
    Ok(Program {
        name: package.name.clone(),
        path,
        arguments: Vec::new(),
        environment: Vec::new(),
    })
}

/// Builds the program. Cargo has reported the reason if that fails.
async fn build_binary(package: &Package, profile: Profile) -> Result<Option<PathBuf>, Failure> {
    let binary = package.binary()?;
    let mut command = cargo();
    command
        .args(["build", "--message-format", "json-render-diagnostics"])
        .arg("--manifest-path")
        .arg(&package.manifest_path)
        .args(["--bin", binary])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    if profile == Profile::Release {
        command.arg("--release");
    }
    let mut child = command.spawn().map_err(no_cargo)?;
    let mut executable = None;
    if let Some(stdout) = child.stdout.take() {
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Ok(Message {
                target: Some(target),
                executable: Some(path),
            }) = serde_json::from_str(&line)
                && target.is_binary()
                && target.name == binary
            {
                executable = Some(path);
            }
        }
    }
    let status = child.wait().await.map_err(no_cargo)?;
    Ok(executable.filter(|_| status.success()))
}

async fn metadata(manifest: Option<&PathBuf>) -> Result<Vec<Package>, Failure> {
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    if let Some(manifest) = manifest {
        command.arg("--manifest-path").arg(manifest);
    }
    let answer = command
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(no_cargo)?;
    if !answer.status.success() {
        let reason = String::from_utf8_lossy(&answer.stderr);
        let reason = reason.trim().trim_start_matches("error: ");
        return Err(
            Failure::usage(format!("the packages are unknown: {reason}"))
                .help("run this in a cargo workspace, or name a program with `-- command …`"),
        );
    }
    let metadata: Metadata = serde_json::from_slice(&answer.stdout).map_err(|error| {
        Failure::failed(format!(
            "what cargo says of the packages cannot be read: {error}"
        ))
    })?;
    Ok(metadata.packages)
}

/// Selects the package with that name, else the only one whose name ends with it after a `-` or `_`, else the one in
/// that folder.
fn choose<'a>(packages: &'a [Package], wanted: &str) -> Result<&'a Package, Failure> {
    if let Some(exact) = packages.iter().find(|package| package.name == wanted) {
        return Ok(exact);
    }
    let folder = Path::new(wanted).join("Cargo.toml").canonicalize().ok();
    if let Some(in_folder) = packages
        .iter()
        .find(|package| folder.is_some() && package.manifest_path.canonicalize().ok() == folder)
    {
        return Ok(in_folder);
    }
    let ending: Vec<_> = packages
        .iter()
        .filter(|package| package.short_names().any(|name| name == wanted))
        .collect();
    match ending[..] {
        [package] => Ok(package),
        [] => Err(unknown(packages, wanted)),
        _ => {
            let names: Vec<_> = ending
                .iter()
                .map(|package| format!("`{}`", package.name))
                .collect();
            Err(
                Failure::usage(format!("`{wanted}` can be {}", names.join(" or ")))
                    .help("give the full name"),
            )
        }
    }
}

fn unknown(packages: &[Package], wanted: &str) -> Failure {
    let mut near: Vec<_> = packages
        .iter()
        .filter(|package| package.targets.iter().any(Target::is_binary))
        .map(|package| {
            let names = package.short_names().chain([package.name.as_str()]);
            let distance = names
                .map(|name| strsim::damerau_levenshtein(name, wanted))
                .min();
            (distance.unwrap_or(usize::MAX), &package.name)
        })
        .collect();
    near.sort();
    let close = near
        .iter()
        .take_while(|(distance, _)| *distance <= 1 + wanted.len() / 3);
    let close: Vec<_> = close.take(3).map(|(_, name)| format!("`{name}`")).collect();
    let failure = Failure::usage(format!("no package `{wanted}` in this workspace"));
    match (&close[..], &near[..]) {
        ([], []) => failure.help("no package of this workspace has a program"),
        ([], _) => {
            let all: Vec<_> = near.iter().map(|(_, name)| format!("`{name}`")).collect();
            failure.help(format!("there are {}", all.join(", ")))
        }
        _ => failure.help(format!("did you mean {}?", close.join(" or "))),
    }
}

impl Package {
    /// Returns the rest of the name after each `-` and `_`.
    fn short_names(&self) -> impl Iterator<Item = &str> {
        self.name
            .match_indices(['-', '_'])
            .map(|(index, _)| &self.name[index + 1..])
    }

    /// The folder of the package.
    pub(super) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("."))
    }

    pub(super) fn version(&self) -> &str {
        &self.about.version
    }

    /// The licence, by its name or by its file.
    pub(super) fn licence(&self) -> Option<&str> {
        let About {
            license,
            license_file,
            ..
        } = &self.about;
        license.as_deref().or(license_file.as_deref())
    }

    pub(super) fn has_readme(&self) -> bool {
        let named = self.about.readme.as_deref().unwrap_or("README.md");
        self.folder().join(named).is_file()
    }

    /// Whether it is never published.
    pub(super) fn is_private(&self) -> bool {
        self.about.publish.as_ref().is_some_and(Vec::is_empty)
    }

    /// The program of the package.
    pub(super) fn binary(&self) -> Result<&str, Failure> {
        let binaries: Vec<_> = self
            .targets
            .iter()
            .filter(|target| target.is_binary())
            .collect();
        let default = self.default_run.as_deref().unwrap_or(&self.name);
        match binaries[..] {
            [] => Err(
                Failure::usage(format!("package `{}` has no program", self.name))
                    .help("a connector is a binary whose `main` calls `omni_connector::run`"),
            ),
            [only] => Ok(&only.name),
            _ => binaries
                .iter()
                .map(|binary| binary.name.as_str())
                .find(|name| *name == default)
                .ok_or_else(|| {
                    Failure::usage(format!("package `{}` has several programs", self.name))
                        .help("set `default-run` in its `Cargo.toml`")
                }),
        }
    }
}

impl Target {
    fn is_binary(&self) -> bool {
        self.kind.iter().any(|kind| kind == "bin")
    }
}

/// Returns cargo without the variables that an outer `cargo run` sets for its own package. Build scripts that read them
/// would run again.
pub(super) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let is_of_a_package = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if is_of_a_package {
            command.env_remove(name);
        }
    }
    command
}

pub(super) fn no_cargo(error: std::io::Error) -> Failure {
    Failure::not_started(format!("cargo cannot be run: {error}"))
        .help("install the Rust toolchain, or name a program with `-- command …`")
}

#[cfg(test)]
mod tests;
