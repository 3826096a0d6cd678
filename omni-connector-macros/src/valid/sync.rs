//! `#[sync]`: a function that a run executes.

use proc_macro2::{Span, TokenStream};
use syn::{Ident, Path};

use super::{Place, names, parameter, parameter::Supplied, signature};
use crate::{
    diagnostics::Errors,
    parse::{Function, Keys},
};

const KEYS: &[&str] = &[
    "full",
    "incremental",
    "realtime",
    "source_type",
    "source_types",
];

/// A valid sync.
pub(crate) struct Sync {
    pub(crate) function: Function,
    /// Variants of `SyncType`; empty for all modes that no other function has.
    pub(crate) modes: Vec<Ident>,
    /// Variants of `SourceType`; empty for all types that no other function has.
    pub(crate) source_types: Vec<Ident>,
    pub(crate) parameters: Vec<Supplied>,
}

impl Sync {
    pub(crate) fn of(function: &Function, keys: TokenStream, errors: &mut Errors) -> Self {
        let keys = Keys::parse(keys, KEYS, &[], errors);
        signature::check(function, "sync", Place::Method, errors);
        let mut modes = Vec::new();
        for (key, variant) in [
            ("full", "Full"),
            ("incremental", "Incremental"),
            ("realtime", "Realtime"),
        ] {
            if keys.flag(key, errors) {
                let span = keys.span(key).unwrap_or_else(Span::call_site);
                modes.push(Ident::new(variant, span));
            }
        }
        let mut types: Vec<Path> = keys
            .list("source_types", "[Gmail]", errors)
            .unwrap_or_default();
        types.extend(keys.value("source_type", "a source type", "Gmail", errors));
        Self {
            function: function.clone(),
            modes,
            source_types: names::source_types(&types, errors),
            parameters: parameter::of_hook(function, "sync", errors),
        }
    }

    /// Returns whether both functions would match some run equally well.
    fn competes_with(&self, other: &Self) -> bool {
        let overlap = |ours: &[Ident], theirs: &[Ident]| {
            ours.is_empty() && theirs.is_empty() || ours.iter().any(|one| theirs.contains(one))
        };
        overlap(&self.modes, &other.modes) && overlap(&self.source_types, &other.source_types)
    }
}

/// Reports the second of two functions for the same runs.
pub(crate) fn check_distinct(syncs: &[Sync], errors: &mut Errors) {
    for (index, sync) in syncs.iter().enumerate() {
        let conditional = |sync: &Sync| !sync.function.conditions().is_empty();
        let earlier = syncs[..index]
            .iter()
            .find(|earlier| sync.competes_with(earlier));
        if let Some(earlier) = earlier
            && !conditional(sync)
            && !conditional(earlier)
        {
            let (ident, other) = (
                &sync.function.signature.ident,
                &earlier.function.signature.ident,
            );
            errors.push(
                ident.span(),
                format!("`{other}` and `{ident}` sync the same runs"),
                "say which runs: `#[sync(realtime)]`, `#[sync(source_type = Gmail)]`",
            );
        }
    }
}
