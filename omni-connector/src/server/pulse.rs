//! Keeps the timers of the runtime going while functions of the author block their threads.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use tokio::runtime::Handle;
use tracing::dispatcher;

/// The time between two beats.
const BEAT: Duration = Duration::from_millis(200);
/// The number of beats without an answer after which all threads count as blocked.
const SILENT: u32 = 25;

/// Beats until it is dropped.
#[must_use = "the pulse ends when it is dropped"]
pub(super) struct Pulse {
    _alive: mpsc::Sender<Infallible>,
}

impl Pulse {
    /// Begins to give the current runtime an empty task from time to time.
    ///
    /// The runtime's thread that waited for the next timer also runs what the timer woke. If that blocks, the other threads
    /// sleep on, and no timer fires until there is a new task.
    pub(super) fn begin() -> Self {
        let (alive, ended) = mpsc::channel();
        let runtime = Handle::current();
        let beating = thread::Builder::new().name("pulse".to_owned());
        let log = dispatcher::get_default(Clone::clone);
        let beating = beating.spawn(move || {
            dispatcher::with_default(&log, || beat(&runtime, &ended));
        });
        if let Err(error) = beating {
            tracing::warn!(%error, "the system has no thread for the pulse; timers may be late");
        }
        Self { _alive: alive }
    }
}

fn beat(runtime: &Handle, ended: &mpsc::Receiver<Infallible>) {
    let is_answered = Arc::new(AtomicBool::new(true));
    let mut silent = 0;
    while ended.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
        if is_answered.swap(false, Ordering::Relaxed) {
            silent = 0;
            let is_answered = Arc::clone(&is_answered);
            drop(runtime.spawn(async move { is_answered.store(true, Ordering::Relaxed) }));
            continue;
        }
        silent += 1;
        if silent == SILENT {
            tracing::warn!(
                "all threads of the connector are blocked for {} s, so it answers nothing; run what waits without \
                 `await`, or computes for long, in `tokio::task::spawn_blocking`",
                (BEAT * SILENT).as_secs()
            );
        }
    }
}
