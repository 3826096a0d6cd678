//! Redacts output that arrives in chunks, such as a child's standard error, even if a secret spans two chunks.

use super::Secrets;

/// A longer line is passed on before it is complete.
const LONGEST_LINE: usize = 64 << 10;

/// Holds back a possibly incomplete secret until the next chunk.
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

    /// Returns the completed lines, redacted.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> String {
        self.held.extend_from_slice(chunk);
        let open = self.secrets.matcher().open_from(&self.held);
        let lines = self.held[..open].iter().rposition(|c| *c == b'\n');
        let end = match lines {
            Some(newline) => newline + 1,
            None if open > LONGEST_LINE => open,
            // No secret is this long.
            None if self.held.len() > LONGEST_LINE * 4 => self.held.len(),
            None => return String::new(),
        };
        let rest = self.held.split_off(end);
        self.clean_and_hold(rest)
    }

    /// Returns the rest after the last chunk.
    pub(crate) fn end(&mut self) -> String {
        self.clean_and_hold(Vec::new())
    }

    fn clean_and_hold(&mut self, rest: Vec<u8>) -> String {
        let ready = std::mem::replace(&mut self.held, rest);
        self.secrets.redact(&String::from_utf8_lossy(&ready))
    }
}
