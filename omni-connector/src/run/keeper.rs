//! Keeps the parts of a checkpoint, so that the runtime can save it again while the author works.
//!
//! A checkpoint has two kinds of parts. The author's own fields keep their values from the author's last save. The
//! framework's pieces, such as an [`Inventory`](super::Inventory), always know what can be saved and are serialized at
//! every save. So the runtime can name a document in a saved checkpoint before it sends it, without the author.

use std::{
    cell::RefCell,
    fmt::Debug,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Serialize, Serializer, de::DeserializeOwned};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Failure, RunError, finite::Finite, inventory};
use crate::schema::{DecodeError, decode};

/// The key of the placeholder for a piece in a checkpoint that is being split.
const STAND_IN: &str = "\u{1}piece";

/// The pause between saves. A process that is killed repeats at most this much work,
pub(crate) const SAVE_EVERY: Duration = Duration::from_secs(2);
/// or this multiple of the time of a save, when the state is large.
pub(crate) const SAVING_SHARE: u32 = 10;

/// A part of a checkpoint that the framework serializes.
pub(crate) trait Piece: Debug + Send + Sync {
    /// Returns the value that can be saved now, whatever events are pending.
    fn saved(&self) -> Value;

    /// Returns the value with which a full run begins. `None` means the default.
    fn for_full_run(&self) -> Option<Value>;

    /// Returns a number that grows with every change of [`saved`](Self::saved).
    fn changes(&self) -> u64;

    /// Notes that a save was accepted which named everything up to `number`.
    fn named(&self, number: u64);

    /// Returns the missing documents that failed in an earlier run or process.
    fn missing(&self) -> Vec<Failure>;

    /// Returns whether a save of this piece includes another one, as a part of it.
    fn has(&self, _: &dyn Piece) -> bool {
        false
    }

    /// Returns the inventories in it.
    fn inventories(self: Arc<Self>) -> Vec<Arc<inventory::Shared>> {
        Vec::new()
    }
}

/// Returns whether a save of one piece includes the other.
pub(crate) fn names(piece: &dyn Piece, other: &dyn Piece) -> bool {
    std::ptr::addr_eq(piece, other) || piece.has(other)
}

thread_local! {
    /// The pieces of the checkpoint that this thread is splitting.
    static PIECES: RefCell<Option<Vec<Arc<dyn Piece>>>> = const { RefCell::new(None) };
}

/// Serializes a piece: as its placeholder while a checkpoint is split, else as the value that can be saved.
pub(crate) fn serialize_piece<S: Serializer>(
    piece: Arc<dyn Piece>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let index = PIECES.with_borrow_mut(|pieces| {
        let pieces = pieces.as_mut()?;
        pieces.push(Arc::clone(&piece));
        Some(pieces.len() - 1)
    });
    match index {
        Some(index) => serializer.collect_map([(STAND_IN, index)]),
        None => piece.saved().serialize(serializer),
    }
}

/// Serializes something that must not contain pieces. Returns `None` if it does.
pub(super) fn without_pieces<T>(serialize: impl FnOnce() -> T) -> Option<T> {
    let before = PIECES.replace(Some(Vec::new()));
    let serialized = serialize();
    let pieces = PIECES.replace(before).unwrap_or_default();
    pieces.is_empty().then_some(serialized)
}

/// A checkpoint, split into its parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    /// The author's fields, with a null at the place of each piece.
    fields: Value,
    /// Each piece, with the JSON pointer of its place.
    pieces: Vec<(String, Arc<dyn Piece>)>,
}

impl Snapshot {
    /// Splits a checkpoint.
    pub(crate) fn of(checkpoint: &impl Serialize) -> Result<Self, RunError> {
        let before = PIECES.replace(Some(Vec::new()));
        let fields = serde_json::to_value(Finite(checkpoint));
        let pieces = PIECES.replace(before).unwrap_or_default();
        let mut fields = fields.map_err(|error| RunError::Checkpoint(error.to_string()))?;
        let mut places = Vec::new();
        if !pieces.is_empty() {
            take_stand_ins(&mut fields, &mut String::new(), &mut places);
        }
        let pieces = places
            .into_iter()
            .filter_map(|(index, place)| Some((place, Arc::clone(pieces.get(index)?))))
            .collect();
        Ok(Self { fields, pieces })
    }

    pub(crate) fn is_null(&self) -> bool {
        self.fields.is_null() && self.pieces.is_empty()
    }

    /// Checks that the author's fields can be read again. Otherwise each later run would be refused. A field may be left
    /// out or named otherwise when it is saved.
    ///
    /// # Errors
    /// Returns the field that cannot be read.
    pub(crate) fn comes_back<T: DeserializeOwned>(&self) -> Result<(), RunError> {
        let read = decode::<T>("checkpoint", self.fields.clone());
        read.map(drop)
            .map_err(|error| RunError::Unreadable(error.to_string()))
    }

    /// Returns the checkpoint as it can be saved now.
    pub(crate) fn render(&self) -> Value {
        self.render_with(|piece| Some(piece.saved()))
    }

    fn render_with(&self, of_piece: impl Fn(&dyn Piece) -> Option<Value>) -> Value {
        let mut fields = self.fields.clone();
        for (place, piece) in &self.pieces {
            if let Some(value) = of_piece(&**piece) {
                put(&mut fields, place, value);
            }
        }
        fields
    }

    pub(crate) fn pieces(&self) -> impl Iterator<Item = &Arc<dyn Piece>> {
        self.pieces.iter().map(|(_, piece)| piece)
    }

