//! The data in the manager after a run, in comparable form.

use std::collections::BTreeMap;

use anyhow::Result;
use omni_connector_dev::store::{Store, checkpoints, contents, documents, people};
use serde_json::Value;

use crate::crawler::Wiki;

/// Documents, groups and the checkpoint of one source.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// By id: title, text and permissions.
    pub documents: BTreeMap<String, (String, String, Option<Value>)>,
    /// Members by group.
    pub groups: BTreeMap<String, Vec<String>>,
    /// The checkpoint that the completed run published.
    pub checkpoint: Option<Value>,
}

impl Outcome {
    /// Reads the current state.
    pub async fn of(store: &Store, source_id: &str, wiki: Wiki) -> Result<Self> {
        let source_id = source_id.to_owned();
        store
            .read(move |db| {
                let stored = documents::of_source(db, &source_id)?;
                let mut documents = BTreeMap::new();
                for document in stored {
                    let text = contents::find(db, &document.content_id)?.unwrap_or_default();
                    let seen = (document.title, text, document.permissions);
                    documents.insert(document.document_id, seen);
                }
                let mut groups = BTreeMap::new();
                for page in 0..wiki.pages {
                    let group = Wiki::group(page);
                    let members = people::members_of(db, &source_id, &group)?;
                    groups.insert(group, members);
                }
                let checkpoint = checkpoints::find(db, &source_id)?;
                Ok::<_, Failure>(Self {
                    documents,
                    groups,
                    checkpoint,
                })
            })
            .await
            .map_err(|Failure(error)| error)
    }

    /// Describes the first difference from `expected`.
    pub fn difference(&self, expected: &Self) -> Option<String> {
        let ids = self.documents.keys().chain(expected.documents.keys());
        for id in ids {
            let (found, wanted) = (self.documents.get(id), expected.documents.get(id));
            if found != wanted {
                return Some(format!("document {id}: {found:?} instead of {wanted:?}"));
            }
        }
        if self.groups != expected.groups {
            return Some(format!("groups: {:?}", self.groups));
        }
        (self.checkpoint != expected.checkpoint).then(|| {
            format!(
                "checkpoint: {:?} instead of {:?}",
                self.checkpoint, expected.checkpoint
            )
        })
    }
}

/// Wraps an error, since the store requires a type that its own error converts to.
struct Failure(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}
