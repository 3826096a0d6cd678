//! The scheduler (`protocol.md` §1.5): runs all phases in order at every tick, each with its own
//! time limit.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use omni_connector::{SyncType, wire::IntegrationType};
use rusqlite::{Connection, Transaction};
use time::OffsetDateTime;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{
    Streak, TriggerError,
    failures::backoff,
    trigger,
    watch::{self, Losses},
};
use crate::{
    options::RunLimits,
    shared::Shared,
    store::{
        StoreError, contents,
        runs::{self, RunStatus, SlotClass, TriggerType},
        sources::{self, SourceRecord},
    },
};

/// Most scheduled runs started in one tick.
const STARTS: usize = 10;
/// Time between two removals of unused texts.
const CONTENT_SWEEP: Duration = Duration::from_hours(1);

/// The scheduler's memory, lost when the process ends.
#[derive(Debug)]
pub(crate) struct Supervisor {
    shared: Shared,
    losses: Losses,
    /// Slots whose last start failed.
    waits: HashMap<(String, SlotClass), Wait>,
    /// When unused texts were last removed.
    swept: Option<Instant>,
}

#[derive(Debug)]
struct Wait {
    failures: usize,
    until: Instant,
}

impl Supervisor {
    pub(crate) fn new(shared: Shared) -> Self {
        Self {
            shared,
            losses: Losses::default(),
            waits: HashMap::new(),
            swept: None,
        }
    }

    /// Probes runs from before a restart.
    pub(crate) async fn probe(&mut self) {
        let limit = self.shared.options.runs.phase;
        let probing = watch::probe_all(&self.shared, &mut self.losses);
        report("probing", timeout(limit, probing).await);
    }

    /// Ticks forever, first at once.
    pub(crate) async fn run(mut self, tick: Duration) {
        let mut ticks = interval(tick.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.tick().await;
        }
    }

    async fn tick(&mut self) {
        let limit = self.shared.options.runs.phase;
        let realtime = timeout(limit, self.start_realtime()).await;
        report("starting realtime runs", realtime);
        let scheduled = timeout(limit, self.start_due()).await;
        report("starting scheduled runs", scheduled);
        let disabled = timeout(limit, watch::cancel_disabled(&self.shared)).await;
        report("cancelling runs of disabled sources", disabled);
        self.probe().await;
        let stale = timeout(limit, watch::fail_stale(&self.shared)).await;
        report("failing stale runs", stale);
        let removed = timeout(limit, self.remove_deleted()).await;
        report("removing deleted sources", removed);
    }

    /// Starts a realtime run for every active source whose connector supports it.
    async fn start_realtime(&mut self) -> Result<(), StoreError> {
        let idle = self.shared.store.read(|db| {
            let mut idle = Vec::new();
            for source in active(db)? {
                if !runs::is_slot_taken(db, &source.id, SlotClass::Realtime)? {
                    idle.push(source);
                }
            }
            Ok::<_, StoreError>(idle)
        });
        for source in idle.await? {
            let can = self
                .shared
                .registry
                .serving(&source.source_type)
                .is_some_and(|manifest| manifest.sync_modes.contains(&SyncType::Realtime));
            if can && !self.is_waiting(&source.id, SlotClass::Realtime) {
                self.start(&source.id, SyncType::Realtime).await;
            }
        }
        Ok(())
    }

    async fn start_due(&mut self) -> Result<(), StoreError> {
        let limits = self.shared.options.runs.clone();
        let due = self.shared.store.read(move |db| due(db, &limits)).await?;
        let mut started = 0;
        for source in due {
            if started == STARTS {
                break;
            }
            if self.is_waiting(&source.id, SlotClass::Scheduled) {
                continue;
            }
            let incremental = self
                .shared
                .registry
                .serving(&source.source_type)
                .is_some_and(|manifest| manifest.sync_modes.contains(&SyncType::Incremental));
            let mode = if incremental {
                SyncType::Incremental
            } else {
                SyncType::Full
            };
            self.start(&source.id, mode).await;
            started += 1;
        }
        Ok(())
    }

