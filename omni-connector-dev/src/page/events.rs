//! Streams change events to a tab. Its script then requests the page again.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::stream::{Stream, unfold};
use tokio::time::sleep;

use super::Page;
use crate::store::review;

/// The time between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

pub(super) async fn stream(
    State(page): State<Page>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = unfold((page, String::new()), |(page, before)| async move {
        loop {
            let bench = page.shared.workbench.bench();
            let last = page.shared.workbench.lines().pop();
            let pulse = page.shared.store.read(review::pulse).await.ok()?;
            let live = page.shared.registry.live().len();
            let now = format!("{pulse} {bench:?} {live} {:?}", last.map(|line| line.at));
            if now != before {
                // Browsers drop an event without data.
                let event = Event::default().event("change").data("1");
                return Some((Ok(event), (page, now)));
            }
            sleep(POLL_INTERVAL).await;
        }
    });
    Sse::new(changes).keep_alive(KeepAlive::default())
}
