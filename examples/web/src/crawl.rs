//! Crawls a site: visits its pages in the order of their links, and keeps Omni's documents equal to them.

use std::sync::Arc;

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use omni_connector::{Walk, prelude::*};
use sha2::{Digest, Sha256};

use crate::{
    fetch::{Allowed, Body, Got, Site, Version, leads_away},
    graph::{Known, Node, Way},
    page::{Page, file_name, is_document},
    settings::{Settings, address, id},
};

/// The number of consecutive failures after which a site counts as down.
const DOWN: usize = 10;
/// The number of pages that are read at once. Each can be as large as [`fetch`](crate::fetch) allows.
const AT_ONCE: usize = 4;

/// Updates Omni from a site.
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
    let site = Site::open(settings).await?;
    match site.allows(&root).await {
        Allowed::Yes => {}
        Allowed::No => bail!(
            "the site's robots.txt forbids `root_url`; ask its owner, or switch `respect_robots_txt` off if the site is yours"
        ),
        Allowed::Unknown => bail!(
            "the robots.txt of `root_url` cannot be read now, so nothing may be; the next run tries again"
        ),
    }
    let mut crawl = Crawl {
        way: Way::of(&known.graph, settings),
        walk: known.documents.walk(ctx),
        root,
        settings,
        known,
        site: Arc::new(site),
        ctx,
        visited: 0,
        failed_in_row: 0,
        has_page: false,
    };
    crawl.delete_unwanted().await?;
    crawl.begin().await;
    crawl.follow().await?;
    if ctx.is_cancelled() {
        return Ok(());
    }
    ensure!(
        crawl.has_page,
        "`root_url` leads to no page that may be read; nothing was deleted"
    );
    if crawl.way.is_whole {
        let all = Walked::declared("no link is left to follow");
        crawl.walk.finish(all).await?;
    }
    Ok(crawl.known.save().await?)
}

/// A site while it is walked.
struct Crawl<'a> {
    settings: &'a Settings,
    ctx: &'a SyncContext,
    known: Checkpoint<Known>,
    site: Arc<Site>,
    walk: Walk<u64>,
    way: Way,
    root: Url,
    visited: usize,
    failed_in_row: usize,
    /// Whether any page was read, or is unchanged.
    has_page: bool,
}

/// A place that is visited.
struct Place {
    at: usize,
    depth: u32,
    url: Url,
    id: String,
    is_sitemap: bool,
    /// Whether Omni has the version that is known.
    is_current: bool,
}

