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
    //> auth=bearer|key|oauth
    credentials: server::login(),
    //<
    //> auth=oauth
    auth_type: omni_connector::AuthType::Oauth,
    //<
    //> transport=stdio
    env: [SPECIMEN_COMMAND = server::command()],
    //<
    //> transport=http
    env: [SPECIMEN_URL = SERVER.url()],
    //<
    documents: 0,
}
