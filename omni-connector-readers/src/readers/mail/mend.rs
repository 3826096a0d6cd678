//! Repairs messages for the parser: closes boundaries and makes them unique, corrects charsets, and
//! joins encoded words that split a character.

use std::borrow::Cow;

use encoding_rs::Encoding;

use crate::readers::text;

/// A repaired message for the parser.
pub(super) struct Mended<'a> {
    pub(super) data: Cow<'a, [u8]>,
    /// Text that Omni loses, because it parses the message without repair.
    pub(super) omni_loses: Vec<&'static str>,
}

pub(super) fn mended(data: &[u8]) -> Mended<'_> {
    let mut mended = Mended {
        data: Cow::Borrowed(data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data)),
        omni_loses: Vec::new(),
    };
    if mended.data.len() < data.len() {
        mended.omni_loses.push("headings behind a byte order mark");
    }
    mended.raw_headings();
    mended.true_charsets();
    mended.whole_words();
    mended.boundaries();
    mended
}

/// Returns whether Omni loses text in this charset. Omni decodes without tables of multi-byte
/// charsets.
pub(super) fn is_beyond_omni(charset: &str) -> bool {
    Encoding::for_label(charset.as_bytes()).is_some_and(|encoding| {
        !encoding.is_single_byte()
            && encoding.name() != "UTF-8"
            && !encoding.name().starts_with("UTF-16")
    }) || charset.eq_ignore_ascii_case("windows-874")
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

    /// Relabels text as UTF-8 when it is declared as ASCII but is not.
    fn true_charsets(&mut self) {
        const ASCII: &[u8] = b"us-ascii";
        if self.data.is_ascii() || std::str::from_utf8(&self.data).is_err() {
            return;
        }
        let mut at = 0;
        while let Some(found) = find(&self.data[at..], ASCII) {
            let start = at + found;
            at = start + ASCII.len();
            let before = self.data[..start].trim_ascii_end();
            let before = before.strip_suffix(b"\"").unwrap_or(before);
            if before.to_ascii_lowercase().ends_with(b"charset=") {
                self.data.to_mut().splice(start..at, *b"utf-8");
                at = start;
                self.loses("text in UTF-8 that says it is ASCII");
            }
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
    const KEY: &[u8] = b"boundary=";
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + find(&data[from..], KEY)? + KEY.len();
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
        let length = data[start..].iter().position(ends);
        let end = start + length.unwrap_or(data.len() - start);
        Some((start, &data[start..end]))
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
