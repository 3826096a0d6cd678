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
        /// In every spelling
        #[arg(default = [1e3, 1_000.5, 007.5, 00., 2.5E-2, 1e+2, 3f64, 4_f64, -1., (-0.25), 0x10, 0.10])]
        spellings: Vec<f64>,
        /// A large one
        #[arg(default = 1.7976931348623157e308, example = 00.5)]
        most: f64,
        /// A whole one
        #[arg(default = 008., max = 0010.)]
        whole: u8,
    ) -> Result<f64> {
        Ok(ratio * steps[0] * spellings[0] * most * f64::from(whole))
    }
}

/// The literals come from another macro.
macro_rules! connectors {
    ($name:ident, $literal:literal, $expression:expr) => {
        #[connector(name = "others", source_types = [Notion])]
        struct $name;

        #[connector]
        impl $name {
            #[sync]
            async fn sync(&self) -> Result<()> {
                Ok(())
            }

            /// Scales a note.
            #[action(read)]
            async fn scale(
                &self,
                /// By how much
                #[arg(default = $literal, max = 3.5)]
                ratio: f64,
                /// In steps
                #[arg(default = [$expression, -$literal], example = [$expression])]
                steps: Vec<f64>,
            ) -> Result<f64> {
                Ok(ratio * steps[0])
            }
        }
    };
}

connectors!(Others, 1., 2.5);

fn main() {
    let schema = &Notes.actions()[0].input_schema;
    assert_eq!(schema["properties"]["ratio"]["default"], json!(1.0));
    assert_eq!(schema["properties"]["steps"]["default"], json!([1.0, 2.5]));
    assert!(schema.get("required").is_none());
    assert_eq!(
        schema["properties"]["spellings"]["default"],
        json!([1000.0, 1000.5, 7.5, 0.0, 0.025, 100.0, 3, 4, -1.0, -0.25, 16, 0.1])
    );
    assert_eq!(schema["properties"]["most"]["default"], json!(f64::MAX));
    assert_eq!(schema["properties"]["most"]["examples"], json!([0.5]));
    assert_eq!(schema["properties"]["whole"]["default"], json!(8.0));
    let schema = &Others.actions()[0].input_schema;
    assert_eq!(schema["properties"]["ratio"]["default"], json!(1.0));
    assert_eq!(schema["properties"]["steps"]["default"], json!([2.5, -1.0]));
}
