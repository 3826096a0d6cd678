//! Why a command ends without having done what it was asked for, and the exit code that says so.

use std::{fmt, path::Path, process};

use crate::store::StoreError;

/// What the process ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Done = 0,
    Failed = 1,
    Usage = 2,
    NotStarted = 3,
    Incomplete = 4,
    Interrupted = 130,
}

impl From<Code> for process::ExitCode {
    fn from(code: Code) -> Self {
        (code as u8).into()
    }
}

/// An error for the person at the terminal.
#[derive(Debug)]
pub(super) struct Failure {
    pub code: Code,
    pub message: String,
    /// The way out.
    pub help: Option<String>,
}

impl Failure {
    fn new(code: Code, message: impl fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string(),
            help: None,
        }
    }

    /// What was asked for did not work.
    pub(super) fn failed(message: impl fmt::Display) -> Self {
        Self::new(Code::Failed, message)
    }

    /// What was asked for makes no sense.
    pub(super) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Code::Usage, message)
    }

    /// There is no connector to work with.
    pub(super) fn not_started(message: impl fmt::Display) -> Self {
        Self::new(Code::NotStarted, message)
    }

    /// There is nothing to read from.
    pub(super) fn no_store(folder: &Path) -> Self {
        Self::failed(format!("there is no store in `{}`", folder.display()))
            .help("make one with `cargo omni sync <package>`, or name its folder with `--store`")
    }

    /// A person pressed Ctrl-C.
    pub(super) fn interrupted() -> Self {
        Self::new(Code::Interrupted, "interrupted")
    }

    /// With the way out.
    pub(super) fn help(mut self, help: impl fmt::Display) -> Self {
        self.help = Some(help.to_string());
        self
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::failed(format!("the store failed: {error}"))
    }
}
