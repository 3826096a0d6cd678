//! The connector of a command: a package of the workspace, a program, or a running one.

use std::{fmt, path::PathBuf, time::Duration};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::{
    failure::Failure,
    interrupts::Interrupts,
    package::{self, Profile},
};

/// How a connector is found and started, apart from its package.
#[derive(Debug, Args)]
pub(super) struct ConnectorArguments {
    /// URL of a connector that runs already and was told to use this manager
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Build the package in release mode
    #[arg(long)]
    release: bool,
    /// Port of the manager [default: a free one; 3004 with --url]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Seconds that the connector may take until it registers
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    /// Show the connector's output while it runs; `connector.log` in the store always has all of it
    #[arg(long)]
    verbose: bool,
    /// Any program that is a connector, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// A connector to start, or a running one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    Program(Program),
    Running { url: String },
}

/// A program to start as a separate process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// Its name for people.
    pub name: String,
    pub path: PathBuf,
    pub arguments: Vec<String>,
    /// Variables beside those of the protocol.
    pub environment: Vec<(String, String)>,
}

/// The name of a connector in a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Named {
    Nothing,
    /// A package, by its full name.
    Package(String),
    Command(Vec<String>),
    Url(String),
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("no connector"),
            Self::Package(name) => write!(f, "`{name}`"),
            Self::Command(command) => write!(f, "`{}`", command.join(" ")),
            Self::Url(url) => write!(f, "`--url {url}`"),
        }
    }
}

impl ConnectorArguments {
    /// Returns the named connector without building it.
    pub(super) async fn named(&self, package: Option<&str>) -> Result<Named, Failure> {
        Ok(match (package, &self.url, &self.command[..]) {
            (Some(name), None, []) => Named::Package(package::find(name).await?.name),
            (None, Some(url), []) => Named::Url(url.trim_end_matches('/').to_owned()),
            (None, None, []) => Named::Nothing,
            (None, None, command) => Named::Command(command.to_vec()),
            _ => return Err(more_than_one()),
        })
    }

    /// Returns the program of a command; none for a package, which must be built first.
    pub(super) fn program(&self) -> Option<Program> {
        let [program, arguments @ ..] = &self.command[..] else {
            return None;
        };
        Some(Program {
            name: program.clone(),
            path: program.into(),
            arguments: arguments.to_vec(),
            environment: Vec::new(),
        })
    }

    /// Returns whether a package is built in release mode.
    pub(super) fn is_release(&self) -> bool {
        self.release
    }

    /// Returns the requested port.
    pub(super) fn asked_port(&self) -> Option<u16> {
        self.port
    }

    /// Returns the named connector, and builds a package first.
    pub(super) async fn target(
        &self,
        package: Option<&str>,
        interrupts: &Interrupts,
    ) -> Result<Target, Failure> {
        if self.release && self.names_a_connector() {
            return Err(Failure::usage("`--release` is for packages only"));
        }
        match (package, &self.url, &self.command[..]) {
            (Some(name), None, []) => {
                let profile = Profile::of(self.release);
                Ok(Target::Program(
                    package::build(name, profile, interrupts).await?,
                ))
            }
            (None, Some(url), []) => Ok(Target::Running {
                url: url.trim_end_matches('/').to_owned(),
            }),
            (None, None, _) if let Some(program) = self.program() => Ok(Target::Program(program)),
            (None, None, _) => {
                let package = package::of_this_folder().await?;
                let folder = package.folder().display().to_string();
                Ok(Target::Program(
                    package::build(&folder, Profile::of(self.release), interrupts).await?,
                ))
            }
            _ => Err(more_than_one()),
        }
    }

    /// Returns whether a connector is named other than by a package.
    pub(super) fn names_a_connector(&self) -> bool {
        self.url.is_some() || !self.command.is_empty()
    }

    /// Returns the manager's port; 0 is any free port. A running connector uses a fixed one.
    pub(super) fn port(&self) -> u16 {
        let default = if self.url.is_some() {
            super::manager::PORT
        } else {
            0
        };
        self.port.unwrap_or(default)
    }

    /// Uses the manager's usual port unless another was requested, because others were given its address.
    pub(super) fn keep_port(&mut self) {
        self.port.get_or_insert(super::manager::PORT);
    }

    /// Formats the connector as on the command line.
    pub(super) fn shown(&self, package: Option<&str>) -> String {
        match (package, &self.url) {
            (Some(package), _) => package.to_owned(),
            (None, Some(url)) => format!("--url {url}"),
            (None, None) => format!("-- {}", self.command.join(" ")),
        }
    }

    /// Returns whether the connector's output is shown.
    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Returns the time limit for a registration.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.wait)
    }
}

fn more_than_one() -> Failure {
    Failure::usage("more than one connector is named")
        .help("name a package, or `--url`, or `-- command …`")
}
