//! Kills the connector, changes its folder and takes it away, and compares. `cargo test resume` runs one of the checks.

mod source;

omni_connector_dev::conformance! {
    connector: "archetype",
    source: source::start(),
    //> access=public
    config: |source| serde_json::json!({ "folder": source.path() }),
    //<
    //> access=settings
    config: |source| serde_json::json!({ "folder": source.path(), "readers": ["ada@example.com"] }),
    //<
    documents: source::FILES,
}
