//! What changes in the tree arrives in Omni, by as few requests as there can be.

use omni_connector::SyncType::{Full, Incremental};
use serde_json::json;

use crate::{
    cloud::Cloud,
    support::{TREE, Test, effects},
};

#[tokio::test]
async fn an_unchanged_tree_costs_one_request() {
    let test = Test::synced().await;
    let ended = test.mirrors(Incremental).await;
    assert_eq!(effects(&ended), (0, 0, 0));
    assert_eq!(test.cloud.world().asked.len(), 1);
    // A process that does not know the user id finds it in the checkpoint.
    test.kill_and_restart().await;
    test.cloud.world().asked();
    test.mirrors(Incremental).await;
    let asked = test.cloud.world().asked.clone();
    assert_eq!(asked, [("PROPFIND".to_owned(), String::new(), 207)]);
}

#[tokio::test]
async fn a_change_costs_one_request_for_each_folder_above_it_and_one_look_at_the_end() {
    let test = Test::synced().await;
    test.cloud.world().put("/notes/plan.txt", "Sail the boats.");
    test.cloud.world().asked();
    let ended = test.mirrors(Incremental).await;
    assert_eq!(effects(&ended), (0, 1, 0));
    let (listed, read) = test.cloud.world().asked();
    assert_eq!(listed, ["", "/notes", ""]);
    assert_eq!(read, ["/notes/plan.txt"]);
}

#[tokio::test]
async fn new_and_deleted_files_and_folders_arrive() {
    let test = Test::synced().await;
    {
        let mut world = test.cloud.world();
        world.remove("/notes/deep");
        world.remove("/readme.md");
        world.put("/new/one.md", "One.");
        world.put("/tables/old/two.md", "Two.");
        world.folder("/nothing");
    }
    let ended = test.mirrors(Incremental).await;
    assert_eq!(effects(&ended), (2, 0, 3));
    test.cloud.world().asked();
    test.mirrors(Incremental).await;
    assert_eq!(test.cloud.world().asked.len(), 1);
}

#[tokio::test]
async fn moved_files_and_folders_keep_their_ids_and_get_their_paths() {
    let test = Test::synced().await;
    let ids = |found: omni_connector_dev::testing::Documents| {
        let ids = found.iter().map(|it| it.id.clone());
        ids.collect::<Vec<_>>()
    };
    let before = ids(test.documents().await);
    test.cloud.world().rename("/notes", "/archive/2026");
    test.cloud
        .world()
        .rename("/readme.md", "/tables/liesmich.md");
    let ended = test.mirrors(Incremental).await;
    assert_eq!(effects(&ended), (0, 4, 0));
    assert_eq!(ids(test.documents().await), before);
    // Back again, with the ETags of before.
    test.cloud.world().rename("/archive/2026", "/notes");
    test.mirrors(Incremental).await;
    assert_eq!(ids(test.documents().await), before);
}

#[tokio::test]
async fn a_folder_that_comes_back_with_its_etag_is_read_again() {
    let test = Test::synced().await;
    let kept: Vec<_> = {
        let mut world = test.cloud.world();
        let nodes = world.nodes.clone().into_iter();
        let kept = nodes.filter(|(path, _)| path.starts_with("/tables"));
        let kept = kept.collect();
        world.remove("/tables");
        kept
    };
    let ended = test.mirrors(Incremental).await;
    assert_eq!(effects(&ended), (0, 0, 2));
    test.cloud.world().nodes.extend(kept);
    test.cloud.world().put("/other.md", "Other.");
    let ended = test.mirrors(Incremental).await;
    assert_eq!(effects(&ended), (3, 0, 0));
}

#[tokio::test]
async fn a_file_that_moves_into_a_folder_that_was_listed_already_is_not_lost() {
    let test = Test::synced().await;
    // `deep` is listed before `tables`, so a walk sees the file in neither.
    {
        let mut world = test.cloud.world();
        world.put("/notes/deep/new.md", "New.");
        world.put("/tables/old/new.md", "New.");
        world.then = Some(("/notes/deep".into(), |world| {
            world.rename("/tables/old/tides.txt", "/notes/deep/tides.txt");
        }));
    }
    let ended = test.mirrors(Incremental).await;
    assert_eq!(effects(&ended), (2, 1, 0));
}

#[tokio::test]
async fn a_tree_that_changes_during_every_walk_loses_nothing() {
    fn again(world: &mut crate::cloud::World) {
        world.put("/notes/busy.md", format!("{}", world.asked.len()));
        world.then = Some(("/notes".into(), again));
    }
    let test = Test::synced().await;
    {
        let mut world = test.cloud.world();
        world.remove("/readme.md");
        again(&mut world);
    }
    let ended = test.syncs(Incremental).await;
    assert_eq!(ended.progress.effects.deleted, 0);
    assert!(ended.report().skipped > 0);
    // What is gone is deleted once the tree is quiet.
    test.cloud.world().then = None;
    let ended = test.mirrors(Incremental).await;
    assert_eq!(ended.progress.effects.deleted, 1);
}

