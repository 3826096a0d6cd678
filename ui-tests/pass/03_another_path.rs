//! Generated code uses the runtime at the path under `crate` only.

// This module occupies the default name.
mod omni_connector {}

mod vendored {
    pub use ::omni_connector as omni;
}

use vendored::omni::prelude::*;

#[connector(name = "github", source_types = [Github], actions = [more], search_operators = [project], crate = crate::vendored::omni)]
struct Github;

#[connector(crate = crate::vendored::omni)]
impl Github {
    #[sync(full)]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// List files.
    #[action(read, source_types = [Github], timeout = 3)]
    async fn list_files(
        &self,
        /// The folder
        #[arg(min_length = 1)]
        folder: String,
    ) -> Result<String> {
        Ok(folder)
    }
}

/// List more files.
#[action(read, crate = crate::vendored::omni)]
async fn more() -> Result<String> {
    Ok(String::new())
}

#[search_operator(crate = crate::vendored::omni)]
fn project(issue: &String) -> &str {
    issue
}

fn main() {
    assert_eq!(Github.actions().len(), 2);
    assert_eq!(Github.search_operators().len(), 1);
}
