//! The events of a run, as a proxy in front of the manager saw them.

use anyhow::Result;
use serde_json::Value;

use super::{
    journal::{Journal, Side},
    proxy::Proxy,
};
use crate::store::{Store, contents};

/// A proxy in front of the manager that keeps every call.
#[derive(Debug)]
pub(super) struct Recording {
    proxy: Proxy,
    journal: Journal,
}

impl Recording {
    pub(super) async fn start(manager_url: &str) -> Result<Self> {
        let journal = Journal::default();
        let proxy = Proxy::to_manager(manager_url, Box::new(|_, _| None), journal.clone()).await?;
        Ok(Self { proxy, journal })
    }

    pub(super) fn url(&self) -> String {
        self.proxy.url()
    }

    /// Returns the accepted events of a run, in order, with their texts.
    pub(super) async fn events(&self, store: &Store, run: &str) -> Vec<Value> {
        let accepted = self.journal.entries().into_iter().filter(|entry| {
            entry.side == Side::Manager && entry.route == "events/batch" && entry.status == 200
        });
        let mut events = Vec::new();
        for entry in accepted {
            let mut batch: Value = serde_json::from_slice(&entry.request).unwrap_or_default();
            if batch["sync_run_id"] == run
                && let Some(Value::Array(of_batch)) = batch.get_mut("events").map(Value::take)
            {
                events.extend(of_batch);
            }
        }
        for event in &mut events {
            with_text(event, store).await;
        }
        events
    }
}

/// Replaces the id of an event's content by the content.
async fn with_text(event: &mut Value, store: &Store) {
    let Some(fields) = event.as_object_mut() else {
        return;
    };
    fields.remove("sync_run_id");
    fields.remove("source_id");
    if let Some(Value::String(id)) = fields.remove("content_id") {
        let found = store.read(move |db| contents::find(db, &id)).await;
        let found = found.expect("a store in memory is read");
        fields.insert("content".to_owned(), found.into());
    }
}
