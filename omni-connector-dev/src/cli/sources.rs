//! `cargo omni sources`: lists, shows, changes and removes the sources of a store.

use std::fmt;

use clap::{Args, Subcommand};
use console::style;
use indicatif::HumanCount;
use serde_json::{Map, Value, json};

use super::{
    Code, Failure, Interrupts, Output, StoreFolder,
    client::Client,
    output::printable,
    running_manager::RunningManager,
    session::{lock, start_manager},
    settings::{self, SourceArguments},
};
use crate::{
    rules::{Changes, Listed, Secret},
    store::Store,
};

/// List the sources of a store, show, change or remove one
#[derive(Debug, Args)]
#[command(after_help = "\
A source is known by its name. It keeps its documents when its settings change; the next run is a full one.

  cargo omni sources
  cargo omni sources change acme --set api_url=https://tracker.example.com
  cargo omni sources remove acme")]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    store: StoreFolder,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List all sources; the default without a subcommand
    List,
    /// Show one source with its settings and its last run
    Show {
        /// Its name or id
        source: String,
    },
    /// Change settings, name or secret of a source
    Change {
        /// Its name or id
        source: String,
        /// Another name
        #[arg(long, value_name = "NAME", value_parser = settings::read_name)]
        rename: Option<String>,
        /// A setting to remove; a dotted key reaches into a group
        #[arg(long, value_name = "KEY")]
        unset: Vec<String>,
        /// Forget the secret; the source itself may still accept it
        #[arg(long, conflicts_with = "credentials")]
        sign_out: bool,
        #[command(flatten)]
        settings: SourceArguments,
    },
    /// Remove a source and all its documents
    Remove {
        /// Its name or id
        source: String,
    },
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let folder = &arguments.store.folder;
    if !Store::is_in(folder) {
        return Err(Failure::no_store(folder));
    }
    let what = arguments.what.unwrap_or(What::List);
    if let Some(running) = RunningManager::find(folder, interrupts).await? {
        let client = running.client()?;
        return tokio::select! {
            done = act(&client, what, *output) => done.map(|()| Code::Done),
            () = interrupts.first() => Err(Failure::interrupted()),
        };
    }
    // Reading needs no lock, so it works while another command syncs.
    let _lock = match what {
        What::List | What::Show { .. } => None,
        What::Change { .. } | What::Remove { .. } => Some(lock(folder)?),
    };
    let manager = start_manager(folder, 0, None, interrupts).await?;
    let client = Client::new(manager.url())?;
    let done = tokio::select! {
        done = act(&client, what, *output) => done,
        () = interrupts.first() => Err(Failure::interrupted()),
    };
    manager.shutdown().await;
    done.map(|()| Code::Done)
}

async fn act(client: &Client, what: What, output: Output) -> Result<(), Failure> {
    match what {
        What::List => {
            let sources = client.sources().await?;
            output.result(&sources, List(&sources));
        }
        What::Show { source } => {
            let source = client.source(&source).await?;
            output.result(&source, Shown(&source));
        }
        What::Change {
            source,
            rename,
            unset,
            sign_out,
            settings,
        } => {
            let known = client.source(&source).await?.source;
            let stored = client.settings(&known.id).await?;
            let changes = Changes {
                name: rename,
                config: settings.changed(&stored, &unset)?,
                secret: if sign_out {
                    Some(Secret::none())
                } else {
                    settings.secret()?
                },
            };
            if changes.name.is_none() && changes.config.is_none() && changes.secret.is_none() {
                return Err(Failure::usage("nothing is changed").help(
                    "give `--set KEY=VALUE`, `--unset KEY`, `--config FILE`, `--credentials FILE`, `--sign-out` or `--rename NAME`",
                ));
            }
            let source = client.change(&known.id, &changes).await?;
            let listed = client.source(&source.id).await?;
            output.result(&listed, Shown(&listed));
        }
        What::Remove { source } => {
            let known = client.source(&source).await?;
            client.remove(&known.source.id).await?;
            let Listed {
                source, documents, ..
            } = known;
            let name = printable(&source.name);
            output.result(
                &json!({ "removed": source.id, "name": source.name, "documents": documents }),
                format!(
                    "removed `{name}` with {} documents\n",
                    HumanCount(documents)
                ),
            );
        }
    }
    Ok(())
}

impl SourceArguments {
    /// Returns the settings after a change: `--config` replaces all, `--set` overrides single ones, `unset` removes
    /// some. None if no change is requested.
    fn changed(&self, before: &Value, unset: &[String]) -> Result<Option<Value>, Failure> {
        if !self.has_settings() && unset.is_empty() {
            return Ok(None);
        }
        let mut config = self.config_over(before)?;
        for key in unset {
            if settings::remove(&mut config, key).is_none() {
                return Err(Failure::usage(format!("there is no setting `{key}`")));
            }
        }
        Ok(Some(config))
    }
}

struct List<'a>(&'a [Listed]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for listed in self.0 {
            let source = &listed.source;
            writeln!(
                f,
                "{}  {}  {} documents  {}",
                style(printable(&source.name)).bold(),
                source.source_type,
                HumanCount(listed.documents),
                style(last_run(listed)).dim()
            )?;
        }
        if self.0.is_empty() {
            writeln!(f, "no sources; `cargo omni sync` makes one")?;
        }
        Ok(())
    }
}

fn last_run(listed: &Listed) -> String {
    match &listed.last_run {
        None => "never synced".to_owned(),
        Some(run) => {
            let status = json!(run.status);
            let status = status.as_str().unwrap_or_default();
            format!("last run {status} {}", run.started_at.date())
        }
    }
}

struct Shown<'a>(&'a Listed);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(listed) = self;
        let source = &listed.source;
        writeln!(f, "{}", style(printable(&source.name)).bold())?;
        writeln!(f, "  id          {}", source.id)?;
        writeln!(f, "  type        {}", source.source_type)?;
        writeln!(f, "  documents   {}", HumanCount(listed.documents))?;
        let credential = if listed.has_credential {
            "kept"
        } else {
            "none"
        };
        writeln!(f, "  credential  {credential}")?;
        writeln!(f, "  runs        {}", last_run(listed))?;
        let nothing = Map::new();
        let settings = source.config.as_object().unwrap_or(&nothing);
        if !settings.is_empty() {
            writeln!(f, "  settings")?;
        }
        for (key, value) in settings {
            let value = match value {
                Value::String(text) => printable(text),
                other => printable(&other.to_string()),
            };
            writeln!(f, "    {} = {value}", printable(key))?;
        }
        if let Some(error) = listed
            .last_run
            .as_ref()
            .and_then(|run| run.error_message.as_ref())
        {
            writeln!(f, "  error\n    {}", printable(error))?;
        }
        Ok(())
    }
}
