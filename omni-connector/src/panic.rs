//! Catches panics of the author's code and records their message and location.

use std::{
    any::Any,
    backtrace::{Backtrace, BacktraceStatus},
    borrow::Cow,
    cell::{Cell, RefCell},
    fmt,
    future::poll_fn,
    panic::{self, AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Once,
    task::Poll,
};

thread_local! {
    /// The location of the latest panic on this thread. A panic unwinds on its own thread, so the code that catches it there
    /// reads the right location.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };

    /// Whether this thread runs code whose panics are caught here and reported with secrets removed.
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// A panic that was caught.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Panicked {
    pub(crate) message: String,
    /// File, line and column, if the hook recorded them.
    place: Option<String>,
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "at {place}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Installs a hook that records panic locations. The code that catches a panic reports it; other panics go to the previous
/// hook. If a later hook does not call this one, only the locations are lost.
///
/// A message in which `redact` finds a secret is logged without it. The previous hook would print it.
pub(crate) fn note_places(redact: fn(&str) -> Cow<'_, str>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PLACE.set(info.location().map(ToString::to_string));
            if !IS_CAUGHT.get() {
                let message = info.payload_as_str().unwrap_or_default();
                let clean = redact(message);
                if clean == message {
                    before(info);
                } else {
                    let place = PLACE.with_borrow(Clone::clone);
                    tracing::error!(place, "a task panicked: {clean}");
                }
                return;
            }
            let backtrace = Backtrace::capture();
            if backtrace.status() == BacktraceStatus::Captured {
                tracing::error!("a panic was caught\n{backtrace}");
            }
        }));
    });
}

/// Runs a future and catches its panic.
pub(crate) async fn catch<T>(future: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut future = pin!(future);
    poll_fn(|context| {
        // Discards the location of a panic that the future caught itself.
        PLACE.take();
        let outer = IS_CAUGHT.replace(true);
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        IS_CAUGHT.set(outer);
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(panic) => Poll::Ready(Err(Panicked {
                message: panic_message(&*panic),
                place: PLACE.take(),
            })),
        }
    })
    .await
}

/// Returns the message of a panic, if it has one.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_caught_panic_has_its_message_and_place() {
        note_places(|text| text.into());
        let line = line!() + 1;
        let caught: Result<(), _> = catch(async { panic!("index {} out of bounds", 7) }).await;
        let caught = caught.unwrap_err().to_string();
        let expected = format!("panic.rs:{line}:");
        assert!(
            caught.contains(&expected) && caught.ends_with(": index 7 out of bounds"),
            "{caught}"
        );
    }

    #[tokio::test]
    async fn a_panic_never_reports_the_place_of_another() {
        note_places(|text| text.into());
        let other = catch_unwind(|| panic!("caught by the author"));
        assert!(other.is_err());
        let caught: Result<(), _> =
            catch(async { panic::resume_unwind(Box::new("carried over")) }).await;
        assert_eq!(caught.unwrap_err().to_string(), "carried over");
    }
}
