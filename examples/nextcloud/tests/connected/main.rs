//! The connector's process against a Nextcloud that remembers: its tree, its `ETag`s, and what it was asked.

mod changes;
mod cloud;
mod faults;
mod layer;
mod login;
mod real;
mod recorded;
mod support;

use serde_json::json;

omni_connector_dev::conformance! {
    connector: "nextcloud",
    source: cloud::Cloud::with(&support::TREE[3..]),
    config: |source| json!({ "server_url": source.url() }),
    credentials: json!({ "username": cloud::LOGIN, "password": cloud::PASSWORD }),
    auth_type: omni_connector::AuthType::BasicAuth,
    documents: 6,
    skip: [
        walks = "WebDAV has no pages",
        access = "all documents are for the person who made the source",
    ],
}
