//! `cargo omni sync`: runs a connector once, into the store.

use std::time::{Duration, Instant};

use clap::Args;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::{sleep, timeout};

use super::{
    Code, Failure, Interrupts, Output, StoreFolder,
    client::Client,
    files::FileNotes,
    output::note,
    progress::{Bar, Watcher},
    session::Session,
    settings::SourceArguments,
    summary::{End, Summary},
    taping::TapeArguments,
    target::ConnectorArguments,
};
use crate::{
    rules::{ManualRun, ModeReason, Only, Progress, StartedRun},
    store::{
        bounds::parse_since,
        runs::{Run, RunStatus},
    },
};

/// The time between two polls of the run.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How long an answer that was sent may be on its way.
const ANSWERED: Duration = Duration::from_secs(1);
/// The number of refused events that a summary names.
const NAMED_REFUSALS: usize = 20;

/// Run a connector once: fully the first time, then for what has changed
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo omni sync filesystem --set base_path=/srv/docs
  cargo omni sync acme --record tests/tapes/full.tape
  cargo omni sync --set url=https://wiki.example.com -- node dist/main.js")]
pub(super) struct Arguments {
    /// Package of the workspace, by its name or the end of it, or its folder [default: the package of this folder]
    package: Option<String>,
    #[command(flatten)]
    source: SourceArguments,
    /// Start over, although a run was completed before
    #[arg(long)]
    full: bool,
    /// Stop the run after this number of documents; its checkpoint is not published
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    first: Option<u64>,
    /// Take only documents whose id, title or address contains this text
    #[arg(long, value_name = "TEXT")]
    matching: Option<String>,
    /// Take only documents that changed in the source since this day or time
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    since: Option<OffsetDateTime>,
    /// End with exit code 4 when the run completed and its last line names something that it lacks: items, the text of a
    /// file or a part of it, deletes, groups, readers
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    tape: TapeArguments,
    #[command(flatten)]
    connector: ConnectorArguments,
    #[command(flatten)]
    store: StoreFolder,
}

impl Arguments {
    fn only(&self) -> Only {
        Only {
            first: self.first,
            matching: self.matching.clone(),
            since: self.since,
        }
    }
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    // Report a mistake in the settings before building.
    arguments.source.config()?;
    let taping = arguments.tape.taping()?;
    let mut session = Session::start(
        &arguments.connector,
        arguments.package.as_deref(),
        &arguments.store.folder,
        taping,
        interrupts,
    )
    .await?;
    let done = sync(&mut session, &arguments, *output, interrupts).await;
    let taped = session.finish_tape().await;
    session.stop(interrupts).await;
    let summary = done?;
    taped?;
    output.result(&summary, &summary);
    if arguments.only() != Only::default() && summary.is_cancelled() {
        // It was stopped as asked.
        return Ok(Code::Done);
    }
    Ok(summary.code(arguments.strict))
}

async fn sync(
    session: &mut Session,
    arguments: &Arguments,
    output: Output,
    interrupts: &Interrupts,
) -> Result<Summary, Failure> {
    let described = session.source(&arguments.source, false).await?;
    let source = described.source;
    let started = Instant::now();
    let request = ManualRun {
        full: arguments.full,
        only: arguments.only(),
    };
    let begun = begin(session, &source.id, &request, interrupts).await;
    let begun = begun.and_then(|begun| match begun.why {
        ModeReason::NotAccepted if interrupts.any() => Err(Failure::interrupted()),
        _ => Ok(begun),
    });
    let StartedRun { run, why } = match begun {
        Ok(begun) => begun,
        Err(failure) => {
            session.client.take_back(&source.id).await?;
            return Err(failure);
        }
    };
    if let Some(why) = reason(&why) {
        note(format!("{} run of `{}`: {why}", run.sync_type, source.name));
    }
    let earlier_documents = match why {
        ModeReason::Resumed { documents } => documents,
        _ => 0,
    };
    let ended = watch(session, &run, earlier_documents, output, interrupts).await?;
    let refused = session.client.refusals(&run.id, NAMED_REFUSALS).await?;
    if matches!(why, ModeReason::NotAccepted) {
        session.client.take_back(&source.id).await?;
    }
    Ok(Summary::new(
        &session.manifest,
        &source,
        ended,
        refused,
        started.elapsed(),
        &arguments.store.folder,
    ))
}

