//! Tests of the time at which a batch is sent that is not full.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use super::{
    Limits, Tally,
    line::Waiting,
    shared::{Next, Shared},
};
use crate::{
    run::receipt::Receipt,
    wire::{ConnectorEvent, SyncType},
};

#[tokio::test(start_paused = true)]
async fn a_single_event_is_sent_when_it_is_old_enough() {
    let limits = Limits::of(SyncType::Incremental);
    let shared = Shared::new(limits, Arc::default());
    let started = Instant::now();
    let emit = async {
        // The sender already waits, with an empty line.
        tokio::time::sleep(Duration::from_secs(7)).await;
        shared
            .push_event(Waiting {
                event: Box::new(ConnectorEvent::PersonDeleted {
                    sync_run_id: String::new(),
                    source_id: String::new(),
                    email: String::new(),
                }),
                tally: Tally::NONE,
                receipt: Receipt::new(&Arc::default(), None),
                weight: 2,
                since: Instant::now(),
            })
            .unwrap();
    };
    let sent = timeout(limits.max_age * 2, shared.next_call());
    let (next, ()) = tokio::join!(sent, emit);
    assert!(matches!(next, Ok(Next::Batch(batch)) if batch.events.len() == 1));
    assert_eq!(started.elapsed().as_secs(), 7 + limits.max_age.as_secs());
}
