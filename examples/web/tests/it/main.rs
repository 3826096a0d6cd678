//! The connector against a site that does what sites do.

mod crawl;
mod faults;
mod handbook;
mod lists;
mod pages;
mod real;
mod recorded;
mod site;
mod state;

use serde_json::json;

omni_connector_dev::conformance! {
    connector: "web",
    source: handbook::Handbook::of(14),
    config: |source| json!({ "root_url": source.url() }),
    documents: 15,
    skip: [
        source_faults = "a page of HTML with status 200 is a page of the site, also one that asks to sign in; faults.rs has the faults that a crawler can see",
    ],
}
