//! Kills the connector, changes its database and takes it away, and compares. `cargo test resume` runs one of the checks.

mod source;

omni_connector_dev::conformance! {
    connector: "prototype",
    source: source::start(),
    config: |source| serde_json::json!({ "database": source.path() }),
    documents: source::ISSUES,
}
