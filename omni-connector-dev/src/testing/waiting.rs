//! Waits for something that a test cannot be notified of.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::setup::{PATIENCE, POLL_INTERVAL};

/// Waits until a look finds something, and returns it. Looks fifty times a second.
///
/// ```no_run
/// # async fn example(setup: omni_connector_dev::testing::Setup, run: omni_connector_dev::store::runs::Run) {
/// use omni_connector_dev::testing::eventually;
///
/// let report = async || setup.report(&run.id).await.filter(|report| report.held_back > 0);
/// let report = eventually("the deletes are held back", report).await;
/// assert_eq!(report.deleted, 0);
/// # }
/// ```
///
/// # Panics
/// Panics if it finds nothing within a minute. The message has `what`.
pub async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    match reached(PATIENCE, look).await {
        Some(found) => found,
        None => panic!("not within {PATIENCE:?}: {what}"),
    }
}

pub(super) async fn reached<T>(
    patience: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> Option<T> {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            sleep(POLL_INTERVAL).await;
        }
    };
    timeout(patience, found).await.ok()
}
