//! Descriptions of several lines, from attributes, and from files.

use omni_connector::prelude::*;

#[doc = include_str!("05_documents.rs")]
#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// List files.
    ///
    /// All of them.
    #[doc = "And more."]
    #[action(read)]
    async fn list_files(&self) -> Result<Value> {
        Ok(json!([]))
    }
}

fn main() {
    assert!(Github.description().unwrap().starts_with("//! Descriptions"));
    assert_eq!(Github.actions()[0].description, "List files.\n\nAll of them.\nAnd more.");
}
