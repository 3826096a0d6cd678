//! Repairs messages for the parser: closes boundaries and makes them unique, corrects charsets, and
//! joins encoded words that split a character.

use std::borrow::Cow;

use mail_parser::decoders::{
    base64::base64_decode, charsets::map::charset_decoder,
    quoted_printable::quoted_printable_decode,
};

use super::boundary;
use crate::readers::{charset::Charset, text};

/// A repaired message for the parser.
pub(super) struct Mended<'a> {
    pub(super) data: Cow<'a, [u8]>,
    /// Text that Omni loses, because it parses the message without repair.
    pub(super) omni_loses: Vec<&'static str>,
    /// How headings in an unknown charset were read.
    pub(super) guesses: Vec<String>,
}

pub(super) fn mended(data: &[u8]) -> Mended<'_> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let marked = data.strip_prefix(MARK);
    let start = marked.unwrap_or(data);
    let blank = start
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let blank = blank.count();
    let mut mended = Mended {
        data: Cow::Borrowed(&start[blank..]),
        omni_loses: Vec::new(),
        guesses: Vec::new(),
    };
    if marked.is_some() {
        mended.loses("headings behind a byte order mark");
    }
    if blank > 0 {
        mended.loses("headings behind blank lines");
    }
    mended.line_ends();
    mended.raw_headings();
    mended.whole_words();
    mended.known_words();
    if let Some(plain) = boundary::plain(&mended.data) {
        mended.data = Cow::Owned(plain);
    }
    mended.boundaries();
    mended
}

/// Returns whether Omni loses text in this charset. Omni decodes without tables of multi-byte
/// charsets.
pub(super) fn is_beyond_omni(charset: &str) -> bool {
    match Charset::of(charset) {
        Some(Charset::Web(encoding)) => {
            let is_unicode = encoding.name().starts_with("UTF-");
            let is_thai = encoding.name() == "windows-874";
            !encoding.is_single_byte() && !is_unicode || is_thai
        }
        Some(Charset::Shifted(_)) => true,
        Some(Charset::Dos(name, _)) => !is_known(name),
        None => false,
    }
}

/// Returns whether the parser decodes text in this charset.
fn is_known(charset: &str) -> bool {
    let is_given_up = matches!(Charset::of(charset), Some(Charset::Shifted(_)));
    charset_decoder(charset.as_bytes()).is_some() && !is_given_up
        || charset.eq_ignore_ascii_case("utf-8")
}

/// Returns whether text in this charset may be UTF-8 in truth. Programs write these by default.
pub(super) fn may_be_utf_8(charset: &str) -> bool {
    let charset = charset.to_ascii_lowercase();
    ["ascii", "iso-8859-1", "iso8859-1", "latin1", "windows-1252"]
        .iter()
        .any(|name| charset == *name || *name == "ascii" && charset.ends_with("ascii"))
}