    /// Makes the checkpoint with which a full run begins. Pieces keep the parts that a full run must not forget.
    pub(crate) fn for_full_run<T: Default + Serialize + DeserializeOwned>(
        &self,
    ) -> Result<T, DecodeError> {
        let fresh = T::default();
        let Ok(snapshot) = Self::of(&fresh) else {
            return Ok(fresh);
        };
        let mut value = snapshot.render();
        let mut is_kept = false;
        for (place, piece) in &self.pieces {
            if let Some(kept) = piece.for_full_run() {
                put(&mut value, place, kept);
                is_kept = true;
            }
        }
        if is_kept {
            decode("checkpoint", value)
        } else {
            Ok(fresh)
        }
    }
}

/// Puts a value at a place. Missing values on the way become objects.
fn put(value: &mut Value, place: &str, new: Value) {
    let mut at = value;
    for step in place.split('/').skip(1) {
        let key = step.replace("~1", "/").replace("~0", "~");
        if let Value::Array(values) = at {
            let index = key.parse().ok();
            match index.and_then(|index: usize| values.get_mut(index)) {
                Some(value) => at = value,
                None => return,
            }
            continue;
        }
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        match at {
            Value::Object(fields) => at = fields.entry(key).or_insert(Value::Null),
            _ => return,
        }
    }
    *at = new;
}

/// Replaces every placeholder by null, and records its place.
fn take_stand_ins(value: &mut Value, place: &mut String, places: &mut Vec<(usize, String)>) {
    let length = place.len();
    match value {
        Value::Object(fields) => {
            let index = fields.get(STAND_IN).and_then(Value::as_u64);
            if let Some(index) = index.and_then(|index| usize::try_from(index).ok()) {
                places.push((index, place.clone()));
                *value = Value::Null;
                return;
            }
            for (key, value) in fields {
                place.push('/');
                place.push_str(&key.replace('~', "~0").replace('/', "~1"));
                take_stand_ins(value, place, places);
                place.truncate(length);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter_mut().enumerate() {
                place.push('/');
                place.push_str(&index.to_string());
                take_stand_ins(value, place, places);
                place.truncate(length);
            }
        }
        _ => {}
    }
}

/// The checkpoint of a run. The runtime can save it at any time.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    kept: Mutex<Kept>,
    /// The last number given to a document that a save must name, in the order of the author's calls.
    numbered: AtomicU64,
    /// All documents up to this number are named in an accepted save.
    named: AtomicU64,
}

#[derive(Debug, Default)]
struct Kept {
    snapshot: Snapshot,
    /// The pieces' count of changes at the last save.
    changes: u64,
    /// The duration of the latest save.
    cost: Duration,
    /// The time of the latest save.
    saved_at: Option<Instant>,
    /// Whether the runtime saves at intervals.
    saves_by_itself: bool,
}

/// A checkpoint to save, and the counts to record once it is accepted.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) value: Value,
    number: u64,
    changes: u64,
}

impl Keeper {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the checkpoint from which the next saves are made.
    pub(crate) fn keep(&self, snapshot: Snapshot) {
        let changes = changes(&snapshot);
        let mut kept = self.kept();
        kept.snapshot = snapshot;
        kept.changes = changes;
    }

    /// Returns the number of a document that no accepted save names yet. Must be called under the lock of its piece.
    pub(crate) fn number(&self) -> u64 {
        self.numbered.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn is_named(&self, number: u64) -> bool {
        number <= self.named.load(Ordering::SeqCst)
    }

    /// Returns whether a save would include this piece.
    pub(crate) fn has(&self, piece: &dyn Piece) -> bool {
        let kept = self.kept();
        kept.snapshot.pieces().any(|known| names(&**known, piece))
    }

    pub(crate) fn render(&self) -> Rendered {
        // First: every document with a number is then in its piece when that is serialized.
        let number = self.numbered.load(Ordering::SeqCst);
        let snapshot = self.kept().snapshot.clone();
        Rendered {
            changes: changes(&snapshot),
            value: snapshot.render(),
            number,
        }
    }

    /// Records that a save was accepted.
    pub(crate) fn saved(&self, rendered: &Rendered, cost: Duration) {
        self.named.fetch_max(rendered.number, Ordering::SeqCst);
        let pieces: Vec<_> = {
            let mut kept = self.kept();
            kept.changes = rendered.changes;
            kept.cost = cost;
            kept.saved_at = Some(Instant::now());
            kept.snapshot.pieces().cloned().collect()
        };
        for piece in pieces {
            piece.named(rendered.number);
        }
    }

    /// Returns whether the pieces have changed since the last save.
    pub(crate) fn has_changed(&self) -> bool {
        let kept = self.kept();
        changes(&kept.snapshot) != kept.changes
    }

    /// Lets the runtime save at intervals. These saves do not wait for pending events.
    pub(crate) fn save_by_itself(&self) {
        self.kept().saves_by_itself = true;
    }

    /// Returns whether the runtime must save now.
    pub(crate) fn is_due(&self) -> bool {
        {
            let kept = self.kept();
            let pause = SAVE_EVERY.max(kept.cost * SAVING_SHARE);
            let was_just_saved = kept.saved_at.is_some_and(|at| at.elapsed() < pause);
            if !kept.saves_by_itself || was_just_saved {
                return false;
            }
        }
        self.has_changed()
    }

    /// Returns the duration of the latest save.
    pub(crate) fn cost(&self) -> Duration {
        self.kept().cost
    }

    pub(crate) fn missing(&self) -> Vec<Failure> {
        let pieces: Vec<_> = self.kept().snapshot.pieces().cloned().collect();
        pieces.iter().flat_map(|piece| piece.missing()).collect()
    }
}

fn changes(snapshot: &Snapshot) -> u64 {
    snapshot.pieces().map(|piece| piece.changes()).sum()
}
