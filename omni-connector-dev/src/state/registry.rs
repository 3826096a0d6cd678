//! The connectors that are alive: each registration counts for some time, and the first that claims a source type serves
//! it (`protocol.md` §1.4). Answers come from memory; what a restarted manager begins with is kept in the store.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use omni_connector::{Manifest, SearchOperator, schema::check_input_schema};
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
    /// Whether it came to this process, not to one before.
    is_fresh: bool,
}

impl Registry {
    /// With registrations from before, each with the rest of its life.
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

    /// Stores a manifest in place of the one of the same connector id; its time starts again. One from before a restart,
    /// perhaps of a connector that is gone, comes after those that are seen to live.
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

    /// Every live manifest.
    pub(crate) fn live(&self) -> Vec<Manifest> {
        self.select(|_| true)
    }

    /// The manifest of that connector id, if it registered with this process.
    pub(crate) fn find(&self, connector_id: &str) -> Option<Manifest> {
        self.select(|entry| entry.is_fresh && entry.manifest.connector_id == connector_id)
            .pop()
    }

    /// The first manifest that was registered with this process.
    pub(crate) fn first(&self) -> Option<Manifest> {
        self.select(|entry| entry.is_fresh).into_iter().next()
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

    /// Operators of all live manifests, each with the connector's id.
    pub(crate) fn operators(&self) -> Vec<(String, Vec<SearchOperator>)> {
        let live = self.live().into_iter();
        live.map(|manifest| (manifest.connector_id, manifest.search_operators))
            .collect()
    }

    /// Tells of each registration.
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
