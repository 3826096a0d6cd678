//! Repairs the division of a message into parts for the parser. Afterwards each boundary is declared, occurs at the
//! delimiters of its parts alone, and is closed before the delimiter of an outer one.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use super::mend::{Mended, find};

const TYPE: &[u8] = b"content-type:";
/// Most boundaries that are looked for within lines. Each of them is looked for in the whole message.
const MOST: usize = 50;

impl Mended<'_> {
    /// Inserts the blank line behind the last heading if it is missing.
    pub(super) fn end_of_headings(&mut self) {
        let (mut end, mut after, mut is_heading) = (0, 0, false);
        for line in self.data.split_inclusive(|byte| *byte == b'\n') {
            if line.trim_ascii().is_empty() {
                break;
            }
            is_heading = begins_heading(line) || is_heading && matches!(line[0], b' ' | b'\t');
            after += line.len();
            if is_heading {
                end = after;
            }
        }
        if end > 0 && end < after {
            self.data.to_mut().splice(end..end, *b"\r\n");
            self.loses("text behind headings without a blank line");
        }
    }

    /// Declares the boundary that the message has, when it declares none or one that it does not have.
    pub(super) fn declared(&mut self) {
        let Some((start, heading)) = kind(&self.data) else {
            return;
        };
        let end = start + heading.len();
        let is_multipart = find(heading, b"multipart/").is_some();
        let boundary = declarations(heading).next().map(|(_, value)| value);
        let is_there = |boundary: &[u8]| !delimiters(&self.data, boundary).is_empty();
        if !is_multipart || boundary.is_some_and(is_there) {
            return;
        }
        let mut lines = self.data[end..].split(|byte| *byte == b'\n').peekable();
        let mut found = None;
        while let (None, Some(line)) = (found, lines.next()) {
            let next = lines.peek().copied().unwrap_or_default();
            let name = line.trim_ascii_end().strip_prefix(b"--");
            found = name.filter(|name| {
                let is_usable = |byte: &u8| byte.is_ascii_graphic() && !b"\"\\".contains(byte);
                let starts_part = begins_heading(next) && find(next, b"content-") == Some(0);
                !name.is_empty() && name.iter().all(is_usable) && starts_part
            });
        }
        let Some(name) = found else {
            return;
        };
        // The first declaration counts.
        let type_end = heading.iter().position(|byte| *byte == b';');
        let type_end = type_end.unwrap_or(heading.trim_ascii_end().len());
        let declared = [b"; boundary=\"", name, b"\""].concat();
        let at = start + type_end;
        self.data.to_mut().splice(at..at, declared);
        self.loses("parts whose boundary is not declared");
    }

    /// Renames each boundary that also occurs within a line of text, and closes unclosed boundaries.
    pub(super) fn boundaries(&mut self) {
        let declared = declared_boundaries(&self.data);
        let there: HashSet<Vec<u8>> = marked(&self.data)
            .flat_map(|(_, name)| [Some(name), name.strip_suffix(b"--")])
            .flatten()
            .map(<[u8]>::to_vec)
            .collect();
        let is_there = |(_, name): &(usize, &Vec<u8>)| there.contains(*name);
        let mut names = Vec::new();
        for (number, boundary) in declared.iter().enumerate().filter(is_there) {
            let mut name = boundary.clone();
            if names.len() < MOST {
                let lines = delimiters(&self.data, boundary);
                let mark = [b"--", &boundary[..]].concat();
                let mentions = count(&self.data, &mark);
                if mentions > lines.len() && !is_prefix_of_another(boundary, &declared) {
                    name = format!("=_omni-connector-{number}-boundary").into_bytes();
                    self.rename(boundary, &name, &lines);
                    self.loses("text behind the name of a boundary");
                }
            }
            names.push(name);
        }
        self.close(&names);
    }

    /// Closes each boundary before the delimiter of an outer one or at the end, and not before its last part.
    fn close(&mut self, names: &[Vec<u8>]) {
        let mut last: HashMap<&[u8], usize> = names.iter().map(|name| (&name[..], 0)).collect();
        for (at, name) in marked(&self.data) {
            if let Some(last) = last.get_mut(name) {
                *last = at;
            }
        }
        let mut written = Vec::with_capacity(self.data.len());
        let (mut open, mut at): (Vec<Open<'_>>, _) = (Vec::new(), 0);
        let (mut is_unclosed, mut is_behind) = (false, false);
        for line in self.data.split_inclusive(|byte| *byte == b'\n') {
            let place = at;
            at += line.len();
            let name = line.strip_prefix(b"--").map(<[u8]>::trim_ascii_end);
            let ended = name.and_then(|name| name.strip_suffix(b"--"));
            let found = |name: Option<&[u8]>| last.get_key_value(name?).map(|(k, v)| (*k, *v));
            let (name, last, closes) = match (found(name), found(ended)) {
                (Some((name, last)), _) => (name, last, false),
                (None, Some((name, last))) => (name, last, true),
                (None, None) => {
                    written.extend_from_slice(line);
                    continue;
                }
            };
            let depth = open.iter().rposition(|open| open.name == name);
            if let Some(depth) = depth {
                for inner in open.drain(depth + 1..).rev() {
                    is_unclosed |= !inner.is_closed;
                    written.extend([b"--", inner.name, b"--\r\n"].concat());
                }
            }
            match (depth, closes) {
                (None, false) => open.push(Open {
                    name,
                    is_closed: false,
                }),
                (Some(depth), false) => is_behind |= std::mem::take(&mut open[depth].is_closed),
                (Some(depth), true) if last > place => {
                    open[depth].is_closed = true;
                    continue;
                }
                (Some(depth), true) => open.truncate(depth),
                (None, true) => {}
            }
            written.extend_from_slice(line);
        }
        for inner in open.iter().rev() {
            is_unclosed |= !inner.is_closed;
            written.extend([b"\r\n--", inner.name, b"--\r\n"].concat());
        }
        let is_changed = written != *self.data;
        if is_changed {
            self.data = Cow::Owned(written);
        }
        if is_unclosed {
            self.loses("parts that are not closed");
        }
        if is_behind {
            self.loses("parts behind the end of all parts");
        }
    }

    /// Renames a boundary in its declaration and its delimiter lines.
    fn rename(&mut self, boundary: &[u8], name: &[u8], lines: &[usize]) {
        let mut renamed = Vec::with_capacity(self.data.len());
        let mut places: Vec<usize> = lines.iter().map(|at| at + 2).collect();
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
}

/// A boundary whose parts are being read.
struct Open<'a> {
    name: &'a [u8],
    /// Whether its end was left out, since more of its parts may follow.
    is_closed: bool,
}

