//! Caches the catalog in memory and on disk, so that it survives a restart (`protocol.md` §9.5).

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::catalog::Catalog;

/// The version of the file format; files of other versions are ignored.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Stored<C> {
    version: u32,
    /// Unix seconds.
    cached_at: u64,
    catalog: C,
}

/// The known catalog. It expires after its time to live.
pub(super) struct Cache {
    known: Mutex<Option<(Arc<Catalog>, u64)>>,
    file: Option<PathBuf>,
    ttl: Option<Duration>,
}

impl Cache {
    /// Loads the file of connector `name` in `folder`. Without a time to live nothing is stored on disk, and the
    /// catalog in memory never expires.
    pub(super) fn load(folder: &Path, name: &str, ttl: Option<Duration>) -> Self {
        let file = ttl.map(|_| folder.join(file_name(name)));
        let cache = Self {
            known: Mutex::default(),
            file,
            ttl,
        };
        if let Some(stored) = cache.file.as_deref().and_then(read) {
            *cache.known() = Some((Arc::new(stored.catalog), stored.cached_at));
        }
        cache
    }

    fn known(&self) -> MutexGuard<'_, Option<(Arc<Catalog>, u64)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the catalog unless it has expired.
    pub(super) fn get(&self) -> Option<Arc<Catalog>> {
        let known = self.known();
        let (catalog, at) = known.as_ref()?;
        let age = Duration::from_secs(now().saturating_sub(*at));
        self.ttl
            .is_none_or(|ttl| age <= ttl)
            .then(|| Arc::clone(catalog))
    }

    /// Stores a catalog. Returns whether it differs from the known one.
    pub(super) fn put(&self, catalog: Catalog) -> bool {
        let is_new = self.get().is_none_or(|known| *known != catalog);
        let at = now();
        if let Some(file) = &self.file
            && let Err(error) = write(file, at, &catalog)
        {
            tracing::info!(
                file = %file.display(),
                "the catalog of the MCP server is not kept on disk: {error}; `CATALOG_CACHE_DIR` names the folder"
            );
        }
        *self.known() = Some((Arc::new(catalog), at));
        is_new
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn file_name(connector: &str) -> String {
    let name: String = connector
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                c
            } else {
                '_'
            }
        })
        .collect();
    format!("{name}.mcp-catalog.json")
}

fn read(file: &Path) -> Option<Stored<Catalog>> {
    let text = fs::read(file).ok()?;
    match serde_json::from_slice::<Stored<Catalog>>(&text) {
        Ok(stored) if stored.version == VERSION => Some(stored),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "the kept catalog is ignored");
            None
        }
    }
}

/// Replaces the whole file at once: a crash leaves the old one.
fn write(file: &Path, at: u64, catalog: &Catalog) -> io::Result<()> {
    let stored = Stored {
        version: VERSION,
        cached_at: at,
        catalog,
    };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = file.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&draft, serde_json::to_vec(&stored)?)?;
    fs::rename(draft, file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::PromptDefinition;

    fn catalog(prompt: &str) -> Catalog {
        Catalog {
            prompts: vec![PromptDefinition {
                name: prompt.to_owned(),
                description: None,
                arguments: Vec::new(),
            }],
            ..Catalog::default()
        }
    }

    #[test]
    fn a_restart_does_not_forget_the_catalog() {
        let folder = tempfile::tempdir().unwrap();
        let day = Some(Duration::from_hours(24));
        let first = Cache::load(folder.path(), "acme/x", day);
        assert_eq!(first.get(), None);
        assert!(first.put(catalog("a")));
        assert!(!first.put(catalog("a")), "the same again is no change");
        let second = Cache::load(folder.path(), "acme/x", day);
        assert_eq!(second.get().as_deref(), Some(&catalog("a")));
        assert!(folder.path().join("acme_x.mcp-catalog.json").exists());
    }

    #[test]
    fn a_catalog_of_another_sdk_is_read_and_an_old_or_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("acme.mcp-catalog.json");
        let action = r#"{"name":"t","description":"","input_schema":{},"mode":"read","source_types":[],"admin_only":false}"#;
        let written = |version: u32, at: u64| {
            format!(
                r#"{{"version":{version},"cached_at":{at},"catalog":{{"actions":[{action}],"resources":[],"prompts":[]}}}}"#
            )
        };
        let day = Some(Duration::from_hours(24));
        for (text, is_read) in [
            (written(1, now()), true),
            (written(1, now() - 90_000), false),
            (written(2, now()), false),
            ("{".to_owned(), false),
        ] {
            fs::write(&file, &text).unwrap();
            let read = Cache::load(folder.path(), "acme", day).get();
            assert_eq!(read.is_some(), is_read, "{text}");
        }
    }

    #[test]
    fn without_a_time_to_live_nothing_touches_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::load(folder.path(), "acme", None);
        cache.put(catalog("a"));
        assert!(cache.get().is_some());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
