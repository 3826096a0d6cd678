//! The known addresses with their links: the state of a source. They are in few long vectors, since a million small ones
//! take far more memory.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher, RandomState},
    mem,
    ops::Range,
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use omni_connector::prelude::{serde::Serializer, *};

/// A link to pages that are not in the graph, since there are too many.
pub(crate) const MORE: u32 = u32::MAX;

/// The state of a source.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "Saved")]
pub struct Known {
    /// The run that last changed the state,
    pub(crate) run: String,
    /// and its number since the last full run. A document has the number of the run that sent it as its version: unlike
    /// a hash of its text, many documents share it, so it takes no space. The graph has the hash.
    pub(crate) number: u64,
    /// The [`scope`](crate::Settings::scope) of that run.
    pub(crate) scope: String,
    pub(crate) documents: Inventory<u64>,
    pub(crate) site: Packed<Graph>,
}

/// A saved state. Earlier ones have a `graph`, and those of Omni's own connector have `pages`, whose documents are then known.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Saved {
    run: String,
    number: u64,
    scope: String,
    documents: Option<Inventory<u64>>,
    site: Packed<Graph>,
    graph: Packed<Vec<Earlier>>,
    pages: BTreeMap<String, Value>,
}

/// A page of an earlier graph. Each link is the difference to the one before. Its document has the hash as its version.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Earlier {
    url: String,
    version: String,
    hash: u64,
    links: Vec<i32>,
    is_sitemap: bool,
    is_done: bool,
}

impl From<Saved> for Known {
    fn from(saved: Saved) -> Self {
        let omnis = saved.pages.into_keys().map(|id| (id, None));
        let mut site = saved.site;
        for page in saved.graph.0 {
            let node = Node {
                // Its first 32 of 48 bits.
                hash: u32::try_from(page.hash >> 16).unwrap_or_default(),
                sent: page.hash,
                is_sitemap: page.is_sitemap,
                is_done: page.is_done,
                ..Node::default()
            };
            let links = page.links.iter().scan(0_u32, |last, difference| {
                *last = last.wrapping_add_signed(*difference);
                Some(*last)
            });
            site.push(&page.url, &page.version, links, node);
        }
        Self {
            run: saved.run,
            number: saved.number,
            scope: saved.scope,
            documents: saved.documents.unwrap_or_else(|| omnis.collect()),
            site,
        }
    }
}

/// Pages and sitemaps, visited or not. Each has an index, by which others link to it.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "Columns<Vec<Vec<u64>>>")]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// Addresses, and the versions that servers gave.
    text: String,
    links: Vec<u32>,
    /// Indexes by the hash of the address.
    places: HashMap<u64, u32>,
    hasher: RandomState,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    url: Range<u32>,
    version: Range<u32>,
    links: Range<usize>,
    /// A hash of its text.
    pub(crate) hash: u32,
    /// The version of its document, which is the number of the run that sent it. 0 if it has no document.
    pub(crate) sent: u64,
    pub(crate) is_sitemap: bool,
    /// Whether it was read in this run.
    pub(crate) is_done: bool,
}

impl Graph {
    pub(crate) fn url(&self, at: usize) -> &str {
        self.text(&self.nodes[at].url)
    }

    /// Returns the version that the server gave the page. It is empty if there is none.
    pub(crate) fn version(&self, at: usize) -> &str {
        self.text(&self.nodes[at].version)
    }

    pub(crate) fn links(&self, at: usize) -> &[u32] {
        &self.links[self.nodes[at].links.clone()]
    }

    /// Returns whether the links of a page are known.
    pub(crate) fn was_read(&self, at: usize) -> bool {
        self.nodes[at].sent != 0 || !self.nodes[at].links.is_empty()
    }

    /// Begins a new crawl. If `is_anew`, no page is requested with a condition.
    pub(crate) fn begin(&mut self, is_anew: bool) {
        for node in &mut self.nodes {
            node.is_done = false;
            if is_anew {
                node.version = 0..0;
            }
        }
    }

    /// Forgets that a page was read in this run.
    pub(crate) fn begin_again(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        (node.version, node.is_done) = (0..0, false);
    }

    /// Notes what was read of a page.
    pub(crate) fn set(&mut self, at: usize, version: &str, hash: u32, sent: u64) {
        if self.version(at) != version {
            self.nodes[at].version = self.add(version).unwrap_or_default();
        }
        let node = &mut self.nodes[at];
        (node.hash, node.sent, node.is_done) = (hash, sent, true);
    }

