//! Decodes the escapes of programs: percent-encoding, backslashes, the entities of HTML, quotation marks that are doubled,
//! and quoted-printable.

use std::borrow::Cow;

use super::entities::named;

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

/// A text in which kinds of escapes were decoded, one kind after another.
pub(super) struct Layer<'t> {
    pub(super) bytes: Cow<'t, [u8]>,
    /// The position in the text of each byte, and of the end. Empty for the text itself.
    positions: Vec<usize>,
    /// How many kinds of escapes may still be decoded.
    left: usize,
}

impl<'t> Layer<'t> {
    pub(super) const fn of(text: &'t [u8]) -> Self {
        Self {
            bytes: Cow::Borrowed(text),
            positions: Vec::new(),
            left: MOST_LAYERS,
        }
    }

    pub(super) fn position(&self, at: usize) -> usize {
        self.positions.get(at).copied().unwrap_or(at)
    }

    /// Calls `each` with this layer and with those below it: `%5C%22` is `\"`, and that is a quotation mark.
    pub(super) fn each(&self, each: &mut dyn FnMut(&Layer<'_>)) {
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
pub(super) fn each_meaning(text: &[u8], start: usize, each: &mut dyn FnMut(&[u8], usize)) -> bool {
    let Some(&first) = text.get(start) else {
        return false;
    };
    each(&[first], start + 1);
    match first {
        b'+' | b'_' => {
            each(b" ", start + 1);
            false
        }
        b'%' => percent(text, start, each),
        b'=' => quoted_printable(text, start, each),
        b'\'' | b'"' | b'$' | b'{' | b'}' => {
            doubled(text, start, first, each);
            false
        }
        b'\\' => backslash(text, start, each),
        b'&' => entity(text, start, each),
        _ => false,
    }
}

/// Decodes a character that was doubled, as a quotation mark in SQL and CSV, and a quotation mark within those of a shell.
fn doubled(text: &[u8], start: usize, first: u8, each: &mut dyn FnMut(&[u8], usize)) {
    let rest = &text[start..];
    if rest.get(1) == Some(&first) {
        each(&[first], start + 2);
    }
    for in_shell in [&br"'\''"[..], br#"'"'"'"#] {
        if rest.starts_with(in_shell) {
            each(b"'", start + in_shell.len());
        }
    }
}

/// Decodes `=C3` of mails.
fn quoted_printable(text: &[u8], start: usize, each: &mut dyn FnMut(&[u8], usize)) -> bool {
    if let Some((code, _)) = number(&text[start + 1..], 2)
        && let Ok(byte) = u8::try_from(code)
    {
        each(&[byte], start + 3);
    }
    false
}

/// Decodes `%2F`, also if the percent sign was encoded again: `%252F`. Decodes `%u00e9` of scripts, and `%%` of patterns.
fn percent(text: &[u8], start: usize, each: &mut dyn FnMut(&[u8], usize)) -> bool {
    let mut at = start + 1;
    match text.get(at) {
        Some(b'%') => each(b"%", at + 1),
        Some(b'u') => return unicode(text, start, at + 1, each),
        _ => {}
    }
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
        b'v' => each(b"\x0b", at + 1),
        b'a' => each(b"\x07", at + 1),
        b'e' => each(b"\x1b", at + 1),
        b'0'..=b'7' => {
            let digits = text.get(at..at + 3).and_then(|of| str::from_utf8(of).ok());
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
            if let Some(byte) = byte {
                each(&[byte], at + 3);
            }
            if letter == b'0' {
                each(b"\0", at + 1);
            }
            let is_octal = |c: u8| matches!(c, b'0'..=b'7');
            return byte.is_none() && is_cut_within(text, at, is_octal);
        }
        // A quotation mark that was escaped for JSON, and then for HTML.
        b'&' => {
            let is_cut = entity(text, at, &mut |meaning, end| {
                if matches!(meaning, b"\"" | b"'") {
                    each(meaning, end);
                }
            });
            each(b"&", at + 1);
            return is_cut;
        }
        b'x' if text.get(at + 1) == Some(&b'{') => return unicode(text, start, at + 1, each),
        b'x' => match number(&text[at + 1..], 2) {
            Some((code, _)) => {
                if let Ok(byte) = u8::try_from(code) {
                    each(&[byte], at + 3);
                }
            }
            None => return is_cut_within(text, at + 1, |c| digit(c).is_some()),
        },
        b'u' => return unicode(text, start, at + 1, each),
        b'U' => match number(&text[at + 1..], 8) {
            Some((code, _)) => each_char(code, at + 9, each),
            None => return is_cut_within(text, at + 1, |c| digit(c).is_some()),
        },
        // Shells and Markdown escape every sign.
        b' ' | b'!'..=b'~' if !letter.is_ascii_alphanumeric() => each(&[letter], at + 1),
        _ => {}
    }
    false
}

fn each_char(code: u32, end: usize, each: &mut dyn FnMut(&[u8], usize)) {
    if let Some(c) = char::from_u32(code) {
        each(c.encode_utf8(&mut [0; 4]).as_bytes(), end);
    }
}

/// Decodes the part after `\u`.
fn unicode(text: &[u8], start: usize, at: usize, each: &mut dyn FnMut(&[u8], usize)) -> bool {
    let mut tell = |code: u32, end: usize| each_char(code, end, each);
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
    const LONGEST: usize = 14;
    let rest = &text[start + 1..];
    let Some(length) = rest.iter().take(LONGEST).position(|c| *c == b';') else {
        return is_cut_within(text, start + 1, |c| c.is_ascii_alphanumeric() || c == b'#');
    };
    let end = start + length + 2;
    let code = match &rest[..length] {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, digits.len()).map(|(code, _)| code),
        [b'#', digits @ ..] => str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse().ok()),
        name => named(name),
    };
    if let Some(code) = code {
        each_char(code, end, each);
    }
    false
}

/// Parses a number with exactly this many hexadecimal digits.
fn number(text: &[u8], digits: usize) -> Option<(u32, usize)> {
    if digits == 0 || digits > 8 {
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

/// Returns where an ellipsis cuts the text, or its end.
pub(super) fn cut(text: &[u8]) -> usize {
    let cut = (0..text.len()).find(|at| is_cut(&text[*at..]));
    cut.unwrap_or(text.len())
}

/// Returns whether the text ends here, or an ellipsis shows that it was cut here.
pub(super) fn is_cut(rest: &[u8]) -> bool {
    rest.is_empty() || rest.starts_with("…".as_bytes()) || rest.starts_with(b"...")
}

/// Returns whether the text is cut within an escape. `from` is after its first characters, and `is_part` tells the rest.
fn is_cut_within(text: &[u8], from: usize, is_part: impl Fn(u8) -> bool) -> bool {
    let rest = text.get(from..).unwrap_or_default();
    let parts = rest.iter().take(LONGEST_REST).take_while(|c| is_part(**c));
    is_cut(&rest[parts.count()..])
}
