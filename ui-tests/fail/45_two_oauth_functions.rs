//! Two OAuth functions.

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
    fn oauth(&self) -> OAuthConfig {
        OAuthConfig::new("github", "https://a/a", "https://a/t", "https://a/u")
    }

    #[oauth]
    fn another(&self) -> OAuthConfig {
        self.oauth()
    }
}

fn main() {
    let _ = (Github::oauth, Github::another);
}