impl Crawl<'_> {
    /// Deletes pages that the settings or the site's rules leave out by now.
    async fn delete_unwanted(&mut self) -> Result<()> {
        for id in self.known.documents.ids_in(&Part::whole()) {
            let Some(url) = address(&id) else { continue };
            if !self.settings.has(&url) || self.site.allows(&url).await == Allowed::No {
                self.walk.delete(&id).await?;
            }
        }
        Ok(())
    }

    /// Puts the root first, and the sitemaps behind it.
    async fn begin(&mut self) {
        let sitemaps = self.site.sitemaps().await.into_iter();
        let starts = [(self.root.clone(), false)].into_iter();
        for at in self.places(starts.chain(sitemaps.map(|it| (it, true)))) {
            self.way.go(at, 0);
        }
    }

    fn places(&mut self, links: impl IntoIterator<Item = (Url, bool)>) -> Box<[u32]> {
        let links = links.into_iter();
        let graph = &mut self.known.graph;
        links
            .filter_map(|(url, is_sitemap)| self.way.place(graph, &url, is_sitemap))
            .collect()
    }

    /// Visits places, several at once, and takes them in their order.
    async fn follow(&mut self) -> Result<()> {
        let mut visits = FuturesOrdered::new();
        loop {
            while visits.len() < AT_ONCE
                && let Some((at, depth)) = self.way.next()
            {
                visits.extend(self.visit(at, depth)?);
            }
            let (place, got) = tokio::select! {
                () = self.ctx.cancelled() => return Ok(()),
                visit = visits.next() => match visit {
                    Some(visit) => visit,
                    None => return Ok(()),
                },
            };
            let (at, depth) = (place.at, place.depth);
            let is_sitemap = place.is_sitemap;
            self.take(place, got).await?;
            if is_sitemap || depth < self.settings.depth() {
                self.go_on(at, depth);
            }
            self.known.save_now_and_then().await?;
        }
    }

    /// Queues the links of a place.
    fn go_on(&mut self, at: usize, depth: u32) {
        for link in &self.known.graph[at].links {
            let Some(node) = self.known.graph.get(*link as usize) else {
                continue;
            };
            let depth = if node.is_sitemap { 0 } else { depth + 1 };
            self.way.go(*link, depth);
        }
    }

    /// Begins to visit a place. `None` if it is left out.
    fn visit(&mut self, at: u32, depth: u32) -> Result<Option<BoxFuture<'static, (Place, Got)>>> {
        let at = at as usize;
        let node = &self.known.graph[at];
        let (url, is_sitemap) = (Url::parse(&node.url)?, node.is_sitemap);
        // The settings may have changed since the link was read.
        if !self.settings.has(&url) {
            return Ok(None);
        }
        if !is_sitemap {
            if self.visited == self.settings.pages() {
                if self.way.close() {
                    let reason = "the source has more pages than `max_pages`";
                    self.ctx.skip(self.root.as_str(), reason);
                }
                return Ok(None);
            }
            self.visited += 1;
        }
        let id = id(&url);
        // A page can be kept only if Omni has its document.
        let hash = node.hash.as_ref();
        let is_current = hash.is_none_or(|hash| self.walk.is_current(&id, hash));
        let is_done = node.is_done && is_current;
        let version = node.version.clone().filter(|_| is_current);
        if !is_done {
            self.ctx.working_on(url.as_str());
        }
        let place = Place {
            at,
            depth,
            url,
            id,
            is_sitemap,
            is_current,
        };
        let site = Arc::clone(&self.site);
        Ok(Some(Box::pin(async move {
            let got = match site.allows(&place.url).await {
                Allowed::No => Got::Forbidden,
                Allowed::Unknown => Got::Unruled,
                Allowed::Yes if is_done => Got::Same,
                Allowed::Yes => site.visit(&place.url, version.as_ref(), is_sitemap).await,
            };
            (place, got)
        })))
    }

    /// Does what an answer asks for.
    async fn take(&mut self, place: Place, got: Got) -> Result<()> {
        let is_failed = matches!(got, Got::Failed(_));
        self.failed_in_row = if is_failed { self.failed_in_row + 1 } else { 0 };
        let (at, id, url) = (place.at, &place.id, &place.url);
        let is_root = *url == self.root;
        self.has_page |= !place.is_sitemap && matches!(got, Got::Same | Got::Page(_));
        let node = &mut self.known.graph[at];
        match got {
            Got::Failed(why) | Got::Left(why) if is_root => {
                bail!("the page at `root_url` cannot be read: {why}; nothing was deleted")
            }
            Got::Textless(media_type) if is_root => {
                bail!(
                    "the page at `root_url` cannot be read: `{media_type}` has no text; nothing was deleted"
                )
            }
            Got::Gone if is_root => bail!("the page at `root_url` is gone; correct the setting"),
            Got::Moved(to) if is_root && !self.settings.has(&to) => bail!(leads_away(&to)),
            Got::Same => node.is_done = true,
            Got::Gone => {
                *node = Node {
                    url: url.as_str().into(),
                    is_sitemap: place.is_sitemap,
                    is_done: true,
                    ..Node::default()
                };
                if self.known.documents.contains(id) {
                    self.walk.delete(id).await?;
                }
            }
            Got::Forbidden => self
                .ctx
                .skip(url.as_str(), "the site's robots.txt forbids it"),
            Got::Unruled => {
                self.way.is_whole = false;
                let why = "the robots.txt of its host cannot be read";
                self.walk.failed(id, why, Some(url.as_str()));
            }
            Got::Textless(media_type) => {
                self.walk.keep(id);
                let why = format_args!("`{media_type}` has no text");
                self.ctx.skip_with(url.as_str(), "it was not read", why);
            }
            Got::Left(why) => {
                self.way.is_whole &= place.is_sitemap || !node.links.is_empty();
                self.walk.keep(id);
                self.ctx.skip_with(url.as_str(), "it was not read", why);
            }
            Got::Failed(why) => {
                self.way.is_whole &= !node.links.is_empty();
                if place.is_sitemap {
                    let reason = "the sitemap could not be read";
                    self.ctx.skip_with(url.as_str(), reason, why);
                } else {
                    self.walk.failed(id, why, Some(url.as_str()));
                }
                ensure!(
                    self.failed_in_row < DOWN,
                    "{DOWN} pages of `root_url` in a row could not be read; the site is down, and nothing was deleted for that"
                );
            }
            Got::Moved(to) => {
                node.hash = None;
                node.is_done = true;
                self.link(at, [(to, place.is_sitemap)]);
            }
            Got::Sitemap(found, version) => {
                node.version = version;
                node.is_done = true;
                self.link(at, found);
            }
            Got::Page(read) => {
                let (page, body) = *read;
                self.page(place, page, body).await?;
            }
        }
        Ok(())
    }

    /// Notes where a place leads to, within the source.
    fn link(&mut self, at: usize, links: impl IntoIterator<Item = (Url, bool)>) {
        let settings = self.settings;
        let links = links.into_iter().filter(|(url, _)| settings.has(url));
        self.known.graph[at].links = self.places(links);
    }

    async fn page(&mut self, place: Place, mut page: Page, mut body: Body) -> Result<()> {
        let (at, id, url) = (place.at, place.id, place.url);
        let canonical = page.canonical.take();
        let other = canonical.filter(|it| *it != url && self.settings.has(it));
        let links = page.links.drain(..).chain(other.clone());
        self.link(at, links.map(|it| (it, false)));
        let text = format!("{}\n\n{}", page.title, page.text);
        let hash = Sha256::digest(if page.text.is_empty() {
            &body.bytes
        } else {
            text.as_bytes()
        });
        let version = short(&hash);
        let has_document = !page.is_hidden && other.is_none();
        if page.is_hidden && self.known.documents.contains(&id) {
            self.walk.delete(&id).await?;
        }
        let node = &mut self.known.graph[at];
        let is_same = place.is_current && node.hash == Some(version);
        node.version = body.version.take();
        node.is_done = true;
        node.hash = has_document.then_some(version);
        if has_document && !is_same {
            let etag = node.version.as_ref().and_then(Version::etag);
            let document = document(id, &url, etag, page, text, body);
            let document = document.extra("content_hash", hex(&hash));
            self.walk.upsert(document, &version).await?;
        }
        Ok(())
    }
}

fn document(
    id: String,
    url: &Url,
    etag: Option<&str>,
    page: Page,
    text: String,
    body: Body,
) -> Document<'static> {
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
        .extra("etag", etag);
    if is_document(&body.media_type) {
        document.extract(body.bytes, body.media_type, file_name(url))
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

/// Returns the first 48 bits of a hash, as many as an inventory keeps.
fn short(hash: &[u8]) -> u64 {
    let first = hash.iter().take(6);
    first.fold(0, |short, byte| short << 8 | u64::from(*byte))
}

fn hex(hash: &[u8]) -> String {
    use std::fmt::Write;
    hash.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
