//! Runs functions of the author that may block their thread.

use std::{future::poll_fn, pin::pin};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::block_in_place,
};

/// Runs `work`. While it blocks its thread, another one does that thread's work. Otherwise the clock of the runtime may
/// stand still, and no timeout ends.
pub(super) async fn may_block<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    // A runtime with one thread has no other.
    let has_others = Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
    poll_fn(|cx| {
        if has_others {
            block_in_place(|| work.as_mut().poll(cx))
        } else {
            work.as_mut().poll(cx)
        }
    })
    .await
}
