//! Parses JSON with common mistakes of servers: half surrogate pairs, `NaN` and bare control characters.

use serde_json::Value;

/// Parses a message. Returns `None` if it is not JSON even after repairs.
pub(super) fn read(text: &[u8]) -> Option<Value> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    serde_json::from_slice(text)
        .or_else(|_| serde_json::from_str(&repaired(&String::from_utf8_lossy(text))))
        .ok()
}

/// Corrects the known mistakes. Everything else is unchanged.
fn repaired(text: &str) -> String {
    let mut repaired = String::with_capacity(text.len());
    let (mut rest, mut is_string) = (text, false);
    while let Some(first) = rest.chars().next() {
        let mut taken = first.len_utf8();
        match first {
            '"' => {
                is_string = !is_string;
                repaired.push(first);
            }
            '\\' if is_string => match escape(rest) {
                Some(Escape::Whole(length)) => {
                    taken = length;
                    repaired.push_str(&rest[..length]);
                }
                Some(Escape::HalfPair) => {
                    taken = 6;
                    repaired.push(char::REPLACEMENT_CHARACTER);
                }
                Some(Escape::Unknown) => repaired.push_str("\\\\"),
                None => repaired.push(first),
            },
            control if is_string && control < ' ' => {
                let (high, low) = (u32::from(control) / 16, u32::from(control) % 16);
                repaired.push_str("\\u00");
                repaired
                    .extend([high, low].map(|digit| char::from_digit(digit, 16).unwrap_or('0')));
            }
            _ if !is_string => match NUMBERS.iter().find(|word| rest.starts_with(**word)) {
                Some(word) => {
                    taken = word.len();
                    repaired.push_str("null");
                }
                None => repaired.push(first),
            },
            other => repaired.push(other),
        }
        rest = &rest[taken..];
    }
    repaired
}

/// Numbers that other languages write and JSON lacks.
const NUMBERS: [&str; 10] = [
    "-NaN",
    "NaN",
    "-nan",
    "nan",
    "-Infinity",
    "Infinity",
    "-infinity",
    "infinity",
    "-inf",
    "inf",
];

enum Escape {
    /// The length of a valid escape sequence, in bytes.
    Whole(usize),
    /// One half of a surrogate pair without the other.
    HalfPair,
    /// An escape that JSON lacks, such as `\'`. Its backslash is text.
    Unknown,
}

/// Reads the escape sequence at the beginning of `text`.
fn escape(text: &str) -> Option<Escape> {
    let Some(code) = unit(text) else {
        let second = text[1..].chars().next()?;
        return Some(if "\"\\/bfnrt".contains(second) {
            Escape::Whole(2)
        } else {
            Escape::Unknown
        });
    };
    Some(match code {
        0xD800..=0xDBFF if matches!(text.get(6..).and_then(unit), Some(0xDC00..=0xDFFF)) => {
            Escape::Whole(12)
        }
        0xD800..=0xDFFF => Escape::HalfPair,
        _ => Escape::Whole(6),
    })
}

/// Reads the number of a `\u` with four hexadecimal digits at the beginning of `text`.
fn unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn half_an_emoji_is_replaced_and_a_whole_one_stays() {
        for (text, read_as) in [
            (r#"["a\ud83d"]"#, json!(["a\u{fffd}"])),
            (r#"["\ude00b"]"#, json!(["\u{fffd}b"])),
            (r#"["\ud83d\u0041"]"#, json!(["\u{fffd}A"])),
            (r#"["\ud83d\ud83d\ude00"]"#, json!(["\u{fffd}😀"])),
            (r#"["\\ud83d"]"#, json!(["\\ud83d"])),
            (r#"["\"\ud83d"]"#, json!(["\"\u{fffd}"])),
        ] {
            assert_eq!(read(text.as_bytes()), Some(read_as), "{text}");
        }
    }

    #[test]
    fn numbers_and_controls_that_json_lacks_are_read_outside_and_inside_strings() {
        assert_eq!(
            read(b"{\"a\":NaN,\"b\":[-Infinity,Infinity],\"c\":\"NaN\t\x01\"}"),
            Some(json!({ "a": null, "b": [null, null], "c": "NaN\t\u{1}" }))
        );
        assert_eq!(
            read(b"[nan,-nan,inf,-inf,-NaN,infinity]"),
            Some(json!([null, null, null, null, null, null]))
        );
        assert_eq!(read(b"\xEF\xBB\xBF[1]"), Some(json!([1])));
        assert_eq!(read(b"[\"\xff\"]"), Some(json!(["\u{fffd}"])));
    }

    #[test]
    fn an_escape_that_json_lacks_is_text() {
        for (text, read_as) in [
            (r#"["it\'s"]"#, json!(["it\\'s"])),
            (r#"["\x41\n"]"#, json!(["\\x41\n"])),
            (r#"["\u12"]"#, json!(["\\u12"])),
            (r#"["C:\dir\""]"#, json!(["C:\\dir\""])),
        ] {
            assert_eq!(read(text.as_bytes()), Some(read_as), "{text}");
        }
    }

    #[test]
    fn other_invalid_json_is_still_refused() {
        for text in ["", "banner", "{", "{\"a\":}", "[\"\\", "[\"\\ud8"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }
}
