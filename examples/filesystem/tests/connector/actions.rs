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
        let is_folder = problem.is_none();
        let exists = problem != Some("No such file");
        assert_eq!(answer["result"]["is_directory"], is_folder, "{answer}");
        assert_eq!(answer["result"]["exists"], exists, "{answer}");
        let told = answer["result"]["problem"].as_str();
        assert_eq!(told.is_some(), problem.is_some(), "{answer}");
        assert!(
            told.unwrap_or_default()
                .contains(problem.unwrap_or_default()),
            "{answer}"
        );
    }
}
