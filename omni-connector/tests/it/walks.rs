//! What a walk knows before its end, and parts that are deleted by name.

use omni_connector::{Inventory, Part};

use crate::support::{Manager, Scripted, serve};

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
