//! Counters of the process, and their Prometheus text format.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::source::{SourceCall, SourceCalls};

/// The most action names with a label each. Callers choose the names, and an MCP server may have many tools.
const MOST_ACTIONS: usize = 200;

/// The `ending` label of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Completed,
    Failed,
    Refused,
    Stopped,
    Over,
    Unreported,
}

impl Ending {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
            Self::Over => "over",
            Self::Unreported => "unreported",
        }
    }
}

/// Counters since the process started.
#[derive(Debug, Default)]
pub(crate) struct Metrics(Mutex<Counters>);

#[derive(Debug, Default)]
struct Counters {
    /// Active runs, whose reports still grow.
    active: HashMap<u64, ActiveRun>,
    begun: u64,
    ended: BTreeMap<(&'static str, Ending), u64>,
    /// Totals of ended runs.
    done: Progress,
    /// By name and status.
    actions: HashMap<String, BTreeMap<u16, Calls>>,
    calls: BTreeMap<(&'static str, &'static str), u64>,
    retries: BTreeMap<&'static str, u64>,
    source: SourceCalls,
}

/// An active run: its mode, and access to its progress.
struct ActiveRun {
    mode: &'static str,
    progress: Box<dyn Fn() -> Progress + Send>,
}

impl fmt::Debug for ActiveRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActiveRun").field(&self.mode).finish()
    }
}

/// Counts a run as active until dropped, even if its task is dropped. Without this, a run's context and the counters
/// would keep each other alive forever.
pub(crate) struct RunUnderWay {
    metrics: Arc<Metrics>,
    number: u64,
    ending: Ending,
}

impl RunUnderWay {
    /// Records how the run ended.
    pub(crate) fn ended(mut self, ending: Ending) {
        self.ending = ending;
    }
}

impl Drop for RunUnderWay {
    fn drop(&mut self) {
        let mut counters = self.metrics.counters();
        if let Some(run) = counters.active.remove(&self.number) {
            counters.done.add((run.progress)());
            let key = (run.mode, self.ending);
            *counters.ended.entry(key).or_default() += 1;
        }
    }
}

/// Calls of one action with one status.
#[derive(Debug, Default)]
struct Calls {
    count: u64,
    took: Duration,
}

impl Calls {
    fn add(&mut self, took: Duration) {
        self.count += 1;
        self.took += took;
    }
}

/// Progress of runs: documents by outcome in the order of [`OUTCOMES`], and bytes of content.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Progress {
    pub(crate) outcomes: [u64; 5],
    pub(crate) bytes: u64,
}

const OUTCOMES: [&str; 5] = ["scanned", "updated", "deleted", "skipped", "failed"];

impl Progress {
    fn add(&mut self, other: Self) {
        for (total, more) in self.outcomes.iter_mut().zip(other.outcomes) {
            *total += more;
        }
        self.bytes += other.bytes;
    }
}

impl Metrics {
    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a run as active until the returned value is dropped.
    pub(crate) fn run_began(
        self: &Arc<Self>,
        mode: &'static str,
        progress: impl Fn() -> Progress + Send + 'static,
    ) -> RunUnderWay {
        let mut counters = self.counters();
        counters.begun += 1;
        let number = counters.begun;
        let progress = Box::new(progress);
        counters.active.insert(number, ActiveRun { mode, progress });
        RunUnderWay {
            metrics: Arc::clone(self),
            number,
            ending: Ending::Stopped,
        }
    }

    pub(crate) fn run_refused(&self, mode: &'static str) {
        let key = (mode, Ending::Refused);
        *self.counters().ended.entry(key).or_default() += 1;
    }

    pub(crate) fn action(&self, name: &str, status: u16, took: Duration) {
        let actions = &mut self.counters().actions;
        // A name that only ever yields 404 is undefined; callers can invent any number of them.
        let name = match status {
            _ if actions.contains_key(name) => name,
            404 => "unknown",
            _ if actions.len() >= MOST_ACTIONS => "other",
            _ => name,
        };
        if let Some(calls) = actions.get_mut(name) {
            calls.entry(status).or_default().add(took);
        } else {
            let mut calls = Calls::default();
            calls.add(took);
            actions.insert(name.to_owned(), BTreeMap::from([(status, calls)]));
        }
    }

    /// Counts a finished call to the manager, with an outcome from the table in [`super`].
    pub(crate) fn call(&self, route: &'static str, outcome: &'static str) {
        *self.counters().calls.entry((route, outcome)).or_default() += 1;
    }

    pub(crate) fn retry(&self, route: &'static str) {
        *self.counters().retries.entry(route).or_default() += 1;
    }

