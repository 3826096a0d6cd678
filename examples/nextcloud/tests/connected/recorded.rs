//! Serves the source that was recorded with Omni's own connector, and compares every event with those that it emitted.

use omni_connector::SyncType::{Full, Incremental};
use omni_connector_dev::testing::{Documents, Ended, Source};
use serde_json::{Value, json};

use crate::{
    cloud::{Cloud, World},
    support::{Test, effects},
};

fn recording() -> Value {
    serde_json::from_str(include_str!("../data/recorded.json")).unwrap()
}

/// The recorded files that have no events, with the numbers that its checkpoint has for them.
const SKIPPED: [(&str, &str); 4] = [
    ("archive.zip", "101"),
    ("big.log", "102"),
    ("empty.txt", "103"),
    ("picture.png", "110"),
];

/// Gives a file the number, `ETag`, type and time of the recording.
fn label(world: &mut World, recording: &Value, run: usize, path: &str) {
    let events = recording["runs"][run]["events"].as_array().unwrap();
    let node = world.nodes.get_mut(path).unwrap();
    let event = events.iter().find(|it| it["metadata"]["path"] == path);
    let Some(event) = event else {
        let skipped = SKIPPED.iter().find(|it| path.ends_with(it.0));
        node.id = skipped.unwrap().1.parse().unwrap();
        return;
    };
    let row = |name: &str| {
        let text = event["content"].as_str().unwrap();
        let row = text.split(&format!("| {name} | ")).nth(1).unwrap();
        row.split(" |").next().unwrap().to_owned()
    };
    node.id = row("File ID").parse().unwrap();
    node.etag = row("ETag");
    node.modified = row("Last Modified");
}

fn source() -> Cloud {
    let recording = recording();
    let cloud = Cloud::with(&[]);
    {
        let mut world = cloud.world();
        world.user = "ada".into();
        for (name, file) in recording["source"]["files"].as_object().unwrap() {
            let path = format!("/{name}");
            world.put(&path, file["text"].as_str().unwrap());
            label(&mut world, &recording, 0, &path);
        }
    }
    cloud
}

/// Compares the documents with the events of a run, for those whose path a function allows. Gives the paths.
fn compare(test: &Test, found: &Documents, run: usize) -> Vec<String> {
    let recording = recording().to_string();
    let recording = recording
        .replace("SOURCE_URL", &test.cloud.url())
        .replace("nextcloud:SOURCE", &format!("nextcloud:{}", test.source.id))
        .replace("heldout@example.com", "developer@example.com");
    let recording: Value = serde_json::from_str(&recording).unwrap();
    let mut compared = Vec::new();
    for event in recording["runs"][run]["events"].as_array().unwrap() {
        let id = event["document_id"].as_str().unwrap();
        if event["type"] == "document_deleted" {
            assert!(found.get(id).is_none());
            continue;
        }
        let ours = &found[id];
        assert_eq!(ours.text, event["content"].as_str().unwrap());
        assert_eq!(ours.attributes, event["attributes"]);
        assert_eq!(ours.permissions.as_ref(), Some(&event["permissions"]));
        let mut metadata = event["metadata"].clone();
        // The manager leaves out what is null.
        metadata
            .as_object_mut()
            .unwrap()
            .retain(|_, it| !it.is_null());
        assert_eq!(ours.metadata, metadata);
        compared.push(ours.metadata["path"].as_str().unwrap().to_owned());
    }
    compared.sort();
    compared
}

