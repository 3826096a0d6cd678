//! Counts Ctrl-C and similar signals: the first requests an orderly stop, the second an immediate one.

use tokio::{signal, sync::watch};

use super::failure::Failure;

/// The number of interrupts so far.
#[derive(Debug, Clone)]
pub(super) struct Interrupts(watch::Receiver<u32>);

impl Interrupts {
    /// Starts counting. Needs a tokio runtime.
    pub(super) fn listen() -> Self {
        let (count, counted) = watch::channel(0);
        tokio::spawn(async move {
            let mut signals = Signals::new();
            loop {
                signals.next().await;
                count.send_modify(|count| *count += 1);
            }
        });
        Self(counted)
    }

    /// Waits for the first interrupt.
    pub(super) async fn first(&self) {
        self.reached(1).await;
    }

    /// Waits for the end of some work, or for the first interrupt.
    ///
    /// # Errors
    /// It was interrupted.
    pub(super) async fn or_end<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            done = work => Ok(done),
            () = self.first() => Err(Failure::interrupted()),
        }
    }

    /// Waits for the second interrupt.
    pub(super) async fn second(&self) {
        self.reached(2).await;
    }

    /// Returns whether there was an interrupt.
    pub(super) fn any(&self) -> bool {
        *self.0.borrow() > 0
    }

    async fn reached(&self, wanted: u32) {
        // The sender lives in a task that never ends.
        let _ = self.0.clone().wait_for(|count| *count >= wanted).await;
    }
}

/// SIGINT and, where they exist, SIGTERM and SIGHUP.
#[cfg(unix)]
struct Signals(Vec<signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn new() -> Self {
        use signal::unix::SignalKind;

        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        // A signal that cannot be handled keeps the system's default.
        Self(
            kinds
                .into_iter()
                .filter_map(|kind| signal::unix::signal(kind).ok())
                .collect(),
        )
    }

    async fn next(&mut self) {
        std::future::poll_fn(|context| {
            let ready = self
                .0
                .iter_mut()
                .any(|signal| signal.poll_recv(context).is_ready());
            if ready {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
