//! Two listed actions of one name.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github], actions = [list_files, more::list_files])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

/// List files.
#[action(read)]
async fn list_files() -> Result<Value> {
    Ok(json!([]))
}

mod more {
    use omni_connector::prelude::*;

    /// List more files.
    #[action(read)]
    pub async fn list_files() -> Result<Value> {
        Ok(json!([]))
    }
}

fn main() {
    let _ = (list_files, more::list_files);
}
