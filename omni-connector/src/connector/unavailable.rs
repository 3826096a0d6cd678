//! What a look at a source says of a mode that the source does not offer.

/// A run of this mode is not available for the source, though other runs are. An error of `#[validate]`.
///
/// The run is refused with 404. Omni then cancels a realtime run and asks for one less and less often, while full and
/// incremental runs of the source go on (`protocol.md` §2.3). Any other error means that the source is set up wrongly.
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
    /// Says why.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}
