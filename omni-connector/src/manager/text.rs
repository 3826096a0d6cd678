//! Writes strings as JSON. Most of a run's output is strings, and few characters need escaping.

/// Bytes checked together in a loop without branches, which the compiler turns into a few vector instructions.
const TOGETHER: usize = 32;

/// Replaces the control characters that the manager removes by blanks (`protocol.md` §3.5). Without them it would join the
/// words on both sides.
pub(super) fn with_blanks(text: String) -> String {
    let is_removed = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    // Few texts have such a byte, and bytes are compared faster than characters.
    let mut blocks = text.as_bytes().chunks(TOGETHER);
    let may_be_removed = blocks.any(|block| {
        block
            .iter()
            .fold(false, |found, byte| found | begins_control(*byte))
    });
    if may_be_removed && text.contains(is_removed) {
        text.replace(is_removed, " ")
    } else {
        text
    }
}

/// Returns whether a byte can begin a control character that the manager removes. Those from U+0080 begin with `C2`.
const fn begins_control(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\n' && byte != b'\r' && byte != b'\t') || byte == 0x7f || byte == 0xc2
}

/// Appends a JSON string without U+0000: the manager answers it with 500 every time (`protocol.md` §3.1).
pub(super) fn write(json: &mut Vec<u8>, text: &str) {
    json.push(b'"');
    let (mut rest, mut plain) = (text.as_bytes(), 0);
    while let Some(chunk) = rest[plain..].first_chunk::<TOGETHER>() {
        if !chunk
            .iter()
            .fold(false, |found, byte| found | is_escaped(*byte))
        {
            plain += TOGETHER;
            continue;
        }
        let (known, after) = rest.split_at(plain + TOGETHER);
        json.extend_from_slice(&known[..plain]);
        write_escaped(json, &known[plain..]);
        (rest, plain) = (after, 0);
    }
    // The remainder is shorter than one block; titles and names start this short.
    if is_any_escaped(&rest[plain..]) {
        json.extend_from_slice(&rest[..plain]);
        write_escaped(json, &rest[plain..]);
    } else {
        json.extend_from_slice(rest);
    }
    json.push(b'"');
}

const fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn is_any_escaped(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks();
    words.iter().any(|word| is_any_of_eight_escaped(*word))
        || rest.iter().any(|byte| is_escaped(*byte))
}

/// Eight bytes in one register. Taking `n` from a byte borrows from its top bit when the byte is below `n` (and had that bit
/// clear): <https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord>.
const fn is_any_of_eight_escaped(bytes: [u8; 8]) -> bool {
    const fn all(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    const fn below(word: u64, limit: u8) -> u64 {
        word.wrapping_sub(all(limit)) & !word & all(0x80)
    }
    let word = u64::from_ne_bytes(bytes);
    below(word, 0x20) | below(word ^ all(b'"'), 1) | below(word ^ all(b'\\'), 1) != 0
}

fn write_escaped(json: &mut Vec<u8>, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for &byte in bytes {
        match byte {
            0 => {}
            b'"' | b'\\' => json.extend([b'\\', byte]),
            b'\n' => json.extend(b"\\n"),
            b'\r' => json.extend(b"\\r"),
            b'\t' => json.extend(b"\\t"),
            0x08 => json.extend(b"\\b"),
            0x0c => json.extend(b"\\f"),
            control @ ..0x20 => {
                let [high, low] = [control >> 4, control & 0xf];
                let digits = [high, low].map(|digit| HEX[usize::from(digit)]);
                json.extend(b"\\u00");
                json.extend(digits);
            }
            plain => json.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_characters_join_no_words() {
        for (text, sent) in [
            (
                "first\u{b}second\u{c}third\u{85}fourth\0fifth\u{7f}",
                "first second third fourth fifth ",
            ),
            (
                "line\r\nnext\ttab\u{a0}\u{ad}",
                "line\r\nnext\ttab\u{a0}\u{ad}",
            ),
        ] {
            assert_eq!(with_blanks(text.to_owned()), sent);
        }
    }

    proptest! {
        #[test]
        fn every_control_character_but_line_ends_and_tabs_becomes_a_blank(
            text in prop_oneof![any::<String>(), r"[\x00-\xff]{0,100}", r"[a-zé\x7f\u{80}-\u{a0}\n]{0,100}"]
        ) {
            let is_kept = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
            let expected: String = text.chars().map(|c| if is_kept(c) { c } else { ' ' }).collect();
            prop_assert_eq!(with_blanks(text), expected);
        }

        #[test]
        fn a_text_is_written_as_serde_json_writes_it(
            text in prop_oneof![any::<String>(), r"[\x00-\x7f]{0,200}", r#"[a-z "\\é\n]{0,300}"#]
        ) {
            let mut json = Vec::new();
            write(&mut json, &text);
            let theirs = serde_json::to_string(&text.replace('\0', "")).unwrap();
            prop_assert_eq!(String::from_utf8(json).unwrap(), theirs);
        }
    }
}
