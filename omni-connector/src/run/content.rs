//! Stores the texts of a run: several at once, and each distinct text only once.
//!
//! Texts are compared by 128 bits of `HighwayHash`, a keyed function. The key is random for each run. Among a hundred
//! million texts, the chance of a collision with a remembered one is below 2⁻⁸⁰. Without the key an author of texts
//! cannot force one.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use highway::{HighwayHash, HighwayHasher, Key};
use tokio::sync::OnceCell;

use crate::manager::{Extract, ManagerClient, ManagerError};

/// The number of remembered texts, which are not sent again. Past it the memory is cleared, so that it does not grow
/// with the source. The manager also recognises texts that it has.
const REMEMBERED: usize = 10_000;

/// The content from which a document gets its text.
#[derive(Debug)]
pub(crate) enum Body {
    /// The text.
    Text(String),
    /// A file whose text is extracted.
    Extract(Extract),
}

impl Body {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            // A file on disk takes no memory.
            Self::Extract(extract) => extract.data.in_memory().map_or(0, bytes::Bytes::len),
        }
    }
}

/// The contents of one run.
#[derive(Debug)]
pub(crate) struct Contents {
    manager: ManagerClient,
    run: Arc<str>,
    key: Key,
    ids: Mutex<HashMap<[u64; 2], Arc<OnceCell<String>>>>,
}

impl Contents {
    pub(crate) fn new(manager: ManagerClient, run: Arc<str>) -> Self {
        Self {
            manager,
            run,
            key: random_key(),
            ids: Mutex::default(),
        }
    }

    /// Stores `body` unless this run stored the same before. Returns the content's id, and whether it was sent.
    pub(crate) async fn store(&self, body: Body) -> Result<(String, bool), ManagerError> {
        if let Body::Extract(extract) = &body
            && extract.data.in_memory().is_none()
        {
            return Ok((self.send(body).await?, true));
        }
        let mut sent = false;
        let cell = self.cell(&body);
        let id = cell
            .get_or_try_init(|| {
                sent = true;
                self.send(body)
            })
            .await?;
        Ok((id.clone(), sent))
    }

    async fn send(&self, body: Body) -> Result<String, ManagerError> {
        match body {
            Body::Text(text) => self.manager.store_content(&self.run, text).await,
            Body::Extract(extract) => self.manager.extract_content(&self.run, &extract).await,
        }
    }

    /// Returns the cell for the id of this body. A second caller with the same body waits for the first.
    fn cell(&self, body: &Body) -> Arc<OnceCell<String>> {
        let mut hasher = HighwayHasher::new(self.key);
        // Different bodies give different input to the hash: it ends with their kind, and each part is preceded by its
        // length.
        match body {
            Body::Text(text) => {
                hasher.append(text.as_bytes());
                hasher.append(&[0]);
            }
            Body::Extract(extract) => {
                let name = extract.filename.as_deref().unwrap_or_default();
                let parts = [
                    extract.data.in_memory().map_or(&[][..], |bytes| &bytes[..]),
                    extract.mime_type.as_bytes(),
                    name.as_bytes(),
                ];
                for part in parts {
                    hasher.append(&part.len().to_le_bytes());
                    hasher.append(part);
                }
                hasher.append(&[1]);
            }
        }
        let fingerprint = hasher.finalize128();
        let mut ids = self.ids();
        if ids.len() >= REMEMBERED {
            ids.clear();
        }
        ids.entry(fingerprint).or_default().clone()
    }

    fn ids(&self) -> MutexGuard<'_, HashMap<[u64; 2], Arc<OnceCell<String>>>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a random key by hashing with the standard library's random state, which does not reveal its keys.
fn random_key() -> Key {
    Key([(); 4].map(|()| RandomState::new().hash_one(0_u8)))
}
