//! Keeps Omni's documents equal to the tree: walks it, reads changed files, deletes documents of missing files.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{StreamExt, stream};
use omni_connector::{Walk, prelude::*};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::spawn_blocking,
};

use crate::{
    file::{Content, Read, Stamp},
    notices::topmost,
    settings::Settings,
    tree::{Found, Skip, Tree},
};

/// The number of files read at once: enough to keep a disk busy.
const READERS: usize = 8;
/// The limit of their content in memory, in kilobytes.
const KILOBYTES: u32 = 64 << 10;
/// The number of found entries that may wait for a reader.
const AHEAD: usize = 1_000;

/// The state of a source.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Known {
    /// The base, as it was configured.
    base: PathBuf,
    files: Inventory<Stamp>,
}

/// Reads a saved state: the current format, or an earlier one with the files of each folder by their paths below the
/// base. Any other value is ignored: Omni's own connector saves nothing.
impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        type Folders = BTreeMap<String, BTreeMap<String, Value>>;
        let mut saved = Value::deserialize(deserializer)?;
        let mut take = |key| saved.get_mut(key).map(Value::take).unwrap_or_default();
        let base = serde_json::from_value(take("base")).unwrap_or_default();
        let files = match serde_json::from_value::<Folders>(take("folders")) {
            Ok(folders) => folders
                .iter()
                .flat_map(|(folder, files)| files.keys().map(move |name| (folder, name)))
                .map(|(folder, name)| (format!("{folder}/{name}"), None))
                .map(|(id, version)| (id.trim_start_matches('/').to_owned(), version))
                .collect(),
            Err(_) => serde_json::from_value(take("files")).map_err(serde::de::Error::custom)?,
        };
        Ok(Self { base, files })
    }
}

pub(crate) struct Mirror {
    tree: Arc<Tree>,
    known: Checkpoint<Known>,
    ctx: SyncContext,
    /// Whether it is unknown what Omni has of this source: its own connector may have worked on it before.
    is_new: bool,
}

impl Mirror {
    /// Opens the tree of a source, with the saved state.
    pub(crate) async fn open(
        settings: Settings,
        known: Checkpoint<Known>,
        ctx: SyncContext,
    ) -> Result<Self> {
        let tree = Arc::new(spawn_blocking(move || Tree::open(settings)).await??);
        let saved = ctx.source().checkpoint.as_ref();
        let base = saved.and_then(|saved| saved.get("base"));
        let mut mirror = Self {
            tree,
            known,
            is_new: base.is_none(),
            ctx: ctx.clone(),
        };
        let configured = mirror.tree.settings.base().to_owned();
        if base != Some(&json!(configured))
            || saved.is_some_and(|saved| saved.get("folders").is_some())
        {
            mirror.delete_others().await?;
        }
        mirror.known.base = configured;
        Ok(mirror)
    }

    /// Deletes documents that are not below the base, such as those of an earlier base.
    async fn delete_others(&self) -> Result<()> {
        let mut walk = self.known.files.walk(&self.ctx);
        for id in self.known.files.ids_in(&Part::whole()) {
            let below = id.strip_prefix(self.tree.settings.prefix());
            if below.is_none_or(|below| !below.starts_with('/')) {
                walk.delete(&id).await?;
            }
        }
        Ok(())
    }

    pub(crate) fn tree(&self) -> Arc<Tree> {
        Arc::clone(&self.tree)
    }

    /// Returns the base, as it is configured.
    pub(crate) fn base(&self) -> &Path {
        self.tree.settings.base()
    }

    /// Updates Omni from the whole tree.
    pub(crate) async fn refresh(&mut self) -> Result<()> {
        let base = self.base().to_owned();
        self.refresh_at([base].into()).await?;
        self.is_new = false;
        Ok(())
    }

