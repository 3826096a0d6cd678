//! `cargo omni sync`: one run of a connector into the store.

use std::time::Instant;

use clap::Args;
use omni_connector::SyncType;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Code, Failure, Interrupts, Output, StoreFolder,
    output::note,
    progress::{Bar, Watcher},
    session::Session,
    settings::SourceArguments,
    summary::{End, Summary},
    target::ConnectorArguments,
};
use crate::{
    manager::Manager,
    rules::Progress,
    runs::TriggerError,
    store::{
        StoreError,
        runs::{self, Run, RunStatus, SlotClass},
        sources::SourceRecord,
    },
};

/// How many events that could not be applied a summary names.
const NAMED_REFUSALS: usize = 20;

/// Run a connector once: fully the first time, then for what has changed
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo omni sync filesystem --set base_path=./docs
  cargo omni sync --set url=https://wiki.example.com -- node dist/main.js")]
pub(super) struct Arguments {
    /// Package of the workspace, by its name or the end of it, or its folder
    package: Option<String>,
    #[command(flatten)]
    source: SourceArguments,
    /// Start over, although a run was completed before
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    connector: ConnectorArguments,
    #[command(flatten)]
    store: StoreFolder,
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    // A mistake in the settings is told before anything is built.
    arguments.source.config()?;
    let mut session = Session::start(
        &arguments.connector,
        arguments.package.as_deref(),
        &arguments.store.folder,
        interrupts,
    )
    .await?;
    let done = sync(&mut session, &arguments, *output, interrupts).await;
    let stopped = session.stop(interrupts).await;
    let summary = done?;
    stopped?;
    output.result(&summary, &summary);
    Ok(summary.code())
}

async fn sync(
    session: &mut Session,
    arguments: &Arguments,
    output: Output,
    interrupts: &Interrupts,
) -> Result<Summary, Failure> {
    let source = session.source(&arguments.source).await?;
    let started = Instant::now();
    let begun = begin(session, &source, arguments.full).await?;
    let run = match begun {
        Begun::Refused(run) => run,
        Begun::Running(run, why) => {
            note(format!("{} run of `{}`: {why}", run.sync_type, source.name));
            run
        }
    };
    let ended = watch(session, &run, output, interrupts).await?;

    let refused = session
        .manager
        .refused_events(&run.id, NAMED_REFUSALS)
        .await?;
    Ok(Summary::new(
        &session.manifest,
        &source,
        ended,
        refused,
        started.elapsed(),
        &arguments.store.folder,
    ))
}

/// How a run began.
enum Begun {
    /// With the reason for its mode.
    Running(Run, String),
    /// The connector did not take it, and its error says why.
    Refused(Run),
}

/// Goes on with a run that was interrupted, or starts one.
async fn begin(session: &Session, source: &SourceRecord, full: bool) -> Result<Begun, Failure> {
    let manager = &session.manager;
    if let Some(run) = interrupted(session, source).await? {
        if !full && manager.resume(&run).await.is_ok() {
            return Ok(Begun::Running(
                run,
                "going on where it was interrupted".to_owned(),
            ));
        }
        let id = run.id.clone();
        let store = manager.store();
        store
            .write(move |db| runs::cancel(db, &id, "Interrupted"))
            .await?;
    }

    let id = source.id.clone();
    let completed = manager
        .store()
        .read(move |db| runs::latest_completion(db, &id))
        .await?;
    let is_incremental = session.manifest.sync_modes.contains(&SyncType::Incremental);
    let (mode, why) = match completed {
        _ if full => (SyncType::Full, "as asked".to_owned()),
        None => (SyncType::Full, "nothing was completed before".to_owned()),
        Some(_) if !is_incremental => (
            SyncType::Full,
            "the connector declares no incremental runs".to_owned(),
        ),
        Some(last) => (
            SyncType::Incremental,
            format!("what has changed since {}", to_the_second(last)),
        ),
    };
    match manager.sync(&source.id, mode).await {
        Ok(run) => Ok(Begun::Running(run, why)),
        Err(TriggerError::Store(error)) => Err(error.into()),
        // The run is in the store with what the connector said.
        Err(TriggerError::Connector(_)) => {
            let latest = manager.runs(Some(&source.id), 1).await?;
            let lost = || Failure::failed("the run that was refused is not in the store");
            latest
                .into_iter()
                .next()
                .map(Begun::Refused)
                .ok_or_else(lost)
        }
        Err(error) => Err(Failure::failed(error)),
    }
}

/// A run of the source that an earlier command left behind.
async fn interrupted(session: &Session, source: &SourceRecord) -> Result<Option<Run>, StoreError> {
    let id = source.id.clone();
    let running = session.manager.store().read(runs::running).await?;
    Ok(running
        .into_iter()
        .find(|run| run.source_id == id && run.class() == SlotClass::Scheduled))
}

fn to_the_second(time: OffsetDateTime) -> String {
    let whole = time.replace_nanosecond(0).unwrap_or(time);
    whole.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

/// Waits until the run is over, or will never be.
async fn watch(
    session: &mut Session,
    run: &Run,
    output: Output,
    interrupts: &Interrupts,
) -> Result<End, Failure> {
    let Session {
        manager,
        manifest,
        process,
        http,
        ..
    } = session;
    let bar = Bar::new(output);
    let watcher = Watcher::new(http, &manifest.connector_url, &run.id);
    let earlier_documents = progress(manager, run).await?.effects.documents();
    let died = async {
        match process {
            Some(process) => process.exited().await,
            None => std::future::pending().await,
        }
    };
    let stopped = tokio::select! {
        ended = manager.wait(&run.id, |progress| bar.show(progress)) => {
            ended?;
            watcher.look(&bar).await;
            Stopped::Over
        }
        status = died => Stopped::Broken(format!("ended with {status} in the middle of the run")),
        () = watcher.watch_until_lost(&bar) => {
            Stopped::Broken("does not work on the run any more and has not said how it ended".to_owned())
        }
        () = interrupts.first() => Stopped::Interrupted,
    };

    let is_interrupted = matches!(stopped, Stopped::Interrupted);
    match (stopped, process) {
        (Stopped::Over, _) => {}
        (Stopped::Broken(what), process) => {
            let reason = match process {
                Some(process) if !process.is_running() => process.failure(&what).await.message,
                _ => format!("the connector {what}"),
            };
            let (id, store) = (run.id.clone(), manager.store());
            store.write(move |db| runs::fail(db, &id, &reason)).await?;
        }
        // Its own end lets it hand over what it holds, and leaves the run to be gone on with.
        (Stopped::Interrupted, Some(process)) => {
            bar.stopping("stopping; Ctrl-C once more stops at once");
            tokio::select! {
                () = process.stop(interrupts) => {}
                () = watcher.watch(&bar) => {}
            }
        }
        (Stopped::Interrupted, None) => {
            bar.stopping("cancelling");
            // The run may have ended in this moment, which is as good.
            let _ = manager.cancel(&run.id).await;
        }
    }
    let progress = progress(manager, run).await?;
    Ok(End {
        is_interrupted: is_interrupted && progress.run.status != RunStatus::Completed,
        progress,
        earlier_documents,
        report: watcher.into_report(),
    })
}

/// Why one does not wait for a run any longer.
enum Stopped {
    Over,
    /// With what the connector did.
    Broken(String),
    Interrupted,
}

async fn progress(manager: &Manager, run: &Run) -> Result<Progress, Failure> {
    let progress = manager.progress(&run.id).await?;
    progress.ok_or_else(|| Failure::failed("the run is not in the store any more"))
}
