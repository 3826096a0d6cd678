//! The observable output of a process: log, metrics and traces. None of them ever contains a secret: lines, spans and panics
//! lose the latest 64 secrets of the process that have at least eight characters, and whatever looks like one.
//!
//! # The log
//! Lines on standard error, filtered by `RUST_LOG` (default `info`); `OMNI_LOG_FORMAT=json` writes each as a JSON object.
//! Every line about a run is in the span `sync_run` with `run`, `source` and `mode`. Every line about an action is in the span
//! `action` with `action`, `source` and `request_id`: the caller's `x-request-id`, or a generated id.
//!
//! # Metrics
//! `GET /metrics`, in Prometheus text format:
//!
//! | name | labels | what it counts |
//! |---|---|---|
//! | `omni_connector_info` | `connector`, `version` | always 1 |
//! | `omni_connector_runs_total` | `mode`, `ending` | runs: `completed`, `failed`, `refused` before they began, `stopped` by a cancel or a shutdown, `over` because the manager ended them, `unreported` because the ending could not be reported to the manager |
//! | `omni_connector_runs_active` | `mode` | active runs |
//! | `omni_connector_documents_total` | `outcome` | `scanned`, `updated`, `deleted`, `skipped`, `failed`: as in the report of a run |
//! | `omni_connector_content_bytes_total` | | bytes of content sent to the manager |
//! | `omni_connector_action_seconds_sum`, `…_count` | `action`, `status` | duration and number of action calls; undefined names count as `unknown` |
//! | `omni_connector_manager_calls_total` | `route`, `outcome` | calls to the manager: `ok`, `refused`, `run_over`, `unreachable`, `unreadable` |
//! | `omni_connector_manager_retries_total` | `route` | attempts beyond the first |
//! | `omni_connector_source_calls_total` | `operation`, `outcome` | calls to the source: `ok`, or the error in lower case, such as `not_found` and `busy` |
//! | `omni_connector_source_seconds_sum`, `…_count` | `operation` | duration and number of calls to the source, including waits and retries |
//! | `omni_connector_source_waited_seconds_total` | `reason` | time that calls waited: for a `slot`, for the `pace`, for a `retry`, for a `credential` |
//! | `omni_connector_source_bytes_total` | `operation` | bytes of answers, decompressed |
//! | `omni_connector_source_quota_remaining` | | calls left according to the source's latest answer |
//!
//! # Traces
//! Traces need the feature `otel` and `OTEL_EXPORTER_OTLP_ENDPOINT`. The spans above and the author's spans go to that
//! collector by OTLP over HTTP. The resource has `service.name` (the connector's), `service.version` (`SERVICE_VERSION`, or
//! the connector's), `deployment.environment` (`OTEL_DEPLOYMENT_ENVIRONMENT`, or `development`) and `deployment.id`
//! (`OTEL_DEPLOYMENT_ID`).

mod log;
mod metrics;
mod source;
#[cfg(feature = "otel")]
mod traces;

pub(crate) use log::{Telemetry, start};
pub(crate) use metrics::{Ending, Metrics, Progress, RunUnderWay};
pub(crate) use source::SourceCall;
