//! A hook on a method of a block without `#[connector]`.

use omni_connector::{OAuthExtra, OAuthTokens, prelude::*};

struct Github;

impl Github {
    #[enrich]
    async fn account(&self, _tokens: OAuthTokens) -> Result<OAuthExtra> {
        Ok(OAuthExtra::default())
    }
}

fn main() {
    let _ = Github::account;
}
