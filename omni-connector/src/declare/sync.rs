//! The table of a connector's syncs, and how a run finds its function.

use anyhow::{Result, bail};

use super::argument::{CallOf, OfSync};
use crate::{
    contract::{BoxFuture, Connector, ServiceCredential, SourceType, SyncType},
    run::SyncContext,
};

/// One function with `#[sync]`.
#[derive(Debug)]
pub struct Sync<K> {
    /// The modes it is for; all that no other function is for when empty.
    pub modes: &'static [SyncType],
    /// The source types it is for; all that no other function is for when empty.
    pub source_types: &'static [SourceType],
    /// Whether one of its arguments needs credentials.
    pub needs_credentials: bool,
    /// Reads the arguments and calls the function.
    pub run: fn(&K, CallOf<K, OfSync>) -> BoxFuture<'_, Result<()>>,
}

impl<K> Sync<K> {
    fn fits(&self, mode: SyncType, source_type: SourceType) -> bool {
        (self.modes.is_empty() || self.modes.contains(&mode))
            && (self.source_types.is_empty() || self.source_types.contains(&source_type))
    }

    /// A function for one thing goes before a function for everything.
    fn rank(&self) -> (bool, bool) {
        (!self.source_types.is_empty(), !self.modes.is_empty())
    }
}

/// Finds the function for a run and calls it.
pub fn run_sync<'connector, K>(
    connector: &'connector K,
    table: &'static [Sync<K>],
    credentials: Option<ServiceCredential>,
    checkpoint: Option<K::State>,
    ctx: SyncContext,
) -> BoxFuture<'connector, Result<()>>
where
    K: Connector,
    K::State: 'static,
{
    let (mode, source_type) = (ctx.sync_mode(), ctx.source_type());
    let fitting = table.iter().filter(|sync| sync.fits(mode, source_type));
    match fitting.max_by_key(|sync| sync.rank()) {
        Some(sync) => {
            let checkpoint = checkpoint.map(|state| Box::new(state) as _);
            (sync.run)(
                connector,
                CallOf::new(OfSync {
                    ctx,
                    credentials,
                    checkpoint,
                }),
            )
        }
        None => Box::pin(async move {
            bail!("no `#[sync]` function is for a {mode} sync of a {source_type} source")
        }),
    }
}

/// Whether a run without credentials is refused before it starts.
pub fn needs_credentials<K>(table: &'static [Sync<K>]) -> bool {
    table.iter().any(|sync| sync.needs_credentials)
}
