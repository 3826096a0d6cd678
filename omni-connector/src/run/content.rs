//! Storing the texts of a run: several at once, the same text once.
//!
//! Texts are told apart by 128 bits of `HighwayHash`, a keyed function, under a key that is random for each run. That one of a
//! hundred million texts is taken for another of those remembered has a chance below 2⁻⁸⁰, and nobody who writes texts can aim
//! at it without the key.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use highway::{HighwayHash, HighwayHasher, Key};
use tokio::sync::OnceCell;

use crate::manager::{Extract, ManagerClient, ManagerError};

/// Texts remembered so that the same one is not sent again. Past this the memory starts over: a run does not grow with
/// its source, and the manager recognises what it has anyway.
const REMEMBERED: usize = 10_000;

/// What becomes the text of a document.
#[derive(Debug)]
pub(crate) enum Body {
    /// The text.
    Text(String),
    /// Bytes that hold the text.
    Extract(Extract),
}

impl Body {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            // What is in a file takes no memory.
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

    /// Stores `body` unless this run stored the same before; the content's id, and whether it had to be sent.
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

    /// The place of this body's id. Whoever comes second with the same body waits for the first.
    fn cell(&self, body: &Body) -> Arc<OnceCell<String>> {
        let mut hasher = HighwayHasher::new(self.key);
        // What is hashed of two bodies differs: their kind stands at the end, and each part says how long it is.
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

/// The standard library's random keys are not told, but what they make of a number is.
fn random_key() -> Key {
    Key([(); 4].map(|()| RandomState::new().hash_one(0_u8)))
}