    /// Notes the links of a page. Their order is that of their discovery, which compresses well and never changes.
    pub(crate) fn link(&mut self, at: usize, mut links: Vec<u32>) {
        links.sort_unstable();
        links.dedup();
        links.retain(|link| *link as usize != at);
        if self.links(at) != links {
            self.nodes[at].links = self.links.len()..self.links.len() + links.len();
            self.links.append(&mut links);
        }
    }

    fn text(&self, at: &Range<u32>) -> &str {
        &self.text[at.start as usize..at.end as usize]
    }

    /// Adds a text. Returns `None` if there is no room for it.
    fn add(&mut self, text: &str) -> Option<Range<u32>> {
        let start = u32::try_from(self.text.len()).ok()?;
        let end = u32::try_from(self.text.len() + text.len()).ok()?;
        self.text.push_str(text);
        Some(start..end)
    }

    /// Returns the index of an address. Returns `None` if there is no room for a new one.
    pub(crate) fn place(&mut self, url: &str, is_sitemap: bool, most: usize) -> Option<u32> {
        let known = self.places.get(&self.hasher.hash_one(url)).copied();
        let Some(at) = known.filter(|at| self.url(*at as usize) == url) else {
            let node = Node {
                is_sitemap,
                ..Node::default()
            };
            return (self.nodes.len() < most).then(|| self.push(url, "", [], node))?;
        };
        let node = &mut self.nodes[at as usize];
        if is_sitemap && !node.is_sitemap {
            // Until now it was known as a page.
            (node.is_sitemap, node.version) = (true, 0..0);
        }
        Some(at)
    }

    fn push(
        &mut self,
        url: &str,
        version: &str,
        links: impl IntoIterator<Item = u32>,
        mut node: Node,
    ) -> Option<u32> {
        let at = u32::try_from(self.nodes.len()).ok()?;
        (node.url, node.version) = (self.add(url)?, self.add(version)?);
        self.places.insert(self.hasher.hash_one(url), at);
        self.nodes.push(node);
        self.link(at as usize, links.into_iter().collect());
        Some(at)
    }
}

/// A saved graph: its addresses, versions and hashes, and a row for each node. Similar values next to each other compress
/// well. A row has the version of the document, the kind of the node, and its links as differences to the one before.
type Columns<Rows> = (Texts, Texts, String, Rows);

/// Texts: the number of bytes that each shares with the one before, and the rest of each as a line.
type Texts = (Vec<usize>, String);

fn pack<'a>(texts: impl Iterator<Item = &'a str>) -> Texts {
    let ((mut shared, mut rests), mut last) = (Texts::default(), "");
    for text in texts {
        let pairs = text.chars().zip(last.chars());
        let same = pairs.take_while(|(ours, others)| ours == others);
        let same = same.map(|(it, _)| it.len_utf8()).sum();
        shared.push(same);
        rests.extend([&text[same..], "\n"]);
        last = text;
    }
    (shared, rests)
}

fn unpack((shared, rests): &Texts) -> impl Iterator<Item = Option<String>> {
    let mut last = Some(String::new());
    shared.iter().zip(rests.lines()).map(move |(shared, rest)| {
        last = Some(last.take()?.get(..*shared)?.to_owned() + rest);
        last.clone()
    })
}

impl Serialize for Graph {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let all = || 0..self.nodes.len();
        let row = |at: usize| {
            let (node, mut last) = (&self.nodes[at], 0);
            let kind = u64::from(node.is_sitemap) + 2 * u64::from(node.is_done);
            let links = self.links(at).iter();
            let links = links.map(|link| u64::from(link - mem::replace(&mut last, *link)));
            [node.sent, kind]
                .into_iter()
                .chain(links)
                .collect::<Vec<_>>()
        };
        let hashes = self.nodes.iter().flat_map(|it| it.hash.to_be_bytes());
        let columns: Columns<_> = (
            pack(all().map(|at| self.url(at))),
            pack(all().map(|at| self.version(at))),
            STANDARD_NO_PAD.encode(hashes.collect::<Vec<_>>()),
            Each(|| all().map(row)),
        );
        columns.serialize(to)
    }
}

/// Saves rows one after the other, since all of them would take more memory than the graph.
struct Each<F>(F);

impl<I: Iterator<Item: Serialize>, F: Fn() -> I> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq((self.0)())
    }
}

