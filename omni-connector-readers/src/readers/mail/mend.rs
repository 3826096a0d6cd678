//! Repairs messages for the parser: line ends, charsets of headings, and encoded words that split a character or are
//! damaged. `nesting` repairs their parts.

use std::{borrow::Cow, iter};

use mail_parser::decoders::{
    base64::base64_decode, charsets::map::charset_decoder,
    quoted_printable::quoted_printable_decode,
};

use super::{boundary, transfer};
use crate::readers::{
    charset::{self, Charset, Shift},
    text,
};

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
    mended.wide();
    mended.line_ends();
    mended.end_of_headings();
    mended.raw_headings();
    mended.whole_words();
    mended.known_words();
    if let Some(plain) = boundary::plain(&mended.data) {
        mended.data = Cow::Owned(plain);
    }
    mended.declared();
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
        Some(Charset::Shifted(shift)) => shift != Shift::Base64,
        Some(Charset::Dos(name, _)) => !is_known(name),
        None => false,
    }
}

/// Returns whether the parser decodes text in this charset.
fn is_known(charset: &str) -> bool {
    let is_given_up = match Charset::of(charset) {
        Some(Charset::Shifted(shift)) => shift != Shift::Base64,
        _ => false,
    };
    charset_decoder(charset.as_bytes()).is_some() && !is_given_up && !charset::says_nothing(charset)
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
    /// Decodes a message in UTF-16 with a byte order mark.
    fn wide(&mut self) {
        if self.data.starts_with(b"\xff\xfe") || self.data.starts_with(b"\xfe\xff") {
            self.data = Cow::Owned(text::detected(&self.data).into_owned().into_bytes());
            self.loses("a message in UTF-16");
        }
    }

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
        // A line in UTF-8 says nothing about the charset of the others.
        let mut lines: Vec<_> = self.data[..end].split_inclusive(|b| *b == b'\n').collect();
        let is_raw = |line: &&mut &[u8]| str::from_utf8(line).is_err();
        let raw = lines.iter_mut().filter(is_raw).map(|line| &**line);
        let raw = raw.collect::<Vec<_>>().concat();
        let raw = text::detected(&raw).into_owned();
        for (line, text) in iter::zip(lines.iter_mut().filter(is_raw), raw.split_inclusive('\n')) {
            *line = text.as_bytes();
        }
        let head = lines.concat();
        self.data.to_mut().splice(..end, head);
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
                is_damaged,
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
            self.loses(if is_damaged {
                "headings that are damaged"
            } else if is_beyond_omni {
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

    pub(super) fn loses(&mut self, what: &'static str) {
        if !self.omni_loses.contains(&what) {
            self.omni_loses.push(what);
        }
    }
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
    is_damaged: bool,
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
    let (bytes, is_damaged) = if is_base64 {
        let is_whole = encoded.len().is_multiple_of(4) && base64_decode(encoded).is_some();
        (transfer::base64(encoded), !is_whole)
    } else {
        let spaced = encoded.iter().map(|b| if *b == b'_' { b' ' } else { *b });
        let spaced: Vec<u8> = spaced.collect();
        let is_damaged = quoted_printable_decode(&spaced).is_none();
        (transfer::quoted_printable(&spaced), is_damaged)
    };
    let is_utf_8 = may_be_utf_8(&charset) && !bytes.is_ascii() && str::from_utf8(&bytes).is_ok();
    if is_known(&charset) && !is_utf_8 && !is_damaged {
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
        is_damaged,
        charset,
        guess,
    })
}

/// Finds `needle`, given in lower case, in `data`, ignoring case.
pub(super) fn find(data: &[u8], needle: &[u8]) -> Option<usize> {
    data.windows(needle.len())
        .position(|at| at.eq_ignore_ascii_case(needle))
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
