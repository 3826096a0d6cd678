//! A process that is killed in the middle of a run goes on where it was.

use std::{fs, thread, time::Duration};

use omni_connector::{
    Inventory,
    SyncType::{Full, Incremental, Realtime},
};
use omni_connector_dev::{
    store::{
        StoreError,
        runs::{Run, RunStatus},
    },
    testing::eventually,
};
use serde_json::Value;

use crate::support::Setup;

/// Waits until the run has a checkpoint that pleases.
async fn checkpoint(setup: &Setup, run: &Run, pleases: impl Fn(&Value) -> bool) {
    let saved = async || {
        let run = setup.manager.progress(&run.id).await.unwrap().unwrap().run;
        assert_eq!(run.status, RunStatus::Running, "{:?}", run.error_message);
        setup.saved_by(&run).await.filter(&pleases)
    };
    eventually("the run saves its state", saved).await;
}

/// How many files the state names.
fn named_files(state: &Value) -> usize {
    let files: Inventory = serde_json::from_value(state["files"].clone()).unwrap_or_default();
    files.len()
}

#[tokio::test]
async fn a_killed_full_run_goes_on_after_what_it_had_done() {
    // More than may be on its way to the manager at once.
    const FILES: u64 = 5_000;
    let setup = Setup::new().await;
    for n in 0..FILES {
        setup.write(
            &format!("{}/{n}.txt", n % 7),
            format!("The text of file {n}."),
        );
    }
    let run = setup.begin(Full).await;
    let begun = async || {
        setup
            .report(&run.id)
            .await
            .filter(|report| report.scanned > 0)
    };
    eventually("the run begins", begun).await;
    // A manager that is busy until the state is due, so that the run is somewhere in the middle then.
    let busy = setup.manager.store().write(|_| {
        thread::sleep(Duration::from_secs(3));
        Ok::<_, StoreError>(())
    });
    busy.await.unwrap();
    let sent = setup.report(&run.id).await.unwrap().updated;
    checkpoint(&setup, &run, |state| named_files(state) > 0).await;
    setup.kill_and_restart().await;
    assert!(sent < FILES, "the run was over before it was killed");

    fs::remove_file(setup.path("0/0.txt")).unwrap();
    setup.manager.resume(&run).await.unwrap();
    let ended = setup.wait(&run).await;
    assert_eq!(ended.progress.run.status, RunStatus::Completed, "{ended:?}");
    assert_eq!(setup.ids().await.len() as u64, FILES - 1);
    // Everything was looked at.
    assert_eq!(ended.report().scanned, FILES - 1);
    assert_eq!(setup.sync(Incremental).await.report().updated, 0);
}

#[tokio::test]
async fn a_killed_watch_misses_nothing_of_what_happened_meanwhile() {
    let setup = Setup::new().await;
    setup.write("a.md", "first");
    setup.sync(Full).await;
    let run = setup.begin(Realtime).await;
    setup.write("watched.md", "only the watch knows it");
    checkpoint(&setup, &run, |state| named_files(state) == 2).await;
    setup.kill_and_restart().await;

    fs::remove_file(setup.path("watched.md")).unwrap();
    setup.write("b.md", "unwatched");
    setup.manager.resume(&run).await.unwrap();
    setup.until_ids(&["a.md", "b.md"]).await;
}
