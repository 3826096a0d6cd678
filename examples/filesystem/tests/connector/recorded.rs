//! Serves the source that was recorded with Omni's own connector, and compares every document with what that one emitted.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use omni_connector::SyncType::Full;
use omni_connector::wire::timestamp;
use omni_connector_dev::testing::Found;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::support::{Setup, set_modified};

pub(crate) fn recording() -> Value {
    serde_json::from_str(include_str!("../data/recorded.json")).unwrap()
}

/// The first of January 2026, and a day for each file.
fn day(n: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600 + n * 86_400)
}

/// Writes the recorded files, with their times: those named as such in the order of the recording.
pub(crate) fn write_source(setup: &Setup) {
    let recording = recording();
    let updated = &recording["runs"][0]["events"];
    for (name, content) in recording["source"]["files"].as_object().unwrap() {
        let content = content.as_str().unwrap();
        // The recording holds this one as Python shows bytes.
        let bytes = match name.as_str() {
            "latin1.txt" => b"gr\xf6\xdfe".to_vec(),
            // A byte that is no character was written as one.
            "picture.png" => content
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap())
                .collect(),
            _ => content.as_bytes().to_vec(),
        };
        setup.write(name, bytes);
        let event = event_of(updated, name);
        let time = event.map_or(day(0), |event| {
            timestamp::parse(event["metadata"]["updated_at"].as_str().unwrap())
                .unwrap()
                .into()
        });
        set_modified(&setup.path(name), time);
    }
}

fn event_of<'a>(events: &'a Value, name: &str) -> Option<&'a Value> {
    let id = format!("SOURCE_URL/{name}");
    events
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["document_id"] == *id)
}

/// The text that is stored where Omni's connector stored another one, and why.
fn text_instead(name: &str) -> Option<&'static str> {
    match name {
        // Omni reads text only from files that its name says are text. These are text in UTF-8, so their words are found.
        "data.json" => Some("{\"boat\": \"Ida\"}"),
        "run.sh" => Some("#!/bin/sh\necho boats"),
        "archive.zip" => Some("PK not really"),
        // Omni stores replacement characters for text in another encoding.
        "latin1.txt" => Some("größe"),
        _ => None,
    }
}

/// Compares a document with an event of Omni's, and lists every deviation.
fn compare(setup: &Setup, name: &str, ours: &Found, omnis: &Value) {
    let base = setup
        .path("")
        .to_str()
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    let omnis: Value =
        serde_json::from_str(&omnis.to_string().replace("SOURCE_URL", &base)).unwrap();
    assert_eq!(ours.id, omnis["document_id"]);
    assert_eq!(
        ours.permissions.as_ref().unwrap(),
        &omnis["permissions"],
        "{name}"
    );
    let text = text_instead(name).unwrap_or(omnis["content"].as_str().unwrap());
    assert_eq!(ours.text, text, "{name}");

    // An addition: operators find files by extension and folder.
    let mut attributes = json!({});
    if let Some((_, extension)) = name.rsplit_once('.') {
        attributes["ext"] = json!(extension);
    }
    if let Some((folder, _)) = name.rsplit_once('/') {
        attributes["folder"] = json!([folder]);
    }
    assert_eq!(ours.attributes, attributes, "{name}");

    let (mut ours, mut omnis) = (ours.metadata.clone(), omnis["metadata"].clone());
    // The files were made now, not when Omni's connector was recorded. Our times are finer.
    let metadata = fs::metadata(setup.path(name)).unwrap();
    for (key, time) in [
        ("created_at", metadata.created()),
        ("updated_at", metadata.modified()),
    ] {
        let said = timestamp::parse(ours[key].as_str().unwrap()).unwrap();
        assert_eq!(said, OffsetDateTime::from(time.unwrap()), "{name}: {key}");
        let is_recorded =
            key == "updated_at" && !omnis[key].as_str().unwrap().starts_with("2026-11-28");
        if !is_recorded {
            ours[key].take();
            omnis[key].take();
        }
    }
    if name == "latin1.txt" {
        // An addition: a guess is said to be one.
        assert_eq!(ours["extra"]["encoding"], "windows-1252");
        ours["extra"].as_object_mut().unwrap().remove("encoding");
    }
    // The manager leaves out what is null.
    for metadata in [&mut ours, &mut omnis] {
        metadata
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
    }
    assert_eq!(ours, omnis, "{name}");
}

async fn compare_all(setup: &Setup, run: usize) {
    let recording = recording();
    let events = recording["runs"][run]["events"].as_array().unwrap();
    let documents = setup.documents().await;
    assert_eq!(documents.len(), events.len());
    for event in events {
        let name = event["document_id"]
            .as_str()
            .unwrap()
            .strip_prefix("SOURCE_URL/")
            .unwrap();
        compare(setup, name, &documents[name], event);
    }
}

#[tokio::test]
async fn every_event_is_the_recorded_one_but_for_the_listed_deviations() {
    let recording = recording();
    let mut config = recording["config"].clone();
    config.as_object_mut().unwrap().remove("base_path");
    let setup = Setup::with_config(config).await;
    write_source(&setup);

    let first = setup.sync(Full).await;
    assert_eq!(
        (first.progress.effects.created, first.report().failed),
        (11, 0)
    );
    compare_all(&setup, 0).await;

    let second = setup.sync(Full).await;
    let effects = &second.progress.effects;
    assert_eq!(
        (
            effects.created,
            effects.updated,
            effects.unchanged,
            effects.deleted
        ),
        (0, 0, 11, 0)
    );
    compare_all(&setup, 1).await;

    setup.write("notes/plan.txt", "Plan of the summer.\n");
    setup.write("notes/new.md", "new\n");
    fs::remove_file(setup.path("readme.md")).unwrap();
    let third = setup.sync(Full).await;
    let effects = &third.progress.effects;
    // A defect of Omni's: its run deletes nothing, so `readme.md` would stay.
    assert_eq!(
        (
            effects.created,
            effects.updated,
            effects.unchanged,
            effects.deleted
        ),
        (1, 1, 9, 1)
    );
    compare_all(&setup, 2).await;
}

#[tokio::test]
async fn the_manifest_is_the_recorded_one_but_for_the_listed_deviations() {
    let setup = Setup::new().await;
    let mut ours = serde_json::to_value(&setup.manifest).unwrap();
    let omnis = &recording()["manifest"];
    for key in [
        "name",
        "display_name",
        "source_types",
        "read_only",
        "skills",
    ] {
        assert_eq!(ours[key], omnis[key], "{key}");
    }
    // Additions: a run that reads what changed, and operators.
    assert_eq!(
        ours["sync_modes"],
        json!(["full", "incremental", "realtime"])
    );
    let operators: Vec<_> = ours["search_operators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["operator"])
        .collect();
    assert_eq!(operators, ["ext", "folder"]);
    // Only an admin may ask which paths the connector's machine has, and nobody is offered to.
    let mut action = ours["actions"][0].take();
    for key in ["admin_only", "hidden"] {
        assert_eq!(action[key], true);
        action[key] = json!(false);
    }
    let omnis = &omnis["actions"][0];
    for key in ["name", "mode", "admin_only", "hidden"] {
        assert_eq!(action[key], omnis[key], "{key}");
    }
    assert_eq!(
        action["input_schema"]["required"],
        omnis["input_schema"]["required"]
    );
    assert_eq!(
        action["input_schema"]["properties"]["base_path"]["type"],
        "string"
    );
}
