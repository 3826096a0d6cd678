//! An operator whose return type is not an attribute value.

use omni_connector::prelude::*;

struct Label;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[search_operator]
    fn label(_: &String) -> Label {
        Label
    }
}

fn main() {
    let _ = Github::label;
}
