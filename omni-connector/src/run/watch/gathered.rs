//! The changes that a watch has collected and not returned yet.

use std::{
    collections::BTreeSet,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Error, Result};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use super::{News, Watch};

/// Changes that arrived and were not returned yet.
pub(super) struct Gathered<K> {
    pending: Mutex<Pending<K>>,
    arrived: Notify,
}

struct Pending<K> {
    keys: BTreeSet<K>,
    /// When the first and the last of the keys arrived.
    times: Option<(Instant, Instant)>,
    /// Everything must be looked at.
    is_connected: bool,
    was_connected: bool,
    failure: Option<Error>,
}

impl<K> Default for Gathered<K> {
    fn default() -> Self {
        Self {
            pending: Mutex::new(Pending {
                keys: BTreeSet::new(),
                times: None,
                is_connected: false,
                was_connected: false,
                failure: None,
            }),
            arrived: Notify::new(),
        }
    }
}

impl<K: Ord> Gathered<K> {
    fn pending(&self) -> MutexGuard<'_, Pending<K>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Pending<K>)) {
        change(&mut self.pending());
        self.arrived.notify_one();
    }

    pub(super) fn connected(&self) {
        self.change(|pending| {
            pending.is_connected = true;
            pending.was_connected = true;
        });
    }

    pub(super) fn was_connected(&self) -> bool {
        self.pending().was_connected
    }

    pub(super) fn fail(&self, cause: Error) {
        self.change(|pending| pending.failure = Some(cause));
    }

    pub(super) fn add(&self, key: K, many: usize) {
        self.change(|pending| {
            let now = Instant::now();
            let (first, _) = *pending.times.get_or_insert((now, now));
            pending.times = Some((first, now));
            pending.keys.insert(key);
            if pending.keys.len() > many {
                pending.is_connected = true;
                pending.keys.clear();
            }
        });
    }

    pub(super) async fn next(&self, watch: Watch) -> Result<News<K>> {
        loop {
            let due = {
                let mut pending = self.pending();
                if let Some(failure) = pending.failure.take() {
                    return Err(failure);
                }
                if mem::take(&mut pending.is_connected) {
                    // The caller looks at everything, so it also finds these changes.
                    pending.keys.clear();
                    pending.times = None;
                    return Ok(News::Connected);
                }
                let due = pending
                    .times
                    .map(|(first, last)| (last + watch.quiet).min(first + watch.longest));
                if due.is_some_and(|due| due <= Instant::now()) {
                    pending.times = None;
                    return Ok(News::Changed(mem::take(&mut pending.keys)));
                }
                due
            };
            match due {
                None => self.arrived.notified().await,
                Some(due) => {
                    let _ = timeout_at(due, self.arrived.notified()).await;
                }
            }
        }
    }
}
