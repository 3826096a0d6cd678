//! What the operating system tells about the tree, gathered into batches of paths.

use std::{
    collections::BTreeSet,
    mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use notify::{
    Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};
use omni_connector::prelude::*;
use tokio::{
    sync::Notify,
    task::spawn_blocking,
    time::{Instant, timeout},
};

/// A batch is complete when nothing has happened for this long…
const QUIET: Duration = Duration::from_millis(300);
/// …or when it has been open for this long.
const LONGEST: Duration = Duration::from_secs(3);
/// With more paths than this, walking the whole tree is less work.
const MANY: usize = 10_000;

/// Watches a tree until it is dropped.
pub(crate) struct Watch {
    changes: Arc<Changes>,
    _watcher: RecommendedWatcher,
}

#[derive(Debug, Default)]
struct Changes {
    pending: Mutex<Batch>,
    arrived: Notify,
}

/// What changed.
#[derive(Debug)]
pub(crate) enum Batch {
    /// What is, or was, at these paths and below.
    Paths(BTreeSet<PathBuf>),
    /// Something that nobody can name: events were lost.
    Everything,
}

impl Watch {
    /// Begins to watch; what happens from now on is in a batch.
    pub(crate) async fn start(root: &Path) -> Result<Self> {
        let (root, changes) = (root.to_owned(), Arc::new(Changes::default()));
        let told = Arc::clone(&changes);
        let watcher = spawn_blocking(move || {
            let config = Config::default().with_follow_symlinks(false);
            let mut watcher = RecommendedWatcher::new(move |event| told.add(event), config)?;
            watcher.watch(&root, RecursiveMode::Recursive)?;
            Ok::<_, notify::Error>(watcher)
        });
        let watcher = watcher.await?.context(
            "the tree cannot be watched; on Linux every folder needs one of `fs.inotify.max_user_watches`",
        )?;
        Ok(Self {
            changes,
            _watcher: watcher,
        })
    }

    /// The next changes, when it has become quiet. Dropping the future loses none.
    pub(crate) async fn changes(&self) -> Batch {
        while self.changes.pending().is_empty() {
            self.changes.arrived.notified().await;
        }
        let open_until = Instant::now() + LONGEST;
        while timeout(QUIET, self.changes.arrived.notified())
            .await
            .is_ok()
            && Instant::now() < open_until
        {}
        mem::take(&mut self.changes.pending())
    }
}

impl Changes {
    fn pending(&self) -> MutexGuard<'_, Batch> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, event: notify::Result<Event>) {
        let mut pending = self.pending();
        pending.add(event);
        if !pending.is_empty() {
            self.arrived.notify_one();
        }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::Paths(BTreeSet::new())
    }
}

impl Batch {
    fn add(&mut self, event: notify::Result<Event>) {
        let paths = match event {
            Ok(event) if event.need_rescan() => return *self = Self::Everything,
            Ok(event) if is_change(event.kind) => event.paths,
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(%error, "the tree cannot be watched completely");
                return *self = Self::Everything;
            }
        };
        if let Self::Paths(pending) = self {
            pending.extend(paths);
            if pending.len() > MANY {
                *self = Self::Everything;
            }
        }
    }

    /// The paths that lie below no other one; none when everything changed.
    pub(crate) fn topmost(self) -> Option<Vec<PathBuf>> {
        let Self::Paths(paths) = self else {
            return None;
        };
        let mut topmost: Vec<PathBuf> = Vec::new();
        // In the order of paths, what is below a folder follows it.
        for path in paths {
            if topmost.last().is_none_or(|above| !path.starts_with(above)) {
                topmost.push(path);
            }
        }
        Some(topmost)
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Paths(paths) if paths.is_empty())
    }
}

/// Reading a file, as this connector does itself, is no change.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, Flag, ModifyKind};

    use super::*;

    fn batch(paths: &[&str]) -> Batch {
        let mut batch = Batch::default();
        for path in paths {
            let event = Event::new(EventKind::Modify(ModifyKind::Any)).add_path(path.into());
            batch.add(Ok(event));
        }
        batch
    }

    #[test]
    fn what_lies_below_a_path_is_not_looked_at_twice() {
        let batch = batch(&["/t/a/b", "/t/a", "/t/a-b", "/t/c/d", "/t/a/z"]);
        let topmost = batch.topmost().unwrap();
        assert_eq!(topmost, ["/t/a", "/t/a-b", "/t/c/d"].map(PathBuf::from));
    }

    #[test]
    fn lost_events_mean_everything_and_so_do_too_many() {
        let mut lost = batch(&["/t/a"]);
        lost.add(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
        lost.add(Ok(
            Event::new(EventKind::Create(CreateKind::Any)).add_path("/t/b".into())
        ));
        assert!(lost.topmost().is_none());

        let many: Vec<String> = (0..=MANY).map(|n| format!("/t/{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(batch(&many).topmost().is_none());
        assert_eq!(batch(&many[..MANY]).topmost().unwrap().len(), MANY);
    }

    #[test]
    fn reading_is_no_change() {
        let mut batch = Batch::default();
        for kind in [
            AccessKind::Read,
            AccessKind::Open(AccessMode::Any),
            AccessKind::Close(AccessMode::Read),
        ] {
            batch.add(Ok(
                Event::new(EventKind::Access(kind)).add_path("/t/a".into())
            ));
        }
        assert!(batch.is_empty());
    }
}
