//! Proves that a walk over a source reached its end. Nothing is deleted without such a proof.

/// Proves that a walk reached the end that the source declares.
///
/// Only a finished walk over pages makes one by itself. A listing by hand declares its end with [`declared`](Self::declared).
#[must_use = "a proof deletes what was not seen, once a walk is finished with it"]
#[derive(Debug)]
pub struct Walked(());

impl Walked {
    /// Makes the proof of a walk that the framework made itself, after its declared end and without a contradiction.
    pub(crate) const fn proven() -> Self {
        Self(())
    }

    /// Declares that a listing by hand saw everything. `end` says how its end was recognised; it is logged.
    ///
    /// A short page, an empty answer or a loop that was left early proves nothing.
    ///
    /// ```
    /// use omni_connector::Walked;
    ///
    /// let proof = Walked::declared("the last folder of the tree was listed");
    /// # let _ = proof;
    /// ```
    pub fn declared(end: &str) -> Self {
        tracing::debug!(end, "a listing by hand reached its end");
        Self::proven()
    }

    /// Joins the proofs of two walks, which together saw everything.
    pub const fn and(self, other: Self) -> Self {
        let (Self(()), Self(())) = (self, other);
        Self::proven()
    }
}
