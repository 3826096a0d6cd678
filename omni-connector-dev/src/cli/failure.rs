//! Why a command failed, and its exit code.

use std::{fmt, path::Path, process};

use crate::store::StoreError;

/// The exit code of the process.
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
    /// How to fix it.
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

    /// Creates a failure of the command's work.
    pub(super) fn failed(message: impl fmt::Display) -> Self {
        Self::new(Code::Failed, message)
    }

    /// Creates a failure for an invalid command line.
    pub(super) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Code::Usage, message)
    }

    /// Creates a failure for a connector that did not start.
    pub(super) fn not_started(message: impl fmt::Display) -> Self {
        Self::new(Code::NotStarted, message)
    }

    /// Creates a failure for a missing store.
    pub(super) fn no_store(folder: &Path) -> Self {
        Self::failed(format!("there is no store in `{}`", folder.display()))
            .help("make one with `cargo omni sync <package>`, or name its folder with `--store`")
    }

    /// Creates a failure for Ctrl-C.
    pub(super) fn interrupted() -> Self {
        Self::new(Code::Interrupted, "interrupted")
    }

    /// Adds how to fix it.
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
