//! An enrich function that takes a string instead of the tokens.

use omni_connector::{OAuthExtra, prelude::*};

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[enrich]
    async fn enrich(&self, token: String) -> Result<OAuthExtra> {
        drop(token);
        Ok(OAuthExtra::default())
    }
}

fn main() {
    let _ = Github::enrich;
}
