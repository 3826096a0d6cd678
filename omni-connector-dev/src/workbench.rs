//! State shared by the development command and the page: the connector's process, its output, and a person's orders on
//! the page. It must never start or end anything.
#![cfg_attr(
    not(feature = "cli"),
    allow(dead_code, reason = "the command fills what the page shows")
)]

mod kill;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};

pub(crate) use kill::{Fact, Moment, PlannedKill};

/// The number of kept lines of the connector's log.
const KEPT_LINES: usize = 500;
/// The longest line that is kept, in bytes.
const LONGEST_LINE: usize = 4096;

/// The current phase of the connector's process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "what")]
pub(crate) enum Phase {
    /// No command manages the connector; one may register by itself.
    #[default]
    Unmanaged,
    /// Cargo builds it. The previous process still serves.
    Building,
    /// Cargo waits until another build of the same folder ends. The previous process still serves.
    Blocked,
    /// It does not compile; has the compiler's messages. The previous process still serves.
    BuildFailed(String),
    /// It runs but has not registered yet.
    Starting,
    /// It runs and is registered.
    Serving,
    /// It does not run; has its end, or why it did not start.
    NotRunning(String),
}

/// The state of the development command for the page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Bench {
    /// The name of the package or the program.
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) phase: Phase,
    /// Whether a process runs, possibly of an older build.
    pub(crate) is_running: bool,
    /// The duration of the last build.
    pub(crate) built_in: Option<Duration>,
    /// Whether the command rebuilds after changes of the sources.
    pub(crate) is_watching: bool,
    /// Whether it builds a package, so that the page can offer a build.
    pub(crate) is_package: bool,
    /// The changes and resumed runs of the last restart, one sentence each.
    pub(crate) news: Vec<String>,
    /// The tape that answers in place of the source.
    pub(crate) replays: Option<String>,
    /// The tape that is recorded.
    pub(crate) records: Option<String>,
    /// The kill that a person planned for the next moment of its kind.
    pub(crate) kill: Option<PlannedKill>,
    /// The checks that a person asked for last.
    pub(crate) checks: Option<Checks>,
}

/// What `cargo omni check` found when a person asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub(crate) enum Checks {
    Running,
    Done {
        /// The command's result as JSON.
        found: Value,
        /// Whether the build that was checked still serves.
        is_current: bool,
    },
    /// The connector was not checked, for example because its tests do not build.
    Failed {
        why: String,
    },
}

/// The schemas that a connector prints for its own types; none for a type without a schema.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Schemas {
    #[serde(default)]
    pub(crate) config: Option<Value>,
    #[serde(default)]
    pub(crate) credentials: Option<Value>,
    #[serde(default)]
    pub(crate) state: Option<Value>,
}

/// A person's order to the development command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Stops the process and starts it again.
    Restart,
    /// Kills the process as in a crash, and starts it again.
    Kill,
    /// Turns rebuilding after changes on or off.
    Watch(bool),
    /// Runs all checks of the package.
    Check,
}

/// A line of the connector's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    pub(crate) text: String,
}

/// The shared state of one manager. Cheap to clone.
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
    /// Returns the current state.
    pub(crate) fn bench(&self) -> Bench {
        self.0.bench.borrow().clone()
    }

    /// Returns the schemas of the running connector.
    pub(crate) fn schemas(&self) -> Schemas {
        open(&self.0.schemas).clone()
    }

    /// Returns the last lines of the connector's output, oldest first.
    pub(crate) fn lines(&self) -> Vec<Line> {
        open(&self.0.lines).iter().cloned().collect()
    }

    /// Passes an order on. Returns whether a command accepts orders.
    pub(crate) fn order(&self, order: Order) -> bool {
        self.0.orders.send(order).is_ok() && self.bench().phase != Phase::Unmanaged
    }

    /// Plans a kill in place of the last one, or none. Returns whether a command accepts orders.
    pub(crate) fn plan_kill(&self, kill: Option<PlannedKill>) -> bool {
        let mut is_accepted = false;
        self.0.bench.send_modify(|bench| {
            is_accepted = bench.phase != Phase::Unmanaged;
            if is_accepted {
                bench.kill = kill;
            }
        });
        is_accepted
    }

    /// Orders the planned kill if it is due, and returns whether it was ordered.
    pub(crate) fn kill_if_due(&self, source_id: &str, fact: Fact) -> bool {
        let is_due = self.0.bench.send_if_modified(|bench| {
            let kill = bench.kill.as_ref();
            let is_due = kill.is_some_and(|kill| kill.is_due(source_id, fact));
            if is_due {
                bench.kill = None;
            }
            is_due
        });
        is_due && self.order(Order::Kill)
    }

    /// Ends when the connector does not serve any more.
    pub(crate) async fn stopped_serving(&self) {
        let mut bench = self.0.bench.subscribe();
        // The sender lives as long as this value.
        let _ = bench.wait_for(|bench| bench.phase != Phase::Serving).await;
    }

    /// Adds a line of the connector's output.
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

/// Methods for the development command.
#[cfg(feature = "cli")]
impl Workbench {
    /// Changes the state.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Bench)) {
        self.0.bench.send_modify(change);
    }

    /// Stores the schemas of the built connector.
    pub(crate) fn keep_schemas(&self, schemas: Schemas) {
        *open(&self.0.schemas) = schemas;
    }

    /// Returns the orders of the page. Only the first caller gets them.
    pub(crate) fn take_orders(&self) -> Option<mpsc::UnboundedReceiver<Order>> {
        open(&self.0.taker).take()
    }
}
