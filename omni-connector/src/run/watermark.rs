//! Knows up to which point the changes of a source have been read.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;
use time::OffsetDateTime;

use super::{
    Failure, SyncContext,
    finite::Finite,
    keeper::{Piece, serialize_piece},
    receipt::{Moment, Scope},
};

/// Knows up to which point the changes of a source have been read. It is a field of the checkpoint.
///
/// Take the next value before the read. After its commit, the watermark moves once everything emitted before was
/// accepted. It does not move if an item failed since the value was taken. So failed items, and changes during the
/// read, are read again. Ask the source for changes at or after [`get`](Self::get): two changes may have the same time.
///
/// A full run begins without a watermark.
///
/// ```
/// use omni_connector::prelude::*;
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Cursor { since: Watermark }
///
/// # struct Issue;
/// # async fn changed(_: Option<OffsetDateTime>) -> Result<Vec<Issue>> { Ok(vec![]) }
/// # fn document(_: &Issue) -> Document<'static> { Document::new("issue", DocumentPermissions::private()) }
/// # async fn sync(checkpoint: Checkpoint<Cursor>, ctx: SyncContext) -> Result<()> {
/// let next = checkpoint.since.take(&ctx, OffsetDateTime::now_utc());
/// for issue in changed(checkpoint.since.get()).await? {
///     ctx.upsert(document(&issue)).await?;
/// }
/// next.commit();
/// # Ok(())
/// # }
/// ```
pub struct Watermark<T = OffsetDateTime>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    /// Values that count once everything emitted before them is settled.
    committed: VecDeque<Committed<T>>,
    changes: u64,
    /// Whether the value could not be saved, which is logged once.
    is_lost: bool,
}

#[derive(Debug)]
struct Committed<T> {
    value: T,
    moment: Moment,
    scope: Arc<Scope>,
    /// The number of failures at the time the value was taken.
    failed: u64,
}

/// The next value of a [`Watermark`]. Without [`commit`](Self::commit) it has no effect.
#[must_use = "the watermark moves by `commit`, after everything was emitted"]
pub struct Advance<T = OffsetDateTime> {
    of: Arc<Shared<T>>,
    value: T,
    scope: Arc<Scope>,
    failed: u64,
}

impl<T: Clone> Watermark<T> {
    /// Returns the current value. Everything before it is in Omni. Returns `None` when everything must be read.
    pub fn get(&self) -> Option<T> {
        self.0.state().settle().cloned()
    }

    /// Takes the next value, before the read: the time on the source's clock, or a token of its change feed.
    pub fn take(&self, ctx: &SyncContext, value: impl Into<T>) -> Advance<T> {
        Advance {
            of: Arc::clone(&self.0),
            value: value.into(),
            scope: Arc::clone(ctx.scope()),
            failed: ctx.scope().failed(),
        }
    }
}

impl<T> Advance<T> {
    /// Moves the watermark once everything emitted until now is accepted. It does not move if an item failed since the
    /// value was taken. The last checkpoint that a run saves has the new value.
    pub fn commit(self) {
        let mut state = self.of.state();
        let moment = self.scope.now();
        state.changes += 1;
        state.committed.push_back(Committed {
            value: self.value,
            moment,
            scope: self.scope,
            failed: self.failed,
        });
    }
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// Returns the value, after applying the commits that are settled by now.
    fn settle(&mut self) -> Option<&T> {
        while let Some(next) = self
            .committed
            .pop_front_if(|next| next.scope.is_past(next.moment))
        {
            if next.scope.failed() == next.failed {
                self.value = Some(next.value);
            }
            self.changes += 1;
        }
        self.value.as_ref()
    }
}

impl<T: fmt::Debug + Serialize + Send> Piece for Shared<T> {
    fn saved(&self) -> Value {
        let mut state = self.state();
        let saved = serde_json::to_value(Finite(&state.settle()));
        match saved {
            Ok(saved) => saved,
            Err(error) => {
                if !std::mem::replace(&mut state.is_lost, true) {
                    tracing::error!(
                        "a watermark cannot be saved, so the next run reads everything: {error}"
                    );
                }
                Value::Null
            }
        }
    }

    fn for_full_run(&self) -> Option<Value> {
        None
    }

    fn changes(&self) -> u64 {
        let mut state = self.state();
        state.settle();
        state.changes
    }

    fn named(&self, _: u64) {}

    fn missing(&self) -> Vec<Failure> {
        Vec::new()
    }
}

impl<T> Watermark<T> {
    fn of(value: Option<T>) -> Self {
        Self(Arc::new(Shared(Mutex::new(State {
            value,
            committed: VecDeque::new(),
            changes: 0,
            is_lost: false,
        }))))
    }
}

impl<T> Default for Watermark<T> {
    fn default() -> Self {
        Self::of(None)
    }
}

impl<T: fmt::Debug> fmt::Debug for Watermark<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watermark")
            .field(&self.0.state().value)
            .finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for Advance<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Advance").field(&self.value).finish()
    }
}

impl<T: fmt::Debug + Serialize + Send + 'static> Serialize for Watermark<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_piece(self.0.clone(), serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Watermark<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::of)
    }
}
