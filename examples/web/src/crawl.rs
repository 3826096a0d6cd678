//! Crawls a site. The known pages and the pages to visit are one saved structure: the graph of links.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use omni_connector::prelude::*;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use crate::{
    fetch::{Allowed, Body, Got, Site, Version, leads_away},
    page,
    settings::{Settings, address, id},
};

/// The number of consecutive failures after which a site counts as down.
const DOWN: usize = 10;
/// The number of remembered addresses for each page that may be visited.
const REMEMBERED: usize = 10;

/// The state of a source.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "Saved")]
pub struct Known {
    /// The run that last changed the state.
    run: String,
    documents: Inventory<String>,
    graph: Vec<Node>,
}

/// A saved state: ours, or the `pages` of Omni's own connector, whose documents are then known.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Saved {
    run: String,
    documents: Option<Inventory<String>>,
    graph: Vec<Node>,
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
struct Node {
    url: String,
    #[serde(flatten)]
    version: Version,
    /// The hash of its document, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    /// Indexes in the graph.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<usize>,
    is_sitemap: bool,
    /// Whether it was read in this run.
    is_done: bool,
}

/// The order of visits: breadth first, in the order of the pages' links.
struct Way {
    places: HashMap<String, usize>,
    queue: VecDeque<(usize, u32)>,
    queued: HashSet<usize>,
    most: usize,
    /// Whether unseen documents may be deleted.
    is_whole: bool,
}

impl Way {
    fn of(graph: &[Node], settings: &Settings) -> Self {
        let urls = graph.iter().enumerate();
        Self {
            places: urls.map(|(at, node)| (node.url.clone(), at)).collect(),
            queue: VecDeque::new(),
            queued: HashSet::new(),
            most: settings
                .pages()
                .saturating_mul(REMEMBERED)
                .saturating_add(1_000),
            is_whole: true,
        }
    }

    fn place(&mut self, graph: &mut Vec<Node>, url: &Url, is_sitemap: bool) -> Option<usize> {
        if let Some(at) = self.places.get(url.as_str()) {
            return Some(*at);
        }
        if graph.len() >= self.most {
            self.is_whole = false;
            return None;
        }
        self.places.insert(url.to_string(), graph.len());
        graph.push(Node {
            url: url.to_string(),
            is_sitemap,
            ..Node::default()
        });
        Some(graph.len() - 1)
    }

    fn go(&mut self, at: usize, depth: u32) {
        if self.queued.insert(at) {
            self.queue.push_back((at, depth));
        }
    }
}

