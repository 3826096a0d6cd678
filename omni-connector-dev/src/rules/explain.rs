//! Why a document is not found: what the manager knows of an id, an address or some words, layer by layer.

use std::borrow::Cow;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::access::Access;
use crate::{
    shared::Shared,
    store::{
        StoreError, reports, review, runs,
        search::{self, Query},
    },
};

/// The number of latest runs whose reports are read.
const RUNS: usize = 20;

/// One layer, with what was found there.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Layer {
    /// The name of the layer.
    #[serde(rename = "layer")]
    pub(crate) name: Cow<'static, str>,
    /// Whether this layer is the reason.
    pub(crate) is_answer: bool,
    /// The finding.
    pub(crate) found: String,
    /// A related document.
    pub(crate) document: Option<String>,
    /// A related run.
    pub(crate) run: Option<String>,
}

impl Layer {
    fn new(name: &'static str, is_answer: bool, found: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            is_answer,
            found: found.into(),
            document: None,
            run: None,
        }
    }
}

/// Explains layer by layer what happened to an item.
pub(crate) async fn explain(
    shared: &Shared,
    item: String,
    words: Option<String>,
    viewer: Option<String>,
) -> Result<Vec<Layer>, StoreError> {
    let read = move |db: &Connection| layers(db, item.trim(), words.as_deref(), viewer.as_deref());
    shared.store.read(read).await
}

fn layers(
    db: &Connection,
    item: &str,
    words: Option<&str>,
    viewer: Option<&str>,
) -> Result<Vec<Layer>, StoreError> {
    let stored = review::named(db, item, 5)?;
    let mut layers = Vec::new();
    for document in &stored {
        let text = format!("stored as `{}`: {}", document.document_id, document.title);
        let mut layer = Layer::new("stored", false, text);
        layer.document = Some(document.id.clone());
        layers.push(layer);
        let access = Access::read(db, document, viewer)?;
        if let Some(verdict) = &access.verdict {
            let sees = if verdict.sees {
                "sees it"
            } else {
                "does not see it"
            };
            let text = format!("{} {sees}: {}", verdict.email, verdict.reason);
            layers.push(Layer::new("visible", !verdict.sees, text));
        } else if access.is_hidden {
            let text = "its permissions name nobody, so nobody sees it";
            layers.push(Layer::new("visible", true, text));
        }
        if let Some(words) = words.filter(|words| !words.trim().is_empty()) {
            let query = Query {
                text: words.to_owned(),
                viewer: None,
                limit: 10_000,
            };
            let hits = search::search(db, &query)?;
            let place = hits.hits.iter().position(|hit| hit.id == document.id);
            layers.push(match place {
                Some(place) => {
                    let text = format!("`{words}` finds it, at place {}", place + 1);
                    Layer::new("words", false, text)
                }
                None => {
                    let text = format!(
                        "`{words}` does not find it: these words are not all in its title and text"
                    );
                    Layer::new("words", true, text)
                }
            });
        }
    }
    let is_stored = !stored.is_empty();
    for (run, reason) in review::refused(db, item)? {
        let mut layer = Layer::new(
            "refused",
            !is_stored,
            format!("sent, and not applied: {reason}"),
        );
        layer.run = Some(run);
        layers.push(layer);
    }
    for run in runs::latest(db, None, RUNS)? {
        let Some(report) = reports::find(db, &run.id)? else {
            continue;
        };
        let mut found = Vec::new();
        for failure in report
            .failures
            .iter()
            .filter(|failure| failure.item == item)
        {
            let stage = serde_json::to_value(failure.stage).unwrap_or_default();
            let stage = stage.as_str().unwrap_or_default();
            let text = format!("failed at `{stage}`: {}", failure.cause);
            found.push(Layer::new("failed", !is_stored, text));
        }
        for skip in report.skips.iter().filter(|skip| skip.item == item) {
            let detail = skip.detail.as_ref().map(|detail| format!(" ({detail})"));
            let text = format!("skipped: {}{}", skip.reason, detail.unwrap_or_default());
            found.push(Layer::new("skipped", !is_stored, text));
        }
        for mut layer in found {
            layer.run = Some(run.id.clone());
            layers.push(layer);
        }
    }
    if layers.is_empty() {
        let text = "no document, refusal, failure or skip has this id or address: the connector has never sent it, or \
                    its run named other items only";
        layers.push(Layer::new("never seen", true, text));
    }
    Ok(layers)
}
