//! A source on which another connector worked: Omni's own, or this one in an earlier form. It goes on without a duplicate, an
//! orphan, or a document that more people can see.

use std::os::unix::fs::symlink;

use omni_connector::SyncType::{Full, Incremental, Realtime};
use serde_json::{Value, json};

use crate::{
    recorded::{recording, write_source},
    support::Setup,
};

/// A document as Omni's connector sends it.
fn sent(id: &str, text: &str) -> Value {
    json!({
        "type": "document_created", "document_id": id, "content": text, "attributes": null,
        "metadata": { "title": id, "path": id }, "permissions": { "public": true, "users": [], "groups": [] }
    })
}

#[tokio::test]
async fn a_source_of_omnis_own_connector_goes_on() {
    for (mode, checkpoint) in [
        (Full, None),
        (Incremental, None),
        (Full, Some(json!({ "cursor": 1 }))),
        (Realtime, None),
    ] {
        // Omni's connector does not know globs, and it follows links.
        let setup = Setup::with_config(
            json!({ "exclude_patterns": ["secret", "/private/", "*.csv", "old*/"] }),
        )
        .await;
        write_source(&setup);
        setup.write("older/deep/letter.txt", "left out by a glob");
        symlink("/etc/passwd", setup.path("link.txt")).unwrap();
        let base = setup
            .path("")
            .to_str()
            .unwrap()
            .trim_end_matches('/')
            .to_owned();
        let recorded = recording()["runs"][0]["events"]
            .to_string()
            .replace("SOURCE_URL", &base);
        let mut events: Vec<Value> = serde_json::from_str(&recorded).unwrap();
        events.push(sent(
            &format!("{base}/older/deep/letter.txt"),
            "left out by a glob",
        ));
        events.push(sent(&format!("{base}/link.txt"), "root:x:0:0"));
        let was_there = events.len();
        setup.sync_by_another(events, checkpoint).await;
        assert_eq!(setup.ids().await.len(), was_there);

        let mut expected = vec![
            "archive.zip",
            "data.json",
            "empty.txt",
            "latin1.txt",
            "notes/plan.txt",
            "page.html",
            "picture.png",
            "readme.md",
            "run.sh",
            "Ünïcode #1.txt",
        ];
        expected.sort_unstable();
        if mode == Realtime {
            setup.begin(mode).await;
            setup.until_ids(&expected).await;
        } else {
            let ended = setup.sync(mode).await;
            assert_eq!(setup.ids().await, expected, "{mode:?}");
            assert_eq!(ended.progress.effects.created, 0, "nothing is there twice");
            assert_eq!(setup.sync(Incremental).await.progress.effects.deleted, 0);
        }
        setup.process().kill();
    }
}

#[tokio::test]
async fn a_source_of_this_connector_in_its_earlier_form_goes_on() {
    for mode in [Full, Incremental] {
        let setup = Setup::new().await;
        for n in 0..20 {
            setup.write(&format!("ops/{n}.md"), "text");
        }
        setup.write("top.md", "text");
        // It named documents by their paths below the base, and knew one that is gone since.
        let ids = (0..20)
            .map(|n| format!("ops/{n}.md"))
            .chain(["top.md".to_owned(), "gone.md".to_owned()]);
        let events = ids.map(|id| sent(&id, "text")).collect();
        let ops: Value = (0..20)
            .map(|n| (format!("{n}.md"), json!([1, 4])))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let folders = json!({ "ops": ops, "": { "top.md": null, "gone.md": [1, 4] } });
        let checkpoint = json!({ "base": setup.path("").to_str().unwrap().trim_end_matches('/'), "folders": folders });
        setup.sync_by_another(events, Some(checkpoint)).await;

        let ended = setup.sync(mode).await;
        let documents = setup.documents().await;
        assert_eq!(documents.len(), 21, "{:?}", documents.keys());
        let base = setup.path("").to_str().unwrap().to_owned();
        assert!(
            documents
                .values()
                .all(|document| document.id.starts_with(&base))
        );
        assert_eq!((ended.report().deleted, ended.report().held_back), (22, 0));
    }
}