/// Begins the run. Fails when an interrupt comes before it has begun; a run that has begun is returned also then, so
/// that its end can be shown.
async fn begin(
    session: &mut Session,
    source_id: &str,
    request: &ManualRun,
    interrupts: &Interrupts,
) -> Result<StartedRun, Failure> {
    if interrupts.any() {
        return Err(Failure::interrupted());
    }
    let mut begun = std::pin::pin!(session.client.begin(source_id, request));
    // The connector may take long to validate the settings.
    tokio::select! {
        biased;
        begun = &mut begun => return begun,
        () = interrupts.first() => {}
    }
    // A run that has begun is answered at once.
    if let Ok(begun) = timeout(ANSWERED, &mut begun).await {
        return begun;
    }
    let Some(process) = session.process.as_mut() else {
        return Err(Failure::interrupted());
    };
    // The end of the connector is its answer.
    process.stop(interrupts).await;
    let begun = timeout(ANSWERED, begun).await;
    begun.unwrap_or_else(|_| Err(Failure::interrupted()))
}

/// Describes why the run has its mode; none if the connector did not accept it.
fn reason(why: &ModeReason) -> Option<String> {
    Some(match why {
        ModeReason::NotAccepted => return None,
        ModeReason::Resumed { .. } => "going on where it was interrupted".to_owned(),
        ModeReason::Asked => "as asked".to_owned(),
        ModeReason::First => "nothing was completed before".to_owned(),
        ModeReason::OtherSettings => "the settings are others than before".to_owned(),
        ModeReason::NoIncremental => "the connector declares no incremental runs".to_owned(),
        ModeReason::Since(last) => format!("what has changed since {}", to_the_second(*last)),
    })
}

fn to_the_second(time: OffsetDateTime) -> String {
    let whole = time.replace_nanosecond(0).unwrap_or(time);
    whole.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

/// Waits until the run is over, and shows its progress.
async fn wait_for_end(client: &Client, run: &Run, bar: &Bar) -> Result<(), Failure> {
    loop {
        let progress = client.progress(&run.id).await?;
        bar.show(&progress);
        if !progress.run.is_running() {
            return Ok(());
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// Waits until the run is over or lost.
async fn watch(
    session: &mut Session,
    run: &Run,
    earlier_documents: u64,
    output: Output,
    interrupts: &Interrupts,
) -> Result<End, Failure> {
    let is_shared = session.is_shared();
    let Session {
        client,
        manifest,
        process,
        http,
        ..
    } = session;
    let bar = Bar::new(output);
    let watcher = Watcher::new(client, &run.id, http, &manifest.connector_url);
    let died = async {
        match process {
            Some(process) => process.exited().await,
            None => std::future::pending().await,
        }
    };
    let stopped = tokio::select! {
        biased;
        () = interrupts.first() => Stopped::Interrupted,
        ended = wait_for_end(client, run, &bar) => {
            ended?;
            Stopped::Over
        }
        status = died => Stopped::Broken(format!("ended with {status} in the middle of the run")),
        // `cargo omni dev` resumes what its process lost.
        () = watcher.watch_until_lost(&bar), if !is_shared => {
            Stopped::Broken("does not work on the run any more and has not said how it ended".to_owned())
        }
    };

    let is_interrupted = matches!(stopped, Stopped::Interrupted);
    match (stopped, process.as_mut()) {
        (Stopped::Over, _) => {}
        (Stopped::Broken(what), process) => {
            let reason = match process {
                Some(process) if !process.is_running() => process.failure(&what).await.message,
                _ => format!("the connector {what}"),
            };
            client.give_up(&run.id, &reason).await?;
        }
        // Stopping the process lets it flush, and leaves the run resumable.
        (Stopped::Interrupted, Some(process)) => {
            bar.stopping("stopping; Ctrl-C once more stops at once");
            // What failed so far is gone with the process.
            let _ = timeout(ANSWERED, watcher.look(&bar)).await;
            tokio::select! {
                () = process.stop(interrupts) => {}
                () = watcher.watch(&bar) => {}
            }
        }
        (Stopped::Interrupted, None) => {
            bar.stopping("cancelling");
            client.cancel(&run.id).await;
        }
    }
    let progress: Progress = client.progress(&run.id).await?;
    Ok(End {
        textless: client.textless(&run.id, NAMED_REFUSALS).await?,
        files: FileNotes(client.file_notes(&run.id).await?),
        warnings: process
            .as_ref()
            .map(|process| (process.warnings(), process.log().to_owned())),
        is_interrupted: is_interrupted && progress.run.status != RunStatus::Completed,
        progress,
        earlier_documents,
        report: client.keep(&run.id).await?,
    })
}

/// Why waiting for a run ended.
enum Stopped {
    Over,
    /// Broken off, with what the connector did.
    Broken(String),
    Interrupted,
}
