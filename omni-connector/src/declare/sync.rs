//! The table of a connector's syncs, and the dispatch of runs to their functions.

use anyhow::{Result, bail};

use super::{
    annotated::Declared,
    argument::FromCall,
    call::{CallOf, OfSync, Pending},
};
use crate::{
    connector::Connector,
    run::SyncContext,
    wire::{ServiceCredential, SourceType, SyncType},
};

/// A function with `#[sync]`.
#[derive(Debug)]
pub struct Sync<K> {
    modes: &'static [SyncType],
    source_types: &'static [SourceType],
    needs_credentials: bool,
    run: fn(&K, CallOf<K, OfSync>) -> Pending<'_, ()>,
}

impl<K> Sync<K> {
    /// Makes an entry for all runs without a more specific function. `run` reads its arguments and calls it.
    pub const fn new(run: fn(&K, CallOf<K, OfSync>) -> Pending<'_, ()>) -> Self {
        Self {
            modes: &[],
            source_types: &[],
            needs_credentials: false,
            run,
        }
    }

    /// Restricts it to runs of these modes.
    #[must_use]
    pub const fn modes(mut self, modes: &'static [SyncType]) -> Self {
        self.modes = modes;
        self
    }

    /// Restricts it to sources of these types.
    #[must_use]
    pub const fn source_types(mut self, source_types: &'static [SourceType]) -> Self {
        self.source_types = source_types;
        self
    }

    /// Records whether an argument needs credentials. One such argument is enough.
    #[must_use]
    pub const fn credentials(mut self, are_needed: bool) -> Self {
        self.needs_credentials |= are_needed;
        self
    }

    pub(super) const fn fits(&self, mode: SyncType, source_type: SourceType) -> bool {
        let (mut fits_mode, mut fits_type) = (self.modes.is_empty(), self.source_types.is_empty());
        let mut i = 0;
        while i < self.modes.len() {
            fits_mode |= self.modes[i] as u8 == mode as u8;
            i += 1;
        }
        i = 0;
        while i < self.source_types.len() {
            fits_type |= self.source_types[i] as u8 == source_type as u8;
            i += 1;
        }
        fits_mode && fits_type
    }

    /// Ranks a specific function before a general one.
    fn rank(&self) -> (bool, bool) {
        (!self.source_types.is_empty(), !self.modes.is_empty())
    }
}

/// Finds the function for a run and calls it.
///
/// # Errors
/// No function is for such a run, or the function returned an error.
pub(super) async fn sync<K: Declared>(
    connector: &K,
    credentials: Option<ServiceCredential>,
    checkpoint: Option<<K as Connector>::State>,
    ctx: SyncContext,
) -> Result<()> {
    let (mode, source_type) = (ctx.sync_mode(), ctx.source_type());
    if let (Some(_), Some(refetch)) = (ctx.refetch(), K::TABLE.refetch) {
        ctx.note_refetch();
        let call = CallOf::new(OfSync {
            ctx,
            credentials,
            checkpoint: None,
        });
        return refetch(connector, call)?.await;
    }
    let fitting = K::TABLE
        .sync_methods
        .iter()
        .filter(|sync| sync.fits(mode, source_type));
    let Some(sync) = fitting.max_by_key(|sync| sync.rank()) else {
        bail!("no `#[sync]` function is for a {mode} sync of a {source_type} source");
    };
    let checkpoint = checkpoint.map(|state| Box::new(state) as _);
    let call = CallOf::new(OfSync {
        ctx,
        credentials,
        checkpoint,
    });
    (sync.run)(connector, call)?.await
}

/// Returns whether every run needs credentials, so that one without them is refused before it starts.
pub(super) fn requires_credentials<K: Declared>() -> bool {
    let syncs = K::TABLE.sync_methods;
    !syncs.is_empty() && syncs.iter().all(|sync| sync.needs_credentials)
}

/// Returns whether an argument of this type needs credentials.
pub const fn needs_credentials<K, T: FromCall<CallOf<K, OfSync>>>() -> bool {
    T::NEEDS_CREDENTIALS
}

/// The return type of a function with `#[sync]`: `Result<(), E>` with any error.
#[diagnostic::on_unimplemented(
    message = "this function cannot return `{Self}`",
    label = "cannot be returned",
    note = "help: return `Result<()>`; what a sync found goes through the context: `ctx.upsert(document)`"
)]
pub trait SyncReturn {
    /// Converts the result.
    ///
    /// # Errors
    /// The error of the function.
    fn into_result(self) -> Result<()>;
}

impl<E: Into<anyhow::Error>> SyncReturn for Result<(), E> {
    fn into_result(self) -> Result<()> {
        self.map_err(Into::into)
    }
}

/// Converts what a function with `#[sync]` returned.
///
/// # Errors
/// The error of the function.
pub fn sync_answer(returned: impl SyncReturn) -> Result<()> {
    returned.into_result()
}
