//! The active runs of this process, by id. Each source has one slot for each class of run.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{RequestLog, RunReport, RunRequests, SyncContext};
use crate::wire::SyncType;

/// The number of ended runs whose reports are kept, for a caller who asks shortly after the end.
const KEPT_REPORTS: usize = 16;

/// The number of ended runs whose ids are remembered. A late or repeated request for one of them starts nothing. An id
/// takes some 50 bytes.
const KEPT_IDS: usize = 20_000;

/// How long the next run of a slot waits for the end of the previous one.
const ENDING: Duration = Duration::from_secs(5);

/// The slot classes of the protocol (§5.2): one run of each class may work on a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Class {
    Scheduled,
    Realtime,
}

impl Class {
    const fn of(mode: SyncType) -> Self {
        match mode {
            SyncType::Full | SyncType::Incremental => Self::Scheduled,
            SyncType::Realtime => Self::Realtime,
        }
    }
}

/// All runs of the process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs {
    inner: Arc<Mutex<Inner>>,
    tasks: TaskTracker,
    stopped: CancellationToken,
    /// A slot was freed.
    freed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Inner {
    active: HashMap<String, Active>,
    /// Runs that were requested and have not started, by request: a run can be requested twice.
    preparing: HashMap<u64, (String, CancellationToken)>,
    requests: u64,
    /// The last runs that ended, oldest first, with their reports and requests.
    reports: VecDeque<(String, RunReport, Option<Arc<RequestLog>>)>,
    over: Over,
    closed: bool,
}

/// Runs whose end the manager knows and that it will not resume.
#[derive(Debug, Default)]
struct Over {
    ids: HashSet<String>,
    /// The same ids, oldest first.
    order: VecDeque<String>,
}

#[derive(Debug)]
struct Active {
    source: String,
    class: Class,
    /// None while the run is being prepared.
    ctx: Option<SyncContext>,
}

/// The reason why a run does not get a slot.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SlotRefusal {
    /// This run is active or over. A repeated request for it is answered like the first.
    ByItself,
    /// Another run of the class works on the source.
    ByRun(String),
    /// The process is about to end.
    Closing,
}

/// A run's place in its slot, from the answer to `/sync` on. Dropping it frees the slot, however the run ends.
#[derive(Debug)]
pub(crate) struct Slot {
    runs: Runs,
    run: String,
}

/// A run that is being prepared. Probes already see it, and it can be cancelled.
#[derive(Debug)]
pub(crate) struct Preparing {
    runs: Runs,
    request: u64,
    cancelled: CancellationToken,
}

impl Runs {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether this process works on the run.
    pub(crate) fn is_active(&self, run: &str) -> bool {
        self.inner().active.contains_key(run)
    }

    /// Reserves the slot for a run that is about to start, and waits for a run that is ending. The manager may know of
    /// that end, and start the next run, before this process has freed the slot.
    pub(crate) async fn reserve_soon(
        &self,
        run: &str,
        source: &str,
        mode: SyncType,
    ) -> Result<Slot, SlotRefusal> {
        let reserving = async {
            loop {
                let freed = self.freed.notified();
                match self.reserve(run, source, mode) {
                    Err(SlotRefusal::ByRun(other)) if self.is_ending(&other) => freed.await,
                    other => return other,
                }
            }
        };
        let reserved = timeout(ENDING, reserving).await;
        reserved.unwrap_or_else(|_| self.reserve(run, source, mode))
    }

    fn is_ending(&self, run: &str) -> bool {
        let ctx = self
            .inner()
            .active
            .get(run)
            .and_then(|active| active.ctx.clone());
        // A run that is gone by now has ended.
        ctx.is_none_or(|ctx| ctx.is_ending())
    }

    /// Returns whether this process works on the run, or is about to.
    pub(crate) fn is_known(&self, run: &str) -> bool {
        let inner = self.inner();
        inner.active.contains_key(run) || inner.preparing.values().any(|(other, _)| other == run)
    }