impl TryFrom<Columns<Vec<Vec<u64>>>> for Graph {
    type Error = &'static str;

    fn try_from(
        (urls, versions, hashes, rows): Columns<Vec<Vec<u64>>>,
    ) -> Result<Self, Self::Error> {
        let hashes = STANDARD_NO_PAD.decode(hashes).unwrap_or_default();
        let mut hashes = hashes.as_chunks().0.iter();
        let (mut urls, mut versions) = (unpack(&urls), unpack(&versions));
        let mut graph = Self::default();
        let mut add = |row: Vec<u64>| {
            let node = Node {
                hash: u32::from_be_bytes(*hashes.next()?),
                sent: *row.first()?,
                is_sitemap: row.get(1)? & 1 != 0,
                is_done: row.get(1)? & 2 != 0,
                ..Node::default()
            };
            let links = row.iter().skip(2).scan(0_u64, |last, difference| {
                *last = last.checked_add(*difference)?;
                u32::try_from(*last).ok()
            });
            graph.push(&urls.next()??, &versions.next()??, links, node)
        };
        let is_whole = rows.into_iter().all(|row| add(row).is_some());
        is_whole
            .then_some(graph)
            .ok_or("the saved pages are damaged; a full run reads them again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        let mut graph = Graph::default();
        let pages = ["http://a/", "http://a/b?x=é", "http://a/bä", "http://a/b"];
        for url in pages {
            graph.place(url, url.len() == 9, 100).unwrap();
        }
        graph.link(0, vec![3, 2, u32::MAX, 0, 2, 1]);
        graph.set(0, "\"e tag\"", 7, 1);
        graph.set(2, "Sun, 29 Nov 2026 11:40:50 GMT", u32::MAX, 1 << 47);
        graph
    }

    fn rows(graph: &Graph) -> Vec<String> {
        let nodes = graph.nodes.iter().enumerate();
        let rows = nodes.map(|(at, it)| {
            let texts = (graph.url(at), graph.version(at), graph.links(at));
            format!(
                "{texts:?} {:?}",
                (it.hash, it.sent, it.is_sitemap, it.is_done)
            )
        });
        rows.collect()
    }

    #[test]
    fn a_graph_is_read_as_it_was_saved() {
        let saved = serde_json::to_value(Packed(graph())).unwrap();
        let read: Packed<Graph> = serde_json::from_value(saved).unwrap();
        assert_eq!(rows(&read), rows(&graph()));
        // A link to the page itself says nothing.
        assert_eq!(read.links(0), [1, 2, 3, u32::MAX]);
        let mut read = read;
        let known = read.place("http://a/b", false, 0);
        assert_eq!((known, read.place("http://a/c", false, 4)), (Some(3), None));
        assert_eq!(read.place("http://a/c", false, 5), Some(4));
    }

    #[test]
    fn a_damaged_graph_is_refused_and_never_panics() {
        let saved = serde_json::to_value(graph()).unwrap();
        for (column, value) in [
            ("/0/0/2", json!(99)),
            // Within a character of two bytes.
            ("/0/0/3", json!(11)),
            ("/0/1", json!("")),
            ("/1/0", json!([])),
            ("/2", json!("AAAA")),
            ("/2", json!("-")),
            ("/3/0", json!([])),
            ("/3/0", json!([1])),
        ] {
            let mut damaged = saved.clone();
            *damaged.pointer_mut(column).unwrap() = value;
            let error = serde_json::from_value::<Graph>(damaged).unwrap_err();
            assert!(error.to_string().contains("damaged"), "{column}: {error}");
        }
    }

    #[test]
    fn a_state_of_an_earlier_version_is_read() {
        let saved = json!({
            "run": "r",
            "documents": { "a": 0x0102_0304_0506_u64 },
            "graph": [
                { "url": "http://a/", "version": "\"e\"", "hash": 0x0102_0304_0506_u64, "links": [2, -1], "is_done": true },
                { "url": "http://a/s", "is_sitemap": true },
                { "url": "http://a/b" },
            ],
        });
        let known: Known = serde_json::from_value(saved).unwrap();
        assert!(known.documents.contains("a"));
        let expected = [
            r#"("http://a/", "\"e\"", [1, 2]) (16909060, 1108152157446, false, true)"#,
            r#"("http://a/s", "", []) (0, 0, true, false)"#,
            r#"("http://a/b", "", []) (0, 0, false, false)"#,
        ];
        assert_eq!(rows(&known.site), expected);
    }
}