impl Mended<'_> {
    /// Decodes headings that are neither ASCII nor UTF-8, as old programs write them.
    fn raw_headings(&mut self) {
        let ends = [&b"\r\n\r\n"[..], b"\n\n"];
        let end = ends
            .iter()
            .filter_map(|end| find(&self.data, end))
            .min()
            .unwrap_or(self.data.len());
        if std::str::from_utf8(&self.data[..end]).is_ok() {
            return;
        }
        let head = text::detected(&self.data[..end]).into_owned();
        self.data.to_mut().splice(..end, head.into_bytes());
        self.loses("headings that are not encoded");
    }

    /// Ends lines with a line feed where the file has none, as programs of old Macintoshes wrote it.
    fn line_ends(&mut self) {
        if self.data.contains(&b'\r') && !self.data.contains(&b'\n') {
            for byte in self.data.to_mut() {
                if *byte == b'\r' {
                    *byte = b'\n';
                }
            }
            self.loses("a message without line feeds");
        }
    }

    /// Writes encoded words again as UTF-8 when the parser does not know their charset, or when they are UTF-8 under
    /// another name.
    fn known_words(&mut self) {
        let mut at = 0;
        while let Some(found) = find(&self.data[at..], b"=?") {
            let start = at + found;
            at = start + 2;
            let Some(Word {
                length,
                written,
                charset,
                guess,
            }) = unknown_word(&self.data[start..])
            else {
                continue;
            };
            if let Some(guess) = guess.filter(|guess| !self.guesses.contains(guess)) {
                self.guesses.push(guess);
            }
            let is_beyond_omni = is_beyond_omni(&charset);
            at = start + written.len();
            self.data.to_mut().splice(start..start + length, written);
            self.loses(if is_beyond_omni {
                "headings in a charset that Omni does not decode"
            } else {
                "headings whose charset is another than they say"
            });
        }
    }

    /// Joins adjacent encoded words of one charset, since a character may be split over two of
    /// them.
    fn whole_words(&mut self) {
        let mut at = 0;
        while let Some(found) = find(&self.data[at..], b"?=") {
            let end = at + found;
            at = end + 2;
            let Some(join) = self.joined(end) else {
                continue;
            };
            self.data.to_mut().drain(end..join);
            at = end;
        }
    }

    /// Returns where the text of the next encoded word begins, if it can be joined to the word at `end`.
    fn joined(&self, end: usize) -> Option<usize> {
        let start = self.data[..end].windows(2).rposition(|at| at == b"=?")?;
        let (prefix, text) = word(&self.data[start..end])?;
        let after = &self.data[end + 2..];
        let next = after.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let (next_prefix, _) = word(&after[next..])?;
        let is_base64 = prefix.to_ascii_lowercase().ends_with(b"?b?");
        let can_be_one = !is_base64 || text.len().is_multiple_of(4) && !text.ends_with(b"=");
        (next > 0 && can_be_one && prefix.eq_ignore_ascii_case(next_prefix))
            .then_some(end + 2 + next + prefix.len())
    }

    /// Renames each boundary that also occurs within a line of text, and closes unclosed
    /// boundaries.
    fn boundaries(&mut self) {
        let declared = declared_boundaries(&self.data);
        let mut tail = Vec::new();
        for (number, boundary) in declared.iter().enumerate() {
            let lines = delimiters(&self.data, boundary);
            if lines.is_empty() {
                continue;
            }
            let is_closed = lines.iter().any(|line| line.closes);
            let mark = [b"--", &boundary[..]].concat();
            let mentions = count(&self.data, &mark);
            let mut name = boundary.clone();
            if mentions > lines.len() && !is_prefix_of_another(boundary, &declared) {
                name = format!("=_omni-connector-{number}-boundary").into_bytes();
                self.rename(boundary, &name, &lines);
                self.loses("text behind the name of a boundary");
            }
            if !is_closed {
                tail.push(name);
                self.loses("parts that are not closed");
            }
        }
        for name in tail.iter().rev() {
            let line = [b"\r\n--", &name[..], b"--\r\n"].concat();
            self.data.to_mut().extend(line);
        }
    }

    /// Renames a boundary in its declaration and its delimiter lines.
    fn rename(&mut self, boundary: &[u8], name: &[u8], lines: &[Delimiter]) {
        let mut renamed = Vec::with_capacity(self.data.len());
        let mut places: Vec<usize> = lines.iter().map(|line| line.at + 2).collect();
        places.extend(
            declarations(&self.data).filter_map(|(at, value)| (value == boundary).then_some(at)),
        );
        places.sort_unstable();
        let mut from = 0;
        for at in places {
            renamed.extend_from_slice(&self.data[from..at]);
            renamed.extend_from_slice(name);
            from = at + boundary.len();
        }
        renamed.extend_from_slice(&self.data[from..]);
        self.data = Cow::Owned(renamed);
    }

    fn loses(&mut self, what: &'static str) {
        if !self.omni_loses.contains(&what) {
            self.omni_loses.push(what);
        }
    }
}

struct Delimiter {
    at: usize,
    closes: bool,
}

/// Finds the delimiter lines: the boundary alone, at the start of a line.
fn delimiters(data: &[u8], boundary: &[u8]) -> Vec<Delimiter> {
    let mark = [b"--", boundary].concat();
    let mut lines = Vec::new();
    let mut at = 0;
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if let Some(rest) = line.strip_prefix(&mark[..]) {
            let rest = rest.trim_ascii_end();
            if rest.is_empty() || rest == b"--" {
                lines.push(Delimiter {
                    at,
                    closes: !rest.is_empty(),
                });
            }
        }
        at += line.len();
    }
    lines
}

/// Returns the distinct values of `boundary=`, in order.
fn declared_boundaries(data: &[u8]) -> Vec<Vec<u8>> {
    let mut declared: Vec<Vec<u8>> = Vec::new();
    for (_, value) in declarations(data) {
        if !value.is_empty() && !declared.iter().any(|known| known == value) {
            declared.push(value.to_vec());
        }
    }
    declared
}

