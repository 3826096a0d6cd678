//! Two enrich functions.

use omni_connector::{OAuthExtra, OAuthTokens, prelude::*};

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[enrich]
    async fn enrich(&self, _: OAuthTokens) -> Result<OAuthExtra> {
        Ok(OAuthExtra::default())
    }

    #[enrich]
    async fn more(&self, _: OAuthTokens) -> Result<OAuthExtra> {
        Ok(OAuthExtra::default())
    }
}

fn main() {
    let _ = (Github::enrich, Github::more);
}
