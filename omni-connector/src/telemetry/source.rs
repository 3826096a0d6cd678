//! Metrics of calls to the source.

use std::{collections::BTreeMap, time::Duration};

use super::metrics::Text;

/// The most operations with a label each. Operation names may come from paths, so they must be bounded.
const MOST_OPERATIONS: usize = 200;

/// The measurements of one call to the source.
#[derive(Debug)]
pub(crate) struct SourceCall<'a> {
    pub(crate) operation: &'a str,
    pub(crate) outcome: &'static str,
    pub(crate) took: Duration,
    /// Time waited, by reason.
    pub(crate) waited: [(&'static str, Duration); 4],
    pub(crate) bytes: u64,
    /// Calls left, as reported by the source.
    pub(crate) left: Option<u64>,
}

/// The calls of all connectors' clients in the process.
#[derive(Debug, Default)]
pub(super) struct SourceCalls {
    operations: BTreeMap<String, Operation>,
    waited: BTreeMap<&'static str, Duration>,
    left: Option<u64>,
}

#[derive(Debug, Default)]
struct Operation {
    outcomes: BTreeMap<&'static str, u64>,
    took: Duration,
    bytes: u64,
}

impl SourceCalls {
    pub(super) fn add(&mut self, call: &SourceCall<'_>) {
        for (reason, waited) in call.waited {
            if !waited.is_zero() {
                *self.waited.entry(reason).or_default() += waited;
            }
        }
        self.left = call.left.or(self.left);
        let is_full = self.operations.len() >= MOST_OPERATIONS;
        let name = match call.operation {
            known if self.operations.contains_key(known) => known,
            _ if is_full => "other",
            new => new,
        };
        if !self.operations.contains_key(name) {
            self.operations
                .insert(name.to_owned(), Operation::default());
        }
        if let Some(operation) = self.operations.get_mut(name) {
            *operation.outcomes.entry(call.outcome).or_default() += 1;
            operation.took += call.took;
            operation.bytes += call.bytes;
        }
    }

    pub(super) fn write(&self, text: &mut Text) {
        text.family(
            "omni_connector_source_calls_total",
            "counter",
            "Calls to the source.",
        );
        for (name, operation) in &self.operations {
            for (outcome, count) in &operation.outcomes {
                let labels = [("operation", name.as_str()), ("outcome", *outcome)];
                text.sample("omni_connector_source_calls_total", &labels, *count);
            }
        }
        text.family(
            "omni_connector_source_seconds",
            "summary",
            "How long calls to the source took.",
        );
        for (name, operation) in &self.operations {
            let labels = [("operation", name.as_str())];
            let count: u64 = operation.outcomes.values().sum();
            text.sample(
                "omni_connector_source_seconds_sum",
                &labels,
                operation.took.as_secs_f64(),
            );
            text.sample("omni_connector_source_seconds_count", &labels, count);
        }
        text.family(
            "omni_connector_source_waited_seconds_total",
            "counter",
            "Time that calls to the source waited.",
        );
        for (reason, waited) in &self.waited {
            let labels = [("reason", *reason)];
            text.sample(
                "omni_connector_source_waited_seconds_total",
                &labels,
                waited.as_secs_f64(),
            );
        }
        text.family(
            "omni_connector_source_bytes_total",
            "counter",
            "Bytes of answers of the source.",
        );
        for (name, operation) in &self.operations {
            let labels = [("operation", name.as_str())];
            text.sample(
                "omni_connector_source_bytes_total",
                &labels,
                operation.bytes,
            );
        }
        if let Some(left) = self.left {
            text.family(
                "omni_connector_source_quota_remaining",
                "gauge",
                "Calls that the source says are left.",
            );
            text.sample("omni_connector_source_quota_remaining", &[], left);
        }
    }
}
