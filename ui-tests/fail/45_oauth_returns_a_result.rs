//! An OAuth function that returns a `Result`.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[oauth]
    fn oauth(&self) -> Result<OAuthConfig> {
        bail!("not yet")
    }
}

fn main() {
    let _ = Github::oauth;
}