#[tokio::test]
async fn files_without_a_text_are_read_once() {
    let test = Test::synced().await;
    test.cloud.world().put("/blank.txt", " \n ");
    test.mirrors_but(&["/blank.txt"], Incremental).await;
    test.cloud.world().asked();
    // Its folder is listed again, since another file changed.
    test.cloud.world().put("/more.txt", "More.");
    test.mirrors_but(&["/blank.txt"], Incremental).await;
    assert_eq!(test.cloud.world().asked().1, ["/more.txt"]);
    test.cloud.world().put("/blank.txt", "No longer.");
    test.mirrors(Incremental).await;
    // And a file that loses its text loses its document.
    test.cloud.world().put("/blank.txt", "");
    let ended = test.mirrors(Incremental).await;
    assert_eq!(effects(&ended), (0, 0, 1));
}

#[tokio::test]
async fn settings_decide_which_files_are_documents() {
    let test = Test::synced().await;
    test.configure("extension_denylist", json!([".MD"])).await;
    test.syncs(Incremental).await;
    let without_md = [
        "/notes/plan.txt",
        "/tables/boats.txt",
        "/tables/old/tides.txt",
        "/Ünïcode & 100%/größe #1.txt",
    ];
    assert_eq!(test.paths().await, without_md);
    test.configure("extension_denylist", json!([])).await;
    test.configure("extension_allowlist", json!(["md", "txt"]))
        .await;
    test.configure("max_file_size", json!(16)).await;
    test.syncs(Incremental).await;
    assert_eq!(
        test.paths().await,
        [
            "/notes/deep/er/leaf.md",
            "/notes/deep/er/twig.md",
            "/notes/plan.txt"
        ]
    );
    // What the setting leaves out is deleted, however much it is.
    test.configure("extension_allowlist", json!([])).await;
    test.configure("max_file_size", json!(0)).await;
    test.configure("base_path", json!("tables/")).await;
    test.syncs(Incremental).await;
    assert_eq!(
        test.paths().await,
        ["/tables/boats.txt", "/tables/old/tides.txt"]
    );
    test.configure("base_path", json!("/")).await;
    test.mirrors(Incremental).await;
}

#[tokio::test]
async fn a_source_that_is_switched_off_keeps_everything() {
    let test = Test::synced().await;
    let checkpoint = test.checkpoint().await;
    test.configure("sync_enabled", json!(false)).await;
    test.cloud.world().remove("/readme.md");
    for mode in [Incremental, Full] {
        test.syncs(mode).await;
        assert_eq!(test.paths().await.len(), 7);
        assert_eq!(test.checkpoint().await, checkpoint);
    }
    assert!(test.cloud.world().asked.is_empty());
    test.configure("sync_enabled", json!(true)).await;
    // A full run still knows what it has to delete.
    test.mirrors(Full).await;
}

#[tokio::test]
async fn all_folders_are_listed_once_a_week_since_mounted_ones_may_hide_changes() {
    let test = Test::synced().await;
    {
        let mut world = test.cloud.world();
        let etags: Vec<_> = world.nodes.clone().into_iter().collect();
        world.put(
            "/notes/deep/er/leaf.md",
            "Changed behind the server's back.",
        );
        for (path, node) in etags {
            if node.content.is_none() {
                world.nodes.get_mut(&path).unwrap().etag = node.etag;
            }
        }
    }
    let ended = test.syncs(Incremental).await;
    assert_eq!(effects(&ended), (0, 0, 0));
    let mut checkpoint = test.checkpoint().await.unwrap();
    let listed = checkpoint["listed"].as_i64().unwrap();
    checkpoint["listed"] = json!(listed - 8 * 24 * 3_600);
    test.set_checkpoint(checkpoint).await;
    test.cloud.world().asked();
    let ended = test.mirrors(Incremental).await;
    assert_eq!(effects(&ended), (0, 1, 0));
    assert_eq!(
        test.cloud.world().asked().1,
        ["/notes/deep/er/leaf.md"],
        "other files are not read"
    );
    test.mirrors(Incremental).await;
    assert_eq!(test.cloud.world().asked.len(), 1);
}

#[tokio::test]
async fn an_empty_account_and_a_huge_folder_are_read() {
    let test = Test::of(Cloud::with(&[]), json!({})).await;
    test.mirrors(Full).await;
    {
        let mut world = test.cloud.world();
        for n in 0..1_000 {
            world.put(&format!("/many/{n}.txt"), format!("File {n}."));
        }
    }
    test.mirrors(Incremental).await;
    assert_eq!(test.paths().await.len(), 1_000);
    let state = test.checkpoint().await.unwrap().to_string().len();
    assert!(state < 1_000 * 20, "{state} bytes");
}

#[tokio::test]
async fn an_earlier_process_that_was_killed_leaves_nothing_behind() {
    let test = Test::of(Cloud::with(&TREE), json!({})).await;
    test.syncs(Full).await;
    test.kill_and_restart().await;
    test.cloud.world().remove("/tables");
    test.cloud.world().put("/notes/plan.txt", "Another plan.");
    test.mirrors(Full).await;
}
