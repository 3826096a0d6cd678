//! A tape as a source of tests. Its mutations are the changes.

use super::{
    mutation::{self, Mutation},
    setup::{Setup, client},
    source::{Change, Source, Unable},
};
use crate::tape::Tape;

impl Tape {
    /// Changes the tape before a test.
    ///
    /// # Panics
    /// Panics if the mutation does not fit the tape.
    pub fn mutated(self, mutation: &Mutation) -> Self {
        let mutated = self.edit(|exchanges| mutation.apply(exchanges));
        mutated.unwrap_or_else(|unable| panic!("{unable}"));
        self
    }

    /// Returns the tape that a connector has recorded since it was started with `OMNI_HTTP_RECORD=1`.
    ///
    /// # Panics
    /// Panics if it does not record, or if a secret would be on the tape.
    pub async fn recorded_by(setup: &Setup) -> String {
        let url = format!("{}/dev/tape", setup.url());
        let answer = client().get(url).send().await;
        let answer = answer.expect("the connector answers");
        let status = answer.status();
        let text = answer.text().await.expect("the answer is a string");
        assert!(status.is_success(), "there is no tape ({status}): {text}");
        text
    }
}

impl Source for Tape {
    fn url(&self) -> String {
        Self::url(self)
    }

    fn change(&self, change: &Change) -> Result<(), Unable> {
        match change {
            Change::Mutate(mutation) => self.edit(|exchanges| mutation.apply(exchanges)),
            Change::Restore => {
                self.restore();
                Ok(())
            }
            _ => Err(Unable(format!("a tape cannot {change}"))),
        }
    }

    fn mutations(&self) -> Vec<Mutation> {
        mutation::all(&self.exchanges())
    }

    fn problems(&self) -> Vec<String> {
        self.not_recorded()
    }
}
