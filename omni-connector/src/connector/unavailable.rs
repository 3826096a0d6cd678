//! The error for a mode that a source does not offer.

/// A source does not offer runs of this mode, though it offers others. An error of `#[validate]`.
///
/// Return it for a realtime run. The run is refused with 404: Omni cancels it and requests it less and less often, and
/// full and incremental runs of the source continue (`protocol.md` §2.3). A full or incremental run fails with it, as
/// with any other error.
///
/// ```
/// use omni_connector::{prelude::*, validate};
/// # #[connector(name = "notes", source_types = [Notion], sync_modes = [full, realtime])]
/// # struct Notes;
/// #[connector]
/// impl Notes {
///     #[validate]
///     async fn has_notices(&self, mode: SyncType, source: Source) -> Result<()> {
///         if mode == SyncType::Realtime && source.config["notices"] == false {
///             bail!(Unavailable::new("the folder sends no notices of changes"));
///         }
///         Ok(())
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unavailable {
    reason: String,
}

impl Unavailable {
    /// Makes the error with its reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}
