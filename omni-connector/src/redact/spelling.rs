//! Finds known secrets in a string in any spelling.
//!
//! A secret is compared with the decoded *meaning* at each position: `%2F`, `\u002f`, `\/` and `&#x2F;` all mean a slash.
//! Escapes that were escaped in other ways are decoded one kind after another ([`Layer`]). Base64 is searched in its four
//! alphabets and at its three offsets.

use std::{borrow::Cow, cmp::Reverse, collections::BTreeSet, iter};

use super::escapes::{Layer, cut, each_meaning, is_cut};

/// The shortest prefix of a secret that is removed at the end of a cut string.
const SHORTEST_PART: usize = 8;

/// The fewest base64 characters that certainly belong to the secret.
const SHORTEST_BASE64: usize = 4;

const ALPHABETS: [&[u8; 64]; 4] = [
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,",
    b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
];

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
    is_base64: bool,
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
            let quoted = quoted(secret);
            for text in iter::once(secret).chain((quoted != secret).then_some(quoted.as_str())) {
                let encoded = ALPHABETS
                    .iter()
                    .flat_map(|letters| base64_of(text, letters));
                patterns.extend(encoded.map(|bytes| Pattern {
                    bytes,
                    is_base64: true,
                    secret: index,
                }));
            }
            patterns.push(Pattern {
                bytes: secret.as_bytes().to_vec(),
                is_base64: false,
                secret: index,
            });
        }
        let mut by_first = Box::new([const { Vec::new() }; 256]);
        for (index, pattern) in patterns.iter().enumerate() {
            if let Some(first) = pattern.bytes.first() {
                by_first[usize::from(*first)].push(index);
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
                let fits = rest.starts_with(meaning)
                    || (self.is_base64 && standard(meaning[0]) == Some(rest[0]));
                if fits && matched + meaning.len() <= self.bytes.len() {
                    reached.insert((next, matched + meaning.len()));
                }
            });
            if is_unfinished && matched > 0 {
                open = open.max(matched);
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
        first.is_ascii_alphanumeric() && second.is_ascii_alphanumeric() && second != wanted
    }

    /// Extends a match by the last base64 character of the secret and the padding.
    fn with_rest(&self, text: &[u8], start: usize, end: usize) -> usize {
        if !self.is_base64 || start == end {
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

/// Maps a character of the URL-safe alphabet to the standard one.
const fn standard(url_safe: u8) -> Option<u8> {
    match url_safe {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        _ => None,
    }
}

/// Returns the base64 of a secret at each offset, without characters that depend on neighbouring bytes.
fn base64_of(secret: &str, alphabet: &[u8; 64]) -> impl Iterator<Item = Vec<u8>> {
    let certain = move |offset: usize| {
        let bit = |index: usize| {
            let byte = index / 8;
            let byte = byte.checked_sub(offset).map(|byte| secret.as_bytes()[byte]);
            byte.unwrap_or_default() >> (7 - index % 8) & 1
        };
        let from = (offset * 8).div_ceil(6);
        let to = (offset + secret.len()) * 8 / 6;
        (from..to)
            .map(|character| {
                let value = (0..6).fold(0, |value, of| value << 1 | bit(character * 6 + of));
                alphabet[usize::from(value)]
            })
            .collect::<Vec<_>>()
    };
    let found: Vec<_> = (0..3).map(certain).collect();
    found
        .into_iter()
        .filter(|found| found.len() >= SHORTEST_BASE64)
}

/// Returns a secret as it is between the quotation marks of a JSON string.
fn quoted(secret: &str) -> String {
    let quoted = serde_json::Value::from(secret).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
