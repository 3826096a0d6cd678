//! Runs many parts of a source side by side, each with a state of its own: channels, mailboxes, folders, repositories.

mod each;
mod shared;

use std::{fmt, ops, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;

pub use self::each::{Each, Ran};
use self::shared::Shared;
use super::{RunError, SyncContext, keeper::serialize_piece};

/// The states of many parts of a source, by key. It is a field of the checkpoint.
///
/// `S` is whatever one part needs: inventories, watermarks, cursors of its own. [`SyncContext::each`] works on the parts side by
/// side. A part that fails is a failed item of the run and keeps the state it had; the others go on. A run that is resumed does
/// not repeat the parts that it had done.
///
/// The documents of two parts have different ids.
///
/// ```
/// use omni_connector::prelude::*;
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Cursor { channels: Partitions<String, Channel> }
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Channel { messages: Inventory<u64>, since: Watermark }
///
/// # struct Message { id: String, edited: u64 }
/// # async fn channels() -> Result<(Vec<String>, Walked)> { Ok((vec![], Walked::declared("the last page"))) }
/// # async fn messages(_: &str, _: Option<OffsetDateTime>) -> Result<Vec<Message>> { Ok(vec![]) }
/// # async fn sync(checkpoint: Checkpoint<Cursor>, ctx: SyncContext) -> Result<()> {
/// let (channels, everything) = channels().await?;
/// let channels = channels.into_iter().map(|channel| (channel.clone(), channel));
/// ctx.each(&checkpoint.channels, channels)
///     .at_once(4)
///     .whole(everything)
///     .run(|channel, part| async move {
///         let next = part.since.take(part.ctx(), OffsetDateTime::now_utc());
///         let mut walk = part.messages.walk(part.ctx());
///         for message in messages(&channel, part.since.get()).await? {
///             let document = Document::new(&message.id, Access::groups([&channel]));
///             walk.upsert(document, &message.edited).await?;
///         }
///         next.commit();
///         Ok(())
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// A map of keys to states, as a connector may have saved it before, is read as well.
pub struct Partitions<K, S>(Arc<Shared<K, S>>);

/// What parts can be known by: a string, a number, an id of one's own. Implemented by every such type.
pub trait PartitionKey:
    Clone + Ord + fmt::Display + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl<T> PartitionKey for T where
    T: Clone + Ord + fmt::Display + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

/// What the state of a part can be. Implemented by every such type.
pub trait PartitionState: Default + Serialize + DeserializeOwned + Send + 'static {}

impl<T: Default + Serialize + DeserializeOwned + Send + 'static> PartitionState for T {}

impl<K: PartitionKey, S: PartitionState> Partitions<K, S> {
    /// The keys of all parts that are known.
    pub fn keys(&self) -> Vec<K> {
        self.0.keys()
    }
}

impl SyncContext {
    /// Begins to work on parts of a source, each with its state. Each part comes with whatever the work needs to know of it.
    /// See [`Partitions`].
    pub fn each<K: PartitionKey, S: PartitionState, T>(
        &self,
        partitions: &Partitions<K, S>,
        parts: impl IntoIterator<Item = (K, T)>,
    ) -> Each<K, S, T> {
        Each::new(self, &partitions.0, parts.into_iter().collect())
    }
}

/// One part of a source while it is worked on. It dereferences to its state.
///
/// The fields of the state that are the author's own are saved as they are when the work on the part has ended well, or at
/// [`save`](Self::save). Inventories and watermarks know by themselves what may be saved of them.
pub struct Partition<K: PartitionKey, S: PartitionState> {
    key: K,
    state: S,
    ctx: SyncContext,
    shared: Arc<Shared<K, S>>,
}

impl<K: PartitionKey, S: PartitionState> Partition<K, S> {
    /// The key.
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// The run, for what belongs to this part: a failure in it holds up the watermarks of this part, and of no other.
    pub const fn ctx(&self) -> &SyncContext {
        &self.ctx
    }

    /// Saves the state as it is now, once everything emitted in this part is accepted. It waits for nothing.
    ///
    /// # Errors
    /// The state cannot be written as JSON.
    pub fn save(&self) -> Result<(), RunError> {
        self.shared
            .commit(&self.key, &self.state, self.ctx.scope(), false)
    }
}

impl<K: PartitionKey, S: PartitionState> ops::Deref for Partition<K, S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.state
    }
}

impl<K: PartitionKey, S: PartitionState> ops::DerefMut for Partition<K, S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.state
    }
}

impl<K: PartitionKey, S: PartitionState> Drop for Partition<K, S> {
    fn drop(&mut self) {
        let state = std::mem::take(&mut self.state);
        self.shared.give_back(&self.key, state);
    }
}

impl<K: PartitionKey, S: PartitionState> fmt::Debug for Partition<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partition")
            .field("key", &format_args!("{}", self.key))
            .finish_non_exhaustive()
    }
}

impl<K, S> fmt::Debug for Partitions<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Partitions").field(&self.0).finish()
    }
}

impl<K, S> Default for Partitions<K, S> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: PartitionKey, S: PartitionState> Serialize for Partitions<K, S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serialize_piece(self.0.clone(), serializer)
    }
}

impl<'de, K: PartitionKey, S: PartitionState> Deserialize<'de> for Partitions<K, S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = Value::deserialize(deserializer)?;
        Shared::read(saved)
            .map(|shared| Self(Arc::new(shared)))
            .map_err(serde::de::Error::custom)
    }
}