#[tokio::test]
async fn every_event_is_the_recorded_one_but_for_the_listed_deviations() {
    let test = Test::of(source(), json!({})).await;
    let scanned = |ended: &Ended| ended.report().scanned;

    let first = test.syncs(Full).await;
    let found = test.documents().await;
    assert_eq!(compare(&test, &found, 0), test.paths().await);
    assert_eq!((effects(&first), scanned(&first)), ((6, 0, 0), 10));
    let (listed, read) = test.cloud.world().asked();
    // A deviation: folders are listed one by one, since an answer of depth infinity may hold the first level only.
    assert_eq!(listed.len(), 1 + 4 + 1);
    // A deviation: formats that Omni reads no text from are not downloaded.
    assert_eq!(read.len(), 7);
    assert!(read.contains(&"/empty.txt".to_owned()));

    let second = test.syncs(Incremental).await;
    assert_eq!(effects(&second), (0, 0, 0));
    let omnis = &recording()["runs"][1]["requests"];
    let (listed, read) = test.cloud.world().asked();
    assert_eq!(
        (listed.len() + read.len(), omnis.as_array().unwrap().len()),
        (1, 1)
    );

    {
        let mut world = test.cloud.world();
        let recording = recording();
        world.put("/notes/plan.txt", "Plan of the summer: sail the boats.\n");
        world.put("/notes/new.md", "A new note.\n");
        for path in ["/notes/plan.txt", "/notes/new.md"] {
            label(&mut world, &recording, 2, path);
        }
        world.remove("/readme.md");
        world.rename("/notes/deep/er/leaf.md", "/moved/leaf.md");
    }
    let third = test.syncs(Incremental).await;
    let found = test.documents().await;
    assert_eq!(
        compare(&test, &found, 2),
        ["/notes/new.md", "/notes/plan.txt"]
    );
    // A defect of Omni's: it sends nothing for a file that moved, so its old path stays.
    assert_eq!(effects(&third), (1, 2, 1));
    let moved = format!("nextcloud:{}:107", test.source.id);
    assert_eq!(found[&moved].metadata["path"], "/moved/leaf.md");
    assert!(found[&moved].text.contains("| Path | /moved/leaf.md |"));
    let (_, mut read) = test.cloud.world().asked();
    read.sort();
    assert_eq!(read, ["/moved/leaf.md", "/notes/new.md", "/notes/plan.txt"]);
}

#[tokio::test]
async fn the_recorded_checkpoint_is_taken_over() {
    let test = Test::of(source(), json!({})).await;
    test.syncs(Full).await;
    let before = test.documents().await;
    test.set_checkpoint(recording()["runs"][0]["checkpoint"].clone())
        .await;
    test.cloud.world().remove("/readme.md");
    let ended = test.syncs(Incremental).await;
    assert_eq!(ended.progress.effects.deleted, 1);
    assert_eq!(test.documents().await.len(), before.len() - 1);
}

#[tokio::test]
async fn the_manifest_is_the_recorded_one_but_for_the_listed_deviations() {
    let test = Test::of(source(), json!({})).await;
    let ours = serde_json::to_value(&test.manifest).unwrap();
    let omnis = &recording()["manifest"];
    for key in [
        "name",
        "display_name",
        "source_types",
        "sync_modes",
        "read_only",
        "skills",
        "search_operators",
    ] {
        assert_eq!(ours[key], omnis[key], "{key}");
    }
    for (ours, omnis) in ours["actions"]
        .as_array()
        .unwrap()
        .iter()
        .zip(omnis["actions"].as_array().unwrap())
    {
        for key in ["name", "mode", "admin_only", "hidden"] {
            assert_eq!(ours[key], omnis[key], "{key}");
        }
        // The manager refuses an action without a source type, so the framework names it.
        assert_eq!(ours["source_types"], json!(["nextcloud"]));
    }
    // An addition: the settings that are tried before a source exists are declared.
    let schema = &ours["actions"][0]["input_schema"];
    assert_eq!(schema.get("required"), None);
    let (ours, omnis) = (
        &ours["actions"][1]["input_schema"],
        &omnis["actions"][1]["input_schema"],
    );
    assert_eq!(ours["required"], omnis["required"]);
    for key in ["type", "description"] {
        assert_eq!(
            ours["properties"]["file_id"][key],
            omnis["properties"]["file_id"][key]
        );
    }
}
