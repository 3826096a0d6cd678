//! Writes boundaries that a message declares in pieces or escaped (RFC 2231) in the plain form, so that they are repaired
//! as all others. It must not change any other parameter.

const HEADING: &[u8] = b"content-type:";
const NAME: &str = "boundary";

/// Returns the message with plain boundaries, or none if all of them are plain.
pub(super) fn plain(data: &[u8]) -> Option<Vec<u8>> {
    let mut written = Vec::with_capacity(data.len());
    let (mut rest, mut is_changed) = (data, false);
    while !rest.is_empty() {
        let (heading, after) = rest.split_at(heading_length(rest));
        match rewritten(heading) {
            Some(heading) => {
                written.extend(heading);
                is_changed = true;
            }
            None => written.extend(heading),
        }
        rest = after;
    }
    is_changed.then_some(written)
}

/// Returns the length of the first line, with the lines that continue it if it declares a type.
fn heading_length(data: &[u8]) -> usize {
    let start = data.get(..HEADING.len());
    let is_heading = start.is_some_and(|start| start.eq_ignore_ascii_case(HEADING));
    let mut length = 0;
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if length > 0 && !(is_heading && matches!(line[0], b' ' | b'\t')) {
            break;
        }
        length += line.len();
    }
    length
}

/// Writes a heading again whose boundary is in pieces or escaped.
fn rewritten(heading: &[u8]) -> Option<Vec<u8>> {
    let heading = str::from_utf8(heading).ok()?;
    let end = heading.trim_end().len();
    let (text, line_end) = heading.split_at(end);
    let mut others = Vec::new();
    let mut pieces: Vec<(u32, Vec<u8>)> = Vec::new();
    for parameter in parameters(text) {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let key = key.trim().to_ascii_lowercase();
        match key.strip_prefix(NAME) {
            // A plain one counts.
            Some("") => return None,
            Some(suffix) if suffix.starts_with('*') => pieces.push(piece(suffix, value.trim())?),
            _ => others.push(parameter),
        }
    }
    if pieces.is_empty() {
        return None;
    }
    pieces.sort();
    let boundary = pieces.into_iter().flat_map(|(_, bytes)| bytes).collect();
    let boundary = String::from_utf8(boundary).ok()?;
    let is_usable = !boundary.is_empty() && !boundary.contains(['"', '\r', '\n', '\\']);
    let text = others.join(";");
    is_usable.then(|| format!("{text}; {NAME}=\"{boundary}\"{line_end}").into_bytes())
}

/// Splits a heading at each semicolon that is not quoted.
fn parameters(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ';' if !is_quoted => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    found.retain(|parameter| !parameter.trim().is_empty());
    found
}

/// Reads a piece: its number and its value. The suffix of its name is `*`, `*0` or `*0*`.
fn piece(suffix: &str, value: &str) -> Option<(u32, Vec<u8>)> {
    let suffix = &suffix[1..];
    let (digits, is_escaped) = match suffix.strip_suffix('*') {
        Some(digits) => (digits, true),
        None => (suffix, suffix.is_empty()),
    };
    let number = if digits.is_empty() {
        0
    } else {
        digits.parse().ok()?
    };
    let value = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value);
    if !is_escaped {
        return Some((number, value.as_bytes().to_vec()));
    }
    // The first piece begins with the charset and the language, each followed by `'`.
    let value = match value.splitn(3, '\'').collect::<Vec<_>>()[..] {
        [_, _, value] if number == 0 => value,
        _ => value,
    };
    Some((number, unescaped(value)))
}

fn unescaped(value: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), value.as_bytes());
    while let [first, after @ ..] = rest {
        let escape = after.get(..2).filter(|_| *first == b'%');
        let byte = escape
            .and_then(|digits| str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    bytes
}
