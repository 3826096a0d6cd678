//! All calls of a connector, in the order of their answers.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// The target of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// To the source.
    Source,
    /// To the manager.
    Manager,
}

/// One answered call.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its target.
    pub side: Side,
    /// Its route.
    pub route: String,
    /// Its number among the calls of the route, from 0.
    pub number: usize,
    /// The path with its query.
    pub path: String,
    /// The request body.
    pub request: Vec<u8>,
    /// The status that the connector received; 0 when the connection was broken.
    pub status: u16,
    /// The body of the answer before the fault.
    pub answer: Vec<u8>,
    /// When it arrived.
    pub since: Instant,
    /// When it was answered.
    pub at: Instant,
}

/// Calls in the order of their answers. Two proxies can write to the same journal.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Entry>>>);

impl Journal {
    /// Returns the calls so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// Returns the number of answered calls so far.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Returns whether there were no calls so far.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
