//! Counts the results of the checks of one connector.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Verdict;

/// How many checks of a connector passed, failed and were left out.
#[derive(Debug, Default)]
pub(super) struct Summary(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    left_out: usize,
    /// How many boundaries a process was killed at, and how many there are.
    boundaries: Option<(usize, usize)>,
}

impl Summary {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a result. Returns how many there are now.
    pub(super) fn count(&self, verdict: &Verdict) -> usize {
        let mut counts = self.lock();
        *match verdict {
            Verdict::Passed(_) => &mut counts.passed,
            Verdict::LeftOut(_) => &mut counts.left_out,
            Verdict::Failed(_) => &mut counts.failed,
        } += 1;
        counts.passed + counts.failed + counts.left_out
    }

    pub(super) fn note_boundaries(&self, tried: usize, all: usize) {
        self.lock().boundaries = Some((tried, all));
    }
}

/// Such as `conformance: 15 passed, 1 failed, 2 left out; 60 of 118 boundaries`.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.lock();
        let Counts {
            passed,
            failed,
            left_out,
            boundaries,
        } = &*counts;
        write!(
            f,
            "conformance: {passed} passed, {failed} failed, {left_out} left out"
        )?;
        match boundaries {
            Some((tried, all)) => write!(f, "; {tried} of {all} boundaries"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Failure, *};

    #[test]
    fn every_result_is_counted_with_the_boundaries_of_the_kills() {
        let summary = Summary::default();
        let verdicts = [
            Verdict::Passed("tried".to_owned()),
            Verdict::LeftOut("no reason".to_owned()),
            Verdict::Failed(Failure::new("it is broken")),
            Verdict::Passed("tried".to_owned()),
        ];
        let counted = verdicts.each_ref().map(|verdict| summary.count(verdict));
        assert_eq!(counted, [1, 2, 3, 4]);
        assert_eq!(
            summary.to_string(),
            "conformance: 2 passed, 1 failed, 1 left out"
        );
        summary.note_boundaries(60, 118);
        assert_eq!(
            summary.to_string(),
            "conformance: 2 passed, 1 failed, 1 left out; 60 of 118 boundaries"
        );
    }
}
