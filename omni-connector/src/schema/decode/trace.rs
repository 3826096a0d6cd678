//! Records the fields and variants that a trial decodes.
//!
//! Serde does not expose aliases: `q` and `query` end in the same hidden variant. Two inputs with the same trace decode
//! identically.
//!
//! The generic functions are compiled for every type that a connector decodes. So they only call others, which are not
//! generic.

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
    note_taken_as(any::type_name::<T>(), key);
}

fn note_taken_as(type_name: &str, key: &str) {
    KEYS.with_borrow_mut(|keys| {
        if let Some(keys) = keys
            && type_name.ends_with("::IgnoredAny")
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

/// Marks a field that a function of the author decoded: `#[serde(deserialize_with = …)]`.
const CUSTOM: u64 = u64::MAX;

/// Marks a value that serde kept before it decoded it, as those of flattened and tagged types. Their decoding is not
/// recorded.
const BUFFERED: u64 = u64::MAX - 1;

/// Returns whether serde kept a value of the trace.
pub(super) fn is_buffered(trace: &[u64]) -> bool {
    trace.contains(&BUFFERED)
}

/// Returns whether a function of the author decoded a field of the trace.
pub(super) fn is_custom(trace: &[u64]) -> bool {
    trace.contains(&CUSTOM)
}

/// Records the variant of a key, value or enum, if a trace is being recorded.
pub(super) fn note<T>(decoded: &T) {
    if is_recording() {
        let mut hasher = DefaultHasher::new();
        mem::discriminant(decoded).hash(&mut hasher);
        note_variant(any::type_name::<T>(), &hasher);
    }
}

fn is_recording() -> bool {
    TRACE.with_borrow(Option::is_some)
}

fn note_variant(type_name: &str, variant: &DefaultHasher) {
    TRACE.with_borrow_mut(|trace| {
        if let Some(trace) = trace {
            trace.push(variant.finish());
            if type_name.contains("__DeserializeWith") {
                trace.push(CUSTOM);
            }
            if type_name.ends_with("::Content") || type_name.contains("::Content<") {
                trace.push(BUFFERED);
            }
        }
    });
}

/// A trace that is being recorded.
pub(super) struct Recording {
    /// The trace that was being recorded before.
    outer: Option<Vec<u64>>,
}

impl Recording {
    pub(super) fn start() -> Self {
        let outer = TRACE.replace(Some(Vec::new()));
        Self { outer }
    }

    /// Returns the trace, which does not depend on the order of keys.
    pub(super) fn stop(self) -> Vec<u64> {
        let mut trace = TRACE.replace(self.outer).unwrap_or_default();
        trace.sort_unstable();
        trace
    }
}
