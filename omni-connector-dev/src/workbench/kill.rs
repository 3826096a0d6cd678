//! A kill that a person plans for a run: it decides when the kill is due, and never kills by itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A planned kill of the process that works on a source's run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlannedKill {
    /// The source of the run.
    pub(crate) source_id: String,
    /// When the kill is due.
    pub(crate) at: Moment,
}

/// The moment of a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Moment {
    /// When the run has sent that many documents.
    Documents(u64),
    /// When the run saves its next checkpoint.
    Checkpoint,
    /// This long after the run was first seen.
    After(Duration),
}

/// A fact about a run, for which a kill may be planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact {
    /// The number of documents that the run has sent.
    Documents(u64),
    /// It saved a checkpoint.
    Checkpoint,
    /// The time of a kill has passed.
    Passed,
}

impl PlannedKill {
    /// Returns whether the kill is due.
    pub(super) fn is_due(&self, source_id: &str, fact: Fact) -> bool {
        let is_time = match (self.at, fact) {
            (Moment::Documents(planned), Fact::Documents(sent)) => sent >= planned,
            (Moment::Checkpoint, Fact::Checkpoint) | (Moment::After(_), Fact::Passed) => true,
            _ => false,
        };
        is_time && self.source_id == source_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_is_due_at_its_own_moment_of_its_own_source() {
        let kill = |at| PlannedKill {
            source_id: "a".to_owned(),
            at,
        };
        assert!(!kill(Moment::Documents(3)).is_due("a", Fact::Documents(2)));
        assert!(kill(Moment::Documents(3)).is_due("a", Fact::Documents(3)));
        assert!(!kill(Moment::Documents(3)).is_due("b", Fact::Documents(9)));
        assert!(!kill(Moment::Documents(3)).is_due("a", Fact::Checkpoint));
        assert!(kill(Moment::Checkpoint).is_due("a", Fact::Checkpoint));
        assert!(kill(Moment::After(Duration::ZERO)).is_due("a", Fact::Passed));
    }
}
