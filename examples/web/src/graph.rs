//! The known pages and the pages to visit, with their links: one structure, which is the state of a source.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use omni_connector::prelude::*;
use serde::de::IgnoredAny;

use crate::{fetch::Version, settings::Settings};

/// The number of remembered addresses for each page that may be visited.
const REMEMBERED: usize = 10;

/// The state of a source.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "Saved")]
pub struct Known {
    /// The run that last changed the state.
    pub(crate) run: String,
    pub(crate) documents: Inventory<u64>,
    pub(crate) graph: Packed<Vec<Node>>,
}

/// A saved state: ours, or the `pages` of Omni's own connector, whose documents are then known.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Saved {
    run: String,
    documents: Option<Inventory<u64>>,
    graph: Packed<Vec<Node>>,
    #[allow(
        clippy::zero_sized_map_values,
        reason = "only the keys are read, whatever the values are"
    )]
    pages: BTreeMap<String, IgnoredAny>,
}

impl From<Saved> for Known {
    fn from(saved: Saved) -> Self {
        let omnis = saved.pages.into_keys().map(|id| (id, None));
        Self {
            run: saved.run,
            documents: saved.documents.unwrap_or_else(|| omnis.collect()),
            graph: saved.graph,
        }
    }
}

/// A page or sitemap, visited or not.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Node {
    pub(crate) url: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<Version>,
    /// The hash of its document, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hash: Option<u64>,
    /// Indexes in the graph.
    #[serde(with = "differences", skip_serializing_if = "<[u32]>::is_empty")]
    pub(crate) links: Box<[u32]>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_sitemap: bool,
    /// Whether it was read in this run.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_done: bool,
}

/// Saves indexes as differences to the previous one, which are small, and similar from page to page.
mod differences {
    use omni_connector::prelude::{Deserialize, serde::*};

    pub(super) fn serialize<S: Serializer>(links: &[u32], to: S) -> Result<S::Ok, S::Error> {
        let mut last = 0;
        to.collect_seq(links.iter().map(|link| {
            let difference = link.wrapping_sub(last).cast_signed();
            last = *link;
            difference
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Box<[u32]>, D::Error> {
        let mut last = 0_u32;
        let differences = Vec::<i32>::deserialize(from)?.into_iter();
        let links = differences.map(|difference| {
            last = last.wrapping_add_signed(difference);
            last
        });
        Ok(links.collect())
    }
}

/// The order of visits: breadth first, in the order of the pages' links.
pub(crate) struct Way {
    places: HashMap<Box<str>, u32>,
    queue: VecDeque<(u32, u32)>,
    queued: HashSet<u32>,
    most: usize,
    is_closed: bool,
    /// Whether unseen documents may be deleted.
    pub(crate) is_whole: bool,
}

impl Way {
    pub(crate) fn of(graph: &[Node], settings: &Settings) -> Self {
        Self {
            places: (0..)
                .zip(graph)
                .map(|(at, node)| (node.url.clone(), at))
                .collect(),
            queue: VecDeque::new(),
            queued: HashSet::new(),
            most: settings
                .pages()
                .saturating_mul(REMEMBERED)
                .saturating_add(1_000)
                .min(u32::MAX as usize),
            is_closed: false,
            is_whole: true,
        }
    }

    /// Returns the place of an address. `None` if there is no room for a new one.
    pub(crate) fn place(
        &mut self,
        graph: &mut Vec<Node>,
        url: &Url,
        is_sitemap: bool,
    ) -> Option<u32> {
        if let Some(at) = self.places.get(url.as_str()) {
            return Some(*at);
        }
        let at = u32::try_from(graph.len()).ok()?;
        if graph.len() >= self.most {
            self.is_whole = false;
            return None;
        }
        self.places.insert(url.as_str().into(), at);
        graph.push(Node {
            url: url.as_str().into(),
            is_sitemap,
            ..Node::default()
        });
        Some(at)
    }

    /// Queues a place for a visit, once.
    pub(crate) fn go(&mut self, at: u32, depth: u32) {
        if !self.is_closed && self.queued.insert(at) {
            self.queue.push_back((at, depth));
        }
    }

    /// Ends the crawl before its end, since no other page may be visited. Returns false if it has ended already.
    pub(crate) fn close(&mut self) -> bool {
        self.queue.clear();
        self.is_whole = false;
        !std::mem::replace(&mut self.is_closed, true)
    }

    /// Returns the next place to visit, with its depth.
    pub(crate) fn next(&mut self) -> Option<(u32, u32)> {
        self.queue.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_saved_small_and_read_as_they_were() {
        let links: Box<[u32]> = [7, 8, 9, 3, u32::MAX, 0, 10].into();
        let node = Node {
            links: links.clone(),
            ..Node::default()
        };
        let saved = serde_json::to_value(&node).unwrap();
        assert_eq!(saved["links"], json!([7, 1, 1, -6, -4, 1, 10]));
        assert_eq!(serde_json::from_value::<Node>(saved).unwrap().links, links);
    }
}
