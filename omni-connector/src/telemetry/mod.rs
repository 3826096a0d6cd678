//! What people see of a process from outside: its log, its metrics, and its traces. None of them ever holds a secret.
//!
//! # The log
//! Lines on standard error, filtered by `RUST_LOG` (`info` unless it is set); `OMNI_LOG_FORMAT=json` makes each a JSON object.
//! Every line about a run stands in the span `sync_run` with `run`, `source` and `mode`, every line about an action in the span
//! `action` with `action`, `source` and `request_id`: the caller's `x-request-id`, or one of ours.
//!
//! # Metrics
//! `GET /metrics`, in the text form of Prometheus:
//!
//! | name | labels | what it counts |
//! |---|---|---|
//! | `omni_connector_info` | `connector`, `version` | always 1 |
//! | `omni_connector_runs_total` | `mode`, `ending` | runs: `completed`, `failed`, `refused` before they began, `stopped` by a cancel or the end of the process, `over` because the manager said so, `unreported` because it could not be told |
//! | `omni_connector_runs_active` | `mode` | runs that are under way |
//! | `omni_connector_documents_total` | `outcome` | `scanned`, `updated`, `deleted`, `skipped`, `failed`: as in the report of a run |
//! | `omni_connector_content_bytes_total` | | bytes of contents that were handed over |
//! | `omni_connector_action_seconds_sum`, `…_count` | `action`, `status` | calls of actions and how long they took; names that nothing answers to are `unknown` |
//! | `omni_connector_manager_calls_total` | `route`, `outcome` | calls to the manager: `ok`, `refused`, `run_over`, `unreachable`, `unreadable` |
//! | `omni_connector_manager_retries_total` | `route` | attempts beyond the first |
//! | `omni_connector_source_calls_total` | `operation`, `outcome` | calls to the source: `ok`, or the error in lower case, such as `not_found` and `busy` |
//! | `omni_connector_source_seconds_sum`, `…_count` | `operation` | how long they took, waits and repeats included |
//! | `omni_connector_source_waited_seconds_total` | `reason` | time that calls waited: for a `slot`, for the `pace`, for a `retry`, for a `credential` |
//! | `omni_connector_source_bytes_total` | `operation` | bytes of answers, decompressed |
//! | `omni_connector_source_quota_remaining` | | calls that the source says are left, after the latest call |
//!
//! # Traces
//! With the feature `otel`, and `OTEL_EXPORTER_OTLP_ENDPOINT` set, the spans above and those of the author go to that collector
//! by OTLP over HTTP. The resource has `service.name` (the connector's), `service.version` (`SERVICE_VERSION`, or the
//! connector's), `deployment.environment` (`OTEL_DEPLOYMENT_ENVIRONMENT`, or `development`) and `deployment.id`
//! (`OTEL_DEPLOYMENT_ID`).

mod log;
mod metrics;
mod source;
#[cfg(feature = "otel")]
mod traces;

pub(crate) use log::{Telemetry, start};
pub(crate) use metrics::{Ending, Metrics, Progress, RunUnderWay};
pub(crate) use source::SourceCall;
