//! Decodes text by byte order mark, as UTF-8, or by detection.

use std::borrow::Cow;

use chardetng::EncodingDetector;
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{
    Refusal,
    charset::{self, Charset},
    parts::Parts,
};

pub(super) fn read(data: &[u8], parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let text = decode(data, None, parts);
    if text.starts_with("{\\rtf") {
        return Err("RTF is not read".to_owned());
    }
    parts.text(&text);
    Ok(())
}

/// Decodes by the byte order mark, else by the charset that the file `declares`, else as UTF-8,
/// else by detection. Omni decodes everything as UTF-8.
pub(super) fn decode<'a>(
    data: &'a [u8],
    declares: Option<Charset>,
    parts: &mut Parts<'_>,
) -> Cow<'a, str> {
    let (charset, text) = decoded(data, declares);
    if charset != UTF_8.name() && std::str::from_utf8(data).ok() != Some(&*text) {
        parts.omni_loses(&format!("text in {charset}"));
    }
    text
}

/// Decodes text by the name of a charset that may be unknown. The letters beyond ASCII are then detected, or left out if
/// the charset is one that detection does not know either.
pub(super) fn decode_as<'a>(data: &'a [u8], label: &str, parts: &mut Parts<'_>) -> Cow<'a, str> {
    let declared = Charset::of(label);
    if declared.is_none() && is_doubtful(label, data) {
        let (text, why) = guessed(label, data);
        parts.lost(LETTERS, why);
        return text;
    }
    decode(data, declared, parts)
}

/// The loss of text whose charset is unknown.
pub(super) const LETTERS: &str = "letters beyond ASCII";

/// Returns whether text has letters in a charset that has a name and that nothing here decodes.
pub(super) fn is_doubtful(label: &str, data: &[u8]) -> bool {
    let is_known = Charset::of(label).is_some() || charset::says_nothing(label);
    !is_known && std::str::from_utf8(data).is_err()
}

/// Decodes doubtful text as well as possible. Returns also what was done, for the report.
pub(super) fn guessed<'a>(label: &str, data: &'a [u8]) -> (Cow<'a, str>, String) {
    let name: String = label.trim().chars().take(40).collect();
    if let Some(text) = charset::plain_words(label, data) {
        let why = format!("the charset `{name}` cannot be decoded, so they are left out");
        return (Cow::Owned(text), why);
    }
    let (guess, text) = decoded(data, None);
    let why =
        format!("the charset `{name}` is unknown; they are read as {guess}, which may be wrong");
    (text, why)
}

/// Decodes the beginning of a file to inspect it.
pub(super) fn peek(data: &[u8], bytes: usize) -> Cow<'_, str> {
    decoded(&data[..data.len().min(bytes)], None).1
}

/// Decodes text whose charset nothing declares.
pub(super) fn detected(data: &[u8]) -> Cow<'_, str> {
    decoded(data, None).1
}

/// Returns the name of the charset and the text.
fn decoded(data: &[u8], declares: Option<Charset>) -> (&'static str, Cow<'_, str>) {
    let web = |encoding: &'static Encoding, data| {
        (
            encoding.name(),
            encoding.decode_without_bom_handling(data).0,
        )
    };
    if let Some(text) = utf_32(data) {
        return ("UTF-32", Cow::Owned(text));
    }
    if let Some((encoding, length)) = Encoding::for_bom(data) {
        return web(encoding, &data[length..]);
    }
    if let Some(encoding) = utf_16_without_mark(data) {
        return web(encoding, data);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        // Valid UTF-8 can only be in another charset if that charset uses escape sequences.
        return match declares {
            Some(charset) if !charset.is_ascii_compatible() => {
                (charset.name(), charset.decode(data).0)
            }
            None if is_japanese_in_seven_bits(data) => web(ISO_2022_JP, data),
            _ => (UTF_8.name(), Cow::Borrowed(text)),
        };
    }
    if let Some(charset) = declares {
        let (text, had_errors) = charset.decode(data);
        if !had_errors {
            return (charset.name(), text);
        }
    }
    if is_damaged_utf_8(data) {
        return (UTF_8.name(), String::from_utf8_lossy(data));
    }
    let mut detector = EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    detector.feed(data, true);
    let encoding = detector.guess(None, chardetng::Utf8Detection::Deny);
    let (text, had_errors) = encoding.decode_without_bom_handling(data);
    if had_errors || is_noise(encoding, &text) {
        return (UTF_8.name(), String::from_utf8_lossy(data));
    }
    (encoding.name(), text)
}

/// Returns whether the text is binary data. No word of a Western language begins with `ÿ`, the byte
/// 0xFF, which is frequent in binary data.
fn is_noise(encoding: &Encoding, text: &str) -> bool {
    encoding == WINDOWS_1252 && (text.starts_with('ÿ') || text.contains(" ÿ"))
}

/// Returns whether most characters beyond ASCII are valid UTF-8. One bad byte must not change the charset of all others.
fn is_damaged_utf_8(data: &[u8]) -> bool {
    let (mut valid, mut invalid) = (0, 0);
    for chunk in data.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        invalid += chunk.invalid().len();
    }
    valid >= 2 * invalid
}

/// Returns whether ASCII has the escape sequences with which ISO-2022-JP begins Japanese, and its bytes are valid in it.
fn is_japanese_in_seven_bits(data: &[u8]) -> bool {
    let begins = |at: &[u8]| at == b"\x1b$B" || at == b"\x1b$@";
    data.is_ascii()
        && data.windows(3).any(begins)
        && !ISO_2022_JP.decode_without_bom_handling(data).1
}

/// Decodes UTF-32 by its byte order mark.
fn utf_32(data: &[u8]) -> Option<String> {
    let (quads, rest) = data.as_chunks::<4>();
    let (first, quads) = quads.split_first()?;
    let read: fn([u8; 4]) -> u32 = match first {
        b"\xff\xfe\0\0" => u32::from_le_bytes,
        b"\0\0\xfe\xff" => u32::from_be_bytes,
        _ => return None,
    };
    let text: Option<String> = quads
        .iter()
        .map(|quad| char::from_u32(read(*quad)))
        .collect();
    text.filter(|_| rest.is_empty())
}

/// Detects UTF-16 without a mark in the beginning of data that has NUL bytes: one byte order gives only characters of
/// text, the blanks of ASCII among them.
fn utf_16_without_mark(data: &[u8]) -> Option<&'static Encoding> {
    let beginning = &data[..data.len().min(512) & !1];
    if beginning.len() < 8 || data.len() % 2 == 1 || !beginning.contains(&0) {
        return None;
    }
    [UTF_16LE, UTF_16BE].into_iter().find(|encoding| {
        let text = encoding.decode_without_bom_handling(beginning).0;
        // The last character may be cut.
        let text = text.trim_end_matches('\u{fffd}');
        let all = text.chars().count();
        let of_text =
            |c: &char| c.is_alphanumeric() || c.is_ascii_graphic() || c.is_ascii_whitespace();
        let ascii = text.chars().filter(char::is_ascii).count();
        all > 0 && text.chars().filter(of_text).count() * 20 >= all * 19 && ascii * 20 >= all
    })
}