    /// Starts a run. A failed start puts the slot into backoff; a realtime run only when realtime
    /// is unavailable.
    async fn start(&mut self, source_id: &str, mode: SyncType) {
        let class = SlotClass::of(mode);
        let slot = (source_id.to_owned(), class);
        let run = trigger(&self.shared, source_id, mode, TriggerType::Scheduled).await;
        let Err(error) = run else {
            self.waits.remove(&slot);
            return;
        };
        tracing::warn!(source = source_id, mode = mode.as_str(), %error, "a scheduled run did not start");
        if class == SlotClass::Realtime && !matches!(error, TriggerError::RealtimeUnavailable(_)) {
            return;
        }
        let failures = 1 + self.waits.get(&slot).map_or(0, |wait| wait.failures);
        let until = Instant::now() + backoff(&self.shared.options.runs, failures);
        self.waits.insert(slot, Wait { failures, until });
    }

    fn is_waiting(&self, source_id: &str, class: SlotClass) -> bool {
        self.waits
            .get(&(source_id.to_owned(), class))
            .is_some_and(|wait| Instant::now() < wait.until)
    }

    /// Removes the data of deleted sources and, at intervals, unused texts.
    async fn remove_deleted(&mut self) -> Result<(), StoreError> {
        let deleted = self.shared.store.read(sources::deleted_and_idle).await?;
        for id in deleted {
            let source = id.clone();
            let remove = move |db: &Transaction<'_>| sources::remove_some(db, &source);
            if self.shared.store.write(remove).await? {
                tracing::info!(source = id, "a deleted source is removed");
            }
        }
        if self
            .swept
            .is_none_or(|swept| swept.elapsed() >= CONTENT_SWEEP)
        {
            self.swept = Some(Instant::now());
            let retention = self.shared.options.content_retention;
            let retention = time::Duration::try_from(retention).unwrap_or(time::Duration::MAX);
            let removed = self
                .shared
                .store
                .write(move |db| contents::remove_unused(db, retention))
                .await?;
            tracing::debug!(removed, "unused texts are removed");
        }
        Ok(())
    }
}

fn report<T>(phase: &str, outcome: Result<Result<T, StoreError>, tokio::time::error::Elapsed>) {
    match outcome {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::error!(phase, %error, "a phase of the background loop failed"),
        Err(_) => tracing::warn!(phase, "a phase of the background loop took too long"),
    }
}

fn active(db: &Connection) -> Result<Vec<SourceRecord>, StoreError> {
    let sources = sources::all(db)?.into_iter().filter(|source| {
        source.is_active
            && !source.is_deleted
            && source.integration_type == IntegrationType::Connector
    });
    Ok(sources.collect())
}

/// Returns sources whose interval has passed and whose slot is free, longest-waiting first.
fn due(db: &Connection, limits: &RunLimits) -> Result<Vec<SourceRecord>, StoreError> {
    let now = OffsetDateTime::now_utc();
    let window = limits.max_failures.saturating_mul(3).max(1);
    let mut due = Vec::new();
    for source in active(db)? {
        let Some(seconds) = source.sync_interval_seconds else {
            continue;
        };
        let streak = Streak::read(db, &source.id, limits)?;
        if streak.is_broken(limits)
            || streak.is_waiting(limits, now)
            || runs::is_slot_taken(db, &source.id, SlotClass::Scheduled)?
        {
            continue;
        }
        let completion = runs::latest_scheduled(db, &source.id, window)?
            .into_iter()
            .find(|run| run.status == RunStatus::Completed)
            .and_then(|run| run.completed_at);
        let interval = time::Duration::seconds(seconds.into());
        if completion.is_none_or(|end| end.saturating_add(interval) <= now) {
            due.push((completion, source));
        }
    }
    due.sort_by_key(|(completion, _)| *completion);
    Ok(due.into_iter().map(|(_, source)| source).collect())
}