fn declarations(data: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    const KEY: &[u8] = b"boundary";
    let mut from = 0;
    let blanks = |data: &[u8]| {
        data.iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count()
    };
    std::iter::from_fn(move || {
        loop {
            from += find(&data[from..], KEY)? + KEY.len();
            let equals = from + blanks(&data[from..]);
            if data.get(equals) != Some(&b'=') {
                continue;
            }
            let at = equals + 1 + blanks(&data[equals + 1..]);
            from = at;
            let is_quoted = data.get(at) == Some(&b'"');
            let start = at + usize::from(is_quoted);
            let ends = |byte: &u8| {
                if is_quoted {
                    matches!(byte, b'"' | b'\n')
                } else {
                    byte.is_ascii_whitespace() || *byte == b';'
                }
            };
            let rest = data.get(start..)?;
            let length = rest.iter().position(ends);
            let end = start + length.unwrap_or(rest.len());
            return Some((start, &data[start..end]));
        }
    })
}

fn is_prefix_of_another(boundary: &[u8], all: &[Vec<u8>]) -> bool {
    all.iter()
        .any(|other| other.len() > boundary.len() && other.starts_with(boundary))
}

/// Splits an encoded word into its prefix and its text.
fn word(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = data.strip_prefix(b"=?")?;
    let mut marks = inner.iter().enumerate().filter(|(_, byte)| **byte == b'?');
    let charset = marks.next()?.0;
    let kind = marks.next()?.0;
    let is_word = kind == charset + 2 && charset < 40 && inner[..charset].is_ascii();
    let start = 2 + kind + 1;
    is_word.then(|| data.split_at(start))
}

/// An encoded word that is written again.
struct Word {
    length: usize,
    /// The same word in UTF-8.
    written: Vec<u8>,
    charset: String,
    /// How it was read if nothing here decodes its charset.
    guess: Option<String>,
}

/// Decodes the encoded word at the start of `data` if the parser would not decode it.
fn unknown_word(data: &[u8]) -> Option<Word> {
    let (prefix, rest) = word(data)?;
    let end = rest.windows(2).position(|at| at == b"?=")?;
    let fields = String::from_utf8_lossy(prefix).to_ascii_lowercase();
    let mut fields = fields.split('?').skip(1);
    let charset = fields.next()?.split('*').next()?.to_owned();
    let encoded = &rest[..end];
    let is_base64 = fields.next()? == "b";
    let bytes = if is_base64 {
        base64_decode(encoded)?
    } else {
        let spaced: Vec<u8> = encoded
            .iter()
            .map(|b| if *b == b'_' { b' ' } else { *b })
            .collect();
        quoted_printable_decode(&spaced)?
    };
    let is_utf_8 = may_be_utf_8(&charset) && !bytes.is_ascii() && str::from_utf8(&bytes).is_ok();
    if is_known(&charset) && !is_utf_8 {
        return None;
    }
    let declared = Charset::of(&charset).filter(|_| !is_utf_8);
    let (text, guess) = match declared.map(|charset| charset.decode(&bytes)) {
        Some((text, false)) => (text, None),
        _ if text::is_doubtful(&charset, &bytes) => {
            let (text, guess) = text::guessed(&charset, &bytes);
            (text, Some(guess))
        }
        _ => (text::detected(&bytes), None),
    };
    let mut word = b"=?utf-8?Q?".to_vec();
    for byte in text.bytes() {
        word.extend(format!("={byte:02X}").bytes());
    }
    word.extend(b"?=");
    Some(Word {
        length: prefix.len() + end + 2,
        written: word,
        charset,
        guess,
    })
}

/// Finds `needle`, given in lower case, in `data`, ignoring case.
fn find(data: &[u8], needle: &[u8]) -> Option<usize> {
    data.windows(needle.len())
        .position(|at| at.eq_ignore_ascii_case(needle))
}

fn count(data: &[u8], needle: &[u8]) -> usize {
    data.windows(needle.len())
        .filter(|at| *at == needle)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_of_one_charset_become_one() {
        let join = |text: &str| String::from_utf8(mended(text.as_bytes()).data.to_vec()).unwrap();
        assert_eq!(
            join("=?utf-8?q?Gr=C3?=\r\n =?UTF-8?Q?=B6=C3=9Fe?="),
            "=?utf-8?q?Gr=C3=B6=C3=9Fe?="
        );
        assert_eq!(
            join("=?utf-8?b?YWJj?= =?utf-8?b?ZGVm?="),
            "=?utf-8?b?YWJjZGVm?="
        );
        for apart in [
            "=?utf-8?b?YQ==?= =?utf-8?b?Yg==?=",
            "=?utf-8?q?a?= =?koi8-r?q?b?=",
            "=?utf-8?q?a?= and =?utf-8?q?b?=",
        ] {
            assert_eq!(join(apart), apart);
        }
    }
}
