//! An imaginary system for the connectors of the conformance suite. The end of its URL selects its
//! behaviour.

use std::time::Duration;

use anyhow::{Result, bail};
use omni_connector::SyncContext;

/// If set, the connector watches its system (`full`, `realtime`) instead of polling it (`full`,
/// `incremental`).
pub const WATCHES: &str = "OMNI_TEST_WATCHES";

/// Returns whether the connector watches its system.
pub fn is_watched() -> bool {
    std::env::var_os(WATCHES).is_some()
}

/// Time between two items of an endless system.
const PACE: Duration = Duration::from_millis(50);

/// Emits the items of a sync at `url`, with one call of `emit` for every item. Returns whether there is a cursor to
/// resume from.
///
/// | end of the URL | what a sync meets |
/// |---|---|
/// | `/item` | one item, and a cursor |
/// | `/nothing` | neither |
/// | `/endless` | an item, then silence until the run is cancelled |
/// | `/stubborn` | items without end, whether the run is cancelled or not |
/// | `/broken` | an item, then an error |
/// | `/panic` | an item, then a panic of the connector |
///
/// # Errors
/// Errors of the run, and errors of the system.
///
/// # Panics
/// Panics at `/panic`.
pub async fn follow<F>(url: &str, ctx: &SyncContext, emit: impl Fn() -> F) -> Result<bool>
where
    F: Future<Output = Result<()>>,
{
    match url.rsplit('/').next().unwrap_or_default() {
        "item" => {
            emit().await?;
            Ok(true)
        }
        "nothing" => Ok(false),
        "endless" => {
            emit().await?;
            ctx.cancelled().await;
            Ok(false)
        }
        "stubborn" => loop {
            // Ignores the result, like a careless connector.
            let _ = emit().await;
            tokio::time::sleep(PACE).await;
        },
        "broken" => {
            emit().await?;
            bail!("the system is down");
        }
        "panic" => {
            emit().await?;
            panic!("the connector has a bug");
        }
        other => bail!("the system has no `{other}`"),
    }
}

/// Returns the cursor after `cursor`, or the first.
pub fn next(cursor: Option<&str>) -> String {
    match cursor {
        Some(cursor) => format!("{cursor}+"),
        None => "p-1".to_owned(),
    }
}
