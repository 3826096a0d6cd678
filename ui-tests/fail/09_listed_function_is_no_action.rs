//! A plain function in the list of actions.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github], actions = [helper])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

async fn helper() -> Result<Value> {
    Ok(json!({}))
}

fn main() {
    let _ = helper;
}
