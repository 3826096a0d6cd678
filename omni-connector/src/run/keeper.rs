//! Keeps what a checkpoint is made of, so that it can be saved again while the author works.
//!
//! A checkpoint has two kinds of parts. The author's own fields are as they were when the author saved. The kit's pieces
//! ([`Inventory`](super::Inventory), for one) always know what may be saved of them, and are written anew at every save. So the
//! runtime can name a document in a saved checkpoint before it sends it, without asking the author.

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

/// The key of the stand-in for a piece while a checkpoint is taken apart.
const STAND_IN: &str = "\u{1}piece";

/// A process that is killed does again what it did since it saved: this much at most…
pub(crate) const SAVE_EVERY: Duration = Duration::from_secs(2);
/// …or as many times what a save takes, when the state is large.
pub(crate) const SAVING_SHARE: u32 = 10;

/// A part of a checkpoint that the kit writes.
pub(crate) trait Piece: Debug + Send + Sync {
    /// What may be saved of it now, whatever is on its way.
    fn saved(&self) -> Value;

    /// What a full run begins with; none when it begins with nothing.
    fn for_full_run(&self) -> Option<Value>;

    /// Rises with every change of what [`saved`](Self::saved) gives.
    fn changes(&self) -> u64;

    /// A save that named everything up to `number` was accepted.
    fn named(&self, number: u64);

    /// Documents that are missing and failed in an earlier run or process, and not in this one.
    fn missing(&self) -> Vec<Failure>;

    /// Whether a save of it names what another piece knows, which is a part of it.
    fn has(&self, _: &dyn Piece) -> bool {
        false
    }

    /// The inventories in it.
    fn inventories(self: Arc<Self>) -> Vec<Arc<inventory::Shared>> {
        Vec::new()
    }
}

/// Whether a save of one piece names what another knows.
pub(crate) fn names(piece: &dyn Piece, other: &dyn Piece) -> bool {
    std::ptr::addr_eq(piece, other) || piece.has(other)
}

thread_local! {
    /// The pieces of the checkpoint that this thread is taking apart.
    static PIECES: RefCell<Option<Vec<Arc<dyn Piece>>>> = const { RefCell::new(None) };
}

/// Serialises a piece: its stand-in while a checkpoint is taken apart, what may be saved of it otherwise.
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

/// A checkpoint, taken apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    /// The author's fields, with nulls in the places of the pieces.
    fields: Value,
    /// Each piece and the JSON pointer of its place.
    pieces: Vec<(String, Arc<dyn Piece>)>,
}

impl Snapshot {
    /// Takes a checkpoint apart.
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

    /// The checkpoint as it may be saved now.
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

    /// A fresh checkpoint for a full run, in which pieces keep what a full run must not forget.
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

/// Puts a value at a place. What lies on the way to it and is missing becomes an object.
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

/// Replaces every stand-in by null, and notes its place.
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

/// The checkpoint of a run, as the runtime can save it at any time.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    kept: Mutex<Kept>,
    /// Numbers of documents that are to be named by a save, in the order of the author's calls.
    numbered: AtomicU64,
    /// Everything up to this number is named in a save that was accepted.
    named: AtomicU64,
}

#[derive(Debug, Default)]
struct Kept {
    snapshot: Snapshot,
    /// What the pieces had counted when they were last saved.
    changes: u64,
    /// How long the latest save took.
    cost: Duration,
    /// When that was.
    saved_at: Option<Instant>,
    /// Whether the runtime saves now and then.
    saves_by_itself: bool,
}

/// A checkpoint to save, and what is to be noted once it is accepted.
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

    /// The next save is made of this.
    pub(crate) fn keep(&self, snapshot: Snapshot) {
        let changes = changes(&snapshot);
        let mut kept = self.kept();
        kept.snapshot = snapshot;
        kept.changes = changes;
    }

    /// A number for a document that no accepted save names yet. Taken under the lock of the piece that knows it.
    pub(crate) fn number(&self) -> u64 {
        self.numbered.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn is_named(&self, number: u64) -> bool {
        number <= self.named.load(Ordering::SeqCst)
    }

    /// Whether a save would name what this piece knows.
    pub(crate) fn has(&self, piece: &dyn Piece) -> bool {
        let kept = self.kept();
        kept.snapshot.pieces().any(|known| names(&**known, piece))
    }

    pub(crate) fn render(&self) -> Rendered {
        // First: whatever has a number by now is in its piece when that is written.
        let number = self.numbered.load(Ordering::SeqCst);
        let snapshot = self.kept().snapshot.clone();
        Rendered {
            changes: changes(&snapshot),
            value: snapshot.render(),
            number,
        }
    }

    /// The checkpoint was accepted.
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

    /// Whether the pieces have changed since they were last saved.
    pub(crate) fn has_changed(&self) -> bool {
        let kept = self.kept();
        changes(&kept.snapshot) != kept.changes
    }

    /// From now on the runtime saves now and then, without being asked and without waiting for what is on its way.
    pub(crate) fn save_by_itself(&self) {
        self.kept().saves_by_itself = true;
    }

    /// Whether the runtime is to save now.
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

    /// How long the latest save took.
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
