//! What the development command and the page tell each other: the state of the connector's process, what it printed, and
//! what a person asked for on the page. Nothing here starts or ends anything.
#![cfg_attr(
    not(feature = "cli"),
    allow(dead_code, reason = "the command fills what the page shows")
)]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};

/// Lines of the connector's log that are kept.
const KEPT_LINES: usize = 500;
/// The longest line that is kept, in bytes.
const LONGEST_LINE: usize = 4096;

/// What the connector's process does at the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "what")]
pub(crate) enum Phase {
    /// Nobody starts a connector here; one may register by itself.
    #[default]
    Unwatched,
    /// Cargo builds it. A process from before still serves.
    Building,
    /// It does not compile: the compiler's words. A process from before still serves.
    Broken(String),
    /// It runs and has not registered yet.
    Starting,
    /// It runs and is registered.
    Serving,
    /// It does not run: how it ended, or why it could not be started.
    Down(String),
}

/// The development command as the page shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Bench {
    /// The package or the program.
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) phase: Phase,
    /// Whether a process runs, perhaps an older one than the sources.
    pub(crate) is_running: bool,
    /// How long the last build took.
    pub(crate) built_in: Option<Duration>,
    /// Whether changes of the sources are waited for.
    pub(crate) is_watching: bool,
    /// Whether a package is built, so that the page offers to build it.
    pub(crate) is_package: bool,
    /// What the last restart changed and resumed, a sentence for each.
    pub(crate) news: Vec<String>,
}

/// The schemas that a connector prints of its own types; none of a type that does not describe itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Schemas {
    #[serde(default)]
    pub(crate) config: Option<Value>,
    #[serde(default)]
    pub(crate) credentials: Option<Value>,
    #[serde(default)]
    pub(crate) state: Option<Value>,
}

/// What a person asks of the development command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// End the process and start it again.
    Restart,
    /// End the process at once, as a crash would, and start it again.
    Kill,
    /// Wait for changes of the sources, or do not.
    Watch(bool),
}

/// A line that the connector printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    pub(crate) text: String,
}

/// The bench of one manager. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Workbench(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    bench: watch::Sender<Bench>,
    schemas: Mutex<Schemas>,
    lines: Mutex<VecDeque<Line>>,
    orders: mpsc::UnboundedSender<Order>,
    taker: Mutex<Option<mpsc::UnboundedReceiver<Order>>>,
}

impl Default for Workbench {
    fn default() -> Self {
        let (orders, taken) = mpsc::unbounded_channel();
        Self(Arc::new(Parts {
            bench: watch::Sender::new(Bench::default()),
            schemas: Mutex::default(),
            lines: Mutex::default(),
            orders,
            taker: Mutex::new(Some(taken)),
        }))
    }
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Workbench {
    /// The state as it is now.
    pub(crate) fn bench(&self) -> Bench {
        self.0.bench.borrow().clone()
    }

    /// The schemas of the connector that runs.
    pub(crate) fn schemas(&self) -> Schemas {
        open(&self.0.schemas).clone()
    }

    /// The last lines that the connector printed, the oldest first.
    pub(crate) fn lines(&self) -> Vec<Line> {
        open(&self.0.lines).iter().cloned().collect()
    }

    /// Passes an order on. Says whether anybody takes orders.
    pub(crate) fn order(&self, order: Order) -> bool {
        self.0.orders.send(order).is_ok() && self.bench().phase != Phase::Unwatched
    }

    /// Notes a line of the connector.
    pub(crate) fn print(&self, mut text: String) {
        if text.len() > LONGEST_LINE {
            text.truncate(text.floor_char_boundary(LONGEST_LINE));
            text.push('…');
        }
        let mut lines = open(&self.0.lines);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        let at = OffsetDateTime::now_utc();
        lines.push_back(Line { at, text });
    }
}

/// The side of the development command.
#[cfg(feature = "cli")]
impl Workbench {
    /// Changes the state.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Bench)) {
        self.0.bench.send_modify(change);
    }

    /// Keeps the schemas of the connector that was built.
    pub(crate) fn keep_schemas(&self, schemas: Schemas) {
        *open(&self.0.schemas) = schemas;
    }

    /// The orders of the page. Only the first caller gets them.
    pub(crate) fn take_orders(&self) -> Option<mpsc::UnboundedReceiver<Order>> {
        open(&self.0.taker).take()
    }
}
