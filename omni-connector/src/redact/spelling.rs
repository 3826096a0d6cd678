//! Finds known secrets in a string in any spelling.
//!
//! A secret is compared with the decoded *meaning* at each position: `%2F`, `\u002f`, `\/` and `&#x2F;` all mean a slash.
//! Escapes that were escaped in other ways are decoded one kind after another ([`Layer`]). Base64 is searched in its four
//! alphabets and at its three offsets.

use std::{borrow::Cow, cmp::Reverse, collections::BTreeSet, iter};

/// The shortest prefix of a secret that is removed at the end of a cut string.
const SHORTEST_PART: usize = 8;

/// The fewest base64 characters that certainly belong to the secret.
const SHORTEST_BASE64: usize = 4;

/// The characters with which an escape begins.
const LEADS: [u8; 3] = [b'%', b'\\', b'&'];

/// How many kinds of escapes are decoded before a text is compared.
const MOST_LAYERS: usize = 2;

/// The most backslashes that begin one escape. Each further escaping doubles them.
const MOST_BACKSLASHES: usize = 16;

/// The most bytes of an escape that may be missing or present after its first characters.
const LONGEST_REST: usize = 24;

/// How often a percent sign may have been encoded again.
const MOST_PERCENTS: usize = 5;

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
pub(super) enum Found {
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

/// Returns where an ellipsis cuts the text, or its end.
fn cut(text: &[u8]) -> usize {
    let cut = (0..text.len()).find(|at| is_cut(&text[*at..]));
    cut.unwrap_or(text.len())
}

/// Returns whether the text ends here, or an ellipsis shows that it was cut here.
fn is_cut(rest: &[u8]) -> bool {
    rest.is_empty() || rest.starts_with("…".as_bytes()) || rest.starts_with(b"...")
}

/// Returns whether the text is cut within an escape. `from` is after its first characters, and `is_part` tells the rest.
fn is_cut_within(text: &[u8], from: usize, is_part: impl Fn(u8) -> bool) -> bool {
    let rest = text.get(from..).unwrap_or_default();
    let parts = rest.iter().take(LONGEST_REST).take_while(|c| is_part(**c));
    is_cut(&rest[parts.count()..])
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

/// A text in which kinds of escapes were decoded, one kind after another.
struct Layer<'t> {
    bytes: Cow<'t, [u8]>,
    /// The position in the text of each byte, and of the end. Empty for the text itself.
    positions: Vec<usize>,
    /// How many kinds of escapes may still be decoded.
    left: usize,
}

impl<'t> Layer<'t> {
    const fn of(text: &'t [u8]) -> Self {
        Self {
            bytes: Cow::Borrowed(text),
            positions: Vec::new(),
            left: MOST_LAYERS,
        }
    }

    fn position(&self, at: usize) -> usize {
        self.positions.get(at).copied().unwrap_or(at)
    }

    /// Calls `each` with this layer and with those below it: `%5C%22` is `\"`, and that is a quotation mark.
    fn each(&self, each: &mut dyn FnMut(&Layer<'_>)) {
        each(self);
        if self.left > 0 {
            let decoded = LEADS.into_iter().filter_map(|lead| self.decoded(lead));
            decoded.for_each(|layer| layer.each(each));
        }
    }

    /// Decodes the escapes that begin with `lead`. Returns `None` when there is none.
    fn decoded(&self, lead: u8) -> Option<Layer<'static>> {
        let text = &*self.bytes;
        let (mut bytes, mut positions) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(length) = text[at..].iter().position(|c| *c == lead) {
            let escape = at + length;
            bytes.extend(&text[at..escape]);
            positions.extend((at..escape).map(|at| self.position(at)));
            let mut decoded = None;
            let is_cut = each_meaning(text, escape, &mut |meaning, end| {
                if end > escape + 1 && decoded.is_none() {
                    decoded = Some((meaning.to_vec(), end));
                }
            });
            let (meaning, end) = match decoded {
                Some(decoded) => decoded,
                // What is left of an escape that is cut has no meaning.
                None if is_cut => (vec![], escape + cut(&text[escape..])),
                None => (vec![lead], escape + 1),
            };
            positions.extend(meaning.iter().map(|_| self.position(escape)));
            bytes.extend(meaning);
            at = end;
        }
        if bytes.len() == at {
            return None;
        }
        bytes.extend(&text[at..]);
        positions.extend((at..=text.len()).map(|at| self.position(at)));
        Some(Layer {
            bytes: Cow::Owned(bytes),
            positions,
            left: self.left - 1,
        })
    }
}

/// Calls `each` with every meaning at `start` and the position after it. Returns whether the end cuts an escape.
fn each_meaning(text: &[u8], start: usize, each: &mut dyn FnMut(&[u8], usize)) -> bool {
    let Some(&first) = text.get(start) else {
        return false;
    };
    each(&[first], start + 1);
    match first {
        b'+' => {
            each(b" ", start + 1);
            false
        }
        b'%' => percent(text, start, each),
        b'\\' => backslash(text, start, each),
        b'&' => entity(text, start, each),
        _ => false,
    }
}

/// Decodes `%2F`, also if the percent sign was encoded again: `%252F`.
fn percent(text: &[u8], start: usize, each: &mut dyn FnMut(&[u8], usize)) -> bool {
    let mut at = start + 1;
    for _ in 0..=MOST_PERCENTS {
        let (Some(high), Some(low)) = (text.get(at), text.get(at + 1)) else {
            return true;
        };
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
            // The text may be cut within the escape.
            return is_cut(&text[at..]) || is_cut(&text[at + 1..]);
        };
        each(&[high << 4 | low], at + 2);
        if (high, low) != (2, 5) {
            return false;
        }
        at += 2;
    }
    false
}

