//! Writes log lines and exports spans.

use std::{
    borrow::Cow,
    env,
    io::{self, IsTerminal, Write},
};

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    fmt::MakeWriter,
    prelude::*,
};

/// Telemetry that must be flushed before the process ends.
pub(crate) struct Telemetry {
    #[cfg(feature = "otel")]
    traces: Option<super::traces::Traces>,
}

/// Removes secrets from a line.
pub(crate) type Redactor = fn(&str) -> Cow<'_, str>;

/// Starts logging with `redact` applied to each line. Exports traces through `http` if a collector is configured.
///
/// An already installed subscriber is kept.
pub(crate) fn start(
    connector: &'static str,
    version: &'static str,
    redact: Redactor,
    http: fn() -> reqwest::Client,
) -> Telemetry {
    let asked = env::var("RUST_LOG").unwrap_or_default();
    let read = asked.parse::<Targets>();
    let problem = read.as_ref().err().map(ToString::to_string);
    let filter = read.ok().filter(|_| !asked.is_empty()).unwrap_or_else(|| {
        Targets::new()
            .with_default(LevelFilter::INFO)
            // rmcp logs every message.
            .with_target("rmcp", LevelFilter::WARN)
    });
    let format = env::var("OMNI_LOG_FORMAT").unwrap_or_default();
    let format = format.trim().to_ascii_lowercase();
    let is_json = format == "json";
    let json = is_json.then(|| {
        fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(Clean(redact))
            .with_filter(filter.clone())
    });
    let lines = (!is_json).then(|| {
        fmt::layer()
            .with_ansi(io::stderr().is_terminal())
            .with_writer(Clean(redact))
            .with_filter(filter.clone())
    });
    let subscriber = tracing_subscriber::registry().with(json).with(lines);
    #[cfg(feature = "otel")]
    {
        let traces = super::traces::Traces::start(connector, version, redact, http);
        let layer = traces.as_ref().map(|traces| traces.layer(filter));
        let _ = subscriber.with(layer).try_init();
        warn_of_settings(&asked, problem, &format);
        Telemetry { traces }
    }
    #[cfg(not(feature = "otel"))]
    {
        let _ = (connector, version, http);
        let _ = subscriber.try_init();
        warn_of_settings(&asked, problem, &format);
        if env::var("OTEL_EXPORTER_OTLP_ENDPOINT").is_ok_and(|value| !value.trim().is_empty()) {
            tracing::warn!(
                "`OTEL_EXPORTER_OTLP_ENDPOINT` is set, but this connector was built without the feature `otel`"
            );
        }
        Telemetry {}
    }
}

/// Names the settings of the log that mean nothing.
fn warn_of_settings(filter: &str, problem: Option<String>, format: &str) {
    if let Some(problem) = problem {
        tracing::warn!(
            "`RUST_LOG` is `{filter}`, which is not a filter ({problem}); the default is used"
        );
    }
    if !matches!(format, "" | "json" | "text") {
        tracing::warn!(
            "`OMNI_LOG_FORMAT` is `{format}`, which is neither `json` nor `text`; text is used"
        );
    }
}

impl Telemetry {
    /// Exports the remaining spans.
    #[allow(
        clippy::unused_async,
        reason = "without the feature `otel` there is nothing to wait for"
    )]
    pub(crate) async fn end(self) {
        #[cfg(feature = "otel")]
        if let Some(traces) = self.traces {
            traces.end().await;
        }
    }
}

/// Writes to standard error with secrets removed from each line, including the author's own log lines.
#[derive(Clone, Copy)]
struct Clean(Redactor);

impl<'a> MakeWriter<'a> for Clean {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl Write for Clean {
    /// Called once for each line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        io::stderr().write_all((self.0)(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
