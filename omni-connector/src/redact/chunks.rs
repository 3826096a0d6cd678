//! A text that arrives in chunks, such as what a child process says: no secret passes because a chunk ends within it.

use super::Secrets;

/// A line longer than this is passed on before it ends.
const LONGEST_LINE: usize = 64 << 10;

/// Holds back what the next chunk may complete.
pub(crate) struct Chunks {
    secrets: Secrets,
    held: Vec<u8>,
}

impl Chunks {
    pub(crate) const fn new(secrets: Secrets) -> Self {
        Self {
            secrets,
            held: Vec::new(),
        }
    }

    /// The lines that are complete now, without secrets.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> String {
        self.held.extend_from_slice(chunk);
        let open = self.secrets.matcher().open_from(&self.held);
        let lines = self.held[..open].iter().rposition(|c| *c == b'\n');
        let end = match lines {
            Some(newline) => newline + 1,
            None if open > LONGEST_LINE => open,
            // A secret as long as this is none.
            None if self.held.len() > LONGEST_LINE * 4 => self.held.len(),
            None => return String::new(),
        };
        let rest = self.held.split_off(end);
        self.clean_and_hold(rest)
    }

    /// What is left when no further chunk comes.
    pub(crate) fn end(&mut self) -> String {
        self.clean_and_hold(Vec::new())
    }

    fn clean_and_hold(&mut self, rest: Vec<u8>) -> String {
        let ready = std::mem::replace(&mut self.held, rest);
        self.secrets.redact(&String::from_utf8_lossy(&ready))
    }
}
