//! `cargo omni checkpoint`: the checkpoint of a source, those that its runs have saved, and how to change it.

use std::{
    fmt, fs,
    io::Read,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use console::style;
use indicatif::{DecimalBytes, HumanCount};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Code, Failure, Interrupts, Output,
    output::printable,
    page::{Page, Place, Use, part, with_page},
    runs::found,
};

/// Show, compare, rewind or write the checkpoint of a source
#[derive(Debug, Args)]
#[command(after_help = "\
The next run goes on from the checkpoint of the source. Each run's saved checkpoints have a number.

  cargo omni checkpoint
  cargo omni checkpoint diff
  cargo omni checkpoint rewind 17
  cargo omni checkpoint set state.json")]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the checkpoint, which is done without a subcommand, too
    Show,
    /// List the checkpoints that a run has saved, each with what differs from the one before
    Diff {
        /// Id of the run; the latest unless it is given
        run: Option<String>,
    },
    /// Write the checkpoint
    Set {
        /// File with its JSON; `-` reads standard input
        file: PathBuf,
    },
    /// Make a saved checkpoint the one of the source
    Rewind {
        /// Its number
        number: u64,
        /// Start a run from it at once; needs a connector that `cargo omni dev` runs
        #[arg(long)]
        now: bool,
    },
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let Arguments { what, place } = arguments;
    let what = what.unwrap_or(What::Show);
    let kind = match what {
        What::Show | What::Diff { .. } => Use::Read,
        What::Set { .. } | What::Rewind { .. } => Use::Change,
    };
    with_page(&place, kind, interrupts, async |page| {
        act(page, what, *output).await?;
        Ok(Code::Done)
    })
    .await
}

async fn act(page: &Page<'_>, what: What, output: Output) -> Result<(), Failure> {
    match what {
        What::Show => {
            let sync = page.pane("sync", &[]).await?;
            let checkpoint = &sync["checkpoint"];
            output.result(checkpoint, format!("{checkpoint:#}\n"));
        }
        What::Diff { run } => {
            let sync = page.pane("sync", &[("run", run.as_deref())]).await?;
            let run = run.as_deref().unwrap_or("latest");
            let shown: Value = found(&sync["run"], run)?;
            let saved: Vec<Saved> = part(&shown["checkpoints"])?;
            output.result(&shown["checkpoints"], List(&saved));
        }
        What::Set { file } => {
            let text = read(&file)?;
            let done = page
                .send("sync/checkpoint", &[("checkpoint", &text)])
                .await?;
            output.result(&json!({ "done": done }), format!("{done}\n"));
        }
        What::Rewind { number, now } => {
            let number = number.to_string();
            let now = if now { "1" } else { "" };
            let fields = [("saved", number.as_str()), ("now", now)];
            let answer = page.submit("sync/rewind", &fields).await?;
            let done = answer["done"].as_str().unwrap_or_default().to_owned();
            output.result(&answer, format!("{done}\n"));
        }
    }
    Ok(())
}

/// Reads a file, or standard input for `-`.
pub(super) fn read(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        fs::read_to_string(file).map(|read| text = read)
    };
    read.map_err(|error| Failure::usage(format!("`{}` cannot be read: {error}", file.display())))?;
    Ok(text)
}

/// A checkpoint that a run has saved.
#[derive(Deserialize)]
struct Saved {
    id: i64,
    documents: u64,
    size: u64,
    changes: Vec<Change>,
}

/// A path with its two values.
#[derive(Deserialize)]
pub(super) struct Change {
    place: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| {
            let text = value.as_ref().map_or("none".to_owned(), Value::to_string);
            printable(&text.chars().take(80).collect::<String>())
        };
        let (before, after) = (shown(&self.before), shown(&self.after));
        writeln!(f, "    {}  {before} → {after}", printable(&self.place))
    }
}

struct List<'a>(&'a [Saved]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for saved in self.0 {
            writeln!(
                f,
                "{}  after {} documents, {}",
                style(saved.id).bold(),
                HumanCount(saved.documents),
                DecimalBytes(saved.size)
            )?;
            for change in &saved.changes {
                change.fmt(f)?;
            }
        }
        if self.0.is_empty() {
            writeln!(
                f,
                "the run saved no checkpoint, or they are older than the last 200"
            )?;
        }
        Ok(())
    }
}
