//! Live connectors: a registration expires after some time, and the first connector that claims a
//! source type serves it (`protocol.md` §1.4). Reads are served from memory. The store keeps a copy
//! for a restarted manager.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use omni_connector::{Manifest, SearchOperator, schema::check_input_schema};
use tokio::sync::watch;

/// Returns the first violation of the rules for actions (`protocol.md` §3.3), with the real
/// manager's message.
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
    /// Whether it registered with this process rather than an earlier one.
    is_fresh: bool,
}

impl Registry {
    /// Creates a registry with earlier registrations, each with its remaining lifetime.
    pub(crate) fn new(ttl: Duration, before: Vec<(Manifest, Duration)>) -> Self {
        let now = Instant::now();
        let entries = before.into_iter().map(|(manifest, rest)| Entry {
            manifest,
            expires: now + rest,
            is_fresh: false,
        });
        Self {
            entries: Mutex::new(entries.collect()),
            ttl,
            registrations: watch::Sender::new(0),
        }
    }

    /// Stores a manifest, replaces the one of the same connector id, and restarts its lifetime.
    /// Registrations from before a restart rank last, since their connectors may be gone.
    pub(crate) fn put(&self, manifest: Manifest) {
        let entry = Entry {
            expires: Instant::now() + self.ttl,
            is_fresh: true,
            manifest,
        };
        {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.retain(|entry| entry.expires > Instant::now());
            let id = &entry.manifest.connector_id;
            match entries
                .iter()
                .position(|known| known.manifest.connector_id == *id)
            {
                Some(index) if entries[index].is_fresh => entries[index] = entry,
                known => {
                    known.map(|index| entries.remove(index));
                    let index = entries.partition_point(|known| known.is_fresh);
                    entries.insert(index, entry);
                }
            }
        }
        self.registrations.send_modify(|count| *count += 1);
    }

    /// Returns every live manifest.
    pub(crate) fn live(&self) -> Vec<Manifest> {
        self.select(|_| true)
    }

    /// Finds a manifest by connector id, among those registered with this process.
    pub(crate) fn find(&self, connector_id: &str) -> Option<Manifest> {
        self.select(|entry| entry.is_fresh && entry.manifest.connector_id == connector_id)
            .pop()
    }

    /// Returns the first manifest registered with this process.
    pub(crate) fn first(&self) -> Option<Manifest> {
        self.select(|entry| entry.is_fresh).into_iter().next()
    }

    /// Finds the live manifest that serves a source type.
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

    /// Returns the operators of all live manifests, each with the connector's id.
    pub(crate) fn operators(&self) -> Vec<(String, Vec<SearchOperator>)> {
        let live = self.live().into_iter();
        live.map(|manifest| (manifest.connector_id, manifest.search_operators))
            .collect()
    }

    /// Returns a receiver that changes at each registration.
    pub(crate) fn registrations(&self) -> watch::Receiver<u64> {
        self.registrations.subscribe()
    }

    fn select(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<Manifest> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        entries
            .iter()
            .filter(|entry| entry.expires > now && wanted(entry))
            .map(|entry| entry.manifest.clone())
            .collect()
    }
}
