//! An OAuth function with an argument.

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
    fn oauth(&self, source: Source) -> OAuthConfig {
        let at = source.name;
        OAuthConfig::new("github", at.clone(), at.clone(), at)
    }
}

fn main() {
    let _ = Github::oauth;
}
