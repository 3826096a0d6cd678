//! Sign-ins in progress. Each is found by its state and must never be used twice.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use omni_connector::OAuthConfig;
use tokio::sync::watch;

use super::{Flow, client::Client};

/// Most sign-ins in progress. Beyond this the oldest is evicted.
const MOST: usize = 1000;

/// A sign-in in progress.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) flow: Flow,
    /// The sources that get the credential. Empty for personal sources, which are created at the
    /// end.
    pub(super) sources: Vec<String>,
    /// Types of the sources to create.
    pub(super) source_types: Vec<String>,
    /// The user who signs in.
    pub(super) user_id: String,
    pub(super) user_email: String,
    pub(super) oauth: OAuthConfig,
    pub(super) client: Client,
    /// The verifier of PKCE (RFC 7636).
    pub(super) verifier: Option<String>,
    /// All requested scopes.
    pub(super) scopes: Vec<String>,
    /// Scopes without which the sign-in fails.
    pub(super) required: Vec<String>,
}

/// All sign-ins in progress, and the result of the last one that ended. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct SignIns(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    begun: Mutex<HashMap<String, (Instant, Pending)>>,
    /// The number of ended sign-ins and the result of the last.
    ended: watch::Sender<(u64, Ended)>,
}

/// The connected account, or the reason for the failure.
type Ended = Result<String, String>;

impl Default for Inner {
    fn default() -> Self {
        Self {
            begun: Mutex::default(),
            // A placeholder: nothing reads it while the count is 0.
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

    /// Records the end of a sign-in. After a success, the connector must have been notified.
    pub(super) fn end(&self, ended: Ended) {
        self.0.ended.send_modify(|(count, last)| {
            *count += 1;
            *last = ended;
        });
    }

    /// Returns how many sign-ins have ended.
    pub(crate) fn ended(&self) -> u64 {
        self.0.ended.borrow().0
    }

    /// Waits until more than `earlier` sign-ins have ended. Returns the latest result.
    pub(crate) fn after(&self, earlier: u64) -> impl Future<Output = Ended> + use<> {
        let mut ended = self.0.ended.subscribe();
        async move {
            let latest = ended.wait_for(|(count, _)| *count > earlier).await;
            let latest = latest.ok().map(|latest| latest.1.clone());
            match latest {
                Some(latest) => latest,
                // The manager has ended, so no further sign-in ends.
                None => std::future::pending().await,
            }
        }
    }

    /// Removes the sign-in with this state and returns it, so that it works only once.
    pub(super) fn take(&self, state: &str) -> Option<Pending> {
        let (end, pending) = self.all().remove(state)?;
        (end > Instant::now()).then_some(pending)
    }
}
