//! The block is in another module than the struct.

#![deny(unreachable_pub)]

use omni_connector::prelude::*;

/// Repositories.
#[connector(name = "github", source_types = [Github])]
struct Github;

mod work {
    use omni_connector::prelude::*;

    use super::Github;

    #[connector]
    impl Github {
        #[sync]
        async fn sync(&self) -> Result<()> {
            Ok(())
        }
    }
}

fn main() {
    assert_eq!(Github.name(), "github");
}
