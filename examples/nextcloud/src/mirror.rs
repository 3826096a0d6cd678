//! Keeps Omni's documents like the files: lists the folders whose `ETag` changed, and reads the files that changed in them.

use std::{
    collections::{HashMap, HashSet},
    future::ready,
};

use futures_util::{StreamExt, stream::FuturesOrdered};
use omni_connector::{
    BoxFuture, Walk,
    manager::{EXTRACT_LIMIT, is_extractable},
    prelude::*,
};
use tokio::sync::mpsc;

use crate::{
    cloud::{Cloud, Folder, source_error},
    file::{File, Frame, Version},
    kept::{Folders, Kept, below},
    settings::Settings,
    steps::{Content, Lister, Step, VANISHED, is_same, read},
};

/// How often a tree is walked that changes meanwhile.
const WALKS: usize = 3;
/// `ETag`s of some mounted folders do not change with what is in them. So all folders are listed once in this time.
const WEEK: i64 = 7 * 24 * 3_600;
/// Files that wait for their turn…
const AHEAD: usize = 1_000;
/// …and those that are read at once. The client allows eight calls.
const AT_ONCE: usize = 16;

/// The state of a source.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Known {
    /// The login name with the server, and the user id that belongs to them.
    user: Option<(String, String)>,
    scope: Value,
    /// When all folders were listed, in seconds since 1970.
    listed: i64,
    folders: Packed<Folders>,
    files: Inventory<Version>,
}

struct Mirror {
    cloud: Cloud,
    settings: Settings,
    frame: Frame,
    ctx: SyncContext,
    known: Checkpoint<Known>,
    /// Folders that are being read.
    open: HashMap<String, Kept>,
    /// Folders that must be listed again, since something vanished from them.
    again: HashSet<String>,
    /// Some folder of this walk may hold files that moved there, and could not be listed.
    is_partial: bool,
}

/// Brings Omni up to date with all files.
pub(crate) async fn refresh(
    cloud: Cloud,
    settings: Settings,
    mut known: Checkpoint<Known>,
    ctx: SyncContext,
) -> Result<()> {
    known.user = Some(cloud.log_in(ctx.source().checkpoint.as_ref()).await?);
    if known.folders.is_empty() {
        // A full run lists everything, and still knows what is in a folder that it cannot list.
        known.folders = known.last()?.map(|last| last.folders).unwrap_or_default();
        for kept in known.folders.values_mut() {
            kept.etag.clear();
            kept.textless.clear();
        }
    }
    let mut mirror = Mirror {
        frame: Frame {
            source: ctx.source_id().to_owned(),
            server: settings.server().to_owned(),
            owner: ctx.owner_email().await?,
        },
        cloud,
        settings,
        ctx,
        known,
        open: HashMap::new(),
        again: HashSet::new(),
        is_partial: false,
    };
    let is_whole = mirror.prepare().await?;
    let base = mirror.settings.base();
    let mut root = match mirror.cloud.take_seen() {
        Some(root) => root,
        None => mirror.cloud.root().await?,
    };
    let known = mirror.known.folders.get(&base);
    if known.is_some_and(|known| is_same(&known.etag, &root.etag)) {
        mirror.count(&base).await?;
        return Ok(mirror.known.save().await?);
    }
    for _ in 0..WALKS {
        let (etag, mut walk) = (root.etag.clone(), mirror.known.files.walk(&mirror.ctx));
        mirror.walk(&base, root, &mut walk).await?;
        root = mirror.cloud.root().await?;
        if etag == root.etag && mirror.is_partial {
            break;
        }
        if etag == root.etag {
            let proof = Walked::declared("all folders were listed, and the top one did not change");
            let deletions = walk.finish(proof).await?;
            if !deletions.held_back.is_empty() {
                mirror.list_again(&base);
            } else if is_whole {
                mirror.known.listed = OffsetDateTime::now_utc().unix_timestamp();
            }
            return Ok(mirror.known.save().await?);
        }
    }
    mirror.list_again(&base);
    let why = "not all folders could be listed while nothing changed, so nothing is deleted before the next run";
    mirror.ctx.skip(format!("{base}/"), why);
    Ok(mirror.known.save().await?)
}

