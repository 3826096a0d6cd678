//! Decodes text by byte order mark, as UTF-8, or by detection.

use std::borrow::Cow;

use chardetng::EncodingDetector;
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, WINDOWS_1250, WINDOWS_1252};

use super::{
    Refusal,
    charset::{self, Charset},
    parts::Parts,
    western, wide,
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

/// Returns the name of the likely charset.
pub(super) fn charset_of(data: &[u8]) -> &'static str {
    decoded(data, None).0
}

/// Returns the name of the charset and the text.
fn decoded(data: &[u8], declares: Option<Charset>) -> (&'static str, Cow<'_, str>) {
    let web = |encoding: &'static Encoding, data| {
        (
            encoding.name(),
            encoding.decode_without_bom_handling(data).0,
        )
    };
    if let Some(text) = wide::utf_32(data) {
        return ("UTF-32", Cow::Owned(text));
    }
    if let Some((encoding, length)) = Encoding::for_bom(data) {
        return web(encoding, &data[length..]);
    }
    if let Some(encoding) = wide::utf_16(data) {
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
    let mut encoding = detector.guess(None, chardetng::Utf8Detection::Deny);
    let (mut text, had_errors) = encoding.decode_without_bom_handling(data);
    if encoding == WINDOWS_1252 && is_hungarian(&text) {
        encoding = WINDOWS_1250;
        text = encoding.decode_without_bom_handling(data).0;
    }
    if let Some((name, better)) = western::better(data, encoding, &text) {
        return (name, Cow::Owned(better));
    }
    if had_errors || is_noise(encoding, &text) {
        return (UTF_8.name(), String::from_utf8_lossy(data));
    }
    (encoding.name(), text)
}

/// Returns whether a text is Hungarian in the wrong charset: `õ` and `û`, which no language has beside `ö` or `ü` and
/// accents, stand for `ő` and `ű`.
fn is_hungarian(text: &str) -> bool {
    let letters: Vec<char> = text
        .chars()
        .filter(|c| !c.is_ascii() && c.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect();
    let has = |some: &str| letters.iter().any(|c| some.contains(*c));
    has("õû") && has("öü") && has("áéíóú") && letters.iter().all(|c| "áéíóöúüõû".contains(*c))
}

/// Returns whether the text is binary data. No word of a Western language begins with `ÿ`, the byte
/// 0xFF, which is frequent in binary data.
fn is_noise(encoding: &Encoding, text: &str) -> bool {
    encoding == WINDOWS_1252 && (text.starts_with('ÿ') || text.contains(" ÿ"))
}

/// Returns whether most characters beyond ASCII are valid UTF-8. One bad byte must not change the charset of all others.
fn is_damaged_utf_8(data: &[u8]) -> bool {
    let (mut valid, mut invalid, mut is_within_invalid) = (0, 0, false);
    for chunk in data.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        // A character in a damaged form has several bad bytes.
        let continues = is_within_invalid && chunk.valid().is_empty();
        is_within_invalid = !chunk.invalid().is_empty();
        invalid += usize::from(is_within_invalid && !continues);
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
