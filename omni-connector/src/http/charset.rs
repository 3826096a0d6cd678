//! Decodes the text of an answer: UTF-8, UTF-16 and Latin-1. These are what APIs send.

use std::borrow::Cow;

use reqwest::header::{CONTENT_TYPE, HeaderMap};

/// The characters of windows-1252 from 0x80 to 0x9f, where Latin-1 has only control characters. Browsers, and so servers, take
/// the one for the other.
const UPPER: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// Decodes a body: by its byte order mark, in the charset that the headers declare, or as UTF-8. Bytes that do not fit are
/// replaced.
pub(super) fn decode<'body>(headers: &HeaderMap, body: &'body [u8]) -> Cow<'body, str> {
    match body {
        [0xef, 0xbb, 0xbf, text @ ..] => String::from_utf8_lossy(text),
        [0xff, 0xfe, text @ ..] => utf_16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => utf_16(text, u16::from_be_bytes),
        body => match (declared(headers).as_deref(), str::from_utf8(body)) {
            (Some("utf-16" | "utf-16le"), _) => utf_16(body, u16::from_le_bytes),
            (Some("utf-16be"), _) => utf_16(body, u16::from_be_bytes),
            // Servers that declare another charset often send UTF-8.
            (_, Ok(text)) => Cow::Borrowed(text),
            (
                Some(
                    "iso-8859-1" | "iso8859-1" | "latin1" | "windows-1252" | "cp1252" | "us-ascii",
                ),
                Err(_),
            ) => body.iter().copied().map(windows_1252).collect(),
            _ => String::from_utf8_lossy(body),
        },
    }
}

/// Returns the declared charset, in lower case.
fn declared(headers: &HeaderMap) -> Option<String> {
    let parameters = headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').skip(1);
    let mut pairs = parameters.filter_map(|parameter| parameter.split_once('='));
    let (_, label) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(label.trim().trim_matches(['"', '\'']).to_ascii_lowercase())
}

fn utf_16(body: &[u8], read: fn([u8; 2]) -> u16) -> Cow<'static, str> {
    let units = body.as_chunks().0.iter().map(|unit| read(*unit));
    let characters = char::decode_utf16(units);
    characters
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn windows_1252(byte: u8) -> char {
    let upper = byte
        .checked_sub(0x80)
        .and_then(|at| UPPER.chars().nth(at.into()));
    upper.unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_decoded_by_its_mark_or_in_its_declared_charset() {
        let utf_16 = |text: &str, order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(order).collect()
        };
        let text = "Größe – €";
        let latin = b"Gr\xf6\xdfe \x96 \x80".to_vec();
        for (kind, body) in [
            ("text/plain", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
            ("text/plain", text.into()),
            ("text/plain; charset=iso-8859-1", latin.clone()),
            ("text/plain;odata=full; Charset = \"Windows-1252\"", latin),
            ("text/plain; charset=latin1", text.into()),
            ("text/plain; charset=nonsense", text.into()),
            (
                "text/plain; charset=utf-16le",
                utf_16(text, u16::to_le_bytes),
            ),
            (
                "text/plain; charset=UTF-16BE",
                utf_16(text, u16::to_be_bytes),
            ),
            (
                "text/plain; charset=utf-8",
                utf_16(&format!("\u{feff}{text}"), u16::to_le_bytes),
            ),
            (
                "text/plain",
                utf_16(&format!("\u{feff}{text}"), u16::to_be_bytes),
            ),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
            assert_eq!(decode(&headers, &body), text, "{kind}");
        }
        assert_eq!(
            decode(&HeaderMap::new(), b"Gr\xf6\xdfe"),
            "Gr\u{fffd}\u{fffd}e"
        );
        // Beyond the table, and half a character.
        assert_eq!(windows_1252(0xff), 'ÿ');
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            "text/plain; charset=utf-16le".parse().unwrap(),
        );
        assert_eq!(decode(&headers, b"\x3d\xd8a\0b"), "\u{fffd}a");
    }
}