    /// Counts a finished call to the source.
    pub(crate) fn source(&self, call: &SourceCall<'_>) {
        self.counters().source.add(call);
    }

    /// Renders all metrics.
    pub(crate) fn text(&self, connector: &str, version: &str) -> String {
        let counters = self.counters();
        let mut text = Text::default();
        text.family("omni_connector_info", "gauge", "The connector.");
        text.sample(
            "omni_connector_info",
            &[("connector", connector), ("version", version)],
            1,
        );

        text.family(
            "omni_connector_runs_total",
            "counter",
            "Sync runs by how they ended.",
        );
        for ((mode, ending), count) in &counters.ended {
            let labels = [("mode", *mode), ("ending", ending.as_str())];
            text.sample("omni_connector_runs_total", &labels, *count);
        }
        text.family(
            "omni_connector_runs_active",
            "gauge",
            "Sync runs under way.",
        );
        let mut progress = counters.done;
        for mode in ["full", "incremental", "realtime"] {
            let active = counters.active.values();
            let active = active.filter(|run| run.mode == mode).count();
            let labels = [("mode", mode)];
            text.sample("omni_connector_runs_active", &labels, active as u64);
        }
        for run in counters.active.values() {
            progress.add((run.progress)());
        }
        text.family(
            "omni_connector_documents_total",
            "counter",
            "Documents by what became of them.",
        );
        for (outcome, count) in OUTCOMES.into_iter().zip(progress.outcomes) {
            text.sample(
                "omni_connector_documents_total",
                &[("outcome", outcome)],
                count,
            );
        }
        text.family(
            "omni_connector_content_bytes_total",
            "counter",
            "Bytes of contents handed over.",
        );
        text.sample("omni_connector_content_bytes_total", &[], progress.bytes);

        text.family(
            "omni_connector_action_seconds",
            "summary",
            "Calls of actions.",
        );
        let actions = BTreeMap::from_iter(&counters.actions);
        let calls = actions.into_iter().flat_map(|(name, calls)| {
            let calls = calls.iter();
            calls.map(move |(status, calls)| (name, status.to_string(), calls))
        });
        for (action, status, Calls { count, took }) in calls {
            let labels = [("action", action.as_str()), ("status", &status)];
            text.sample(
                "omni_connector_action_seconds_sum",
                &labels,
                took.as_secs_f64(),
            );
            text.sample("omni_connector_action_seconds_count", &labels, *count);
        }
        text.family(
            "omni_connector_manager_calls_total",
            "counter",
            "Calls to the manager.",
        );
        for ((route, outcome), count) in &counters.calls {
            let labels = [("route", *route), ("outcome", *outcome)];
            text.sample("omni_connector_manager_calls_total", &labels, *count);
        }
        text.family(
            "omni_connector_manager_retries_total",
            "counter",
            "Attempts beyond the first.",
        );
        for (route, count) in &counters.retries {
            text.sample(
                "omni_connector_manager_retries_total",
                &[("route", route)],
                *count,
            );
        }
        counters.source.write(&mut text);
        text.0
    }
}

/// Renders Prometheus text format, version 0.0.4.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    pub(super) fn sample(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        value: impl std::fmt::Display,
    ) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"", if index == 0 { '{' } else { ',' });
            for c in text.chars() {
                match c {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    other => self.0.push(other),
                }
            }
            self.0.push('"');
        }
        let _ = writeln!(
            self.0,
            "{} {value}",
            if labels.is_empty() { "" } else { "}" }
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let metrics = Metrics::default();
        metrics.action("a\"b\\c\nd", 200, Duration::from_millis(1500));
        let text = metrics.text("acme", "1.0.0");
        let expected = r#"omni_connector_action_seconds_sum{action="a\"b\\c\nd",status="200"} 1.5"#;
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("omni_connector_info{connector=\"acme\",version=\"1.0.0\"} 1\n"));
    }

    #[test]
    fn names_that_callers_make_up_are_one() {
        let metrics = Metrics::default();
        metrics.action("find", 200, Duration::ZERO);
        metrics.action("find", 404, Duration::ZERO);
        for n in 0..1_000 {
            metrics.action(&format!("made up {n}"), 404, Duration::ZERO);
            metrics.action(&format!("tool {n}"), 200, Duration::ZERO);
        }
        let text = metrics.text("acme", "1.0.0");
        let lines = text.lines().filter(|line| line.contains("_count{action="));
        assert!(lines.count() <= MOST_ACTIONS + 2);
        assert!(
            text.contains(r#"_count{action="find",status="404"} 1"#),
            "{text}"
        );
        assert!(
            text.contains(r#"_count{action="unknown",status="404"} 1000"#),
            "{text}"
        );
    }
}
