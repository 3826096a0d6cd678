//! Decodes the transfer encoding of a part with all its errors. It must never leave a part encoded because of one of them.

use mail_parser::{
    Encoding as Transfer, MessagePart, MimeHeaders,
    decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode},
};

use crate::readers::charset::Charset;

/// The encodings that change bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Declared {
    Base64,
    QuotedPrintable,
}

/// Returns the encoding that a part declares, also in quotes, with a comment or with a semicolon.
fn declared(part: &MessagePart<'_>) -> Option<Declared> {
    let name = part.content_transfer_encoding()?;
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let name = name.trim_start_matches(|c| !is_of_name(c));
    let end = name.find(|c| !is_of_name(c)).unwrap_or(name.len());
    match name[..end].to_ascii_lowercase().as_str() {
        "base64" => Some(Declared::Base64),
        "quoted-printable" => Some(Declared::QuotedPrintable),
        _ => None,
    }
}

/// Returns whether the parser left a part encoded.
pub(super) fn is_left(part: &MessagePart<'_>) -> bool {
    part.encoding == Transfer::None && declared(part).is_some()
}

/// Decodes the bytes of a part. A list server may have written its plain lines behind base64.
pub(super) fn decoded(part: &MessagePart<'_>, raw: &[u8], charset: Option<Charset>) -> Vec<u8> {
    match (part.encoding, declared(part)) {
        (Transfer::QuotedPrintable, _) | (Transfer::None, Some(Declared::QuotedPrintable)) => {
            quoted_printable(raw)
        }
        (Transfer::Base64, _) => base64_decode(raw).unwrap_or_else(|| base64(raw)),
        (Transfer::None, Some(Declared::Base64)) => {
            let (encoded, plain) = raw.split_at(base64_length(raw));
            match base64_decode(encoded).filter(|bytes| !bytes.is_empty()) {
                Some(bytes) => [&bytes, &b"\r\n"[..], plain].concat(),
                None => Some(base64(raw))
                    .filter(|bytes| is_text(bytes, charset))
                    .unwrap_or_else(|| raw.to_vec()),
            }
        }
        (Transfer::None, None) => raw.to_vec(),
    }
}

/// Decodes quoted-printable. Keeps each `=` that begins no escape.
pub(super) fn quoted_printable(data: &[u8]) -> Vec<u8> {
    if let Some(bytes) = quoted_printable_decode(data) {
        return bytes;
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(data.len()), data);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'=' {
            bytes.push(*first);
            continue;
        }
        let digits = after
            .first_chunk::<2>()
            .and_then(|d| str::from_utf8(d).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()));
        if let Some(Ok(byte)) = digits.map(|digits| u8::from_str_radix(digits, 16)) {
            bytes.push(byte);
            rest = &after[2..];
            continue;
        }
        // A line that goes on in the next one.
        let blanks = after
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
        match after[blanks.count()..].split_first() {
            Some((b'\n', next)) => rest = next,
            Some(_) => bytes.push(b'='),
            None => rest = &[],
        }
    }
    bytes
}

/// Decodes base64 of both alphabets. Skips all other characters, and needs no padding.
pub(in crate::readers) fn base64(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(data.len() / 4 * 3);
    let (mut group, mut length) = (0_u32, 0);
    for byte in data {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                end_of_base64(group, length, &mut bytes);
                (group, length) = (0, 0);
                continue;
            }
            _ => continue,
        };
        (group, length) = (group << 6 | u32::from(six), length + 1);
        if length == 4 {
            bytes.extend_from_slice(&group.to_be_bytes()[1..]);
            (group, length) = (0, 0);
        }
    }
    end_of_base64(group, length, &mut bytes);
    bytes
}

/// Writes the bytes of a group of fewer than four letters.
fn end_of_base64(group: u32, length: u32, bytes: &mut Vec<u8>) {
    if length >= 2 {
        let whole = (group << (6 * (4 - length))).to_be_bytes();
        bytes.extend_from_slice(&whole[1..length as usize]);
    }
}

/// Returns whether decoded bytes are text, which those of plain words never are.
fn is_text(bytes: &[u8], charset: Option<Charset>) -> bool {
    let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    let is_in_charset = |charset: Charset| !charset.decode(bytes).1;
    !bytes.is_empty()
        && !bytes.iter().any(is_control)
        && (str::from_utf8(bytes).is_ok() || charset.is_some_and(is_in_charset))
}

/// Returns the length of the lines of base64 at the beginning: up to one with padding, or one that is shorter than the
/// first.
fn base64_length(raw: &[u8]) -> usize {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let (mut length, mut longest) = (0, 0);
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let letters = line.trim_ascii();
        if !letters.iter().all(is_letter) {
            break;
        }
        length += line.len();
        longest = longest.max(letters.len());
        if !letters.is_empty() && (letters.len() < longest || letters.ends_with(b"=")) {
            break;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_an_encoding_cost_nothing_else() {
        assert_eq!(
            quoted_printable(b"a=ZZ 100% = done =C3=B6= \r\nx =e2=82=ac=4"),
            "a=ZZ 100% = done öx €=4".as_bytes()
        );
        for (encoded, plain) in [
            (&b"R3LDtsOfZQ"[..], "Größe"),
            (b"!R3LD tsOf*\r\nZQ==", "Größe"),
            (b"YQ==Yg==", "ab"),
            (b"w7_Dvz8-", "ÿÿ?>"),
            (b"A", ""),
        ] {
            assert_eq!(base64(encoded), plain.as_bytes());
        }
    }
}
