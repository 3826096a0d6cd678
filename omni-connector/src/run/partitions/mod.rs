//! Works on many partitions of a source at once, each with its own state: channels, mailboxes, folders, repositories.

mod each;
mod shared;

use std::{fmt, ops, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;

pub use self::each::{Each, Ran};
use self::shared::Shared;
use super::{RunError, SyncContext, keeper::serialize_piece};

/// The states of many partitions of a source, by key. It is a field of the checkpoint.
///
/// `S` is the state of one partition: inventories, watermarks and cursors. [`SyncContext::each`] works on several
/// partitions at once. A partition that fails is a failed item of the run and keeps its previous state; the others
/// continue. A resumed run does not repeat the partitions that it had completed.
///
/// Two partitions never share a document id.
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
/// A plain map of keys to states, as an older connector may have saved it, can also be read.
pub struct Partitions<K, S>(Arc<Shared<K, S>>);

/// A key of a partition: a string, a number or a type of the connector. Every type with these traits implements it.
pub trait PartitionKey:
    Clone + Ord + fmt::Display + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl<T> PartitionKey for T where
    T: Clone + Ord + fmt::Display + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

/// The state of a partition. Every type with these traits implements it.
pub trait PartitionState: Default + Serialize + DeserializeOwned + Send + 'static {}

impl<T: Default + Serialize + DeserializeOwned + Send + 'static> PartitionState for T {}

impl<K: PartitionKey, S: PartitionState> Partitions<K, S> {
    /// Returns the keys of all known partitions.
    pub fn keys(&self) -> Vec<K> {
        self.0.keys()
    }
}

impl SyncContext {
    /// Begins to work on partitions of a source, each with its state. Each key comes with an item that the work
    /// receives. See [`Partitions`].
    pub fn each<K: PartitionKey, S: PartitionState, T>(
        &self,
        partitions: &Partitions<K, S>,
        parts: impl IntoIterator<Item = (K, T)>,
    ) -> Each<K, S, T> {
        Each::new(self, &partitions.0, parts.into_iter().collect())
    }
}

/// One partition during the work on it. It dereferences to its state.
///
/// The author's own fields of the state are saved as they are when the work ends without an error, or at
/// [`save`](Self::save). Inventories and watermarks decide themselves which part of them can be saved.
pub struct Partition<K: PartitionKey, S: PartitionState> {
    key: K,
    state: S,
    ctx: SyncContext,
    shared: Arc<Shared<K, S>>,
}

impl<K: PartitionKey, S: PartitionState> Partition<K, S> {
    /// Returns the key.
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// Returns the run, limited to this partition. A failure in it holds back the watermarks of this partition only.
    pub const fn ctx(&self) -> &SyncContext {
        &self.ctx
    }

    /// Saves the current state once everything emitted in this partition is accepted. Returns at once.
    ///
    /// # Errors
    /// The state cannot be serialized as JSON.
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
