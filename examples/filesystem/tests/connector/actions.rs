//! What the connector offers beside its documents.

use serde_json::json;

use crate::support::Setup;

#[tokio::test]
async fn a_path_can_be_checked_before_it_is_the_base_of_a_source() {
    let setup = Setup::new().await;
    setup.write("file.md", "no folder");

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
        let answer = setup.call("validate_path", params).await;
        assert_eq!(answer["valid"], problem.is_none(), "{answer}");
        let is_folder = problem.is_none();
        let exists = problem != Some("No such file");
        assert_eq!(answer["is_directory"], is_folder, "{answer}");
        assert_eq!(answer["exists"], exists, "{answer}");
        let told = answer["problem"].as_str();
        assert_eq!(told.is_some(), problem.is_some(), "{answer}");
        assert!(
            told.unwrap_or_default()
                .contains(problem.unwrap_or_default()),
            "{answer}"
        );
    }
}