/// Decodes `\n`, `\"`, `\u00e9` and `\u{e9}`, also if the backslashes were escaped again.
fn backslash(text: &[u8], start: usize, each: &mut dyn FnMut(&[u8], usize)) -> bool {
    let run = text[start..]
        .iter()
        .take(MOST_BACKSLASHES)
        .take_while(|c| **c == b'\\')
        .count();
    for escaped in [2, 4, 8] {
        if escaped <= run {
            each(b"\\", start + escaped);
        }
    }
    let at = start + run;
    let letter = match text.get(at) {
        Some(letter) if !is_cut(&text[at..]) => *letter,
        _ => return true,
    };
    match letter {
        b'n' => each(b"\n", at + 1),
        b'r' => each(b"\r", at + 1),
        b't' => each(b"\t", at + 1),
        b'b' => each(b"\x08", at + 1),
        b'f' => each(b"\x0c", at + 1),
        b'0' => each(b"\0", at + 1),
        b'"' | b'\'' | b'/' => each(&[letter], at + 1),
        // A quotation mark that was escaped for JSON, and then for HTML.
        b'&' => {
            return entity(text, at, &mut |meaning, end| {
                if matches!(meaning, b"\"" | b"'") {
                    each(meaning, end);
                }
            });
        }
        b'x' => match number(&text[at + 1..], 2) {
            Some((code, _)) => {
                if let Ok(byte) = u8::try_from(code) {
                    each(&[byte], at + 3);
                }
            }
            None => return is_cut_within(text, at + 1, |c| digit(c).is_some()),
        },
        b'u' => return unicode(text, start, at + 1, each),
        _ => {}
    }
    false
}

/// Decodes the part after `\u`.
fn unicode(text: &[u8], start: usize, at: usize, each: &mut dyn FnMut(&[u8], usize)) -> bool {
    let mut tell = |code: u32, end: usize| {
        if let Some(c) = char::from_u32(code) {
            each(c.encode_utf8(&mut [0; 4]).as_bytes(), end);
        }
    };
    if text.get(at) == Some(&b'{') {
        let length = text[at + 1..].iter().take(7).position(|c| *c == b'}');
        let Some(length) = length else {
            return is_cut_within(text, at + 1, |c| digit(c).is_some());
        };
        if let Some((code, _)) = number(&text[at + 1..], length) {
            tell(code, at + 2 + length);
        }
        return false;
    }
    let Some((high, _)) = number(&text[at..], 4) else {
        return is_cut_within(text, at, |c| digit(c).is_some());
    };
    if !(0xd800..0xdc00).contains(&high) {
        tell(high, at + 4);
        return false;
    }
    // The second half of a surrogate pair, after the same number of backslashes.
    let slashes = at - 1 - start;
    let second = at + 4 + slashes + 1;
    if is_cut_within(text, at + 4, |c| {
        matches!(c, b'\\' | b'u') || digit(c).is_some()
    }) {
        return true;
    }
    if text.get(second - 1) == Some(&b'u')
        && let Some((low, _)) = number(&text[second..], 4)
        && (0xdc00..0xe000).contains(&low)
    {
        tell(
            0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00),
            second + 4,
        );
    }
    false
}

/// Decodes `&amp;`, `&#39;` and `&#x27;`.
fn entity(text: &[u8], start: usize, each: &mut dyn FnMut(&[u8], usize)) -> bool {
    const LONGEST: usize = 10;
    let rest = &text[start + 1..];
    let Some(length) = rest.iter().take(LONGEST).position(|c| *c == b';') else {
        return is_cut_within(text, start + 1, |c| c.is_ascii_alphanumeric() || c == b'#');
    };
    let end = start + length + 2;
    let code = match &rest[..length] {
        b"amp" => Some(u32::from(b'&')),
        b"lt" => Some(u32::from(b'<')),
        b"gt" => Some(u32::from(b'>')),
        b"quot" => Some(u32::from(b'"')),
        b"apos" => Some(u32::from(b'\'')),
        [b'#', b'x' | b'X', digits @ ..] => number(digits, digits.len()).map(|(code, _)| code),
        [b'#', digits @ ..] => str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse().ok()),
        _ => None,
    };
    if let Some(c) = code.and_then(char::from_u32) {
        each(c.encode_utf8(&mut [0; 4]).as_bytes(), end);
    }
    false
}

/// Parses a number with exactly this many hexadecimal digits.
fn number(text: &[u8], digits: usize) -> Option<(u32, usize)> {
    if digits == 0 || digits > 7 {
        return None;
    }
    let mut number = 0;
    for c in text.get(..digits)? {
        number = number << 4 | u32::from(digit(*c)?);
    }
    Some((number, digits))
}

fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    }
}
