//! `--record` and `--replay`: a tape of what the connector and its source exchange.

use std::{fs, path::PathBuf};

use clap::Args;
use omni_connector::HttpClient;

use super::{
    failure::Failure,
    output::{note, printable},
};
use crate::tape::Tape;

/// What happens to the requests of the connector.
#[derive(Debug, Args)]
pub(super) struct TapeArguments {
    /// Record what the connector and its source exchange into this file, without secrets; for connectors that use
    /// `omni_connector::http`
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,
    /// Make up the addresses, names and texts on the tape; the same one is always made up in the same way
    #[arg(long, requires = "record")]
    pseudonyms: bool,
    /// Answer the connector's requests from this tape; the source is not asked
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Ignore this parameter when a request is looked up on the tape, such as the current time
    #[arg(long, value_name = "NAME", requires = "replay")]
    volatile: Vec<String>,
}

/// A recording or a replay.
#[derive(Debug)]
pub(super) enum Taping {
    None,
    /// The file, and whether addresses, names and texts are made up.
    Record(PathBuf, bool),
    Replay(PathBuf, Tape),
}

impl TapeArguments {
    /// Reads the tape, before anything is built.
    pub(super) fn taping(&self) -> Result<Taping, Failure> {
        match (&self.record, &self.replay) {
            (Some(path), _) => Ok(Taping::Record(path.clone(), self.pseudonyms)),
            (None, Some(path)) => {
                let tape = Tape::read(path).map_err(|error| Failure::usage(error.to_string()))?;
                Ok(Taping::Replay(
                    path.clone(),
                    tape.volatile(self.volatile.clone()),
                ))
            }
            (None, None) => Ok(Taping::None),
        }
    }
}

impl Taping {
    /// Returns the environment variable of the connector; none without a tape.
    pub(super) fn variable(&self) -> Option<(String, String)> {
        match self {
            Self::None => None,
            Self::Record(_, made_up) => {
                let value = if *made_up { "pseudonyms" } else { "1" };
                Some(("OMNI_HTTP_RECORD".to_owned(), value.to_owned()))
            }
            Self::Replay(_, tape) => Some(("OMNI_HTTP_REPLAY".to_owned(), tape.url())),
        }
    }

    /// Returns the file of the tape that answers in place of the source.
    pub(super) fn replays(&self) -> Option<String> {
        match self {
            Self::Replay(path, _) => Some(path.display().to_string()),
            Self::None | Self::Record(..) => None,
        }
    }

    /// Returns the file of the tape that is recorded.
    pub(super) fn records(&self) -> Option<String> {
        match self {
            Self::Record(path, _) => Some(path.display().to_string()),
            Self::None | Self::Replay(..) => None,
        }
    }

    /// Refuses a connector that runs already, since its requests cannot be changed any more.
    pub(super) fn needs_own_process(&self, running: &str) -> Result<(), Failure> {
        match self {
            Self::None => Ok(()),
            Self::Record(..) | Self::Replay(..) => Err(Failure::usage(format!(
                "{running} runs already, so nothing can be recorded or replayed"
            ))
            .help("end it, or choose another folder with `--store`; name a package or a command")),
        }
    }

    /// Writes the tape of a connector that still runs, or names the requests that were not on the tape.
    pub(super) async fn finish(&self, http: &HttpClient, connector: &str) -> Result<(), Failure> {
        match self {
            Self::None => {}
            Self::Replay(_, tape) => {
                for problem in tape.not_recorded() {
                    note(printable(&problem));
                }
            }
            Self::Record(path, _) => {
                let failed = |why: String| {
                    Failure::failed(format!(
                        "the tape `{}` is not written: {why}",
                        path.display()
                    ))
                };
                let text = recorded(http, connector).await.map_err(failed)?;
                let folder = path
                    .parent()
                    .filter(|folder| !folder.as_os_str().is_empty());
                let written = folder.map_or(Ok(()), fs::create_dir_all);
                let written = written.and_then(|()| fs::write(path, &text));
                written.map_err(|error| failed(error.to_string()))?;
                let exchanges = text.lines().count().saturating_sub(1);
                note(format!(
                    "recorded {exchanges} exchanges into `{}`",
                    path.display()
                ));
            }
        }
        Ok(())
    }
}

/// Returns the tape of a connector that records.
pub(super) async fn recorded(http: &HttpClient, connector: &str) -> Result<String, String> {
    let said = |error: reqwest::Error| error.without_url().to_string();
    let answer = http.get(format!("{connector}/dev/tape")).send().await;
    let answer = answer.map_err(said)?;
    let status = answer.status().as_u16();
    let text = answer.text().await.map_err(said)?;
    match status {
        200 => Ok(text),
        404 => Err("the connector does not use `omni_connector`".to_owned()),
        _ => Err(text),
    }
}
