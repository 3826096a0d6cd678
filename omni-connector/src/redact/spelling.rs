//! Finds known secrets in a string in any spelling.
//!
//! A secret is compared with the decoded *meaning* at each position: `%2F`, `\u002f`, `\/` and `&#x2F;` all mean a slash.
//! This finds mixed and nested escapes. Base64 is searched in its four alphabets and at its three offsets.

use std::borrow::Cow;

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
            // `\\\\u{00e9}` and `%25252F` are the longest spellings of a byte.
            longest = longest.max(secret.len() * 12);
            for base64 in ALPHABETS
                .iter()
                .flat_map(|alphabet| base64_of(secret, alphabet))
            {
                patterns.push(Pattern {
                    bytes: base64,
                    is_base64: true,
                    secret: index,
                });
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
    pub(super) fn at(&self, text: &[u8], start: usize) -> Option<(Found, usize)> {
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

    /// Replaces every whole secret by its mark. It keeps the form of the text, such as a JSON document.
    pub(super) fn replace_whole(&self, text: &str, mark: &str) -> String {
        self.replaced(text, false, |_| mark.into())
    }

    fn replaced<'a>(
        &self,
        text: &str,
        with_cut: bool,
        mark: impl Fn(usize) -> Cow<'a, str>,
    ) -> String {
        let bytes = text.as_bytes();
        let mut clean = String::with_capacity(text.len());
        let (mut kept, mut at) = (0, 0);
        while at < bytes.len() {
            let (end, secret) = match self.at(bytes, at) {
                Some((Found::Until(end), secret)) => (end, secret),
                Some((Found::Open { matched }, secret)) if with_cut && matched >= SHORTEST_PART => {
                    (bytes.len(), secret)
                }
                _ => {
                    at += 1;
                    continue;
                }
            };
            let (from, to) = (text.floor_char_boundary(at), text.ceil_char_boundary(end));
            if from >= kept {
                clean.push_str(&text[kept..from]);
                clean.push_str(&mark(secret));
            }
            kept = to;
            at = to;
        }
        clean.push_str(&text[kept..]);
        clean
    }

    /// Returns the start of the first secret that the end of the string may have cut.
    #[cfg(feature = "mcp")]
    pub(super) fn open_from(&self, text: &[u8]) -> usize {
        let mut at = 0;
        while at < text.len() {
            match self.at(text, at) {
                Some((Found::Open { .. }, _)) => return at,
                Some((Found::Until(end), _)) => at = end.max(at + 1),
                None => at += 1,
            }
        }
        text.len()
    }
}

impl Pattern {
    /// Follows all meanings in parallel, so that no input makes the search slow.
    fn at(&self, text: &[u8], start: usize) -> Option<Found> {
        if self.differs_at_once(text, start) {
            return None;
        }
        // Pairs: matched bytes of the pattern, and the position after them in the text.
        let mut reached = vec![(0, start)];
        let (mut open, mut end) = (0, None);
        while let Some((matched, place)) = reached.pop() {
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
                let state = (matched + meaning.len(), next);
                if fits && !reached.contains(&state) && state.0 <= self.bytes.len() {
                    reached.push(state);
                }
            });
            if is_unfinished && matched > 0 {
                open = open.max(matched);
            }
            // States are taken in order of position, so that none is visited twice.
            reached.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(b.0.cmp(&a.0)));
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

/// Returns whether the text ends here, or an ellipsis shows that it was cut here.
fn is_cut(rest: &[u8]) -> bool {
    rest.is_empty() || rest.starts_with("…".as_bytes()) || rest.starts_with(b"...")
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
    loop {
        let (Some(high), Some(low)) = (text.get(at), text.get(at + 1)) else {
            return true;
        };
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
            return false;
        };
        each(&[high << 4 | low], at + 2);
        if (high, low) != (2, 5) {
            return false;
        }
        at += 2;
    }
}

/// Decodes `\n`, `\"`, `\u00e9` and `\u{e9}`, also if the backslashes were escaped again.
fn backslash(text: &[u8], start: usize, each: &mut dyn FnMut(&[u8], usize)) -> bool {
    let run = text[start..].iter().take_while(|c| **c == b'\\').count();
    for escaped in [2, 4, 8] {
        if escaped <= run {
            each(b"\\", start + escaped);
        }
    }
    let at = start + run;
    let Some(&letter) = text.get(at) else {
        return true;
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
            None => return text.len() < at + 3,
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
            return text.len() < at + 8;
        };
        if let Some((code, _)) = number(&text[at + 1..], length) {
            tell(code, at + 2 + length);
        }
        return false;
    }
    let Some((high, _)) = number(&text[at..], 4) else {
        return text.len() < at + 4;
    };
    if !(0xd800..0xdc00).contains(&high) {
        tell(high, at + 4);
        return false;
    }
    // The second half of a surrogate pair, after the same number of backslashes.
    let slashes = at - 1 - start;
    let second = at + 4 + slashes + 1;
    if text.len() < second + 4 {
        return true;
    }
    if text[second - 1] == b'u'
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
        return rest.len() < LONGEST
            && rest.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'#');
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
