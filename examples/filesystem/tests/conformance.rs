//! Kills the connector, breaks its calls, changes the folder, and compares. `cargo test resume` runs one of the checks.

use omni_connector_dev::testing::FakeItems;
use serde_json::json;

omni_connector_dev::conformance! {
    connector: "filesystem",
    source: folder(),
    config: |source| json!({ "base_path": source.path() }),
    documents: 14,
}

fn folder() -> FakeItems {
    let file = |number| {
        (
            format!("ops/part-{}/page-{number:02}.md", number % 3),
            format!("What is to be known of {number}."),
        )
    };
    FakeItems::folder((1..=14).map(file))
}
