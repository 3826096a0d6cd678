//! Lets one task renew a value while all other tasks that need it wait for the outcome.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

use super::SourceError;

/// How long a failed renewal is not repeated.
const COOL_DOWN: Duration = Duration::from_secs(1);

/// The renewals of one value.
#[derive(Debug, Default)]
pub(super) struct Flight {
    /// How many renewals have ended, successfully or not.
    ended: Arc<AtomicU64>,
    failed: Arc<Mutex<Option<(Failed, Instant)>>>,
}

/// Why a renewal failed: a call to a source, or another error's message.
#[derive(Debug, Clone)]
pub(super) enum Failed {
    Source(SourceError),
    Other(String),
}

impl Failed {
    pub(super) fn of(error: &anyhow::Error) -> Self {
        match error.chain().find_map(|cause| cause.downcast_ref()) {
            Some(source) => Self::Source(SourceError::clone(source)),
            None => Self::Other(super::answer::short(&format!("{error:#}"))),
        }
    }
}

impl Flight {
    /// Returns how many renewals have ended. Call it before reading the value.
    pub(super) fn seen(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    /// Renews unless another task did since `seen`. The renewal continues if the caller is dropped, since others wait
    /// for it.
    pub(super) async fn join<F>(
        &self,
        seen: u64,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> Result<(), Failed>
    where
        F: Future<Output = Result<(), Failed>> + Send,
    {
        let (ended, failed) = (Arc::clone(&self.ended), Arc::clone(&self.failed));
        let flying = tokio::spawn(async move {
            let mut failed = failed.lock_owned().await;
            let is_news = ended.load(Ordering::Acquire) > seen;
            match &*failed {
                Some((failed, at)) if is_news || at.elapsed() < COOL_DOWN => {
                    return Err(failed.clone());
                }
                _ if is_news => return Ok(()),
                _ => {}
            }
            let outcome = work().await;
            *failed = outcome.clone().err().map(|failed| (failed, Instant::now()));
            ended.fetch_add(1, Ordering::Release);
            outcome
        });
        let panicked = || Failed::Other("making a credential panicked".to_owned());
        flying.await.unwrap_or_else(|_| Err(panicked()))
    }
}
