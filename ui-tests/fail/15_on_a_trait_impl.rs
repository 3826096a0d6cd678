//! The attribute on the impl of a trait.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

#[connector]
impl Default for Github {
    fn default() -> Self {
        Self
    }
}

fn main() {
    let _ = Github::default();
}
