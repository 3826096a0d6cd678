//! Sign-ins that have begun. Each is known by its state, and can be taken once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use oauth2::PkceCodeVerifier;
use omni_connector::OAuthConfig;
use tokio::sync::watch;

use super::{Flow, client::Client};

/// More than one person can begin; the oldest is evicted.
const MOST: usize = 1000;

/// One sign-in that has begun.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) flow: Flow,
    /// The sources whose credential it becomes; for sources of one's own they are made at the end.
    pub(super) sources: Vec<String>,
    /// Types of sources to make.
    pub(super) source_types: Vec<String>,
    /// Who signs in.
    pub(super) user_id: String,
    pub(super) user_email: String,
    pub(super) oauth: OAuthConfig,
    pub(super) client: Client,
    pub(super) verifier: Option<PkceCodeVerifier>,
    /// Everything that was asked for.
    pub(super) scopes: Vec<String>,
    /// What must be granted for the sign-in to be of use.
    pub(super) required: Vec<String>,
}

/// All sign-ins that have begun, and how the last one ended. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct SignIns(Arc<Begun>);

#[derive(Debug)]
struct Begun {
    begun: Mutex<HashMap<String, (Instant, Pending)>>,
    /// How many have ended, and how the last one did.
    ended: watch::Sender<(u64, Ended)>,
}

/// Whose account was connected, or why none was.
type Ended = Result<String, String>;

impl Default for Begun {
    fn default() -> Self {
        Self {
            begun: Mutex::default(),
            // Nobody reads this one: it is not among those that have ended.
            ended: watch::Sender::new((0, Ok(String::new()))),
        }
    }
}

impl SignIns {
    fn all(&self) -> MutexGuard<'_, HashMap<String, (Instant, Pending)>> {
        self.0.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, state: String, pending: Pending, life: Duration) {
        let mut all = self.all();
        let now = Instant::now();
        all.retain(|_, (end, _)| *end > now);
        if all.len() >= MOST
            && let Some(oldest) = all.iter().min_by_key(|(_, (end, _))| *end)
        {
            let oldest = oldest.0.clone();
            all.remove(&oldest);
        }
        all.insert(state, (now + life, pending));
    }

    /// One has ended; if it went well, everybody who must know was told.
    pub(super) fn end(&self, ended: Ended) {
        self.0.ended.send_modify(|(count, last)| {
            *count += 1;
            *last = ended;
        });
    }

    /// How many have ended.
    pub(crate) fn ended(&self) -> u64 {
        self.0.ended.borrow().0
    }

    /// How the latest ended, once more than `earlier` have.
    pub(crate) fn after(&self, earlier: u64) -> impl Future<Output = Ended> + use<> {
        let mut ended = self.0.ended.subscribe();
        async move {
            let latest = ended.wait_for(|(count, _)| *count > earlier).await;
            let latest = latest.ok().map(|latest| latest.1.clone());
            match latest {
                Some(latest) => latest,
                // The manager is gone, and nobody signs in any more.
                None => std::future::pending().await,
            }
        }
    }

    /// Takes it out, so that nobody can take it again.
    pub(super) fn take(&self, state: &str) -> Option<Pending> {
        let (end, pending) = self.all().remove(state)?;
        (end > Instant::now()).then_some(pending)
    }
}
