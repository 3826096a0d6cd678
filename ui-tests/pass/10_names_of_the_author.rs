//! The author's items may have names that generated code uses. Lints about generated code are errors here.

#![deny(warnings, deprecated, unused_qualifications)]
#![allow(dead_code, reason = "the names are what matters")]

use omni_connector::prelude::*;

/// Files of the company Box.
#[connector(name = "box", source_types = [Web], sync_modes = [full, incremental], state = u64)]
struct Box;

struct Pin;
struct Option;
struct Vec;
struct String;

#[connector]
impl Box {
    #[sync(full, incremental)]
    async fn sync(&self, _ctx: SyncContext) -> Result<()> {
        Ok(())
    }

    /// Was used before.
    #[deprecated]
    #[action(read)]
    async fn old(&self, _actor: Actor) -> Result<u8> {
        Ok(1)
    }

    #[validate]
    async fn reachable(&self, _source: Source) -> Result<()> {
        Ok(())
    }

    #[enrich]
    async fn account(&self, _tokens: omni_connector::OAuthTokens) -> Result<omni_connector::OAuthExtra> {
        Ok(omni_connector::OAuthExtra::default())
    }
}

fn main() {
    assert_eq!(Box.name(), "box");
    assert_eq!(Box.actions()[0].name, "old");
}
