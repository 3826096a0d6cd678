//! Whatever request a process is killed at, Omni has everything in the end.

use std::time::Duration;

use omni_connector::{AuthType, SyncType, prelude::*};
use omni_connector_dev::testing::Setup;
use tokio::time::sleep;

use crate::{
    fake::Fake,
    support::{basic, open},
};

const DIVISIONS: &str = "orgmasterapi/divisionlist";

async fn set_up(hr: &Fake) -> Setup {
    Setup::of(env!("CARGO_BIN_EXE_darwinbox"))
        .config(open(hr))
        .credentials(basic())
        .auth_type(AuthType::BasicAuth)
        .start()
        .await
}

#[tokio::test]
async fn a_process_that_is_killed_at_any_request_goes_on_without_a_loss() {
    let hr = Fake::start().await;
    let setup = set_up(&hr).await;
    setup.sync(SyncType::Full).await;
    let is_long = std::env::var_os("OMNI_TEST_FULL").is_some();
    let (mut killed, mut number) = (0, 1);
    loop {
        // Two divisions are new, and one of them vanishes while the process is down.
        let before = {
            let mut world = hr.world();
            for what in ["stays", "goes"] {
                let name = format!("{what} {number}");
                let division = json!({ "name": name, "status": "Active" });
                world.list(DIVISIONS).push(division);
            }
            world.calls.len()
        };
        let mode = if number % 3 == 0 {
            SyncType::Full
        } else {
            SyncType::Incremental
        };
        let run = setup.run(mode);
        tokio::pin!(run);
        let asked = async {
            while hr.world().calls.len() < before + number {
                sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            ended = &mut run => {
                assert!(ended.is_completed(), "{:?}", ended.progress.run.error_message);
                break;
            }
            () = asked => {}
        }
        hr.world()
            .list(DIVISIONS)
            .retain(|division| division["name"] != format!("goes {number}"));
        let ((), ended) = tokio::join!(setup.kill_and_restart(), run);
        let message = &ended.progress.run.error_message;
        assert!(
            ended.is_completed(),
            "killed at request {number}: {message:?}"
        );
        killed += 1;
        // One run more sees what changed behind the one that was resumed.
        setup.sync(SyncType::Incremental).await;
        let expected = set_up(&hr).await;
        expected.sync(SyncType::Full).await;
        let differences = setup
            .documents()
            .await
            .differences(&expected.documents().await);
        assert!(
            differences.is_empty(),
            "killed at request {number}: {differences:?}"
        );
        number += if is_long { 1 } else { 5 };
    }
    assert!(killed > 3, "{killed} kills are too few");
}
