//! No function for a declared mode.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github], sync_modes = [full, realtime])]
struct Github;

#[connector]
impl Github {
    #[sync(full)]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Github::sync;
}
