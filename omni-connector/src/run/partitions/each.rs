//! Works on several partitions of a source at once.

use std::{collections::BTreeSet, fmt, sync::Arc};

use futures_util::{StreamExt, stream::FuturesUnordered};

use super::{Partition, PartitionKey, PartitionState, shared::Shared};
use crate::run::{
    Deletions, RunError, SyncContext, Walked, inventory,
    listing::{is_suspicious, share_limit},
    receipt::Noted,
};

/// Partitions of a source, before the work on them begins. Made by [`SyncContext::each`].
#[must_use = "nothing is worked on before `run`"]
pub struct Each<K, S, T> {
    ctx: SyncContext,
    shared: Arc<Shared<K, S>>,
    parts: Vec<(K, T)>,
    at_once: usize,
    whole: Option<Walked>,
}

/// The outcome of [`Each::run`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ran<K> {
    /// The partitions that failed. Each is a failed item of the run.
    pub failed: Vec<K>,
    /// The deletes in partitions that are gone, or the deletes that were held back.
    pub deletions: Deletions,
}

impl<K: PartitionKey, S: PartitionState, T> Each<K, S, T> {
    pub(super) fn new(ctx: &SyncContext, shared: &Arc<Shared<K, S>>, parts: Vec<(K, T)>) -> Self {
        Self {
            ctx: ctx.clone(),
            shared: Arc::clone(shared),
            parts,
            at_once: 1,
            whole: None,
        }
    }

    /// Sets how many partitions are worked on at once. The default is 1.
    pub fn at_once(mut self, parts: usize) -> Self {
        self.at_once = parts.max(1);
        self
    }

    /// Declares the list of partitions complete, with its proof. Known partitions that are not listed are then gone.
    /// Their documents are deleted, unless that looks like an accident. Without this proof they stay.
    pub fn whole(mut self, proof: Walked) -> Self {
        self.whole = Some(proof);
        self
    }

    /// Works on every partition, and then deletes the documents of partitions that are proven gone.
    ///
    /// An error of `work` is a failed item of the run, under the partition's key.
    ///
    /// # Errors
    /// The run is over or was cancelled, or every partition failed. In the last case it is the first error.
    pub async fn run<F, R>(self, work: F) -> anyhow::Result<Ran<K>>
    where
        F: Fn(T, Partition<K, S>) -> R,
        R: Future<Output = anyhow::Result<()>>,
    {
        let Self {
            ctx,
            shared,
            parts,
            at_once,
            whole,
        } = self;
        shared.begin(ctx.sync_run_id(), ctx.is_resume());
        ctx.keeper().save_by_itself();
        let mut listed = BTreeSet::new();
        let mut parts = parts.into_iter();
        let mut under_way = FuturesUnordered::new();
        let (mut failed, mut done, mut first) = (Vec::new(), 0_u64, None);
        loop {
            while under_way.len() < at_once
                && let Some((key, item)) = parts.next()
            {
                if !listed.insert(key.clone()) {
                    continue;
                }
                if shared.was_done(&key) {
                    done += 1;
                } else {
                    under_way.push(one(&ctx, &shared, key, item, &work));
                }
            }
            let Some((key, scoped, outcome)) = under_way.next().await else {
                break;
            };
            match outcome {
                Ok(()) => done += 1,
                Err(error) if ends_the_run(&ctx, &error) => return Err(error),
                Err(error) => {
                    shared.failed(&key);
                    let cause = format!("{error:#}");
                    scoped.fail_item(scoped.read_failure(&key.to_string(), &cause, None));
                    failed.push(key);
                    first.get_or_insert(error);
                }
            }
        }
        if ctx.is_cancelled() {
            return Err(RunError::Cancelled.into());
        }
        if let Some(first) = first.filter(|_| done == 0) {
            return Err(first);
        }
        let mut deletions = Deletions::default();
        if whole.is_some() {
            deletions = delete_unlisted(&ctx, &shared, &listed).await?;
        }
        Ok(Ran { failed, deletions })
    }
}

/// Works on one partition.
async fn one<K, S, T, F, R>(
    ctx: &SyncContext,
    shared: &Arc<Shared<K, S>>,
    key: K,
    item: T,
    work: &F,
) -> (K, SyncContext, anyhow::Result<()>)
where
    K: PartitionKey,
    S: PartitionState,
    F: Fn(T, Partition<K, S>) -> R,
    R: Future<Output = anyhow::Result<()>>,
{
    let scoped = ctx.within();
    if ctx.is_cancelled() {
        return (key, scoped, Err(RunError::Cancelled.into()));
    }
    let state = match shared.start(&key) {
        Ok(state) => state,
        Err(error) => return (key, scoped, Err(error)),
    };
    let partition = Partition {
        key: key.clone(),
        state,
        ctx: scoped.clone(),
        shared: Arc::clone(shared),
    };
    let outcome = match work(item, partition).await {
        Ok(()) => shared.done(&key, scoped.scope()),
        Err(error) => Err(error),
    };
    (key, scoped, outcome)
}

fn ends_the_run(ctx: &SyncContext, error: &anyhow::Error) -> bool {
    let is_of_run = error.chain().any(|cause| {
        matches!(
            cause.downcast_ref(),
            Some(RunError::Cancelled | RunError::Ended | RunError::TooManyFailures { .. })
        )
    });
    is_of_run || ctx.is_cancelled() || ctx.refusal().is_some()
}

/// Deletes the documents of partitions that are not listed.
async fn delete_unlisted<K: PartitionKey, S: PartitionState>(
    ctx: &SyncContext,
    shared: &Arc<Shared<K, S>>,
    listed: &BTreeSet<K>,
) -> Result<Deletions, RunError> {
    let [there, gone] = shared.inventories(listed);
    let count = |inventories: &[Arc<inventory::Shared>]| {
        let known = inventories.iter().map(|inventory| inventory.len());
        known.sum::<usize>()
    };
    let (seen, unseen) = (count(&there), count(&gone));
    let known = seen + unseen;
    let mut ids = Vec::new();
    for inventory in &gone {
        for id in inventory.ids() {
            // Another partition has the document now, under the same id.
            if there.iter().any(|other| other.contains(&id)) {
                inventory.forget(&id);
            } else {
                ids.push((Arc::clone(inventory), id));
            }
        }
    }
    let is_suspicious = is_suspicious(ids.len(), known, seen, share_limit());
    let names = ids.iter().map(|(_, id)| id.clone()).collect();
    let deletions = Deletions::of(names, known, is_suspicious);
    ctx.report_held_back(&deletions);
    if is_suspicious {
        return Ok(deletions);
    }
    shared.leave(listed);
    for inventory in &gone {
        inventory.nothing_is_missing();
    }
    for (inventory, id) in ids {
        let begun = inventory.deletes(&id);
        let noted = Noted {
            by: inventory,
            token: begun.token,
            number: begun.number,
        };
        ctx.delete_noted(id, Some(noted)).await?;
    }
    Ok(deletions)
}

impl<K, S, T> fmt::Debug for Each<K, S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Each")
            .field("parts", &self.parts.len())
            .field("at_once", &self.at_once)
            .finish_non_exhaustive()
    }
}
