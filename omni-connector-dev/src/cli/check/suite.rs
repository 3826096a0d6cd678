//! The tests of a package: its conformance checks one by one, and the others together.

use std::{path::Path, process::Stdio};

use super::{Depth, Line, Verdict};
use crate::cli::{
    Failure, Interrupts,
    package::{Package, cargo, no_cargo},
};

/// Builds and runs the tests. They compare their source with the tape.
pub(super) async fn look(
    package: &Package,
    tape: Option<&Path>,
    interrupts: &Interrupts,
) -> Result<Vec<Line>, Failure> {
    let mut command = cargo();
    if let Some(tape) = tape {
        // The tests run in the folder of the package.
        let whole = std::path::absolute(tape).map_err(Failure::usage)?;
        command.env("OMNI_TEST_TAPE", whole);
    }
    let running = command
        .args(["test", "--no-fail-fast", "--manifest-path"])
        .arg(&package.manifest_path)
        .args(["--", "--show-output"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    let done = tokio::select! {
        done = running => done.map_err(no_cargo)?,
        () = interrupts.first() => return Err(Failure::interrupted()),
    };
    let shown = String::from_utf8_lossy(&done.stdout);
    let tests = read(&shown);
    if tests.is_empty() && !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        let said: Vec<_> = said.lines().rev().take(20).collect();
        let said: Vec<_> = said.into_iter().rev().collect();
        return Ok(vec![
            Line::new(Depth::Tests, "tests", Verdict::Fail, said.join("\n")).help(format!(
                "the tests do not build; see `cargo test -p {}`",
                package.name
            )),
        ]);
    }
    Ok(lines(&tests, &package.name))
}

/// One test, with what it printed.
#[derive(Debug, PartialEq, Eq)]
struct Test<'a> {
    name: &'a str,
    is_passed: bool,
    printed: String,
}

/// Reads what the programs of tests print, with `--show-output`.
fn read(shown: &str) -> Vec<Test<'_>> {
    let mut tests: Vec<Test<'_>> = Vec::new();
    let mut of: Option<usize> = None;
    let mut first_of_program = 0;
    for line in shown.lines() {
        let section = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"));
        if let Some(name) = section {
            let known = tests[first_of_program..].iter();
            of = known
                .clone()
                .position(|test| test.name == name)
                .map(|index| index + first_of_program);
        } else if line.starts_with("running ") && line.ends_with(['t', 's']) && of.is_none() {
            first_of_program = tests.len();
        } else if ["successes:", "failures:"].contains(&line) || line.starts_with("test result: ") {
            of = None;
        } else if let Some(of) = of {
            tests[of].printed.push_str(line);
            tests[of].printed.push('\n');
        } else if let Some(rest) = line.strip_prefix("test ")
            && let Some((name, outcome)) = rest.rsplit_once(" ... ")
            && ["ok", "FAILED"].contains(&outcome)
        {
            tests.push(Test {
                name,
                is_passed: outcome == "ok",
                printed: String::new(),
            });
        }
    }
    tests
}

fn lines(tests: &[Test<'_>], package: &str) -> Vec<Line> {
    let line = |rule: &str, verdict, message: &str| Line::new(Depth::Tests, rule, verdict, message);
    let mut lines = Vec::new();
    let (mut others, mut failed) = (0, Vec::new());
    for test in tests {
        // Such as `resume … ok: 60 boundaries`, `deletes … left out: it never deletes` or `resume … FAILED: …`.
        let beginning = format!("{} … ", test.name);
        let said = test
            .printed
            .split_once(&beginning)
            .map(|(_, said)| said.trim());
        match said {
            Some(said) if said.starts_with("FAILED: ") => {
                let said = said.trim_start_matches("FAILED: ");
                let said = said.split("\nnote: run with").next().unwrap_or(said);
                let (what, help) = match said.split_once("\nhelp: ") {
                    Some((what, help)) => (what, help.to_owned()),
                    None => match said.split_once("\nrepeat: ") {
                        Some((what, repeat)) => (what, format!("repeat: {repeat}")),
                        None => (
                            said,
                            format!("repeat: cargo test -p {package} {}", test.name),
                        ),
                    },
                };
                lines.push(line(test.name, Verdict::Fail, what.trim()).help(help));
            }
            Some(said) => match said.split_once("left out: ") {
                Some(("", reason)) => lines.push(line(test.name, Verdict::LeftOut, reason)),
                _ => lines.push(line(
                    test.name,
                    Verdict::Ok,
                    said.trim_start_matches("ok: "),
                )),
            },
            None if test.is_passed => others += 1,
            None => failed.push(test),
        }
    }
    if lines.is_empty() {
        let help = "write `tests/conformance.rs`, as in \"Test your connector\" of the README of omni-connector";
        lines.push(
            line(
                "conformance",
                Verdict::Warn,
                "the package has no conformance tests",
            )
            .help(help),
        );
    }
    for test in &failed {
        let help = format!("see `cargo test -p {package} {}`", test.name);
        lines.push(
            line("tests", Verdict::Fail, test.printed.trim())
                .at(format!("`{}`", test.name))
                .help(help),
        );
    }
    if others > 0 {
        let message = format!("{others} other tests pass");
        lines.push(line("tests", Verdict::Ok, &message));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "
running 4 tests
test idle ... ok
test deletes ... ok
test resume ... FAILED
test adds ... FAILED

successes:

---- deletes stdout ----
deletes … left out: it never deletes

---- idle stdout ----
idle … ok: a second run changes nothing


successes:
    deletes
    idle

failures:

---- resume stdout ----

thread 'resume' panicked at src/lib.rs:1:2:
resume … FAILED: a process that was killed lost something
  killed      after page 3
help: save less
repeat: cargo test -p acme resume
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

---- adds stdout ----
1 is not 2


failures:
    adds
    resume

test result: FAILED. 2 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

running 1 test
test other ... ok

successes:

successes:
    other

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    #[test]
    fn each_conformance_check_is_a_line_and_the_other_tests_are_one() {
        let lines = lines(&read(SHOWN), "acme");
        let found: Vec<_> = lines
            .iter()
            .map(|line| (line.rule.as_str(), line.verdict, line.message.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("idle", Verdict::Ok, "a second run changes nothing"),
                ("deletes", Verdict::LeftOut, "it never deletes"),
                (
                    "resume",
                    Verdict::Fail,
                    "a process that was killed lost something\n  killed      after page 3"
                ),
                ("tests", Verdict::Fail, "1 is not 2"),
                ("tests", Verdict::Ok, "1 other tests pass"),
            ]
        );
        assert_eq!(
            lines[2].help.as_deref(),
            Some("save less\nrepeat: cargo test -p acme resume")
        );
    }

    #[test]
    fn a_package_without_conformance_tests_is_told_how_to_have_them() {
        let lines = lines(&read("running 0 tests\n"), "acme");
        assert_eq!(lines[0].verdict, Verdict::Warn);
        assert!(
            lines[0]
                .help
                .as_ref()
                .unwrap()
                .contains("tests/conformance.rs")
        );
    }
}
