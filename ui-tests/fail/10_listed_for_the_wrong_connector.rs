//! An action of one connector in the list of another.

use omni_connector::prelude::*;

#[connector(name = "slack", source_types = [Slack])]
struct Slack;

#[connector]
impl Slack {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

/// Create a channel.
#[action(write)]
async fn create(_slack: &Slack) -> Result<Value> {
    Ok(json!({}))
}

#[connector(name = "github", source_types = [Github], actions = [create])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = (Github, create);
}
