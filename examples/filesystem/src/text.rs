//! Decides whether a file is text, and decodes it.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use crate::file::Content;

/// The beginnings of formats whose words are in markup or encoded: RTF, PDF, PostScript, web archives.
const FORMATS: &[&str] = &["{\\rtf", "%PDF-", "%!PS", "MIME-Version:"];
/// The signs of an office file that is a single XML file.
const OFFICE: &[&str] = &[
    "<?mso-application",
    "<office:document",
    "<w:wordDocument",
    "<pkg:package",
    "urn:schemas-microsoft-com:office:spreadsheet",
    "<VisioDocument",
];

/// Returns whether a file that begins with these bytes can be text. Zero bytes are allowed only after a mark of UTF-16,
/// or in a file that is called text. Formats whose words are in markup or encoded are excluded, and mailboxes.
pub(crate) fn may_be_text(beginning: &[u8], is_called_text: bool) -> bool {
    if !is_called_text && Encoding::for_bom(beginning).is_none() && beginning.contains(&0) {
        return false;
    }
    let head = String::from_utf8_lossy(beginning);
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let is_mailbox = head.starts_with("From ")
        && head.lines().nth(1).is_some_and(|line| {
            let name = line.split_once(": ").map_or("", |(name, _)| name);
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
    let is_xml = head.starts_with("<?xml");
    let is_office = OFFICE
        .iter()
        .any(|sign| head.starts_with(sign) || is_xml && head.contains(sign));
    !(is_mailbox || is_office || FORMATS.iter().any(|begin| head.starts_with(begin)))
}

/// Decodes text: by its byte order mark, as UTF-8, or in the most likely encoding. Other bytes have no content.
pub(crate) fn decoded(bytes: Vec<u8>) -> Content {
    if let Some(text) = utf_32(&bytes) {
        return Content::Text(text, encoding_rs::UTF_8);
    }
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
        return Content::Text(
            encoding
                .decode_without_bom_handling(&bytes[mark..])
                .0
                .into_owned(),
            encoding,
        );
    }
    let mut bytes = bytes;
    if bytes.contains(&0) {
        if let Some((text, encoding)) = utf_16(&bytes) {
            return Content::Text(text, encoding);
        }
        // Some programs separate words by zeros. Binary data have other control characters as well.
        if bytes
            .iter()
            .any(|byte| *byte != 0 && is_odd(char::from(*byte)) && byte.is_ascii())
        {
            return Content::Nothing;
        }
        for zero in bytes.iter_mut().filter(|byte| **byte == 0) {
            *zero = b' ';
        }
    }
    let bytes = match String::from_utf8(bytes) {
        Ok(text) if is_japanese_in_seven_bits(&text) => text.into_bytes(),
        Ok(text) => return Content::Text(text, encoding_rs::UTF_8),
        Err(error) => error.into_bytes(),
    };
    if is_damaged_utf_8(&bytes) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        return Content::Text(text, encoding_rs::UTF_8);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    let (text, had_errors) = encoding.decode_without_bom_handling(&bytes);
    if had_errors || text.contains(is_odd) {
        return Content::Nothing;
    }
    Content::Text(text.into_owned(), encoding)
}

/// Returns whether most characters beyond ASCII are valid UTF-8. One bad byte must not change the encoding of all others.
fn is_damaged_utf_8(bytes: &[u8]) -> bool {
    let (mut valid, mut invalid, mut is_within) = (0, 0, false);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        // A character in a damaged form has several bad bytes.
        let continues = is_within && chunk.valid().is_empty();
        is_within = !chunk.invalid().is_empty();
        invalid += usize::from(is_within && !continues);
    }
    invalid > 0 && valid >= 2 * invalid
}

/// Returns whether ASCII has the escape sequences with which ISO-2022-JP begins Japanese.
fn is_japanese_in_seven_bits(text: &str) -> bool {
    let escaped = text.contains("\u{1b}$B") || text.contains("\u{1b}$@");
    escaped
        && text.is_ascii()
        && !encoding_rs::ISO_2022_JP
            .decode_without_bom_handling(text.as_bytes())
            .1
}

/// Returns whether a character is one that no text has.
fn is_odd(c: char) -> bool {
    c.is_control()
        && !matches!(
            c,
            '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1b}' | '\u{85}'
        )
}

/// Decodes UTF-32 by its byte order mark.
fn utf_32(bytes: &[u8]) -> Option<String> {
    let (quads, _) = bytes.as_chunks::<4>();
    let read: fn([u8; 4]) -> u32 = match quads.first()? {
        b"\xff\xfe\0\0" => u32::from_le_bytes,
        b"\0\0\xfe\xff" => u32::from_be_bytes,
        _ => return None,
    };
    let characters = quads[1..].iter().map(|quad| char::from_u32(read(*quad)));
    characters.collect()
}

/// Decodes UTF-16 without a mark. One byte is then frequent at all even or all odd places: the upper half of a script.
fn utf_16(bytes: &[u8]) -> Option<(String, &'static Encoding)> {
    let halves = |first: usize| {
        let mut counts = [0; 256];
        for byte in bytes.iter().skip(first).step_by(2) {
            counts[usize::from(*byte)] += 1;
        }
        counts.into_iter().max().unwrap_or_default()
    };
    let (even, odd) = (halves(0), halves(1));
    if even.max(odd) <= 3 || even.max(odd) * 5 < bytes.len() {
        return None;
    }
    let encoding = if even > odd { UTF_16BE } else { UTF_16LE };
    let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
    (!had_errors && !text.contains(|c| c == '\0' || is_odd(c)))
        .then(|| (text.into_owned(), encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_zero_bytes_is_read() {
        let wide = |text: &str, order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(order).collect()
        };
        for text in [
            "The quarterly report",
            "Квартальный отчёт, счета",
            "รายงานประจำ ไตรมาส",
            "Größe",
        ] {
            for (encoding, bytes) in [
                (UTF_16LE, wide(text, u16::to_le_bytes)),
                (UTF_16BE, wide(text, u16::to_be_bytes)),
            ] {
                assert!(may_be_text(&bytes, true) && !may_be_text(&bytes, false));
                assert_eq!(decoded(bytes), Content::Text(text.to_owned(), encoding));
            }
        }
        let utf_8 = |text: &str| Content::Text(text.to_owned(), encoding_rs::UTF_8);
        assert_eq!(
            decoded("Größe\0Straße\0one\0two".into()),
            utf_8("Größe Straße one two")
        );
        assert_eq!(
            decoded(b"\xff\xfe\0\0h\0\0\0\xe9\0\0\0".to_vec()),
            utf_8("hé")
        );
        assert_eq!(decoded(b"\x7fELF\0\0one\x01two".to_vec()), Content::Nothing);
        assert_eq!(
            decoded(b"before \xed\xa0\xbd\xed\xb8\x80 gr\xc3\xb6\xc3\x9fe".to_vec()),
            utf_8(&format!("before {} größe", "\u{fffd}".repeat(6)))
        );
    }
}
