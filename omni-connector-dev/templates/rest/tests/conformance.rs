//! Kills the connector, breaks its calls, changes the source, and compares. `cargo test resume` runs one of the checks.

mod source;

omni_connector_dev::conformance! {
    connector: "exemplar",
    source: source::start(),
    config: |source| serde_json::json!({ "api_url": source.url() }),
    //> auth=key|bearer|basic|oauth
    credentials: source::login(),
    //<
    //> auth=oauth
    auth_type: omni_connector::AuthType::Oauth,
    //<
    documents: source::ISSUES,
}
