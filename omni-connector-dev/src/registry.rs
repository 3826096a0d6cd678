//! The connectors that are alive: each registration counts for some time, and the first that claims a source type serves
//! it (`protocol.md` §1.4). Kept in memory: after a restart connectors are known again within one of their intervals.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use omni_connector::{Manifest, SearchOperator, contract::check_input_schema};
use tokio::sync::watch;

/// The first violation of the rules for actions (`protocol.md` §3.3), in the words of the real manager.
pub(crate) fn check_actions(manifest: &Manifest) -> Result<(), String> {
    manifest.actions.iter().try_for_each(|action| {
        check_input_schema(&action.input_schema)
            .map_err(|error| format!("{}.{} {error}", manifest.name, action.name))
    })
}

/// Live manifests, in the order of their first registration.
#[derive(Debug)]
pub(crate) struct Registry {
    entries: Mutex<Vec<Entry>>,
    ttl: Duration,
    registrations: watch::Sender<u64>,
}

#[derive(Debug)]
struct Entry {
    manifest: Manifest,
    expires: Instant,
}

impl Registry {
    pub(crate) fn new(ttl: Duration) -> Self {
        Self {
            entries: Mutex::default(),
            ttl,
            registrations: watch::Sender::new(0),
        }
    }

    /// Stores a manifest in place of the one of the same connector id; its time starts again.
    pub(crate) fn put(&self, manifest: Manifest) {
        let expires = Instant::now() + self.ttl;
        {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.retain(|entry| entry.expires > Instant::now());
            match entries
                .iter_mut()
                .find(|entry| entry.manifest.connector_id == manifest.connector_id)
            {
                Some(entry) => *entry = Entry { manifest, expires },
                None => entries.push(Entry { manifest, expires }),
            }
        }
        self.registrations.send_modify(|count| *count += 1);
    }

    /// Every live manifest.
    pub(crate) fn live(&self) -> Vec<Manifest> {
        self.select(|_| true)
    }

    /// The live manifest of that connector id.
    pub(crate) fn find(&self, connector_id: &str) -> Option<Manifest> {
        self.select(|manifest| manifest.connector_id == connector_id)
            .pop()
    }

    /// The live manifest that serves a source type.
    pub(crate) fn serving(&self, source_type: &str) -> Option<Manifest> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        entries
            .iter()
            .find(|entry| {
                entry.expires > now && entry.manifest.source_types.iter().any(|t| t == source_type)
            })
            .map(|entry| entry.manifest.clone())
    }

    /// Operators of all live manifests, concatenated.
    pub(crate) fn operators(&self) -> Vec<SearchOperator> {
        self.live()
            .into_iter()
            .flat_map(|manifest| manifest.search_operators)
            .collect()
    }

    /// Tells of each registration.
    pub(crate) fn registrations(&self) -> watch::Receiver<u64> {
        self.registrations.subscribe()
    }

    fn select(&self, wanted: impl Fn(&Manifest) -> bool) -> Vec<Manifest> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        entries
            .iter()
            .filter(|entry| entry.expires > now && wanted(&entry.manifest))
            .map(|entry| entry.manifest.clone())
            .collect()
    }
}
