//! Finds known secrets in a string in any spelling.
//!
//! A secret is compared with the decoded *meaning* at each position: `%2F`, `\u002f`, `\/` and `&#x2F;` all mean a slash.
//! Escapes that were escaped in other ways are decoded one kind after another ([`Layer`]). Base64 is searched in its four
//! alphabets and at its three offsets, also across line breaks. Bytes are searched as hexadecimal digits and as a list.

use std::{borrow::Cow, cmp::Reverse, collections::BTreeSet};

use super::{
    escapes::{Layer, cut, each_meaning, is_cut},
    forms::{self, Form, standard},
};

/// The shortest prefix of a secret that is removed at the end of a cut string.
const SHORTEST_PART: usize = 8;

/// Searches for the secrets.
pub(super) struct Matcher {
    patterns: Vec<Pattern>,
    /// Pattern indexes by first byte.
    by_first: Box<[Vec<usize>; 256]>,
    /// The greatest length of a secret in any spelling.
    longest: usize,
}

struct Pattern {
    bytes: Vec<u8>,
    form: Form,
    /// The index of its secret.
    secret: usize,
}

/// A match at one position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// A secret that ends at this position.
    Until(usize),
    /// The string ends within a possible secret.
    Open {
        /// How many bytes of it matched.
        matched: usize,
    },
}

impl Matcher {
    pub(super) fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut patterns = Vec::new();
        let mut longest = 0;
        for (index, secret) in secrets.enumerate() {
            // `%255C%2526quot%253B` is the longest spelling of a byte that programs write.
            longest = longest.max(secret.len() * 24);
            patterns.extend(forms::of(secret).map(|(form, bytes)| Pattern {
                bytes,
                form,
                secret: index,
            }));
        }
        let mut by_first = Box::new([const { Vec::new() }; 256]);
        for (index, pattern) in patterns.iter().enumerate() {
            if let Some(first) = pattern.bytes.first() {
                by_first[usize::from(*first)].push(index);
                if pattern.form == Form::Hex && first.is_ascii_lowercase() {
                    by_first[usize::from(first.to_ascii_uppercase())].push(index);
                }
            }
        }
        Self {
            patterns,
            by_first,
            longest,
        }
    }

    pub(super) const fn longest(&self) -> usize {
        self.longest
    }

    /// Returns the longest secret, or the beginning of one, at `start`, with its index.
    fn at(&self, text: &[u8], start: usize) -> Option<(Found, usize)> {
        let mut found: Option<(usize, usize)> = None;
        let mut open = (0, 0);
        each_meaning(text, start, &mut |meaning, _| {
            let first = usize::from(meaning[0]);
            // The URL-safe alphabet differs in two characters.
            let patterns = self.by_first[first].iter().chain(
                standard(meaning[0])
                    .map_or(&[][..], |standard| &self.by_first[usize::from(standard)]),
            );
            for &index in patterns {
                let pattern = &self.patterns[index];
                match pattern.at(text, start) {
                    Some(Found::Until(end)) => found = found.max(Some((end, pattern.secret))),
                    Some(Found::Open { matched }) => open = open.max((matched, pattern.secret)),
                    None => {}
                }
            }
        });
        match (found, open) {
            (Some((end, secret)), _) => Some((Found::Until(end), secret)),
            (None, (0, _)) => None,
            (None, (matched, secret)) => Some((Found::Open { matched }, secret)),
        }
    }

    /// Replaces every secret by its mark, and everything behind the beginning of one that was cut.
    pub(super) fn replace<'a>(&self, text: &str, mark: impl Fn(usize) -> Cow<'a, str>) -> String {
        self.replaced(text, true, mark)
    }

    /// Replaces every secret by its mark, and the beginning of one up to an ellipsis. It keeps the form of the text, such
    /// as a JSON document.
    pub(super) fn replace_whole(&self, text: &str, mark: &str) -> String {
        self.replaced(text, false, |_| mark.into())
    }

    fn replaced<'a>(
        &self,
        text: &str,
        with_cut: bool,
        mark: impl Fn(usize) -> Cow<'a, str>,
    ) -> String {
        let mut found = Vec::new();
        Layer::of(text.as_bytes()).each(&mut |layer| {
            let mut at = 0;
            while at < layer.bytes.len() {
                let (end, secret) = match self.at(&layer.bytes, at) {
                    Some((Found::Until(end), secret)) => (end, secret),
                    Some((Found::Open { matched }, secret)) if matched >= SHORTEST_PART => {
                        let rest = &layer.bytes[at..];
                        let length = if with_cut { rest.len() } else { cut(rest) };
                        (at + length, secret)
                    }
                    _ => {
                        at += 1;
                        continue;
                    }
                };
                found.push((layer.position(at), Reverse(layer.position(end)), secret));
                at = end.max(at + 1);
            }
        });
        found.sort_unstable();
        let mut clean = String::with_capacity(text.len());
        let mut kept = 0;
        for (from, Reverse(to), secret) in found {
            let (from, to) = (text.floor_char_boundary(from), text.ceil_char_boundary(to));
            if from >= kept {
                clean.push_str(&text[kept..from]);
                clean.push_str(&mark(secret));
            }
            kept = kept.max(to);
        }
        clean.push_str(&text[kept..]);
        clean
    }

    /// Returns the start of the first secret that the end of the string may have cut.
    #[cfg(feature = "mcp")]
    pub(super) fn open_from(&self, text: &[u8]) -> usize {
        let mut first = text.len();
        Layer::of(text).each(&mut |layer| {
            let mut at = 0;
            while at < layer.bytes.len() && layer.position(at) < first {
                at = match self.at(&layer.bytes, at) {
                    Some((Found::Open { .. }, _)) => {
                        first = layer.position(at);
                        return;
                    }
                    Some((Found::Until(end), _)) => end.max(at + 1),
                    None => at + 1,
                };
            }
        });
        first
    }
}

