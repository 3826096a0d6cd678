//! The file readers within this program, which starts itself to read a file. Without them, the manager looks for the
//! program `omni-readers`.

use std::ffi::OsString;

/// The first argument for reading a file.
#[cfg(feature = "extract")]
const READ: &str = "read-a-file";

/// Returns the job if the arguments request reading a file.
#[cfg(feature = "extract")]
pub(super) fn job(arguments: impl IntoIterator<Item = OsString>) -> Option<String> {
    let mut arguments = arguments.into_iter().skip(1);
    let is_reader = arguments.next().is_some_and(|argument| argument == READ);
    is_reader.then(|| arguments.next()?.into_string().ok())?
}

/// Returns the command that reads files.
#[cfg(feature = "extract")]
pub(super) fn command() -> Vec<OsString> {
    let this = std::env::current_exe().ok();
    this.map(|path| vec![path.into(), READ.into()])
        .unwrap_or_default()
}

/// Returns none, so that the manager looks for a program.
#[cfg(not(feature = "extract"))]
pub(super) fn command() -> Vec<OsString> {
    Vec::new()
}
