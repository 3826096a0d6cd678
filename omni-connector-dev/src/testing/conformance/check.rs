//! The names of the checks.

/// The promise of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Check {
    /// Omni accepts the manifest, and it is the one in `tests/manifest.json`.
    Manifest,
    /// A full run sends all documents.
    Completes,
    /// A second run changes nothing.
    Idle,
    /// A process that is killed at any moment loses nothing.
    Resume,
    /// A cancelled run and a process that is asked to end stop in time.
    Stops,
    /// Faults of the manager lose nothing.
    ManagerFaults,
    /// Faults of the source delete nothing, and hide nothing.
    SourceFaults,
    /// Unusual pages lose nothing.
    Walks,
    /// Documents that the source lost are deleted, and no others.
    Deletes,
    /// A person who loses access loses it in Omni as well, and unknown access admits nobody.
    Access,
    /// An unusual item affects no other item.
    Items,
    /// A changed item is changed in Omni.
    Changes,
    /// Each operator finds a document.
    Operators,
    /// A caller's mistake is refused as such.
    Actions,
    /// No secret leaves the connector.
    Secrets,
    /// Checkpoints of earlier versions are accepted.
    OldState,
    /// Memory and calls stay in proportion when the source grows.
    Load,
    /// Each mutation of a tape has only its own consequences.
    Mutations,
    /// The source of the tests answers as the real one did on a tape.
    Fake,
}

impl Check {
    /// All checks, in the order in which they run.
    pub const ALL: [Self; 19] = [
        Self::Manifest,
        Self::Completes,
        Self::Idle,
        Self::Resume,
        Self::Stops,
        Self::ManagerFaults,
        Self::SourceFaults,
        Self::Walks,
        Self::Deletes,
        Self::Access,
        Self::Items,
        Self::Changes,
        Self::Operators,
        Self::Actions,
        Self::Secrets,
        Self::OldState,
        Self::Load,
        Self::Mutations,
        Self::Fake,
    ];

    /// Returns the name of its test.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Completes => "completes",
            Self::Idle => "idle",
            Self::Resume => "resume",
            Self::Stops => "stops",
            Self::ManagerFaults => "manager_faults",
            Self::SourceFaults => "source_faults",
            Self::Walks => "walks",
            Self::Deletes => "deletes",
            Self::Access => "access",
            Self::Items => "items",
            Self::Changes => "changes",
            Self::Operators => "operators",
            Self::Actions => "actions",
            Self::Secrets => "secrets",
            Self::OldState => "old_state",
            Self::Load => "load",
            Self::Mutations => "mutations",
            Self::Fake => "fake",
        }
    }
}
