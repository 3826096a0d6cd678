//! `cargo omni check`: what Omni, the tests and a real source say of a connector, before it is handed in.

mod contract;
mod drift;
mod live;
mod suite;

use std::{fmt, path::PathBuf};

use clap::Args;
use console::style;
use serde::Serialize;

use super::{
    Code, Failure, Interrupts, Output,
    output::printable_lines,
    package::{self, Profile},
    settings::SourceArguments,
};
use crate::tape::Tape;

/// Check a connector before it is handed in
#[derive(Debug, Args)]
#[command(after_help = "\
Without an option it looks at the contract and runs the tests of the package.

Exit codes: 0, 1 when something fails, 3 when the connector is not built, does not start or does not register.

Examples:
  cargo omni check acme
  cargo omni check acme --no-tests
  cargo omni check acme --live --config source.json --credentials login.json --tape tests/tapes/full.tape")]
pub(super) struct Arguments {
    /// Package of the workspace, by its name or the end of it, or its folder
    #[arg(default_value = ".")]
    package: String,
    /// Leave out the tests of the package: it is built and started, and its manifest is looked at
    #[arg(long)]
    no_tests: bool,
    /// Read a real source twice as well, into memory; nothing is changed in it, nor in a store
    #[arg(long)]
    live: bool,
    /// Say how old this tape is, and where the source of the tests answers otherwise; with `--live`, also name the fields that the
    /// real source has changed since then
    #[arg(long, value_name = "FILE")]
    tape: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArguments,
}

/// What is found about one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Line {
    depth: Depth,
    rule: String,
    verdict: Verdict,
    /// Where it is, or empty for the whole connector.
    place: String,
    message: String,
    help: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Depth {
    Contract,
    Tests,
    Live,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Warn,
    Fail,
    LeftOut,
}

impl Line {
    fn new(
        depth: Depth,
        rule: impl Into<String>,
        verdict: Verdict,
        message: impl Into<String>,
    ) -> Self {
        Self {
            depth,
            rule: rule.into(),
            verdict,
            place: String::new(),
            message: message.into(),
            help: None,
        }
    }

    fn at(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Everything that was found.
#[derive(Debug, Serialize)]
struct Checked {
    package: String,
    lines: Vec<Line>,
    ok: usize,
    warnings: usize,
    failed: usize,
    left_out: usize,
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let Arguments {
        package,
        no_tests,
        live,
        tape,
        source,
    } = arguments;
    if !live && (source.has_settings() || source.has_secret()) {
        let failure = Failure::usage("settings and credentials are for `--live`");
        return Err(failure.help("add `--live` to read the source, or leave them out"));
    }
    // A mistake in the settings is reported before anything is built.
    let config = source.config()?;
    let secret = source.secret()?;
    let path = tape.clone();
    let tape = tape.map(Tape::read).transpose();
    let tape = tape.map_err(|error| Failure::usage(error.to_string()))?;
    let package = package::find(&package).await?;
    let folder = package.folder().display().to_string();
    let program = package::build(&folder, Profile::Dev, interrupts).await?;
    let mut lines = contract::look(&package, &program, interrupts).await?;
    if !no_tests {
        lines.extend(suite::look(&package, path.as_deref(), interrupts).await?);
    }
    lines.extend(tape.as_ref().map(drift::age));
    if live {
        let asked = live::Asked {
            config,
            secret,
            source_type: source.source_type,
            tape,
        };
        lines.extend(live::look(&program, asked, interrupts).await?);
    }
    let count = |verdict| lines.iter().filter(|line| line.verdict == verdict).count();
    let checked = Checked {
        package: package.name,
        ok: count(Verdict::Ok),
        warnings: count(Verdict::Warn),
        failed: count(Verdict::Fail),
        left_out: count(Verdict::LeftOut),
        lines,
    };
    output.result(&checked, &checked);
    Ok(if checked.failed == 0 {
        Code::Done
    } else {
        Code::Failed
    })
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Ok => style("ok").green(),
            Self::Warn => style("warn").yellow().bold(),
            Self::Fail => style("fail").red().bold(),
            Self::LeftOut => style("left out").dim(),
        };
        write!(f, "{name:<9}")
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut depth = None;
        for line in &self.lines {
            if depth != Some(line.depth) {
                depth = Some(line.depth);
                writeln!(f, "{}", line.depth)?;
            }
            let place = match line.place.as_str() {
                "" => String::new(),
                place => format!("{place}: "),
            };
            let text = printable_lines(&format!("{place}{}", line.message));
            let text = text.replace('\n', "\n                            ");
            writeln!(f, "  {} {:<15} {text}", line.verdict, line.rule)?;
            if let Some(help) = &line.help {
                writeln!(f, "  {:<9} {:<15} help: {}", "", "", printable_lines(help))?;
            }
        }
        let Self {
            package,
            ok,
            warnings,
            failed,
            left_out,
            ..
        } = self;
        writeln!(
            f,
            "{package}: {ok} ok, {warnings} warnings, {failed} failed, {left_out} left out"
        )
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contract => "contract",
            Self::Tests => "tests",
            Self::Live => "live",
        })
    }
}
