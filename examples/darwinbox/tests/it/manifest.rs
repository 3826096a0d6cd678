//! What the connector tells Omni of itself.

use omni_connector::prelude::*;

use crate::support::World;

/// `cargo run -p darwinbox -- manifest` prints what belongs into the file; read the difference before it goes there.
#[tokio::test]
async fn the_manifest_says_what_stands_in_the_file() {
    let mut manifest = World::start().await.get("/manifest").await;
    manifest["connector_url"] = "http://localhost".into();
    let golden: Value = serde_json::from_str(include_str!("manifest.json")).unwrap();
    for (now, then) in [(&manifest, &golden), (&golden, &manifest)] {
        for (key, value) in now.as_object().unwrap() {
            assert_eq!(value, &then[key], "`{key}`");
        }
    }
}
