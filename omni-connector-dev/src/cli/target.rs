//! Which connector a command works with: a package of the workspace, a program, or one that runs already.

use std::{fmt, path::PathBuf, time::Duration};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::{
    failure::Failure,
    interrupts::Interrupts,
    package::{self, Profile},
};

/// How the connector is found and started, beside the package.
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
    /// Show what the connector prints while it runs; all of it is in `connector.log` in the store in any case
    #[arg(long)]
    verbose: bool,
    /// Any program that is a connector, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// A connector to start, or one that runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    Program(Program),
    Running { url: String },
}

/// What is started as a process of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// What people call it.
    pub name: String,
    pub path: PathBuf,
    pub arguments: Vec<String>,
    /// Variables beside those of the protocol.
    pub environment: Vec<(String, String)>,
}

/// A connector as a command names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Named {
    Nothing,
    /// By its whole name.
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
    /// The connector that is named, without building anything.
    pub(super) async fn named(&self, package: Option<&str>) -> Result<Named, Failure> {
        Ok(match (package, &self.url, &self.command[..]) {
            (Some(name), None, []) => Named::Package(package::find(name).await?.name),
            (None, Some(url), []) => Named::Url(url.trim_end_matches('/').to_owned()),
            (None, None, []) => Named::Nothing,
            (None, None, command) => Named::Command(command.to_vec()),
            _ => return Err(more_than_one()),
        })
    }

    /// The program of a command; none of a package, which has to be built.
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

    /// Whether a package is built in release mode.
    pub(super) fn is_release(&self) -> bool {
        self.release
    }

    /// The port that was asked for.
    pub(super) fn asked_port(&self) -> Option<u16> {
        self.port
    }

    /// The one connector that is named; a package is built first.
    pub(super) async fn target(
        &self,
        package: Option<&str>,
        interrupts: &Interrupts,
    ) -> Result<Target, Failure> {
        if self.release && package.is_none() {
            return Err(Failure::usage("`--release` is for packages only"));
        }
        match (package, &self.url, &self.command[..]) {
            (Some(name), None, []) => {
                let profile = Profile::of(self.release);
                Ok(Target::Program(package::build(name, profile, interrupts).await?))
            }
            (None, Some(url), []) => Ok(Target::Running {
                url: url.trim_end_matches('/').to_owned(),
            }),
            (None, None, _) if let Some(program) = self.program() => Ok(Target::Program(program)),
            (None, None, _) => Err(Failure::usage("no connector is named").help(
                "name a package, such as `filesystem`, or `--url` of a running connector, or `-- command …`",
            )),
            _ => Err(more_than_one()),
        }
    }

    /// Whether the connector is named without a package.
    pub(super) fn names_a_connector(&self) -> bool {
        self.url.is_some() || !self.command.is_empty()
    }

    /// Where the manager listens; 0 is any free port. A connector that runs already had to be told.
    pub(super) fn port(&self) -> u16 {
        let default = if self.url.is_some() {
            super::manager::PORT
        } else {
            0
        };
        self.port.unwrap_or(default)
    }

    /// Has the manager listen where it always does, unless another port was asked for: what others are told of its address
    /// must stay true.
    pub(super) fn keep_port(&mut self) {
        self.port.get_or_insert(super::manager::PORT);
    }

    /// The connector as it stands on the command line.
    pub(super) fn shown(&self, package: Option<&str>) -> String {
        match (package, &self.url) {
            (Some(package), _) => package.to_owned(),
            (None, Some(url)) => format!("--url {url}"),
            (None, None) => format!("-- {}", self.command.join(" ")),
        }
    }

    /// Whether what the connector prints is shown at once.
    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// How long a registration may take.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.wait)
    }
}

fn more_than_one() -> Failure {
    Failure::usage("more than one connector is named")
        .help("name a package, or `--url`, or `-- command …`")
}
