//! An enrich function that returns nothing.

use omni_connector::{OAuthTokens, prelude::*};

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[enrich]
    async fn enrich(&self, tokens: OAuthTokens) -> Result<()> {
        drop(tokens);
        Ok(())
    }
}

fn main() {
    let _ = Github::enrich;
}
