//! Functions that `cfg` removes are not in the tables either.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    #[cfg(not(windows))]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[sync]
    #[cfg(windows)]
    async fn sync_there(&self) -> Result<()> {
        Ok(())
    }

    /// Is here.
    #[action(read)]
    #[cfg(all())]
    async fn here(&self) -> Result<Value> {
        Ok(json!({}))
    }

    /// Is not.
    #[cfg(any())]
    #[action(read)]
    async fn gone(&self) -> Result<DoesNotExist> {
        does_not_exist()
    }

    #[cfg(any())]
    #[search_operator]
    fn gone_too(item: &DoesNotExist) -> &str {
        item
    }
}

fn main() {
    assert_eq!(Github.actions().len(), 1);
    assert_eq!(Github.search_operators().len(), 0);
}