/// Updates Omni from a site.
#[allow(
    clippy::too_many_lines,
    reason = "one loop over the frontier; its state is local to it"
)]
pub(crate) async fn run(
    settings: &Settings,
    mut known: Checkpoint<Known>,
    ctx: &SyncContext,
) -> Result<()> {
    if !ctx.is_resume() || known.run != ctx.sync_run_id() {
        known.graph.iter_mut().for_each(|it| it.is_done = false);
        ctx.sync_run_id().clone_into(&mut known.run);
    }
    let root = settings.root();
    let mut site = Site::open(settings).await?;
    match site.allows(&root).await {
        Allowed::Yes => {}
        Allowed::No => bail!(
            "the site's robots.txt forbids `root_url`; ask its owner, or switch `respect_robots_txt` off if the site is yours"
        ),
        Allowed::Unknown => bail!(
            "the robots.txt of `root_url` cannot be read now, so nothing may be; the next run tries again"
        ),
    }
    let mut walk = known.documents.walk(ctx);
    for id in known.documents.ids_in(&Part::whole()) {
        let Some(url) = address(&id) else { continue };
        if !settings.has(&url) || site.allows(&url).await == Allowed::No {
            walk.delete(&id).await?;
        }
    }
    let mut way = Way::of(&known.graph, settings);
    let start = way.place(&mut known.graph, &root, false);
    for at in site.sitemaps() {
        if let Some(at) = way.place(&mut known.graph, &at, true) {
            way.go(at, 0);
        }
    }
    if let Some(start) = start {
        way.queued.insert(start);
        way.queue.push_front((start, 0));
    }
    let (mut visited, mut failed_in_row) = (0, 0);
    while let Some((at, depth)) = way.queue.pop_front() {
        let node = &known.graph[at];
        let (url, is_sitemap) = (Url::parse(&node.url)?, node.is_sitemap);
        // The settings may have changed since the link was read.
        if !settings.has(&url) {
            continue;
        }
        if !is_sitemap {
            if visited == settings.pages() {
                ctx.skip(root.as_str(), "the source has more pages than `max_pages`");
                way.is_whole = false;
                break;
            }
            visited += 1;
        }
        let id = id(&url);
        match site.allows(&url).await {
            Allowed::Yes => {}
            Allowed::No => {
                ctx.skip(url, "the site's robots.txt forbids it");
                continue;
            }
            Allowed::Unknown => {
                way.is_whole = false;
                walk.failed(
                    &id,
                    "the robots.txt of its host cannot be read",
                    Some(url.as_str()),
                );
                continue;
            }
        }
        // A page can be kept only if Omni has its document.
        let is_current = node
            .hash
            .as_ref()
            .is_none_or(|hash| walk.is_current(&id, hash));
        let got = if node.is_done && is_current {
            Got::Same
        } else {
            ctx.working_on(url.as_str());
            let version = is_current.then_some(&node.version);
            tokio::select! {
                () = ctx.cancelled() => return Ok(()),
                got = site.fetch(&url, version, is_sitemap) => got,
            }
        };
        let has_failed = matches!(got, Got::Failed(_));
        failed_in_row = if has_failed { failed_in_row + 1 } else { 0 };
        let is_root = Some(at) == start;
        let node = &mut known.graph[at];
        match got {
            Got::Failed(why) | Got::Left(why) if is_root => {
                bail!("the page at `root_url` cannot be read: {why}; nothing was deleted")
            }
            Got::Gone if is_root => bail!("the page at `root_url` is gone; correct the setting"),
            Got::Same => node.is_done = true,
            Got::Gone => {
                *node = Node {
                    url: url.to_string(),
                    is_sitemap,
                    is_done: true,
                    ..Node::default()
                };
                if known.documents.contains(&id) {
                    walk.delete(&id).await?;
                }
            }
            Got::Left(why) => {
                // A file without text has no links.
                let may_link = !why.ends_with("has no text");
                way.is_whole &= is_sitemap || !may_link || !node.links.is_empty();
                walk.keep(&id);
                ctx.skip_with(url, "it was not read", why);
            }
            Got::Failed(why) => {
                way.is_whole &= !node.links.is_empty();
                if is_sitemap {
                    ctx.skip_with(url, "the sitemap could not be read", why);
                } else {
                    walk.failed(&id, why, Some(url.as_str()));
                }
                ensure!(
                    failed_in_row < DOWN,
                    "{DOWN} pages of `root_url` in a row could not be read; the site is down, and nothing was deleted for that"
                );
            }
            Got::Moved(to) => {
                if is_root && !settings.has(&to) {
                    bail!(leads_away(&to));
                }
                node.hash = None;
                node.is_done = true;
                let to = settings.has(&to).then_some((to, is_sitemap));
                let links = places(&mut way, &mut known.graph, to);
                known.graph[at].links = links;
            }
            Got::Body(body) if is_sitemap => {
                node.version = body.version.clone();
                node.is_done = true;
                let found = spawn_blocking(move || page::read_sitemap(&body)).await?;
                let found = found.into_iter().filter(|(it, _)| settings.has(it));
                let links = places(&mut way, &mut known.graph, found);
                known.graph[at].links = links;
            }
            Got::Body(body) => {
                let agent = settings.agent().to_owned();
                let (mut page, mut body) =
                    spawn_blocking(move || (page::read(&body, &agent), body)).await?;
                let canonical = page.canonical.take();
                let other = canonical.filter(|it| *it != url && settings.has(it));
                let links = page.links.drain(..).chain(other.clone());
                let links = links.filter(|it| settings.has(it)).map(|it| (it, false));
                let links = places(&mut way, &mut known.graph, links);
                let text = format!("{}\n\n{}", page.title, page.text);
                let hash = hash(if page.text.is_empty() {
                    &body.bytes
                } else {
                    text.as_bytes()
                });
                let has_document = !page.is_hidden && other.is_none();
                if page.is_hidden && known.documents.contains(&id) {
                    walk.delete(&id).await?;
                }
                let node = &mut known.graph[at];
                let is_same = is_current && node.hash.as_ref() == Some(&hash);
                node.version = std::mem::take(&mut body.version);
                node.links = links;
                node.is_done = true;
                node.hash = has_document.then(|| hash.clone());
                if has_document && !is_same {
                    let document = document(id, &url, &hash, page, text, body, &node.version);
                    walk.upsert(document, &hash).await?;
                }
            }
        }
        if is_sitemap || depth < settings.depth() {
            for link in &known.graph[at].links {
                let is_sitemap = known.graph.get(*link).is_some_and(|it| it.is_sitemap);
                way.go(*link, if is_sitemap { 0 } else { depth + 1 });
            }
        }
        known.save_now_and_then().await?;
    }
    if way.is_whole {
        walk.finish(Walked::declared("no link is left to follow"))
            .await?;
    }
    Ok(known.save().await?)
}

fn places(
    way: &mut Way,
    graph: &mut Vec<Node>,
    links: impl IntoIterator<Item = (Url, bool)>,
) -> Vec<usize> {
    let links = links.into_iter();
    links
        .filter_map(|(url, is_sitemap)| way.place(graph, &url, is_sitemap))
        .collect()
}

fn document(
    id: String,
    url: &Url,
    hash: &str,
    page: page::Page,
    text: String,
    body: Body,
    version: &Version,
) -> Document<'static> {
    let is_file = page::is_document(&body.media_type);
    let document = Document::new(id, DocumentPermissions::public())
        .title(if page.title.is_empty() {
            url.to_string()
        } else {
            page.title
        })
        .url(url.as_str())
        .path(url.path())
        .content_type("webpage")
        .extra("domain", url.host_str())
        .extra("content_hash", hash)
        .extra("etag", &version.etag);
    if is_file {
        document.extract(body.bytes, body.media_type, page::file_name(url))
    } else {
        let size = body.bytes.len() as u64;
        let is_word = |it: &&str| it.contains(char::is_alphanumeric);
        let words = text.split_whitespace().filter(is_word).count();
        document
            .extra("word_count", words)
            .mime_type(body.media_type)
            .size(size)
            .text(text)
    }
}

fn hash(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut hex = String::new();
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
