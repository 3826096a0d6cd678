//! Whatever request a process is killed at, Omni has everything in the end.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use omni_connector::{SyncType, prelude::*};

use crate::support::Test;

#[tokio::test]
async fn a_process_that_is_killed_at_any_request_goes_on_without_a_loss() {
    let test = Test::start().await;
    test.github.world().per_page = Some(3);
    test.completes(SyncType::Full).await;
    let (mut killed, mut number) = (0, 1);
    loop {
        // Something of every kind changes, and something vanishes while the process is down.
        let first = 100 * number;
        {
            let mut world = test.github.world();
            world.issue("acme/tea", first, "More", Value::Null);
            world.comment("acme/tea", first, "And more.", None);
            world.discussion("acme/secret", first + 1, "Even more");
            world.repo("acme/secret").private = number % 2 == 0;
        }
        let (victim, mut requests) = (test.process(), 0);
        let is_killed = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&is_killed);
        test.github.fail(move |_, world| {
            requests += 1;
            if requests == number {
                noted.store(true, Ordering::Relaxed);
                victim.kill();
                world.repo("acme/tea").issues.remove(&first);
                victim.restart().unwrap();
            }
            None
        });
        let mode = if number % 3 == 0 {
            SyncType::Full
        } else {
            SyncType::Incremental
        };
        // A run that the process has lost is resumed.
        let ended = test.run(mode).await;
        assert!(
            ended.is_completed(),
            "killed at request {number}: {:?}",
            ended.message()
        );
        test.github.works_again();
        if !is_killed.load(Ordering::Relaxed) {
            break;
        }
        killed += 1;
        // One run more sees what changed behind the back of the one that was resumed.
        test.completes(SyncType::Incremental).await;
        number += if std::env::var_os("OMNI_TEST_FULL").is_some() {
            1
        } else {
            4
        };
    }
    assert!(killed > 3, "{killed} kills are too few");
}