    /// Updates Omni at and below these paths. A file at one of them is always read, even with an unchanged stamp.
    pub(crate) async fn refresh_at(&mut self, mut changed: BTreeSet<PathBuf>) -> Result<()> {
        let settings = self.tree.settings.clone();
        let now = spawn_blocking(|| Tree::open(settings)).await??;
        if now.root != self.tree.root {
            // The base is a link, and leads elsewhere now. Paths of the other tree say nothing about this one.
            changed = [self.base().to_owned()].into();
            self.tree = Arc::new(now);
        }
        let paths = topmost(changed.iter().cloned());
        let is_whole = paths.iter().any(|path| path == self.tree.settings.base());
        let part = if is_whole {
            Part::whole()
        } else {
            Part::several(
                paths
                    .iter()
                    .filter_map(|path| path.to_str())
                    .map(Part::path),
            )
        };
        let names_all = is_whole && self.is_new;
        let walk = Mutex::new(self.known.files.walk_part(&self.ctx, part));
        let (tree, (finder, mut found)) = (self.tree(), mpsc::channel(AHEAD));
        let walker = spawn_blocking(move || {
            let mut found = |entry| finder.blocking_send(entry).is_ok();
            paths
                .iter()
                .try_for_each(|path| tree.walk(path, names_all, &mut found))
        });
        let is_current = |found: &Found| {
            let Ok(file) = found else { return false };
            !changed.contains(Path::new(&file.id)) && lock(&walk).is_current(&file.id, &file.stamp)
        };
        {
            let memory = Arc::new(Semaphore::new(KILOBYTES as usize));
            let reads = stream::poll_fn(|cx| found.poll_recv(cx))
                .filter(|found| ready(!is_current(found)))
                .map(|found| read(found, Arc::clone(&memory)))
                .buffered(READERS);
            let mut reads = pin!(reads);
            loop {
                let (read, _memory) = tokio::select! {
                    () = self.ctx.cancelled() => return Ok(()),
                    read = reads.next() => match read {
                        Some(read) => read?,
                        None => break,
                    },
                };
                match read {
                    Ok((file, content)) => {
                        if content == Content::Nothing
                            && let Some(reason) = file.lacks_text()
                        {
                            self.ctx.skip(&file.id, reason);
                        }
                        let sent = lock(&walk).upsert(file.document(content), &file.stamp);
                        sent.await?;
                    }
                    Err(skip) => self.leave_out(skip, &walk).await?,
                }
                self.known.save_now_and_then().await?;
            }
        }
        walker.await??;
        let walk = walk.into_inner().unwrap_or_else(PoisonError::into_inner);
        walk.finish(Walked::declared("the last folder of the tree was listed"))
            .await?;
        self.known.save_now_and_then().await?;
        Ok(())
    }

    /// Reports an item that has no document now. An item that does not belong to the source is deleted by name. Such
    /// deletes are no accident, so their number is not limited.
    async fn leave_out(&self, skip: Skip, walk: &Mutex<Walk<Stamp>>) -> Result<()> {
        let part = Part::path(&skip.item);
        if skip.keeps_documents {
            lock(walk).keep_part(&part);
        } else {
            let sent = if self.is_new && self.known.files.ids_in(&part).is_empty() {
                lock(walk).delete(&skip.item)
            } else {
                lock(walk).delete_part(&part)
            };
            sent.await?;
        }
        match skip.detail {
            Some(detail) => self.ctx.skip_with(skip.item, skip.reason, detail),
            None => self.ctx.skip(skip.item, skip.reason),
        }
        Ok(())
    }

    pub(crate) async fn save(&self) -> Result<()> {
        Ok(self.known.save().await?)
    }
}

fn lock(walk: &Mutex<Walk<Stamp>>) -> MutexGuard<'_, Walk<Stamp>> {
    walk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a file on a separate thread, once there is room in memory for it.
async fn read(
    found: Found,
    memory: Arc<Semaphore>,
) -> Result<(Read, Option<OwnedSemaphorePermit>)> {
    let file = match found {
        Ok(file) => file,
        Err(skip) => return Ok((Err(skip), None)),
    };
    let kilobytes = u32::try_from(file.stamp.bytes >> 10)
        .unwrap_or(KILOBYTES)
        .min(KILOBYTES);
    let room = memory.acquire_many_owned(kilobytes).await?;
    Ok((spawn_blocking(|| file.read()).await?, Some(room)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_older_checkpoint_is_read_or_ignored() {
        let known = |saved: Value| omni_connector::decode::<Known>("checkpoint", saved).unwrap();
        for nothing in [
            json!({}),
            json!([]),
            json!("x"),
            json!({ "files": null, "base": null, "folders": null }),
            json!({ "cursor": 7 }),
        ] {
            assert!(known(nothing).files.is_empty());
        }
        let folders = json!({ "": { "a.md": [1, 2], "b": null }, "ops/deep": { "c": [-3, 4] } });
        let earlier = known(json!({ "base": "/srv", "folders": folders, "other": 1 }));
        let mut ids = earlier.files.ids_in(&Part::whole());
        ids.sort();
        assert_eq!(ids, ["a.md", "b", "ops/deep/c"]);
        assert_eq!(earlier.base, PathBuf::from("/srv"));
        let again = known(serde_json::to_value(&earlier).unwrap());
        assert_eq!(again.files.len(), 3);
    }
}
