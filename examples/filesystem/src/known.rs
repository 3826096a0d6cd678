//! What the connector remembers between runs: every file that is a document, and what it looked like when it was read.

use std::{
    collections::BTreeMap,
    fs::Metadata,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use omni_connector::prelude::*;

/// What tells a changed file from an unchanged one: when it was modified, in nanoseconds since 1970, and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp(i64, u64);

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self(metadata.modified().map_or(0, nanos), metadata.len())
    }

    pub(crate) fn modified(self) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp_nanos(self.0.into()).ok()
    }

    pub(crate) fn bytes(self) -> u64 {
        self.1
    }
}

/// A time in nanoseconds since 1970. A file can have any time; one outside of the years 1677 to 2262 becomes their end.
fn nanos(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    }
}

/// When a file was made, where the file system knows it.
pub(crate) fn created(metadata: &Metadata) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(nanos(metadata.created().ok()?).into()).ok()
}

/// The state of a source. Files are grouped by folder, so that hundreds of thousands of paths stay small.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Known {
    base: PathBuf,
    folders: BTreeMap<String, BTreeMap<String, Option<Stamp>>>,
}

impl Known {
    /// All files stay known, to be missed when they are gone, but each is to be read again.
    pub(crate) fn forget_what_was_read(&mut self) {
        let stamps = self.folders.values_mut().flat_map(BTreeMap::values_mut);
        stamps.for_each(|stamp| *stamp = None);
    }

    /// Files below another base have other addresses, though the same ids.
    pub(crate) fn rebase(&mut self, base: &Path) {
        if self.base != base {
            base.clone_into(&mut self.base);
            self.forget_what_was_read();
        }
    }

    pub(crate) fn is_current(&self, id: &str, stamp: Stamp) -> bool {
        let (folder, name) = split(id);
        let known = self.folders.get(folder).and_then(|files| files.get(name));
        known == Some(&Some(stamp))
    }

    pub(crate) fn insert(&mut self, id: &str, stamp: Stamp) {
        let (folder, name) = split(id);
        let files = match self.folders.get_mut(folder) {
            Some(files) => files,
            None => self.folders.entry(folder.to_owned()).or_default(),
        };
        files.insert(name.to_owned(), Some(stamp));
    }

    pub(crate) fn remove(&mut self, id: &str) {
        let (folder, name) = split(id);
        if let Some(files) = self.folders.get_mut(folder) {
            files.remove(name);
            if files.is_empty() {
                self.folders.remove(folder);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.folders.values().map(BTreeMap::len).sum()
    }

    /// The ids of the file `path`, or of all files in the folder `path`; of everything when it is empty.
    pub(crate) fn ids_in(&self, path: &str) -> Vec<String> {
        if path.is_empty() {
            return ids(&self.folders).collect();
        }
        let (folder, name) = split(path);
        let itself = self
            .folders
            .get(folder)
            .is_some_and(|files| files.contains_key(name));
        let below = format!("{path}/");
        let deeper = self.folders.range(below.clone()..);
        let deeper = deeper.take_while(|(folder, _)| folder.starts_with(&below));
        let folders = self.folders.get_key_value(path).into_iter().chain(deeper);
        itself
            .then(|| path.to_owned())
            .into_iter()
            .chain(ids(folders))
            .collect()
    }
}

fn ids<'a>(
    folders: impl IntoIterator<Item = (&'a String, &'a BTreeMap<String, Option<Stamp>>)>,
) -> impl Iterator<Item = String> {
    let folders = folders.into_iter();
    folders.flat_map(|(folder, files)| files.keys().map(move |name| join(folder, name)))
}

fn split(id: &str) -> (&str, &str) {
    id.rsplit_once('/').unwrap_or(("", id))
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(ids: &[&str]) -> Known {
        let mut known = Known::default();
        for id in ids {
            known.insert(id, Stamp(1, 2));
        }
        known
    }

    #[test]
    fn the_files_of_a_folder_are_not_those_of_its_neighbours() {
        let known = known(&["a", "a-b/x", "ab/x", "a/x", "a/b/y", "c"]);
        assert_eq!(known.ids_in("a"), ["a", "a/x", "a/b/y"]);
        assert_eq!(known.ids_in("a/x"), ["a/x"]);
        assert_eq!(known.ids_in("").len(), known.len());
        assert_eq!(known.ids_in("b"), Vec::<String>::new());
    }

    #[test]
    fn a_hundred_thousand_files_are_a_few_megabytes_of_state() {
        let mut known = Known::default();
        for n in 0..100_000_u32 {
            let id = format!("projects/project-{}/chapter-{n}.md", n / 100);
            known.insert(&id, Stamp(1_726_000_000_123_456_789, u64::from(n)));
        }
        let bytes = serde_json::to_vec(&known).unwrap().len();
        assert!(bytes < 6 << 20, "{bytes} bytes");
    }

    #[test]
    fn forgetting_what_was_read_forgets_no_file() {
        let mut known = known(&["a", "b/c"]);
        known.forget_what_was_read();
        assert_eq!(known.ids_in(""), ["a", "b/c"]);
        assert!(!known.is_current("a", Stamp(1, 2)));
    }
}
