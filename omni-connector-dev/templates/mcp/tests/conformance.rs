//! Kills the connector, breaks its calls, and compares. `cargo test resume` runs one of the checks.

mod server;

//> transport=http
use std::sync::LazyLock;

use omni_connector_dev::testing::{FakeMcp, Source};

/// One server for all checks.
static SERVER: LazyLock<FakeMcp> = LazyLock::new(server::start);

//<
omni_connector_dev::conformance! {
    connector: "specimen",
    credentials: serde_json::json!({ "token": server::TOKEN }),
    //> transport=stdio
    env: [SPECIMEN_COMMAND = server::command()],
    //<
    //> transport=http
    env: [SPECIMEN_URL = SERVER.url()],
    //<
    documents: 0,
}
