//! A sign-in hook that returns a value.

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
    async fn welcome(&self, ready: CredentialReady) -> Result<String> {
        Ok(ready.source_id)
    }
}

fn main() {
    let _ = Github::welcome;
}
