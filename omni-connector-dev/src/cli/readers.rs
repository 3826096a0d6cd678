//! The readers of files within this program, which starts itself to read one. Built without them, it leaves it to the manager
//! to find the program `omni-readers`.

use std::ffi::OsString;

/// The first argument of a start that reads a file.
#[cfg(feature = "extract")]
const READ: &str = "read-a-file";

/// The job of a start that reads a file; none of any other start.
#[cfg(feature = "extract")]
pub(super) fn job(arguments: impl IntoIterator<Item = OsString>) -> Option<String> {
    let mut arguments = arguments.into_iter().skip(1);
    let is_reader = arguments.next().is_some_and(|argument| argument == READ);
    is_reader.then(|| arguments.next()?.into_string().ok())?
}

/// The command that reads files, where this program can.
#[cfg(feature = "extract")]
pub(super) fn command() -> Vec<OsString> {
    let this = std::env::current_exe().ok();
    this.map(|path| vec![path.into(), READ.into()])
        .unwrap_or_default()
}

/// None: the manager looks for a program.
#[cfg(not(feature = "extract"))]
pub(super) fn command() -> Vec<OsString> {
    Vec::new()
}
