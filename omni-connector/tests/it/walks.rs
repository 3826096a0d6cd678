//! What a walk knows before its end, and parts that are deleted by name.

use omni_connector::{Inventory, Part, SyncContext, Walked};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::Level;

use crate::support::{Log, Manager, Scripted, serve};

#[tokio::test]
async fn a_part_is_deleted_by_name_and_what_was_not_seen_is_known_before_the_end() {
    let connector = Scripted::new(|ctx, _| async move {
        let ids = ["a", "a/1", "a/2", "ab", "b/1", "b/2", "c/1"];
        let ids = ids.map(|id| (id.to_owned(), Some(1)));
        let known: Inventory<u8> = ids.into_iter().collect();
        let mut walk = known.walk(&ctx);
        walk.delete_part(&Part::path("a")).await?;
        anyhow::ensure!(walk.is_current("b/1", &1));
        walk.keep("ab");
        let mut unseen = walk.unseen(&Part::whole());
        unseen.sort();
        anyhow::ensure!(unseen == ["b/2", "c/1"], "{unseen:?}");
        anyhow::ensure!(walk.unseen(&Part::prefix("b/")) == ["b/2"]);
        walk.delete("b/2").await?;
        walk.keep_part(&Part::path("c"));
        anyhow::ensure!(walk.unseen(&Part::whole()).is_empty());
        Ok(())
    });
    let manager = Manager::start().await;
    let served = serve(connector, &manager).await;
    served.start("R1", "full").await;
    served.ended("R1").await;
    assert_eq!(
        manager.calls("/fail").len(),
        0,
        "{:?}",
        manager.calls("/fail")
    );
    let mut deleted = manager.documents();
    deleted.sort();
    assert_eq!(deleted, ["a", "a/1", "a/2", "b/2"]);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    number: u32,
}

/// A new version of a connector may write its points in another way.
#[tokio::test]
async fn a_walk_whose_last_point_cannot_be_read_begins_anew_and_says_so() {
    let (log, _guard) = Log::of_this_thread(Level::INFO);
    let connector = Scripted::new(|ctx, _| async move {
        let known: Inventory<u8> = [("a".to_owned(), Some(1))].into_iter().collect();
        known.walk(&ctx).reached(Page { number: 7 });
        let saved: Value = serde_json::to_value(&known)?;
        let again = || serde_json::from_value::<Inventory<u8>>(saved.clone());

        let point = again()?.walk(&ctx).resume_point();
        anyhow::ensure!(point == Some(Page { number: 7 }), "{point:?}");

        anyhow::ensure!(again()?.walk(&ctx).resume_point::<u32>().is_none());
        anyhow::ensure!(again()?.walk(&ctx).resume_point::<String>().is_none());
        anyhow::ensure!(again()?.walk(&ctx).resume_point::<(u32, u32)>().is_none());

        // The walk that begins anew sees nothing of the earlier one, and goes on from its own points.
        let begun = again()?;
        let mut walk = begun.walk(&ctx);
        anyhow::ensure!(walk.resume_point::<u32>().is_none());
        anyhow::ensure!(walk.unseen(&Part::whole()) == ["a"]);
        walk.reached(8_u32);
        let saved = serde_json::to_value(&begun)?;
        let again: Inventory<u8> = serde_json::from_value(saved)?;
        anyhow::ensure!(again.walk(&ctx).resume_point() == Some(8_u32));
        Ok(())
    });
    let manager = Manager::start().await;
    let served = serve(connector, &manager).await;
    let resumed = r#"{"sync_run_id":"R1","source_id":"S1","sync_mode":"full","is_resume":true}"#;
    served.post("/sync", resumed).await;
    served.ended("R1").await;
    let failed = manager.calls("/fail");
    assert!(failed.is_empty(), "{failed:?}");
    let lines = log.with("the walk begins anew");
    assert_eq!(lines.len(), 4, "{:#?}", log.lines());
    assert!(
        lines
            .iter()
            .all(|line| line.contains("cannot be read") && line.contains("invalid type")),
        "{lines:#?}"
    );
}

/// The walk goes on behind the part, so only the checkpoint knows of it.
#[tokio::test]
async fn the_report_of_a_resumed_run_names_the_part_that_could_not_be_listed_before() {
    let sync = |ctx: SyncContext, saved: Option<Value>| async move {
        let known: Inventory<u8> = serde_json::from_value(saved.unwrap_or_default())?;
        let mut walk = known.walk(&ctx);
        if walk.resume_point::<u32>().is_none() && ctx.sync_run_id() == "R1" {
            walk.part_failed(&Part::path("locked"), "its folder is locked", None);
            walk.reached(1_u32);
            ctx.save_checkpoint(&known).await?;
            ctx.cancelled().await;
            return Ok(());
        }
        walk.finish(Walked::declared("the rest is empty")).await?;
        ctx.save_checkpoint(&known).await?;
        Ok(())
    };
    let manager = Manager::start().await;
    let killed = serve(Scripted::new(sync), &manager).await;
    killed.start("R1", "full").await;
    let mut request =
        json!({ "sync_run_id": "R1", "source_id": "S1", "sync_mode": "full", "is_resume": true });
    let mut reports = Vec::new();
    for run in ["R1", "R2"] {
        let saved = manager.told_of("/checkpoint").await;
        request["checkpoint"] = saved;
        request["sync_run_id"] = run.into();
        let other = Manager::start().await;
        let served = serve(Scripted::new(sync), &other).await;
        served.post("/sync", request.to_string()).await;
        served.ended(run).await;
        reports.push(served.get(&format!("/sync/{run}/report")).await.1);
    }
    let failed = &reports[0]["failures"][0];
    assert_eq!(reports[0]["failed"], 1, "{}", reports[0]);
    assert_eq!(
        (&failed["item"], &failed["cause"]),
        (&json!("locked"), &json!("its folder is locked"))
    );
    // A walk that begins anew lists the part.
    assert_eq!(reports[1]["failed"], 0, "{}", reports[1]);
}