    /// Notes that a run is being prepared, until the value is dropped.
    pub(crate) fn prepare(&self, run: &str) -> Preparing {
        let mut inner = self.inner();
        inner.requests += 1;
        let (request, cancelled) = (inner.requests, CancellationToken::new());
        inner
            .preparing
            .insert(request, (run.to_owned(), cancelled.clone()));
        Preparing {
            runs: self.clone(),
            request,
            cancelled,
        }
    }

    /// Reserves the slot for a run that is about to start.
    pub(crate) fn reserve(
        &self,
        run: &str,
        source: &str,
        mode: SyncType,
    ) -> Result<Slot, SlotRefusal> {
        let mut inner = self.inner();
        if inner.closed {
            return Err(SlotRefusal::Closing);
        }
        if inner.active.contains_key(run) || inner.over.ids.contains(run) {
            return Err(SlotRefusal::ByItself);
        }
        let class = Class::of(mode);
        if let Some((other, _)) = inner
            .active
            .iter()
            .find(|(_, active)| active.source == source && active.class == class)
        {
            return Err(SlotRefusal::ByRun(other.clone()));
        }
        inner.active.insert(
            run.to_owned(),
            Active {
                source: source.to_owned(),
                class,
                ctx: None,
            },
        );
        Ok(Slot {
            runs: self.clone(),
            run: run.to_owned(),
        })
    }

    /// Cancels a run and frees its slot at once. Returns `None` when this process does not work on it.
    pub(crate) fn cancel(&self, run: &str) -> Option<()> {
        let (active, preparing) = {
            let mut inner = self.inner();
            let of_run = inner.preparing.values().filter(|(other, _)| other == run);
            // Under the lock: a later reservation of the slot sees the cancel.
            let preparing = of_run.inspect(|(_, token)| token.cancel()).count();
            (inner.remove(run), preparing)
        };
        let is_known = active.is_some() || preparing > 0;
        self.freed.notify_waiters();
        if let Some(ctx) = active.and_then(|active| active.ctx) {
            ctx.cancel();
        }
        is_known.then_some(())
    }

    /// Waits until no full or incremental run of this process works on the source.
    pub(crate) async fn vacant(&self, source: &str) {
        loop {
            let freed = self.freed.notified();
            let is_taken = self
                .inner()
                .active
                .values()
                .any(|active| active.source == source && active.class == Class::Scheduled);
            if !is_taken {
                return;
            }
            freed.await;
        }
    }

    /// Returns the report of a run, while it is active and for a while after.
    pub(crate) fn report(&self, run: &str) -> Option<RunReport> {
        let inner = self.inner();
        match inner.active.get(run) {
            Some(active) => Some(
                active
                    .ctx
                    .as_ref()
                    .map_or_else(RunReport::default, SyncContext::report),
            ),
            None => {
                let mut latest = inner.reports.iter().rev();
                let (_, report, _) = latest.find(|(ended, ..)| ended == run)?;
                Some(report.clone())
            }
        }
    }

    /// Returns the requests of a run after that number, while it is active and for a while after. None if the process keeps
    /// no log of requests.
    pub(crate) fn requests(&self, run: &str, after: u64) -> Option<RunRequests> {
        let inner = self.inner();
        let log = match inner.active.get(run) {
            Some(active) => active.ctx.as_ref()?.requests().cloned(),
            None => {
                let mut latest = inner.reports.iter().rev();
                let (.., log) = latest.find(|(ended, ..)| ended == run)?;
                log.clone()
            }
        };
        drop(inner);
        Some(log?.after(after))
    }

    /// Spawns a task that the process waits for before it ends.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tasks.spawn(task)
    }

    /// Returns the tasks that the process waits for before it ends.
    pub(crate) const fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Returns whether the process is about to end.
    pub(crate) fn is_closed(&self) -> bool {
        self.inner().closed
    }

    /// Refuses further runs, and returns the active ones.
    pub(crate) fn close(&self) -> Vec<SyncContext> {
        self.tasks.close();
        let mut inner = self.inner();
        inner.closed = true;
        inner
            .active
            .values()
            .filter_map(|active| active.ctx.clone())
            .collect()
    }

    /// Abandons all runs: their events are refused, and their tasks are stopped.
    pub(crate) fn stop(&self) {
        for ctx in self.close() {
            ctx.abandon();
        }
        self.stopped.cancel();
    }

    /// Completes when [`stop`](Self::stop) is called.
    pub(crate) async fn stopped(&self) {
        self.stopped.cancelled().await;
    }

    /// Waits until every task has ended.
    pub(crate) async fn ended(&self) {
        self.tasks.wait().await;
    }
}

