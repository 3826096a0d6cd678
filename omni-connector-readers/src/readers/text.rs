//! Decodes text by byte order mark, as UTF-8, or by detection.

use std::borrow::Cow;

use chardetng::EncodingDetector;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{Refusal, parts::Parts};

pub(super) fn read(data: &[u8], parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let text = decode(data, None, parts);
    if text.starts_with("{\\rtf") {
        return Err("RTF is not read".to_owned());
    }
    parts.text(&text);
    Ok(())
}

/// Decodes by the byte order mark, else by the encoding that the file `declares`, else as UTF-8,
/// else by detection. Omni decodes everything as UTF-8.
pub(super) fn decode<'a>(
    data: &'a [u8],
    declares: Option<&'static Encoding>,
    parts: &mut Parts<'_>,
) -> Cow<'a, str> {
    let (encoding, text) = decoded(data, declares);
    if encoding != UTF_8 && std::str::from_utf8(data).ok() != Some(&*text) {
        parts.omni_loses(&format!("text in {}", encoding.name()));
    }
    text
}

/// Decodes the beginning of a file to inspect it.
pub(super) fn peek(data: &[u8], bytes: usize) -> Cow<'_, str> {
    decoded(&data[..data.len().min(bytes)], None).1
}

/// Decodes text whose encoding nothing declares.
pub(super) fn detected(data: &[u8]) -> Cow<'_, str> {
    decoded(data, None).1
}

fn decoded<'a>(
    data: &'a [u8],
    declares: Option<&'static Encoding>,
) -> (&'static Encoding, Cow<'a, str>) {
    if let Some((encoding, length)) = Encoding::for_bom(data) {
        return (
            encoding,
            encoding.decode_without_bom_handling(&data[length..]).0,
        );
    }
    if let Some(encoding) = utf_16_without_mark(data) {
        return (encoding, encoding.decode_without_bom_handling(data).0);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        // Valid UTF-8 can only be in an ASCII-compatible encoding if that encoding uses escape
        // sequences.
        return match declares {
            Some(encoding) if !encoding.is_ascii_compatible() => {
                (encoding, encoding.decode_without_bom_handling(data).0)
            }
            _ => (UTF_8, Cow::Borrowed(text)),
        };
    }
    if let Some(encoding) = declares {
        let (text, had_errors) = encoding.decode_without_bom_handling(data);
        if !had_errors {
            return (encoding, text);
        }
    }
    let mut detector = EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    detector.feed(data, true);
    let encoding = detector.guess(None, chardetng::Utf8Detection::Deny);
    let (text, had_errors) = encoding.decode_without_bom_handling(data);
    if had_errors || is_noise(encoding, &text) {
        return (UTF_8, String::from_utf8_lossy(data));
    }
    (encoding, text)
}

/// Returns whether the text is binary data. No word of a Western language begins with `ÿ`, the byte
/// 0xFF, which is frequent in binary data.
fn is_noise(encoding: &Encoding, text: &str) -> bool {
    encoding == WINDOWS_1252 && (text.starts_with('ÿ') || text.contains(" ÿ"))
}

/// Detects UTF-16 without a mark: every other byte of the beginning is NUL.
fn utf_16_without_mark(data: &[u8]) -> Option<&'static Encoding> {
    let beginning = &data[..data.len().min(512) & !1];
    let pairs = beginning.len() / 2;
    if pairs < 4 || data.len() % 2 == 1 {
        return None;
    }
    let zeros = |first: usize| {
        let half = beginning.iter().skip(first).step_by(2);
        half.filter(|byte| **byte == 0).count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    if odd * 10 >= pairs * 9 && even == 0 {
        Some(UTF_16LE)
    } else if even * 10 >= pairs * 9 && odd == 0 {
        Some(UTF_16BE)
    } else {
        None
    }
}
