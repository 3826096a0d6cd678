//! A source that is not called over HTTP: items of JSON, which a function writes to the place that the connector reads.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    changes, fake_folder,
    source::{Change, Oddity, Source, Unable},
};

/// Makes a place hold exactly the items of some lists.
type Write = dyn Fn(&Path, &[Vec<Value>]) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync;
/// Counts the items in a place.
type Count = dyn Fn(&Path) -> usize + Send + Sync;
/// Says why a source cannot change in a way.
type Refuse = fn(&Change) -> Option<&'static str>;

/// A source that is not called over HTTP, such as a folder or a database. It is a path in a temporary folder, and
/// knows the same changes of its items as a [`FakeApi`](super::FakeApi).
///
/// ```no_run
/// use std::{fs, path::Path};
///
/// use omni_connector_dev::testing::FakeItems;
/// use serde_json::json;
///
/// // A program that keeps everything in one file.
/// let source = FakeItems::new("desk.json", |path, lists| Ok(fs::write(path, json!(lists[0]).to_string())?))
///     .list(vec![json!({ "id": "1", "title": "Disk full", "readers": ["ada@example.com"] })])
///     .id("id");
/// // Files below a folder.
/// let folder = FakeItems::folder([("ops/disks.md", "No space is left."), ("readme.txt", "Begin here.")]);
/// ```
#[must_use = "it is the `source` of `conformance!`"]
pub struct FakeItems {
    place: PathBuf,
    write: Box<Write>,
    count: Option<Box<Count>>,
    refuse: Refuse,
    fields: changes::Fields,
    state: Mutex<State>,
    /// Dropping it deletes the place.
    _folder: TempDir,
}

#[derive(Default)]
struct State {
    lists: Vec<Vec<Value>>,
    is_written: bool,
}

impl FakeItems {
    /// Starts without items. `name` is that of the path in a temporary folder. The function makes the path hold
    /// exactly the items of the lists; it is called before the first run and after each change.
    ///
    /// # Panics
    /// Panics if there can be no temporary folder.
    pub fn new(
        name: &str,
        write: impl Fn(&Path, &[Vec<Value>]) -> Result<(), Box<dyn Error + Send + Sync>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Some systems reach it through a link.
        let real = folder.path().canonicalize();
        Self {
            place: real.expect("the temporary folder is there").join(name),
            write: Box::new(write),
            count: None,
            refuse: |change| match change {
                Change::Odd(_, Oddity::InvalidUtf8) => Some("its items are JSON, which is UTF-8"),
                _ => None,
            },
            fields: changes::Fields::default(),
            state: Mutex::default(),
            _folder: folder,
        }
    }

    /// Creates a folder with files, by their paths below it and their texts. The time of each is `2026-01-01`.
    pub fn folder<P: Into<String>, T: Into<String>>(
        files: impl IntoIterator<Item = (P, T)>,
    ) -> Self {
        let items = files
            .into_iter()
            .map(|(path, text)| fake_folder::file(path.into(), text.into()));
        let mut folder = Self::new("files", fake_folder::write)
            .list(items.collect())
            .id(fake_folder::PATH)
            .changed(fake_folder::MODIFIED)
            .count(fake_folder::count);
        folder.refuse = fake_folder::refused;
        folder
    }

    /// Adds a list of items, which are objects. The first list is the main one.
    pub fn list(mut self, items: Vec<Value>) -> Self {
        self.get_mut().lists.push(items);
        self
    }

    /// Names the member with an item's id. Without it, the id of no item is made unusual.
    pub fn id(mut self, member: impl Into<String>) -> Self {
        self.fields.id = Some(member.into());
        self
    }

    /// Names the member with an item's title; the default is `title`.
    pub fn title(mut self, member: impl Into<String>) -> Self {
        self.fields.title = member.into();
        self
    }

    /// Names the member with an item's text; the default is `text`.
    pub fn text(mut self, member: impl Into<String>) -> Self {
        self.fields.text = member.into();
        self
    }

    /// Names the member with an item's readers; the default is `readers`.
    pub fn readers(mut self, member: impl Into<String>) -> Self {
        self.fields.readers = member.into();
        self
    }

    /// Names the member with the place of an item, such as its project.
    pub fn container(mut self, member: impl Into<String>) -> Self {
        self.fields.container = Some(member.into());
        self
    }

    /// Names the member with the time of an item's last change.
    pub fn changed(mut self, member: impl Into<String>) -> Self {
        self.fields.changed = Some((String::new(), member.into()));
        self
    }

    /// Declares that the last list holds groups, and names the member with a group's members.
    pub fn members(mut self, member: impl Into<String>) -> Self {
        let list = self.get_mut().lists.len().saturating_sub(1);
        self.fields.members = Some((list, member.into()));
        self
    }

    /// Counts the items of the main list in the place. A refused call of an action must not change this number.
    pub fn count(mut self, count: impl Fn(&Path) -> usize + Send + Sync + 'static) -> Self {
        self.count = Some(Box::new(count));
        self
    }

    fn get_mut(&mut self) -> &mut State {
        let state = self.state.get_mut();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the state, once it was written.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.is_written {
            let written = (self.write)(&self.place, &state.lists);
            written.expect("the items are written to the temporary folder");
            state.is_written = true;
        }
        state
    }

    /// Where the place is while it cannot be reached.
    fn away(&self) -> PathBuf {
        self.place.with_added_extension("away")
    }
}

impl Source for FakeItems {
    /// Returns its path.
    fn url(&self) -> String {
        drop(self.state());
        self.place.display().to_string()
    }

    fn change(&self, change: &Change) -> Result<(), Unable> {
        let unable =
            |why: &dyn std::fmt::Display| Unable(format!("this source cannot {change}: {why}"));
        let mut state = self.state();
        match change {
            Change::Vanish => {
                return fs::rename(&self.place, self.away()).map_err(|error| unable(&error));
            }
            Change::Restore => {
                return fs::rename(self.away(), &self.place).map_err(|error| unable(&error));
            }
            _ => {}
        }
        if let Some(why) = (self.refuse)(change) {
            return Err(unable(&why));
        }
        if let Change::UnevenPages
        | Change::EmptyPage
        | Change::FillPages(_)
        | Change::ForgetTokens = change
        {
            return Err(unable(
                &"it is not called over HTTP, so the kit makes no pages",
            ));
        }
        let before = state.lists.clone();
        changes::apply(change, &self.fields, &mut state.lists)?;
        if let Err(error) = (self.write)(&self.place, &state.lists) {
            state.lists = before;
            let restored = (self.write)(&self.place, &state.lists);
            restored.expect("the items are written as before");
            return Err(unable(&error));
        }
        Ok(())
    }

    fn writes(&self) -> usize {
        let ours = self.state().lists.first().map_or(0, Vec::len);
        let count = self.count.as_ref();
        count.map_or(0, |count| count(&self.place).abs_diff(ours))
    }
}
