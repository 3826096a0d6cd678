//! `1.` is a valid number in Rust, but not in JSON. As a default it is 1.0.

use omni_connector::prelude::*;

#[connector(name = "notes", source_types = [Notion])]
struct Notes;

#[connector]
impl Notes {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// Scales a note.
    #[action(read)]
    async fn scale(
        &self,
        /// By how much
        #[arg(default = 1., max = 3.5)]
        ratio: f64,
        /// In steps
        #[arg(default = [1., 2.5])]
        steps: Vec<f64>,
    ) -> Result<f64> {
        Ok(ratio * steps[0])
    }
}

fn main() {
    let schema = &Notes.actions()[0].input_schema;
    assert_eq!(schema["properties"]["ratio"]["default"], json!(1.0));
    assert_eq!(schema["properties"]["steps"]["default"], json!([1.0, 2.5]));
    assert!(schema.get("required").is_none());
}
