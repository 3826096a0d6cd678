//! A handler that holds something that cannot move between threads.

use omni_connector::prelude::*;

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
    async fn list_files(&self) -> Result<Value> {
        let names = std::rc::Rc::new(json!([]));
        tokio::task::yield_now().await;
        Ok((*names).clone())
    }
}

fn main() {
    let _ = Github::list_files;
}
