//! What the connector offers beside its documents.

use omni_connector::AuthType;
use serde_json::{Value, json};

use crate::support::Setup;

#[tokio::test]
async fn a_path_can_be_checked_before_it_is_the_base_of_a_source() {
    let setup = Setup::new().await;
    setup.write("file.md", "no folder");
    // Omni calls actions of sources that have a credential only, though this connector needs none.
    let credential = setup.manager.put_credential(
        &setup.source.id,
        None,
        "local_files",
        AuthType::ApiKey,
        json!({}),
    );
    credential.await.unwrap();

    // The source's own path is checked unless there is another one.
    for (params, problem) in [
        (json!({}), None),
        (
            json!({ "base_path": setup.path("file.md") }),
            Some("Not a directory"),
        ),
        (
            json!({ "base_path": setup.path("nowhere") }),
            Some("No such file"),
        ),
    ] {
        let answer = setup
            .manager
            .call_action(&setup.source.id, None, "validate_path", params)
            .await
            .unwrap();
        assert!(answer.status.is_success());
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer["result"]["valid"], problem.is_none(), "{answer}");
        let told = answer["result"]["problem"].as_str();
        assert_eq!(told.is_some(), problem.is_some(), "{answer}");
        assert!(
            told.unwrap_or_default()
                .contains(problem.unwrap_or_default()),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn the_manifest_is_what_the_annotations_say() {
    let setup = Setup::new().await;
    let answer = reqwest::get(format!("{}/manifest", setup.connector.url))
        .await
        .unwrap();
    let manifest: Value = answer.json().await.unwrap();
    assert_eq!(
        manifest["source_types"],
        json!(["local_files", "file_system"])
    );
    assert_eq!(
        manifest["sync_modes"],
        json!(["full", "incremental", "realtime"])
    );
    let operators = manifest["search_operators"].as_array().unwrap().iter();
    let operators: Vec<_> = operators.map(|operator| &operator["operator"]).collect();
    assert_eq!(operators, ["ext", "folder"]);
    let action = &manifest["actions"][0];
    assert_eq!(
        (&action["name"], &action["mode"]),
        (&json!("validate_path"), &json!("read"))
    );
    assert_eq!(
        (&action["admin_only"], &action["hidden"]),
        (&json!(true), &json!(true))
    );
}