impl Mirror {
    /// Finds out which folders must be listed whatever their `ETag`. True if all of them.
    async fn prepare(&mut self) -> Result<bool> {
        let (frame, ctx) = (&self.frame, &self.ctx);
        let omnis = ctx.source().checkpoint.as_ref();
        let omnis = omnis.and_then(|saved| saved.get("known_files")?.as_array());
        if let Some(keys) = omnis.filter(|_| self.known.files.is_empty()) {
            let ids = keys.iter().filter_map(Value::as_str);
            self.known.files = ids.map(|key| (frame.id(key), None)).collect();
            self.known.save().await?;
        }
        let scope = self.settings.scope(&frame.owner);
        let mut walk = self.known.files.walk(ctx);
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let is_whole = self.known.scope != scope || now - self.known.listed > WEEK;
        if is_whole && !ctx.is_resume() {
            let base = self.settings.base();
            let inside = format!("{base}/");
            let folders = std::mem::take(&mut self.known.folders);
            for (path, mut kept) in folders.0 {
                if path == base || path.starts_with(&inside) {
                    kept.etag.clear();
                    self.known.folders.insert(path, kept);
                    continue;
                }
                for key in &kept.files {
                    walk.delete(&frame.id(key)).await?;
                }
            }
        }
        self.known.scope = scope;
        let missing: HashSet<_> = walk.missing().into_iter().collect();
        let is_missing = |key: &String| missing.contains(&frame.id(key));
        let folders = self.known.folders.iter();
        let dirty = folders.filter(|(_, it)| it.etag.is_empty() || it.files.iter().any(is_missing));
        for path in dirty.map(|(path, _)| path.clone()).collect::<Vec<_>>() {
            for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
                self.list_again(&path[..end]);
            }
        }
        Ok(is_whole)
    }

    fn list_again(&mut self, path: &str) {
        if let Some(kept) = self.known.folders.get_mut(path) {
            kept.etag.clear();
        }
    }

    /// Walks the tree once.
    async fn walk(&mut self, base: &str, root: Folder, walk: &mut Walk<Version>) -> Result<()> {
        self.is_partial = false;
        let (to, mut steps) = mpsc::channel(AHEAD);
        let known = self.known.folders.iter();
        let known = known.map(|(path, kept)| (path.clone(), kept.etag.clone()));
        let (cloud, known) = (self.cloud.clone(), known.collect());
        let listing = async move {
            let lister = Lister { cloud, known, to };
            lister.below(base.to_owned(), root).await
        };
        tokio::try_join!(listing, self.work(&mut steps, walk)).map(|_| ())
    }

    /// Works on the steps, and reads several files at once. It ends where the listing does.
    async fn work(
        &mut self,
        steps: &mut mpsc::Receiver<Step>,
        walk: &mut Walk<Version>,
    ) -> Result<()> {
        let mut work = FuturesOrdered::new();
        loop {
            tokio::select! {
                Some(step) = steps.recv(), if work.len() < AT_ONCE => work.extend(self.begin(step, walk)),
                Some(step) = work.next() => self.end(step?, walk).await?,
                else => return Ok(()),
            }
            self.known.save_now_and_then().await?;
        }
    }

    /// Begins with a step; none if there is nothing to do.
    fn begin(
        &mut self,
        step: Step,
        walk: &mut Walk<Version>,
    ) -> Option<BoxFuture<'static, Result<Step>>> {
        let Step::File(file) = step else {
            return Some(Box::pin(ready(Ok(step))));
        };
        let size = file.size();
        let known = self.known.folders.get(file.folder());
        let textless = known.and_then(|folder| folder.textless.get(file.key()));
        let content = if !self.settings.wants(&file.extension()) {
            Content::None("files with this extension are left out by a setting")
        } else if size.is_some_and(|size| self.settings.is_too_large(size)) {
            Content::None("larger than the setting `max_file_size`")
        } else if !is_extractable(file.mime_type(), file.name()) {
            Content::None("Omni reads no text from this format")
        } else if size.is_some_and(|size| size > EXTRACT_LIMIT) {
            Content::None("larger than the 50 MiB that Omni reads")
        } else if textless == Some(&file.etag()) {
            Content::Textless
        } else if walk.is_current(&self.frame.id(file.key()), &file.version(&self.frame)) {
            let open = self.open.entry(file.folder().to_owned()).or_default();
            open.files.push(file.key().to_owned());
            return None;
        } else {
            return Some(Box::pin(read(self.cloud.clone(), self.ctx.clone(), file)));
        };
        Some(Box::pin(ready(Ok(Step::Read(file, content)))))
    }

    /// Ends a step, whose turn it is.
    async fn end(&mut self, step: Step, walk: &mut Walk<Version>) -> Result<()> {
        match step {
            Step::File(_) => {}
            Step::Read(file, content) => self.take(&file, content, walk).await?,
            Step::Same(path) => {
                self.keep(&path, walk);
                self.count(&path).await?;
            }
            Step::Failed(path, error) => {
                self.keep(&path, walk);
                self.known.folders.entry(path.clone()).or_default();
                self.list_again(&path);
                // Nobody with this account can read what moved into a forbidden folder.
                let cause = source_error(&error);
                self.is_partial |= !matches!(cause, Some(SourceError::Forbidden { .. }));
                if cause.is_some_and(SourceError::is_missing) {
                    self.ctx.skip_with(path, VANISHED, error);
                } else {
                    let error = format!("{error:#}");
                    self.ctx.item_failed(path, error, Some(&self.frame.server));
                }
            }
            Step::Listed(path, etag, folders) => {
                let mut kept = self.open.remove(&path).unwrap_or_default();
                kept.files.sort_by_key(|key| (key.len(), key.clone()));
                if !self.again.remove(&path) {
                    kept.etag = etag;
                }
                let is_gone = |it: &str| {
                    let end = it[path.len() + 1..].find('/');
                    !folders.contains(end.map_or(it, |end| &it[..path.len() + 1 + end]))
                };
                let gone = below(&self.known.folders, &path).map(|it| it.0);
                let gone: Vec<_> = gone.filter(|it| is_gone(it)).cloned().collect();
                for path in gone {
                    self.known.folders.remove(&path);
                }
                self.known.folders.insert(path, kept);
            }
        }
        Ok(())
    }

    async fn take(
        &mut self,
        file: &File,
        content: Content,
        walk: &mut Walk<Version>,
    ) -> Result<()> {
        let (id, key) = (self.frame.id(file.key()), file.key().to_owned());
        let open = self.open.entry(file.folder().to_owned()).or_default();
        let reason = match content {
            Content::None(reason) => reason,
            Content::Textless => {
                open.textless.insert(key, file.etag());
                "it has no text"
            }
            Content::Text(text) => {
                open.files.push(key);
                let document = file.document(&self.frame, &text);
                return Ok(walk.upsert(document, &file.version(&self.frame)).await?);
            }
            Content::Changed(how) => {
                open.files.push(key);
                walk.keep(&id);
                self.ctx.skip(&file.path, how);
                self.again.insert(file.folder().to_owned());
                return Ok(());
            }
            Content::Failed(error) => {
                open.files.push(key);
                let url = file.url(&self.frame.server);
                walk.failed(&id, format!("`{}`: {error:#}", file.path), Some(&url));
                return Ok(());
            }
        };
        if self.known.files.contains(&id) {
            walk.delete(&id).await?;
        }
        self.ctx.skip(&file.path, reason);
        Ok(())
    }

    /// The keys of all files in a folder and below it.
    fn keys(&self, path: &str) -> impl Iterator<Item = &String> {
        let folders = &self.known.folders;
        let itself = folders.get(path).into_iter();
        let all = itself.chain(below(folders, path).map(|it| it.1));
        all.flat_map(|it| &it.files)
    }

    fn keep(&self, path: &str, walk: &mut Walk<Version>) {
        for key in self.keys(path) {
            walk.keep(&self.frame.id(key));
        }
    }

    async fn count(&self, path: &str) -> Result<()> {
        let count = i32::try_from(self.keys(path).count()).unwrap_or(i32::MAX);
        Ok(self.ctx.increment_scanned(count).await?)
    }
}
