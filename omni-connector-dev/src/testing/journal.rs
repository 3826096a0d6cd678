//! Every call of a connector, in the order in which they were answered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// To the source.
    Source,
    /// To the manager.
    Manager,
}

/// One call that was answered.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it went.
    pub side: Side,
    /// Its route.
    pub route: String,
    /// Its number among the calls of the route, counted from 0.
    pub number: usize,
    /// The path with its query.
    pub path: String,
    /// What was sent.
    pub request: Vec<u8>,
    /// What the connector got; 0 when the connection was broken.
    pub status: u16,
    /// The body of the answer before it was broken.
    pub answer: Vec<u8>,
}

/// Calls in the order in which they were answered. Two proxies can write into the same one.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Entry>>>);

impl Journal {
    /// The calls so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// How many calls were answered so far.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nothing was called so far.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
