//! Manual runs: chooses the mode, or resumes an interrupted run.

use omni_connector::SyncType;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::Refusal;
use crate::{
    lookup,
    runs::{self, TriggerError},
    shared::Shared,
    store::{
        StoreError,
        bounds::Bound,
        history,
        runs::{self as rows, Run, SlotClass, TriggerType},
        sources::SourceRecord,
    },
};

/// A person's request for a run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ManualRun {
    /// Start over with a full run.
    pub(crate) full: bool,
    /// Which documents to take. A run of which something is left out publishes nothing.
    #[serde(default)]
    pub(crate) only: Only,
}

/// Some of the documents of a run; all of them if nothing is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Only {
    /// The first documents.
    pub(crate) first: Option<u64>,
    /// Those whose id, title or address contains this text.
    pub(crate) matching: Option<String>,
    /// Those that changed in the source at this time or later.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(crate) since: Option<OffsetDateTime>,
}

impl Only {
    /// Returns the bound of the run, unless it takes all documents.
    pub(crate) fn bound(&self) -> Option<Bound> {
        let Self {
            first,
            matching,
            since,
        } = self.clone();
        (*self != Self::default()).then_some(Bound {
            first,
            matching,
            since,
            ..Bound::default()
        })
    }
}

/// A started run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartedRun {
    pub(crate) run: Run,
    pub(crate) why: ModeReason,
}

/// The reason for a run's mode, or that the run did not begin.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ModeReason {
    /// An interrupted run is resumed.
    Resumed {
        /// The number of documents that it had sent before.
        documents: u64,
    },
    /// A full run was requested.
    Asked,
    /// No run has completed yet.
    First,
    /// The settings differ from those of the last full run.
    OtherSettings,
    /// The connector declares no incremental runs.
    NoIncremental,
    /// Only changes since the last completed run.
    Since(#[serde(with = "omni_connector::wire::timestamp::extended")] OffsetDateTime),
    /// The connector did not accept the run, or did not answer. The error of the run says why.
    NotAccepted,
}

/// A run and the settings with which it began. They are unknown for a run of an earlier version.
struct WithSettings {
    run: Run,
    settings: Option<Value>,
}

impl WithSettings {
    fn read(db: &Connection, run: Run) -> Result<Self, StoreError> {
        let settings = history::settings_of(db, &run.id)?;
        Ok(Self { run, settings })
    }

    /// Returns whether the source has other settings now.
    fn differ_from(&self, source: &SourceRecord) -> bool {
        let settings = self.settings.as_ref();
        settings.is_some_and(|settings| *settings != source.config)
    }
}

/// Resumes the source's interrupted run, or starts a new one.
pub(crate) async fn sync_manually(
    shared: &Shared,
    source_id: &str,
    request: ManualRun,
) -> Result<StartedRun, Refusal> {
    let source = lookup::source(shared, source_id)
        .await?
        .ok_or_else(|| Refusal::source_not_found(source_id))?;
    let id = source.id.clone();
    let (interrupted, completed, full) = shared
        .store
        .read(move |db| {
            let mut running = rows::running(db)?.into_iter();
            let interrupted = running
                .find(|run| run.source_id == id && run.class() == SlotClass::Scheduled)
                .map(|run| WithSettings::read(db, run));
            let full = rows::latest_full(db, &id)?.map(|run| WithSettings::read(db, run));
            let completed = rows::latest_completion(db, &id)?;
            Ok::<_, Refusal>((interrupted.transpose()?, completed, full.transpose()?))
        })
        .await?;
    if let Some(interrupted) = interrupted {
        let goes_on =
            !request.full && !interrupted.differ_from(&source) && request.only == Only::default();
        let run = interrupted.run;
        if goes_on {
            // Count before the connector goes on: a fast run is over before its start is answered.
            let id = run.id.clone();
            let effects = shared.store.read(move |db| rows::effects(db, &id)).await?;
            match runs::resume(shared, &run).await {
                Ok(()) => {
                    let documents = effects.documents();
                    let why = ModeReason::Resumed { documents };
                    return Ok(StartedRun { run, why });
                }
                Err(error) => {
                    tracing::warn!(run = run.id, %error, "the interrupted run was not resumed");
                }
            }
        }
        // The connector may still execute it, and would refuse the next run of the source. Without a live connector,
        // only the row is left to end.
        if runs::cancel(shared, &run.id).await.is_err() {
            let cancel =
                move |db: &rusqlite::Transaction<'_>| rows::cancel(db, &run.id, "Interrupted");
            shared.store.write(cancel).await?;
        }
    }

    let manifest = lookup::connector(shared, &source);
    let is_incremental = manifest.is_some_and(|manifest| {
        let modes = &manifest.sync_modes;
        modes.contains(&SyncType::Incremental)
    });
    let (mode, why) = match completed {
        _ if request.full => (SyncType::Full, ModeReason::Asked),
        None => (SyncType::Full, ModeReason::First),
        Some(_) if full.is_some_and(|full| full.differ_from(&source)) => {
            (SyncType::Full, ModeReason::OtherSettings)
        }
        Some(_) if !is_incremental => (SyncType::Full, ModeReason::NoIncremental),
        Some(last) => (SyncType::Incremental, ModeReason::Since(last)),
    };
    let begun = match request.only.bound() {
        Some(bound) => runs::trial(shared, source_id, mode, bound, None).await,
        None => runs::trigger(shared, source_id, mode, TriggerType::Manual).await,
    };
    match begun {
        Ok(run) => Ok(StartedRun { run, why }),
        // The stored run holds the connector's error.
        Err(TriggerError::Connector(_)) => {
            let id = source_id.to_owned();
            let latest = shared.store.read(move |db| rows::latest(db, Some(&id), 1));
            let run = latest.await?.pop().ok_or_else(|| {
                Refusal::Internal("the run that was not accepted is not in the store".to_owned())
            })?;
            let why = ModeReason::NotAccepted;
            Ok(StartedRun { run, why })
        }
        Err(error) => Err(error.into()),
    }
}

/// Resumes every interrupted run whose connector is live. Returns the resumed runs.
pub(crate) async fn resume_all(shared: &Shared) -> Result<Vec<Run>, Refusal> {
    let interrupted = shared
        .store
        .read(|db| Ok::<_, Refusal>(rows::running(db)?))
        .await?;
    let mut resumed = Vec::new();
    for run in interrupted {
        match runs::resume(shared, &run).await {
            Ok(()) => resumed.push(run),
            Err(error) => {
                tracing::warn!(run = run.id, %error, "an interrupted run was not resumed");
            }
        }
    }
    Ok(resumed)
}

/// Fails a run that its connector will never end.
pub(crate) async fn give_up(shared: &Shared, run: String, reason: String) -> Result<(), Refusal> {
    let fail = move |db: &rusqlite::Transaction<'_>| rows::fail(db, &run, &reason);
    shared.store.write(fail).await?;
    Ok(())
}
