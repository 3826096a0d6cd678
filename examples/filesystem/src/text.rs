//! Finds out whether bytes are text, and decodes them. Nothing declares the encoding of a file.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// What formats begin with whose words are in markup or encoded: RTF, PDF, PostScript, web archives.
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

/// Returns whether a file that begins with these bytes can be text. Formats whose words are in markup or encoded are not.
pub(crate) fn may_be_text(beginning: &[u8]) -> bool {
    if wide(beginning).is_none() && beginning.contains(&0) {
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

/// Decodes text: by its byte order mark, as UTF-8, or in the most likely encoding. Returns none for other bytes.
pub(crate) fn decoded(bytes: Vec<u8>) -> Option<(String, &'static Encoding)> {
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes).or_else(|| wide(&bytes)) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return Some((text.into_owned(), encoding));
    }
    let bytes = match String::from_utf8(bytes) {
        Ok(text) if is_japanese_in_seven_bits(&text) => text.into_bytes(),
        Ok(text) => return Some((text, UTF_8)),
        Err(error) => error.into_bytes(),
    };
    if is_damaged_utf_8(&bytes) {
        return Some((String::from_utf8_lossy(&bytes).into_owned(), UTF_8));
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    let (text, had_errors) = encoding.decode_without_bom_handling(&bytes);
    (!had_errors && !text.contains(is_odd)).then(|| (text.into_owned(), encoding))
}

/// Returns the encoding of UTF-16, and the length of its mark. Without a mark, it is text in one byte order, and its bytes
/// alone are none. Its zeros are the upper halves of ASCII, so they are in one half only.
fn wide(bytes: &[u8]) -> Option<(&'static Encoding, usize)> {
    if let Some(marked) = Encoding::for_bom(bytes) {
        return Some(marked);
    }
    let is_plain = |byte: &&u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    if bytes.iter().filter(is_plain).count() * 4 >= bytes.len() * 3 {
        return None;
    }
    let zeros = |first: usize| bytes.iter().skip(first).step_by(2).filter(|it| **it == 0);
    let encoding = match (zeros(0).count(), zeros(1).count()) {
        (0, 1..) => UTF_16LE,
        (1.., 0) => UTF_16BE,
        _ => return None,
    };
    // The last character may be cut.
    let (text, _) = encoding.decode_without_bom_handling(&bytes[..bytes.len() & !1]);
    let text = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
    let of_text = |c: &char| c.is_alphanumeric() || c.is_whitespace() || c.is_ascii_punctuation();
    let (all, usual) = (text.chars().count(), text.chars().filter(of_text).count());
    let is_text = all >= 4 && usual * 20 >= all * 19 && !text.contains(is_odd);
    is_text.then_some((encoding, 0))
}

fn is_odd(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{85}')
}

/// Returns whether most of what is beyond ASCII is valid UTF-8. One bad byte must not change the encoding of all others.
fn is_damaged_utf_8(bytes: &[u8]) -> bool {
    let (mut valid, mut invalid) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        invalid += chunk.invalid().len();
    }
    invalid > 0 && valid >= invalid
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
