//! Runs the tests of a package, and counts them.

use std::{fmt, path::Path, process::Stdio, time::Instant};

use serde::Serialize;

use crate::cli::{
    Failure,
    output::note_as_is,
    package::{cargo, no_cargo},
};

/// What the tests of a package say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tests {
    pub(super) passed: usize,
    pub(super) failed: usize,
    seconds: f64,
}

impl fmt::Display for Tests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            seconds,
        } = self;
        match failed {
            0 => write!(f, "it builds, and {passed} tests pass, in {seconds:.0} s"),
            _ => write!(f, "{failed} of {} tests fail", passed + failed),
        }
    }
}

/// Builds and runs the tests of the package in a folder. What they print is shown when one fails.
pub(super) async fn run(folder: &Path) -> Result<Tests, Failure> {
    let started = Instant::now();
    let done = cargo()
        .args(["test", "--quiet", "--no-fail-fast", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(no_cargo)?;
    let shown = String::from_utf8_lossy(&done.stdout);
    let (passed, failed) = counted(&shown);
    if !done.status.success() {
        note_as_is(shown.trim());
        note_as_is(String::from_utf8_lossy(&done.stderr).trim());
    }
    if !done.status.success() && failed == 0 {
        return Err(Failure::not_started("the new package does not build").help(
            "its files stay; what cargo says is above, and `--lib` names another omni-connector",
        ));
    }
    Ok(Tests {
        passed,
        failed,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Passed and failed tests, from the lines `test result: ok. 16 passed; 0 failed; …`.
fn counted(shown: &str) -> (usize, usize) {
    let number = |line: &str, what: &str| {
        let before = line.split(what).next()?;
        before.split_whitespace().last()?.parse::<usize>().ok()
    };
    let results = shown
        .lines()
        .filter(|line| line.starts_with("test result: "));
    results.fold((0, 0), |(passed, failed), line| {
        (
            passed + number(line, " passed;").unwrap_or(0),
            failed + number(line, " failed;").unwrap_or(0),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_of_all_programs_of_a_package_are_counted() {
        let shown = "\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\n\
            test result: FAILED. 14 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 3 s\n";
        assert_eq!(counted(shown), (14, 2));
    }
}