impl Inner {
    fn remove(&mut self, run: &str) -> Option<Active> {
        let active = self.active.remove(run)?;
        if let Some(ctx) = &active.ctx {
            if self.reports.len() == KEPT_REPORTS {
                self.reports.pop_front();
            }
            let requests = ctx.requests().cloned();
            self.reports
                .push_back((run.to_owned(), ctx.report(), requests));
            if ctx.is_over() {
                self.over.insert(run);
            }
        }
        Some(active)
    }
}

impl Over {
    fn insert(&mut self, run: &str) {
        if self.ids.insert(run.to_owned()) {
            self.order.push_back(run.to_owned());
        }
        if self.order.len() > KEPT_IDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

impl Preparing {
    /// Completes when the run is cancelled.
    pub(crate) async fn cancelled(&self) {
        self.cancelled.cancelled().await;
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.is_cancelled()
    }
}

impl Drop for Preparing {
    fn drop(&mut self) {
        self.runs.inner().preparing.remove(&self.request);
    }
}

impl Slot {
    /// Marks the run as begun. Returns false when it was cancelled while it was being prepared.
    pub(crate) fn begin(&self, ctx: &SyncContext) -> bool {
        match self.runs.inner().active.get_mut(&self.run) {
            Some(active) => {
                active.ctx = Some(ctx.clone());
                true
            }
            None => false,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // After a cancel the slot may already belong to another run, with another id.
        let active = self.runs.inner().remove(&self.run);
        self.runs.freed.notify_waiters();
        // The tasks of a run work until it is abandoned.
        if let Some(ctx) = active.and_then(|active| active.ctx) {
            ctx.abandon();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_of_each_class_may_work_on_a_source() {
        let runs = Runs::default();
        let full = runs.reserve("r1", "s1", SyncType::Full).unwrap();
        assert_eq!(
            runs.reserve("r2", "s1", SyncType::Incremental).unwrap_err(),
            SlotRefusal::ByRun("r1".to_owned())
        );
        let _realtime = runs.reserve("r3", "s1", SyncType::Realtime).unwrap();
        let _elsewhere = runs.reserve("r4", "s2", SyncType::Full).unwrap();
        drop(full);
        assert!(runs.reserve("r5", "s1", SyncType::Incremental).is_ok());
    }

    #[test]
    fn the_same_run_again_is_recognised() {
        let runs = Runs::default();
        let _slot = runs.reserve("r1", "s1", SyncType::Full).unwrap();
        assert_eq!(
            runs.reserve("r1", "s1", SyncType::Full).unwrap_err(),
            SlotRefusal::ByItself
        );
    }

    #[test]
    fn an_answered_cancel_reaches_a_run_that_is_being_prepared() {
        let runs = Runs::default();
        let preparing = runs.prepare("R1");
        assert!(!preparing.is_cancelled());
        assert_eq!(runs.cancel("R1"), Some(()));
        assert!(preparing.is_cancelled());
    }

    #[test]
    fn a_cancel_frees_the_slot_before_the_task_has_ended() {
        let runs = Runs::default();
        let cancelled = runs.reserve("r1", "s1", SyncType::Full).unwrap();
        assert_eq!(runs.cancel("r1"), Some(()));
        assert!(!runs.is_active("r1"));
        let _next = runs.reserve("r2", "s1", SyncType::Full).unwrap();
        drop(cancelled);
        assert!(
            runs.is_active("r2"),
            "the end of the cancelled run must not free the slot of the next one"
        );
    }
}
