//! Proves that a walk over a source reached its end. Nothing is deleted without such a proof.

/// A proof that a walk reached the end that the source declares.
///
/// The framework makes it after a finished walk over pages. For your own listing, declare the end with
/// [`declared`](Self::declared).
#[must_use = "a proof deletes what was not seen, once a walk is finished with it"]
#[derive(Debug)]
pub struct Walked(());

impl Walked {
    /// Makes the proof for a walk by the framework that reached its declared end without a contradiction.
    pub(crate) const fn proven() -> Self {
        Self(())
    }

    /// Declares that your own listing saw everything. `end` says how its end was recognised; it is logged.
    ///
    /// A short page, an empty response or a loop that ended early proves nothing.
    ///
    /// ```
    /// use omni_connector::Walked;
    ///
    /// let proof = Walked::declared("the last folder of the tree was listed");
    /// # let _ = proof;
    /// ```
    pub fn declared(end: &str) -> Self {
        tracing::debug!(end, "a listing declared its end");
        Self::proven()
    }

    /// Joins the proofs of two walks that together saw everything.
    pub const fn and(self, other: Self) -> Self {
        let (Self(()), Self(())) = (self, other);
        Self::proven()
    }
}
