//! Detects text in characters of two or four bytes, with and without a byte order mark. It must not take text of single
//! bytes for it, in which control characters separate words.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

/// Bytes at the beginning that decide.
const BEGINNING: usize = 512;

/// Decodes UTF-32. With a mark, a damaged character costs only itself.
pub(super) fn utf_32(data: &[u8]) -> Option<String> {
    let (quads, rest) = data.as_chunks::<4>();
    let characters = |quads: &[[u8; 4]], read: fn([u8; 4]) -> u32| {
        let read = quads.iter().map(|quad| char::from_u32(read(*quad)));
        read.collect::<Vec<_>>()
    };
    let (marked, read): (_, fn([u8; 4]) -> u32) = match quads.first()? {
        b"\xff\xfe\0\0" => (true, u32::from_le_bytes),
        b"\0\0\xfe\xff" => (true, u32::from_be_bytes),
        [0, 0, ..] => (false, u32::from_be_bytes),
        [.., 0, 0] => (false, u32::from_le_bytes),
        _ => return None,
    };
    let start = usize::from(marked);
    let characters = characters(&quads[start..], read);
    let is_text = |c: &Option<char>| c.is_some_and(|c| !c.is_control() || c.is_whitespace());
    if !marked && (characters.len() < 2 || !characters.iter().all(is_text)) {
        return None;
    }
    let cut = (!rest.is_empty()).then_some(char::REPLACEMENT_CHARACTER);
    let characters = characters.into_iter();
    let text = characters.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(text.chain(cut).collect())
}

/// Detects UTF-16 without a mark: one byte order gives text, and the bytes alone are none.
pub(super) fn utf_16(data: &[u8]) -> Option<&'static Encoding> {
    let beginning = &data[..data.len().min(BEGINNING) & !1];
    // Ideographs need no zero, but nearly every text of them has a byte of a control character.
    // Seven-bit text switches with three of them.
    let switches = |byte: u8| matches!(byte, 0x0e | 0x0f | 0x1b);
    let is_control =
        |byte: &&u8| byte.is_ascii_control() && !byte.is_ascii_whitespace() && !switches(**byte);
    let controls = beginning.iter().filter(is_control).count();
    if beginning.len() < 8 || controls == 0 || is_of_single_bytes(beginning, controls) {
        return None;
    }
    let plausible = [UTF_16LE, UTF_16BE].into_iter().filter_map(|encoding| {
        let text = encoding.decode_without_bom_handling(beginning).0;
        // The last character may be cut.
        let text = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
        let all = text.chars().count();
        let of_text = text.chars().filter(|c| is_of_text(*c)).count();
        let is_text = all > 0 && of_text * 20 >= all * 19;
        is_text.then(|| (familiar(text), encoding))
    });
    let best = plausible.max_by_key(|(familiar, _)| *familiar)?;
    Some(best.1)
}

/// Returns whether bytes are text without being paired: nearly all are ASCII, or the rest is UTF-8.
fn is_of_single_bytes(bytes: &[u8], controls: usize) -> bool {
    let is_plain = |byte: &&u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let plain = bytes.iter().filter(is_plain).count();
    let others: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let is_utf_8 = match str::from_utf8(&others) {
        Ok(_) => true,
        // The last character may be cut.
        Err(error) => error.error_len().is_none(),
    };
    let is_plain = plain * 4 >= bytes.len() * 3;
    !has_halves(bytes) && (is_plain || controls * 5 < bytes.len() * 2 && is_utf_8)
}

/// Returns whether one byte is frequent at all even or at all odd places, as the upper half of a script is.
fn has_halves(bytes: &[u8]) -> bool {
    (0..2).any(|first| {
        let mut counts = [0; 256];
        for byte in bytes.iter().skip(first).step_by(2) {
            counts[usize::from(*byte)] += 1;
        }
        let is_frequent = |count: &usize| *count > 3 && count * 5 >= bytes.len();
        counts.iter().any(is_frequent)
    })
}

/// Returns whether a character occurs in texts: letters, their marks, digits, signs and blanks.
fn is_of_text(c: char) -> bool {
    let is_mark_or_sign = matches!(
        c,
        '\u{a0}'..='\u{36f}'
            | '\u{591}'..='\u{1fff}'
            | '\u{2010}'..='\u{2027}'
            | '\u{2030}'..='\u{2bff}'
            | '\u{3000}'..='\u{303f}'
            | '\u{3099}'..='\u{30ff}'
            | '\u{ff00}'..='\u{ffef}'
            | '\u{1f000}'..='\u{1faff}'
    );
    c.is_alphanumeric() || c.is_ascii_graphic() || c.is_whitespace() || is_mark_or_sign
}

/// Counts the characters that the wrong byte order hardly gives: those of ASCII, and neighbours of one script.
fn familiar(text: &str) -> usize {
    let ascii = text.chars().filter(char::is_ascii).count();
    let neighbours = text.chars().zip(text.chars().skip(1));
    let of_one_script = |(a, b): &(char, char)| *a as u32 >> 8 == *b as u32 >> 8;
    ascii + neighbours.filter(of_one_script).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn text_in_pairs_of_bytes_is_known_in_every_script() {
        for text in [
            "The quarterly report",
            "Größere Straßen",
            "Квартальный отчёт",
            "四半期報告書には請求書が含まれています。",
            "季度报告包含北方仓库供应商的发票，请查收并确认。",
            "분기보고서에는 송장이 포함되어 있습니다.",
            "รายงานประจำไตรมาสมีใบแจ้งหนี้",
            "हिन्दी में रिपोर्ट",
            "يحتوي التقرير الفصلي",
            "naïve “quotes” – 5 €",
        ] {
            assert_eq!(
                utf_16(&wide(text, u16::to_le_bytes)),
                Some(UTF_16LE),
                "{text}"
            );
            assert_eq!(
                utf_16(&wide(text, u16::to_be_bytes)),
                Some(UTF_16BE),
                "{text}"
            );
            let quads: Vec<u8> = text
                .chars()
                .flat_map(|c| (c as u32).to_be_bytes())
                .collect();
            assert_eq!(utf_32(&quads).as_deref(), Some(text));
        }
    }

    #[test]
    fn control_characters_between_words_make_no_pairs() {
        for text in [
            "one\0two\0three\0four",
            "ab\0cd\0ef\0gh\0ij\0kl\0",
            "PATH=/usr/bin\0HOME=/root\0",
            "Größe\0Straße\0",
            "会议\0纪要\0报告\0",
            "<p>one\0two",
            "\u{1}field one\u{1}field two\u{1}",
        ] {
            assert_eq!(utf_16(text.as_bytes()), None, "{text:?}");
            assert_eq!(utf_32(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(utf_16(b"Gr\xf6\xdfe der Stra\xdfe\0\xdcbergabe"), None);
    }

    #[test]
    fn a_damaged_character_of_four_bytes_costs_itself() {
        let mut data = b"\xff\xfe\0\0".to_vec();
        data.extend("ab".chars().flat_map(|c| (c as u32).to_le_bytes()));
        data.splice(8..8, [0xff; 4]);
        data.push(b'c');
        assert_eq!(utf_32(&data).as_deref(), Some("a\u{fffd}b\u{fffd}"));
    }
}
