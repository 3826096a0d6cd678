//! Caches results that need every document of a source, until a run or a document changes.

use omni_connector::SearchOperator;

use super::Page;
use crate::{
    rules::{self, Doubt},
    store::{
        StoreError,
        review::{self, Usage},
    },
};

/// The most attributes whose usage is cached.
const ATTRIBUTES: usize = 200;

impl Page {
    async fn pulse(&self) -> Result<String, StoreError> {
        self.shared.store.read(review::pulse).await
    }

    /// Returns the doubts about a source.
    pub(super) async fn doubts(&self, source_id: &str) -> Result<Vec<Doubt>, StoreError> {
        // The operators of another build may find other documents.
        let builds = self
            .shared
            .registry
            .live()
            .iter()
            .map(|one| one.search_operators.len())
            .sum::<usize>();
        let key = format!("{source_id} {builds} {}", self.pulse().await?);
        let kept = self.memory(|memory| memory.doubts.clone());
        if let Some((known, doubts)) = kept.filter(|(known, _)| *known == key) {
            drop(known);
            return Ok(doubts);
        }
        let doubts = rules::doubts(&self.shared, source_id).await?;
        self.memory(|memory| memory.doubts = Some((key, doubts.clone())));
        Ok(doubts)
    }

    /// Returns the operators with the documents that they find.
    pub(super) async fn usage(
        &self,
        operators: Vec<SearchOperator>,
    ) -> Result<Vec<(SearchOperator, Usage)>, StoreError> {
        let pulse = self.pulse().await?;
        let mut found = Vec::with_capacity(operators.len());
        for operator in operators {
            let attribute = operator.attribute_key.clone();
            let kept = self.memory(|memory| memory.usage.get(&attribute).cloned());
            let usage = match kept {
                Some((known, usage)) if known == pulse => usage,
                _ => {
                    let asked = attribute.clone();
                    let usage = self
                        .shared
                        .store
                        .read(move |db| review::usage(db, &asked))
                        .await?;
                    self.memory(|memory| {
                        if memory.usage.len() > ATTRIBUTES {
                            memory.usage.clear();
                        }
                        memory
                            .usage
                            .insert(attribute, (pulse.clone(), usage.clone()));
                    });
                    usage
                }
            };
            found.push((operator, usage));
        }
        Ok(found)
    }
}
