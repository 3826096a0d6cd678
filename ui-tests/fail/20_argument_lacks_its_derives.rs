//! An argument without its derives.

use omni_connector::prelude::*;

enum Order {
    Newest,
}

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// List files.
    #[action(read)]
    async fn list_files(
        &self,
        /// The order
        #[arg]
        order: Order,
    ) -> Result<String> {
        match order { Order::Newest => Ok(String::new()) }
    }
}

fn main() {
    let _ = (Github::list_files, Order::Newest);
}
