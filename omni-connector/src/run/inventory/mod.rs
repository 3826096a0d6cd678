//! Knows which documents of a source are in Omni, and in which version.
//!
//! A document is recorded only when the manager has accepted it. A saved checkpoint names its id before the document is
//! sent. So a process that is killed at any moment leaves no unknown document in Omni.

mod form;
mod segment;
mod shared;
mod table;
mod walk;

use std::{fmt, marker::PhantomData, sync::Arc};

use highway::{HighwayHash, HighwayHasher, Key};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::Value;

pub(super) use self::segment::Fingerprint;
pub(crate) use self::shared::Shared;
use self::shared::State;
pub use self::walk::Walk;
use super::{SyncContext, keeper::serialize_piece};

/// Knows which documents of a source are in Omni, each with its version there. It is a field of the checkpoint.
///
/// `V` is a value that changes with the item: a number, a time, an `ETag`, a struct of several. Only 48 bits of a hash
/// of its JSON are kept. So a million ids of 60 characters take a few megabytes in a checkpoint.
///
/// A full run forgets all versions, but keeps the ids. So it sends everything again, and still finds deleted items. A
/// document is recorded only once the manager accepted it. One that failed has no version: the next run tries it again,
/// and every report names it until it arrives or is deleted.
///
/// ```
/// use omni_connector::prelude::*;
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Cursor { issues: Inventory<u64> }
///
/// # struct Issue { key: String, version: u64 }
/// # async fn pages() -> Result<Vec<Vec<Issue>>> { Ok(vec![]) }
/// # async fn sync(mut checkpoint: Checkpoint<Cursor>, ctx: SyncContext) -> Result<()> {
/// let mut walk = checkpoint.issues.walk(&ctx);
/// for page in pages().await? {
///     for issue in page {
///         if walk.is_current(&issue.key, &issue.version) { continue; }
///         let document = Document::new(&issue.key, DocumentPermissions::users(["ann@example.com"]));
///         walk.upsert(document, &issue.version).await?;
///     }
///     checkpoint.save_now_and_then().await?;
/// }
/// walk.finish(Walked::declared("the last page was read")).await?;
/// # Ok(())
/// # }
/// ```
///
/// When the source lists only changes, make a walk and never finish it. It then deletes only the documents given to
/// [`Walk::delete`].
///
/// A list of ids, or a map of ids to versions, of an older checkpoint is also read. [Collect](Self::from_iter) any
/// other form into an inventory.
pub struct Inventory<V = ()> {
    shared: Arc<Shared>,
    version: PhantomData<fn(V)>,
}

impl<V: Serialize> Inventory<V> {
    /// Begins a walk over the whole source.
    pub fn walk(&self, ctx: &SyncContext) -> Walk<V> {
        Walk::begin(&self.shared, ctx, Part(Of::Whole))
    }

    /// Begins a walk over a part of the source: a folder, a project, a mailbox. Everything outside of it is kept.
    pub fn walk_part(&self, ctx: &SyncContext, part: Part) -> Walk<V> {
        Walk::begin(&self.shared, ctx, part)
    }
}

impl<V> Inventory<V> {
    /// Returns the number of known documents.
    pub fn len(&self) -> usize {
        self.shared.state().table.len()
    }

    /// Returns whether no document is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether a document is known, in any version.
    pub fn contains(&self, id: &str) -> bool {
        self.shared.state().table.get(id).is_some()
    }

    /// Returns the ids of all known documents in a part, in no order.
    pub fn ids_in(&self, part: &Part) -> Vec<String> {
        self.shared.state().ids_in(part)
    }
}

/// A part of a source, by the ids of its documents.
#[derive(Debug, Clone)]
pub struct Part(Of);

#[derive(Debug, Clone)]
enum Of {
    Whole,
    Prefix(String),
    Path(String),
    Several(Vec<Part>),
}

impl Part {
    /// The whole source.
    pub const fn whole() -> Self {
        Self(Of::Whole)
    }

    /// All documents whose id begins with `prefix`.
    pub fn prefix(prefix: impl Into<String>) -> Self {
        Self(Of::Prefix(prefix.into()))
    }

    /// The document with this id, and all whose id continues with `/` after it. The empty path is the whole source.
    pub fn path(path: impl Into<String>) -> Self {
        let path = path.into();
        Self(if path.is_empty() {
            Of::Whole
        } else {
            Of::Path(path)
        })
    }

    /// All documents in one of these parts. One walk over several parts sees both sides of a move between them, so the
    /// move does not look like a loss.
    pub fn several(parts: impl IntoIterator<Item = Self>) -> Self {
        Self(Of::Several(parts.into_iter().collect()))
    }

