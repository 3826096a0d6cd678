//! Makes a call in the task of its caller while it is quick, and in a task of its own from then on. So a quick call costs no
//! task, and a caller that stops to poll keeps neither its own call nor others waiting.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::SourceError;

/// How long a call stays with its caller, at least. It is also the time between two looks.
const QUICK: Duration = Duration::from_millis(3);
/// Looks without a call before the looking ends.
const IDLE: u32 = 100;

/// The calls of an account that are with their callers.
#[derive(Clone, Default)]
pub(super) struct Carrier(Arc<Mutex<Calls>>);

#[derive(Default)]
struct Calls {
    /// The oldest one first.
    calls: VecDeque<(Instant, Weak<dyn Carry>)>,
    is_watched: bool,
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carrier")
    }
}

/// A call. It ends when this is dropped.
pub(super) struct Carried<T>(Arc<Mutex<Place<T>>>);

type Work<T> = Pin<Box<dyn Future<Output = Result<T, SourceError>> + Send>>;

/// Where a call is made.
enum Place<T> {
    /// By the caller, with the waker of its latest look.
    Here(Work<T>, Option<Waker>),
    /// In a task of its own.
    There(AbortOnDropHandle<Result<T, SourceError>>),
    /// It has ended.
    Nowhere,
}

trait Carry: Send + Sync {
    /// Moves the call into a task of its own. Returns false if its caller looks at it just now.
    fn carry(&self) -> bool;
}

impl<T: Send + 'static> Carry for Mutex<Place<T>> {
    fn carry(&self) -> bool {
        let Ok(mut place) = self.try_lock() else {
            return false;
        };
        match std::mem::replace(&mut *place, Place::Nowhere) {
            Place::Here(work, waker) => {
                *place = Place::There(AbortOnDropHandle::new(tokio::spawn(work)));
                drop(place);
                // The caller looks at the task from now on.
                waker.into_iter().for_each(Waker::wake);
            }
            other => *place = other,
        }
        true
    }
}

impl Carrier {
    /// Begins a call when the result is polled.
    pub(super) fn carry<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, SourceError>> + Send + 'static,
    ) -> Carried<T> {
        let call = Arc::new(Mutex::new(Place::Here(Box::pin(work), None)));
        let weak: Weak<dyn Carry> = Arc::downgrade(&(Arc::clone(&call) as Arc<dyn Carry>));
        let mut calls = self.calls();
        calls.calls.push_back((Instant::now(), weak));
        if !calls.is_watched {
            calls.is_watched = true;
            tokio::spawn(Watch(self.clone()).look());
        }
        Carried(call)
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the calls that are no longer quick.
    fn slow(&self) -> Vec<Arc<dyn Carry>> {
        let mut calls = self.calls();
        let mut slow = Vec::new();
        while let Some((began, _)) = calls.calls.front()
            && began.elapsed() >= QUICK
        {
            let call = calls.calls.pop_front();
            slow.extend(call.and_then(|(_, call)| call.upgrade()));
        }
        slow
    }
}

/// Looks for calls that are no longer quick, until there are none.
struct Watch(Carrier);

impl Watch {
    async fn look(self) {
        let mut idle = 0;
        while idle < IDLE {
            sleep(QUICK).await;
            for call in self.0.slow() {
                if !call.carry() {
                    let call = Arc::downgrade(&call);
                    self.0.calls().calls.push_back((Instant::now(), call));
                }
            }
            let are_none = self.0.calls().calls.is_empty();
            idle = if are_none { idle + 1 } else { 0 };
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Also where the runtime has ended, and another one makes the next call.
        self.0.calls().is_watched = false;
    }
}

impl<T: Send + 'static> Future for Carried<T> {
    type Output = Result<T, SourceError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let done = match &mut *place {
            Place::Here(work, waker) => {
                let polled = work.as_mut().poll(context);
                if polled.is_pending() {
                    match waker {
                        Some(waker) => waker.clone_from(context.waker()),
                        None => *waker = Some(context.waker().clone()),
                    }
                }
                polled
            }
            Place::There(task) => Pin::new(task).poll(context).map(|ended| match ended {
                Ok(outcome) => outcome,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                // The runtime is shutting down.
                Err(_) => Err(SourceError::Cancelled),
            }),
            Place::Nowhere => Poll::Ready(Err(SourceError::Cancelled)),
        };
        if done.is_ready() {
            *place = Place::Nowhere;
        }
        done
    }
}

impl<T> Drop for Carried<T> {
    fn drop(&mut self) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Place::Nowhere;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures_util::poll;
    use tokio::task;

    use super::*;

    async fn waited(long: Duration) -> Result<task::Id, SourceError> {
        sleep(long).await;
        Ok(task::id())
    }

    #[tokio::test]
    async fn a_quick_call_is_made_by_its_caller_and_a_slow_one_in_a_task_of_its_own() {
        let test = task::spawn(async {
            let carrier = Carrier::default();
            let quick = carrier.carry(async { Ok(task::id()) }).await.unwrap();
            let slow = carrier.carry(waited(QUICK * 20)).await.unwrap();
            (task::id(), quick, slow)
        });
        let (caller, quick, slow) = test.await.unwrap();
        assert_eq!(caller, quick);
        assert_ne!(caller, slow);
    }

    #[tokio::test]
    async fn a_call_goes_on_when_its_caller_stops_to_poll_and_ends_when_it_is_dropped() {
        let carrier = Carrier::default();
        let is_done = Arc::new(AtomicBool::new(false));
        let work = |is_done: &Arc<AtomicBool>| {
            let is_done = Arc::clone(is_done);
            async move {
                sleep(QUICK * 10).await;
                is_done.store(true, Ordering::Relaxed);
                Ok(())
            }
        };
        let mut call = Box::pin(carrier.carry(work(&is_done)));
        assert!(poll!(&mut call).is_pending());
        while !is_done.load(Ordering::Relaxed) {
            sleep(QUICK).await;
        }
        call.await.unwrap();

        let is_done = Arc::new(AtomicBool::new(false));
        let mut call = Box::pin(carrier.carry(work(&is_done)));
        assert!(poll!(&mut call).is_pending());
        sleep(QUICK * 5).await;
        drop(call);
        sleep(QUICK * 20).await;
        assert!(!is_done.load(Ordering::Relaxed));
        assert_eq!(Arc::strong_count(&is_done), 1, "nothing is kept of it");
    }

    #[tokio::test]
    async fn a_panic_reaches_the_caller_from_either_place() {
        for long in [Duration::ZERO, QUICK * 20] {
            let failed = task::spawn(async move {
                let work = async move {
                    waited(long).await?;
                    panic!("it fell over");
                };
                Carrier::default().carry::<()>(work).await
            });
            let panic = failed.await.unwrap_err().into_panic();
            assert_eq!(panic.downcast_ref(), Some(&"it fell over"));
        }
    }

    #[test]
    fn calls_of_a_runtime_that_ended_do_not_keep_those_of_the_next_one_from_being_carried() {
        let carrier = Carrier::default();
        let runtime = || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_time().build().unwrap()
        };
        runtime().block_on(async {
            let mut call = Box::pin(carrier.carry(waited(QUICK * 100)));
            assert!(poll!(&mut call).is_pending());
        });
        let made_in = runtime().block_on(async {
            let call = carrier.carry(waited(QUICK * 20));
            task::spawn(async move { (task::id(), call.await.unwrap()) })
                .await
                .unwrap()
        });
        assert_ne!(made_in.0, made_in.1);
    }
}
