//! A replaced method with an argument that the trait does not pass.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[replaces]
    fn actions(&self, admin: bool) -> Vec<omni_connector::ActionDefinition> {
        let _ = admin;
        Vec::new()
    }
}

fn main() {
    let _ = Github::actions;
}