    /// Returns prefixes that cover all ids of the part. None of them begins with another.
    fn prefixes_of_ids(&self) -> Vec<&str> {
        match &self.0 {
            Of::Whole => vec![""],
            Of::Prefix(prefix) | Of::Path(prefix) => vec![prefix],
            Of::Several(parts) => {
                let mut all: Vec<_> = parts.iter().flat_map(Self::prefixes_of_ids).collect();
                all.sort_unstable();
                // The prefixes are sorted, so those that begin with another one follow it.
                all.dedup_by(|next, prefix| next.starts_with(*prefix));
                all
            }
        }
    }

    fn has(&self, id: &str) -> bool {
        match &self.0 {
            Of::Several(parts) => parts.iter().any(|part| part.has(id)),
            Of::Whole => true,
            Of::Prefix(prefix) => id.starts_with(prefix),
            Of::Path(path) => id
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Of::Whole => f.write_str("the whole source"),
            Of::Prefix(prefix) | Of::Path(prefix) => f.write_str(prefix),
            Of::Several(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    write!(f, "{}{part}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

impl<V> fmt::Debug for Inventory<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inventory")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<V> Default for Inventory<V> {
    fn default() -> Self {
        Self::of(State::default())
    }
}

impl<V> Inventory<V> {
    fn of(state: State) -> Self {
        Self {
            shared: Shared::of(state),
            version: PhantomData,
        }
    }
}

/// Makes an inventory from ids that are in Omni, each with its version if that is known.
impl<V: Serialize> FromIterator<(String, Option<V>)> for Inventory<V> {
    fn from_iter<I: IntoIterator<Item = (String, Option<V>)>>(known: I) -> Self {
        let mut state = State::default();
        for (id, version) in known {
            let fingerprint = version.map_or(Fingerprint::NONE, |version| fingerprint(&version));
            form::add(&mut state.table, &id, fingerprint);
        }
        Self::of(state)
    }
}

impl<V> Serialize for Inventory<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_piece(self.shared.clone(), serializer)
    }
}

impl<'de, V> Deserialize<'de> for Inventory<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = Value::deserialize(deserializer)?;
        form::read(saved).map(Self::of).map_err(D::Error::custom)
    }
}

/// Hashes a version. Hashes are saved, so the function must never change.
fn fingerprint(version: &impl Serialize) -> Fingerprint {
    const KEY: Key = Key([0x6f6d_6e69, 0x696e_7665, 0x6e74_6f72, 0x7931]);
    match serde_json::to_vec(version) {
        Ok(json) => Fingerprint::of_hash(HighwayHasher::new(KEY).hash64(&json)),
        // A version that JSON cannot represent never counts as current.
        Err(_) => Fingerprint::NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::keeper::Keeper;

    fn state(ids: impl IntoIterator<Item = String>) -> State {
        let mut state = State::default();
        for id in ids {
            form::add(&mut state.table, &id, Fingerprint::NONE);
        }
        state
    }

    #[test]
    fn several_parts_in_one_count_no_id_twice() {
        let ids = ["a/b/x", "a/y", "ab/z", "b/w", "c1"].map(str::to_owned);
        let inventory = Inventory::<()>::of(state(ids));
        let parts = [
            Part::path("a/b"),
            Part::path("a"),
            Part::path("ab"),
            Part::prefix("c"),
        ];
        let mut found = inventory.ids_in(&Part::several(parts));
        found.sort();
        assert_eq!(found, ["a/b/x", "a/y", "ab/z", "c1"]);
    }

    #[test]
    fn what_moved_between_parts_that_are_walked_as_one_is_no_loss() {
        let part = Part::several([Part::path("old"), Part::path("new")]);
        let mut state = state(
            (0..12)
                .map(|n| format!("old/{n}"))
                .chain(["top".to_owned()]),
        );
        state.begin_walk(&part);
        // Two of them were also deleted: more documents left than arrived.
        for n in 0..10 {
            state.sends(
                &format!("new/{n}"),
                None,
                Fingerprint::NONE,
                &Keeper::default(),
            );
        }
        let unseen = state.unseen(&part, 0.5);
        assert_eq!((unseen.ids.len(), unseen.is_suspicious), (12, false));

        let mut state = self::state((0..30).map(|n| format!("old/{n}")));
        state.begin_walk(&part);
        state.sends("new/0", None, Fingerprint::NONE, &Keeper::default());
        assert!(state.unseen(&part, 0.5).is_suspicious);
    }

    #[test]
    fn an_id_deleted_by_name_is_not_counted_as_lost() {
        let mut state = state((0..30).map(|n| n.to_string()));
        state.begin_walk(&Part::whole());
        for n in 0..20 {
            state.deletes(&n.to_string());
        }
        for n in 20..28 {
            state.see(&n.to_string());
        }
        let unseen = state.unseen(&Part::whole(), 0.5);
        assert_eq!(unseen.ids, ["28", "29"]);
        assert_eq!((unseen.known, unseen.is_suspicious), (10, false));
    }
}
