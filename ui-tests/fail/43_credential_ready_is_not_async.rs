//! A sign-in hook that is not `async`.

use omni_connector::{CredentialReady, prelude::*};

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[credential_ready]
    fn welcome(&self, ready: CredentialReady) -> Result<()> {
        drop(ready);
        Ok(())
    }
}

fn main() {
    let _ = Github::welcome;
}