impl Pattern {
    /// Follows all meanings in parallel, so that no input makes the search slow.
    fn at(&self, text: &[u8], start: usize) -> Option<Found> {
        if self.differs_at_once(text, start) {
            return None;
        }
        // Positions in the text, with the bytes of the pattern that match before them.
        let mut reached = BTreeSet::from([(start, 0)]);
        let (mut open, mut end) = (0, None);
        while let Some((place, matched)) = reached.pop_first() {
            if matched == self.bytes.len() {
                end = end.max(Some(self.with_rest(text, start, place)));
                continue;
            }
            if matched > 0 && is_cut(&text[place..]) {
                open = open.max(matched);
                continue;
            }
            let is_unfinished = each_meaning(text, place, &mut |meaning, next| {
                let rest = &self.bytes[matched..];
                let fits = rest.starts_with(meaning) || self.form.reads(meaning[0], rest[0]);
                if fits && matched + meaning.len() <= self.bytes.len() {
                    reached.insert((next, matched + meaning.len()));
                }
            });
            if is_unfinished && matched > 0 {
                open = open.max(matched);
            }
            if matched > 0
                && let Some(next) = self.form.after_separator(text, place)
            {
                reached.insert((next, matched));
            }
        }
        match end {
            Some(end) => Some(Found::Until(end)),
            None if open > 0 => Some(Found::Open { matched: open }),
            None => None,
        }
    }

    /// Returns whether the first two characters need no decoding and the second is another one. It rules out most places.
    fn differs_at_once(&self, text: &[u8], start: usize) -> bool {
        let (Some([first, second]), Some(wanted)) = (text.get(start..start + 2), self.bytes.get(1))
        else {
            return false;
        };
        first.is_ascii_alphanumeric()
            && second.is_ascii_alphanumeric()
            && second != wanted
            && !self.form.reads(*second, *wanted)
    }

    /// Extends a match by the last base64 character of the secret and the padding.
    fn with_rest(&self, text: &[u8], start: usize, end: usize) -> usize {
        if self.form != Form::Base64 || start == end {
            return end;
        }
        let rest = &text[end..];
        let partial = rest
            .first()
            .is_some_and(|c| c.is_ascii_alphanumeric() || b"+/-_,.".contains(c));
        let mut end = end + usize::from(partial);
        while text.get(end) == Some(&b'=') {
            end += 1;
        }
        end
    }
}
