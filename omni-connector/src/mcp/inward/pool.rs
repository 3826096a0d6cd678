//! The pool of connections: one per server and secret, bounded, reopened with growing delay when they break.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Mutex as AsyncMutex, Semaphore, mpsc};

use super::{
    failure::too_slow,
    session::{Health, Listener, Session},
};
use crate::connector::{ActionError, McpServer};

/// Limits of the pool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The most connections; beyond that the least recently used one is closed.
    pub(super) most: usize,
    /// How long an unused connection is kept.
    pub(super) idle: Duration,
    /// The delay before a third attempt in a row; it doubles with each further one.
    pub(super) backoff: Duration,
}

impl Limits {
    pub(super) const fn new(idle: Duration) -> Self {
        Self {
            most: 16,
            idle,
            backoff: Duration::from_secs(1),
        }
    }
}

/// Returns how long a slow server may take to answer a ping.
fn ping(server: &McpServer) -> Duration {
    (server.timeout() / 4).min(Duration::from_secs(3))
}

const LONGEST_BACKOFF: Duration = Duration::from_mins(1);

/// All connections. The key includes everything sent to the server, so that two credentials never share a connection.
pub(super) struct Pool {
    slots: Mutex<HashMap<McpServer, Arc<Slot>>>,
    limits: Limits,
    permits: Arc<Semaphore>,
    changes: mpsc::Sender<McpServer>,
}

struct Slot {
    state: AsyncMutex<State>,
    used: Mutex<Instant>,
}

struct State {
    session: Option<Arc<Session>>,
    /// Failures since the last successful call.
    failures: u32,
    retry_at: Instant,
    reason: Option<ActionError>,
}

impl State {
    fn failed(&mut self, reason: ActionError, limits: &Limits) {
        self.session = None;
        self.failures += 1;
        // The first failure may be an accident, so the first retry is immediate.
        let delay = match self.failures {
            1 => Duration::ZERO,
            n => limits
                .backoff
                .saturating_mul(1 << (n - 2).min(10))
                .min(LONGEST_BACKOFF),
        };
        self.retry_at = Instant::now() + delay;
        self.reason = Some(reason);
    }
}

impl Slot {
    fn new() -> Self {
        Self {
            state: AsyncMutex::new(State {
                session: None,
                failures: 0,
                retry_at: Instant::now(),
                reason: None,
            }),
            used: Mutex::new(Instant::now()),
        }
    }

    fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// A pool whose connections report changed lists to `changes`.
    pub(super) fn new(limits: Limits, changes: mpsc::Sender<McpServer>) -> Self {
        Self {
            slots: Mutex::default(),
            permits: Arc::new(Semaphore::new(limits.most)),
            limits,
            changes,
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<McpServer, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the connection to a server and opens it if necessary.
    pub(super) async fn session(&self, server: &McpServer) -> Result<Arc<Session>, ActionError> {
        let slot = self.slot(server);
        slot.touch();
        let mut state = slot.state.lock().await;
        if let Some(session) = state.session.clone() {
            if session.is_open() {
                match session.health(ping(server)).await {
                    Health::Answers => return Ok(session),
                    Health::Silent => {
                        tracing::info!(
                            "the MCP server does not answer; the connection is opened again"
                        );
                        state.failed(too_slow(server), &self.limits);
                    }
                    Health::Refuses => {
                        tracing::info!("the MCP server refuses its session; a new one is opened");
                        state.session = None;
                    }
                }
            } else {
                let reason = ActionError::upstream("the MCP server ended");
                state.failed(reason, &self.limits);
            }
        }
        let wait = state.retry_at.saturating_duration_since(Instant::now());
        if let (false, Some(reason)) = (wait.is_zero(), &state.reason) {
            let failures = state.failures;
            return Err(ActionError::upstream(format!(
                "{reason}\nhelp: it failed {failures} times in a row and is tried again in {:.0} s",
                wait.as_secs_f32().ceil()
            )));
        }
        let listener = Listener {
            server: server.clone(),
            changes: self.changes.clone(),
        };
        let opened = tokio::time::timeout(server.timeout(), async {
            Session::open(listener, self.permit().await).await
        })
        .await
        .unwrap_or_else(|_| Err(too_slow(server)));
        match opened {
            Ok(session) => {
                let session = Arc::new(session);
                state.session = Some(Arc::clone(&session));
                slot.touch();
                Ok(session)
            }
            Err(reason) => {
                // The server works and refused; each retry gets its own answer.
                let is_refusal = matches!(
                    reason,
                    ActionError::RateLimited { .. } | ActionError::Forbidden(_)
                );
                if !is_refusal {
                    state.failed(reason.clone(), &self.limits);
                }
                Err(reason)
            }
        }
    }

    fn slot(&self, server: &McpServer) -> Arc<Slot> {
        let mut slots = self.slots();
        if let Some(slot) = slots.get(server) {
            return Arc::clone(slot);
        }
        while slots.len() >= self.limits.most {
            let Some(oldest) = slots.iter().min_by_key(|(_, slot)| slot.used()) else {
                break;
            };
            let oldest = oldest.0.clone();
            // A running call keeps the connection until it ends.
            slots.remove(&oldest);
        }
        let slot = Arc::new(Slot::new());
        slots.insert(server.clone(), Arc::clone(&slot));
        slot
    }

    /// Waits for a permit to open a connection, which an evicted connection returns after its last call.
    async fn permit(&self) -> tokio::sync::OwnedSemaphorePermit {
        // The semaphore is never closed.
        match Arc::clone(&self.permits).acquire_owned().await {
            Ok(permit) => permit,
            Err(_) => std::future::pending().await,
        }
    }

    /// Returns the connection to a server, if it is open.
    pub(super) async fn existing(&self, server: &McpServer) -> Option<Arc<Session>> {
        let slot = self.slots().get(server).cloned()?;
        let state = slot.state.lock().await;
        state.session.clone().filter(|session| session.is_open())
    }

    /// Records a successful call.
    pub(super) async fn worked(&self, server: &McpServer) {
        let slot = self.slots().get(server).cloned();
        if let Some(slot) = slot {
            slot.touch();
            slot.state.lock().await.failures = 0;
        }
    }

    /// Removes a broken connection, but not its replacement. Without a `reason` to count, the next call may open another
    /// one at once.
    pub(super) async fn broke(
        &self,
        server: &McpServer,
        session: &Arc<Session>,
        reason: Option<&ActionError>,
    ) {
        let slot = self.slots().get(server).cloned();
        let Some(slot) = slot else {
            return;
        };
        let mut state = slot.state.lock().await;
        if state
            .session
            .as_ref()
            .is_some_and(|kept| Arc::ptr_eq(kept, session))
        {
            match reason {
                Some(reason) => state.failed(reason.clone(), &self.limits),
                None => state.session = None,
            }
        }
    }

    /// Closes connections that were unused for too long.
    pub(super) fn sweep(&self) {
        let idle = self.limits.idle;
        self.slots().retain(|_, slot| slot.used().elapsed() < idle);
    }

    pub(super) const fn idle(&self) -> Duration {
        self.limits.idle
    }

    /// Closes every connection and waits for the processes they started.
    pub(super) async fn close(&self) {
        let slots: Vec<_> = self.slots().drain().map(|(_, slot)| slot).collect();
        let closing = slots.into_iter().map(|slot| async move {
            let session = slot.state.lock().await.session.take();
            if let Some(session) = session {
                session.close().await;
            }
        });
        futures_util::future::join_all(closing).await;
    }
}
