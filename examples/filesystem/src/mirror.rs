//! Keeps Omni's documents like the tree: walks it, reads what changed, deletes what is gone, remembers how far it is.

use std::{
    future,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesOrdered};
use omni_connector::prelude::*;
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep_until},
};

use crate::{
    content::Content, file::FileItem, known::Known, settings::Settings, skip::Skip, tree::Tree,
};

/// Files read at once: enough to keep a disk busy…
const READERS: usize = 8;
/// …and bytes of them that may be in memory.
const BYTES: u64 = 64 << 20;
/// Entries that were found and wait for a reader.
const AHEAD: usize = 1_000;

/// A process that is killed has to do again what it did since it saved its state: this much at most…
const SAVE_EVERY: Duration = Duration::from_secs(2);
/// …or so many times what saving takes, when the state is large.
const SAVING_SHARE: u32 = 10;

type Read = Result<(FileItem, Content), Skip>;

pub(crate) struct Mirror {
    tree: Tree,
    known: Checkpoint<Known>,
    ctx: SyncContext,
    save_at: Instant,
    is_saved: bool,
}

impl Mirror {
    /// The tree of a source, against what is known of it.
    pub(crate) async fn open(
        settings: Settings,
        mut known: Checkpoint<Known>,
        ctx: SyncContext,
    ) -> Result<Self> {
        known.rebase(&settings.base_path);
        let tree = spawn_blocking(move || Tree::open(settings)).await??;
        Ok(Self {
            tree,
            known,
            ctx,
            save_at: Instant::now() + SAVE_EVERY,
            is_saved: true,
        })
    }

    pub(crate) fn root(&self) -> &Path {
        self.tree.root()
    }

    /// Brings Omni up to date with the whole tree.
    pub(crate) async fn refresh(&mut self) -> Result<()> {
        self.refresh_below(vec![self.tree.root().to_owned()]).await
    }

    /// Brings Omni up to date with what is, or was, at these paths and below them. No path may lie below another.
    pub(crate) async fn refresh_below(&mut self, paths: Vec<PathBuf>) -> Result<()> {
        let mut listing = self.listing(&paths);
        let (tree, (finder, mut found)) = (self.tree.clone(), mpsc::channel(AHEAD));
        let walker = spawn_blocking(move || {
            let mut paths = paths.iter();
            paths.try_for_each(|path| tree.walk(path, |entry| finder.blocking_send(entry).is_ok()))
        });
        let mut reading = Reading::new(self.tree.clone());
        while let Some(entry) = found.recv().await {
            match entry {
                Ok(file) if self.known.is_current(&file.id, file.stamp) => {
                    listing.saw(&file.id);
                    self.ctx.increment_scanned(1).await?;
                }
                Ok(file) => reading.start(file),
                Err(skip) => self.leave_out(skip, &mut listing),
            }
            while reading.is_full()
                && let Some(read) = reading.next().await?
            {
                self.take(read, &mut listing).await?;
            }
            if self.ctx.is_cancelled() {
                return self.save().await;
            }
        }
        while let Some(read) = reading.next().await? {
            self.take(read, &mut listing).await?;
        }
        walker.await??;

        let deletions = self.ctx.delete_unseen(listing.finish()?).await?;
        for id in &deletions.deleted {
            self.known.remove(id);
            self.is_saved = false;
        }
        Ok(())
    }

    /// What is known at these paths and below, to be seen or missed.
    fn listing(&self, paths: &[PathBuf]) -> Listing {
        let ids = paths.iter().filter_map(|path| self.tree.id(path).ok());
        let known: Vec<_> = ids.flat_map(|id| self.known.ids_in(&id)).collect();
        let elsewhere = self.known.len() - known.len();
        let mut listing = self.ctx.listing(known);
        listing.saw_elsewhere(elsewhere);
        listing
    }

    async fn take(&mut self, read: Read, listing: &mut Listing) -> Result<()> {
        let (file, content) = match read {
            Ok(read) => read,
            Err(skip) => {
                self.leave_out(skip, listing);
                return Ok(());
            }
        };
        listing.saw(&file.id);
        self.ctx.upsert(file.document(content)).await?;
        self.known.insert(&file.id, file.stamp);
        self.is_saved = false;
        if self.save_at <= Instant::now() {
            self.save().await?;
        }
        Ok(())
    }

    fn leave_out(&self, skip: Skip, listing: &mut Listing) {
        if skip.keeps_documents {
            listing.saw(&skip.item);
            listing.could_not_list(&format!("{}/", skip.item));
        }
        self.ctx.skip_with(skip.item, skip.reason, skip.detail);
    }

    /// Ends when there is something to save and it is time to.
    pub(crate) async fn save_due(&self) {
        if self.is_saved {
            future::pending::<()>().await;
        }
        sleep_until(self.save_at).await;
    }

    /// Saves what is known, unless it is saved already.
    pub(crate) async fn save(&mut self) -> Result<()> {
        if self.is_saved {
            return Ok(());
        }
        let started = Instant::now();
        self.known.save().await?;
        self.save_at = Instant::now() + SAVE_EVERY.max(started.elapsed() * SAVING_SHARE);
        self.is_saved = true;
        Ok(())
    }
}

/// Files being read, each on a thread of its own.
struct Reading {
    tree: Tree,
    reads: FuturesOrdered<JoinHandle<(u64, Read)>>,
    bytes: u64,
}

impl Reading {
    fn new(tree: Tree) -> Self {
        Self {
            tree,
            reads: FuturesOrdered::new(),
            bytes: 0,
        }
    }

    fn start(&mut self, file: FileItem) {
        let (tree, bytes) = (self.tree.clone(), file.stamp.bytes());
        self.bytes += bytes;
        self.reads
            .push_back(spawn_blocking(move || (bytes, file.read(tree.settings()))));
    }

    fn is_full(&self) -> bool {
        self.reads.len() >= READERS || self.bytes > BYTES
    }

    async fn next(&mut self) -> Result<Option<Read>> {
        let Some((bytes, read)) = self.reads.next().await.transpose()? else {
            return Ok(None);
        };
        self.bytes -= bytes;
        Ok(Some(read))
    }
}
