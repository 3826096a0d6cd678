//! Crawls a site: visits its pages in the order of their links, and keeps Omni's documents equal to them.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use omni_connector::{Walk, prelude::*};

use crate::{
    document::document,
    fetch::{Allowed, Body, Got, Site},
    graph::{Known, MORE},
    page::{ADDRESSES, Page},
    settings::{Settings, address, id, leads_away},
};

/// The number of consecutive failures after which a site counts as down.
const DOWN: usize = 10;
/// The number of pages that are read at once. Each can be as large as [`fetch`](crate::fetch) allows.
const AT_ONCE: usize = 4;
/// The number of remembered addresses for each page that may be visited.
const REMEMBERED: usize = 10;

/// Updates Omni from a site.
pub(crate) async fn run(
    settings: &Settings,
    mut known: Checkpoint<Known>,
    ctx: &SyncContext,
) -> Result<()> {
    // An unchanged page can have other links, or a document, under other settings. An earlier state has no scope.
    let scope = settings.scope();
    let is_anew = !known.scope.is_empty() && known.scope != scope;
    known.scope = scope;
    if is_anew || !ctx.is_resume() || known.run != ctx.sync_run_id() {
        known.site.begin(is_anew);
        ctx.sync_run_id().clone_into(&mut known.run);
        known.number += 1;
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
        way: Way::default(),
        walk: known.documents.walk(ctx),
        root,
        settings,
        known,
        copies: HashMap::new(),
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
    if !crawl.way.is_cut {
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
    /// Pages with another canonical address: its place, and the page's version. They are visited again behind that place,
    /// which may have no document.
    copies: HashMap<usize, (u32, String)>,
    walk: Walk<u64>,
    way: Way,
    root: Url,
    visited: usize,
    failed_in_row: usize,
    /// Whether any page was read, or is unchanged.
    has_page: bool,
}

/// The order of visits: breadth first, in the order of the pages' links.
#[derive(Default)]
struct Way {
    queue: VecDeque<(u32, u32)>,
    queued: HashSet<u32>,
    /// Whether no other page may be visited.
    is_closed: bool,
    /// Whether a part of the site was left out, so unseen documents may exist.
    is_cut: bool,
}

impl Way {
    /// Queues a place for a visit, once.
    fn go(&mut self, at: u32, depth: u32) {
        if at == MORE {
            self.is_cut = true;
        } else if !self.is_closed && self.queued.insert(at) {
            self.queue.push_back((at, depth));
        }
    }

    /// Ends the crawl before its end, since no other page may be visited. Returns false if it has ended already.
    fn close(&mut self) -> bool {
        self.queue.clear();
        self.is_cut = true;
        !std::mem::replace(&mut self.is_closed, true)
    }
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

    fn places(&mut self, links: impl IntoIterator<Item = (Url, bool)>) -> Vec<u32> {
        let most = self.settings.pages().saturating_mul(REMEMBERED);
        let most = most.saturating_add(1_000);
        let mut found = Vec::new();
        for (url, is_sitemap) in links {
            let place = self.known.site.place(url.as_str(), is_sitemap, most);
            found.push(place.unwrap_or(MORE));
        }
        found
    }

    /// Visits places, several at once, and takes them in their order.
    async fn follow(&mut self) -> Result<()> {
        let mut visits = FuturesOrdered::new();
        loop {
            while visits.len() < AT_ONCE
                && let Some((at, depth)) = self.way.queue.pop_front()
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
            let was_copy = self.copies.contains_key(&at);
            self.take(place, got).await?;
            if is_sitemap || depth < self.settings.depth() {
                self.go_on(at, depth);
            }
            if !was_copy && self.copies.contains_key(&at) && !self.way.is_closed {
                self.way.queue.push_back((u32::try_from(at)?, depth));
            }
            self.known.save_now_and_then().await?;
        }
    }

    /// Queues the links of a place.
    fn go_on(&mut self, at: usize, depth: u32) {
        for link in self.known.site.links(at) {
            let node = self.known.site.nodes.get(*link as usize);
            let is_sitemap = node.is_some_and(|it| it.is_sitemap);
            self.way.go(*link, if is_sitemap { 0 } else { depth + 1 });
        }
    }

    /// Begins to visit a place. `None` if it is left out.
    fn visit(&mut self, at: u32, depth: u32) -> Result<Option<BoxFuture<'static, (Place, Got)>>> {
        let at = at as usize;
        let copy = self.copies.get(&at);
        if let Some((canonical, version)) = copy
            && self.known.site.nodes[*canonical as usize].sent != 0
        {
            self.known.site.set(at, version, 0, 0);
            return Ok(None);
        }
        let (site, node) = (&self.known.site, &self.known.site.nodes[at]);
        let (url, is_sitemap) = (Url::parse(site.url(at))?, node.is_sitemap);
        // The settings may have changed since the link was read.
        if !self.settings.has(&url) {
            return Ok(None);
        }
        if !is_sitemap && copy.is_none() {
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
        let is_current = node.sent == 0 || self.walk.is_current(&id, &node.sent);
        let is_done = node.is_done && is_current;
        let version = site.version(at);
        let version = (is_current && !version.is_empty()).then(|| version.to_owned());
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
                Allowed::Yes => site.visit(&place.url, version.as_deref(), is_sitemap).await,
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
        let was_read = self.known.site.was_read(at);
        match got {
            Got::Failed(why) | Got::Left(why) | Got::Textless(why) if is_root => {
                bail!("the page at `root_url` cannot be read: {why}; nothing was deleted")
            }
            Got::Gone if is_root => bail!("the page at `root_url` is gone; correct the setting"),
            Got::Moved(to) if is_root && !self.settings.has(&to) => bail!(leads_away(&to)),
            Got::Same => self.known.site.nodes[at].is_done = true,
            Got::Gone => {
                self.known.site.set(at, "", 0, 0);
                self.known.site.link(at, Vec::new());
                if self.known.documents.contains(id) {
                    self.walk.delete(id).await?;
                }
            }
            Got::Forbidden => self
                .ctx
                .skip(url.as_str(), "the site's robots.txt forbids it"),
            Got::Unruled => {
                self.way.is_cut = true;
                let why = "the robots.txt of its host cannot be read";
                self.walk.failed(id, why, Some(url.as_str()));
            }
            Got::Left(ref why) | Got::Textless(ref why) => {
                let may_have_links = matches!(got, Got::Left(_)) && !place.is_sitemap;
                self.way.is_cut |= may_have_links && !was_read;
                self.walk.keep(id);
                self.ctx.skip_with(url.as_str(), "it was not read", why);
            }
            Got::Failed(why) => {
                self.way.is_cut |= !was_read;
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
                self.known.site.set(at, "", 0, 0);
                self.link(at, [(to, place.is_sitemap)], false);
            }
            Got::Sitemap(found, version) => {
                self.known.site.set(at, &version, 0, 0);
                let is_cut = found.len() > ADDRESSES;
                self.link(at, found, is_cut);
            }
            Got::Page(read) => {
                let (page, body) = *read;
                self.page(place, page, body).await?;
            }
        }
        Ok(())
    }

    /// Notes where a place leads to, within the source, and whether it leads to more.
    fn link(&mut self, at: usize, links: impl IntoIterator<Item = (Url, bool)>, is_cut: bool) {
        let settings = self.settings;
        let links = links.into_iter().filter(|(url, _)| settings.has(url));
        let mut places = self.places(links);
        places.extend(is_cut.then_some(MORE));
        self.known.site.link(at, places);
    }

    async fn page(&mut self, place: Place, mut page: Page, body: Body) -> Result<()> {
        let (at, id, url) = (place.at, place.id, place.url);
        let canonical = page.canonical.take();
        let mut other = canonical.filter(|it| *it != url && self.settings.has(it));
        if let Some((canonical, _)) = self.copies.get(&at)
            && self.known.site.nodes[*canonical as usize].sent == 0
        {
            other = None;
        }
        let links = page.links.drain(..).chain(other.clone());
        self.link(at, links.map(|it| (it, false)), page.is_cut);
        let short = u32::from_str_radix(page.hash.get(..8).unwrap_or_default(), 16)?;
        if page.is_hidden && self.known.documents.contains(&id) {
            self.walk.delete(&id).await?;
        }
        let has_document = !page.is_hidden && other.is_none();
        let node = &self.known.site.nodes[at];
        let is_same = place.is_current && node.sent != 0 && node.hash == short;
        let sent = match node.sent {
            _ if !has_document => 0,
            sent if is_same => sent,
            _ => self.known.number,
        };
        // The version of another page is no condition for this one. A page can be shown again by a header alone.
        let has_version = body.url == url && !page.is_hidden;
        let version = if has_version { &body.version } else { "" };
        self.known.site.set(at, version, short, sent);
        if let Some(canonical) = other.filter(|_| !page.is_hidden)
            && let Some(canonical) = self.places([(canonical, false)]).pop()
            && canonical != MORE
            && !self.copies.contains_key(&at)
        {
            self.copies.insert(at, (canonical, version.to_owned()));
            self.known.site.begin_again(at);
        }
        if has_document && !is_same {
            let document = document(id, &url, page, body);
            self.walk.upsert(document, &sent).await?;
        }
        Ok(())
    }
}