/// Returns whether a line begins with the name of a heading.
fn begins_heading(line: &[u8]) -> bool {
    let colon = line.iter().position(|byte| *byte == b':');
    let name = &line[..colon.unwrap_or(0)];
    let name = name.trim_ascii_end();
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// Finds the heading that declares the type of the message, with its continued lines.
fn kind(data: &[u8]) -> Option<(usize, &[u8])> {
    let (mut at, mut start) = (0, None);
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        let is_continued = matches!(line[0], b' ' | b'\t');
        if let Some(start) = start.filter(|_| !is_continued) {
            return Some((start, &data[start..at]));
        }
        if line.trim_ascii().is_empty() {
            return None;
        }
        let begins = line.get(..TYPE.len());
        if begins.is_some_and(|begins| begins.eq_ignore_ascii_case(TYPE)) {
            start = Some(at);
        }
        at += line.len();
    }
    None
}

/// Finds the lines that may be delimiters: where each begins, and what is behind its dashes.
fn marked(data: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut next = 0;
    let lines = data
        .split_inclusive(|byte| *byte == b'\n')
        .map(move |line| {
            let at = next;
            next += line.len();
            (at, line)
        });
    lines.filter_map(|(at, line)| Some((at, line.strip_prefix(b"--")?.trim_ascii_end())))
}

/// Finds the delimiter lines: the boundary alone, at the start of a line.
fn delimiters(data: &[u8], boundary: &[u8]) -> Vec<usize> {
    let is_named = |name: &[u8]| name == boundary || name.strip_suffix(b"--") == Some(boundary);
    let lines = marked(data).filter(|(_, name)| is_named(name));
    lines.map(|(at, _)| at).collect()
}

/// Returns the distinct values of `boundary=`, in order.
fn declared_boundaries(data: &[u8]) -> Vec<Vec<u8>> {
    let (mut declared, mut seen): (Vec<Vec<u8>>, _) = (Vec::new(), HashSet::new());
    for (_, value) in declarations(data) {
        if !value.is_empty() && seen.insert(value) {
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

fn count(data: &[u8], needle: &[u8]) -> usize {
    data.windows(needle.len())
        .filter(|at| *at == needle)
        .count()
}
