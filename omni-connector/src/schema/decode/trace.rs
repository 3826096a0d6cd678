//! Records the fields and variants that a trial decodes.
//!
//! Serde does not expose aliases: `q` and `query` end in the same hidden variant. Two inputs with the same trace decode
//! identically.

use std::{
    any,
    cell::RefCell,
    hash::{DefaultHasher, Hash, Hasher},
    mem,
};

thread_local! {
    static TRACE: RefCell<Option<Vec<u64>>> = const { RefCell::new(None) };
    static KEYS: RefCell<Option<Keys>> = const { RefCell::new(None) };
}

/// The keys of an object, as seen by the type that it was decoded into.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// The keys that the outermost struct reads.
    pub(crate) known: &'static [&'static str],
    /// The keys that no struct reads, at any depth.
    pub(crate) unknown: Vec<String>,
}

/// Records the fields of a struct, if keys are being recorded.
pub(super) fn note_known(fields: &'static [&'static str]) {
    KEYS.with_borrow_mut(|keys| {
        if let Some(keys) = keys
            && keys.known.is_empty()
        {
            keys.known = fields;
        }
    });
}

/// Records a key whose value was decoded as a `T`. A struct decodes unknown keys as serde's `IgnoredAny`.
pub(super) fn note_taken<T>(key: &str) {
    KEYS.with_borrow_mut(|keys| {
        if let Some(keys) = keys
            && any::type_name::<T>().ends_with("::IgnoredAny")
        {
            keys.unknown.push(key.to_owned());
        }
    });
}

/// Runs `decode` and returns the recorded keys.
pub(super) fn keys<T>(decode: impl FnOnce() -> T) -> (T, Keys) {
    let outer = KEYS.replace(Some(Keys::default()));
    let decoded = decode();
    (decoded, KEYS.replace(outer).unwrap_or_default())
}

/// Marks a field decoded by the author's function: `#[serde(deserialize_with = …)]`.
const BY_HAND: u64 = u64::MAX;

/// Returns whether the author's function decoded a field of the trace.
pub(super) fn is_by_hand(trace: &[u64]) -> bool {
    trace.contains(&BY_HAND)
}

/// Records the variant of a key, value or enum, if a trace is being recorded.
pub(super) fn note<T>(decoded: &T) {
    TRACE.with_borrow_mut(|trace| {
        if let Some(trace) = trace {
            let mut hasher = DefaultHasher::new();
            mem::discriminant(decoded).hash(&mut hasher);
            trace.push(hasher.finish());
            if any::type_name::<T>().contains("__DeserializeWith") {
                trace.push(BY_HAND);
            }
        }
    });
}

/// Runs `decode` and returns the recorded trace, which does not depend on the order of keys.
pub(super) fn watch<T>(decode: impl FnOnce() -> T) -> (T, Vec<u64>) {
    let outer = TRACE.replace(Some(Vec::new()));
    let decoded = decode();
    let mut trace = TRACE.replace(outer).unwrap_or_default();
    trace.sort_unstable();
    (decoded, trace)
}
