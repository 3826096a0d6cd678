//! Normalises texts before they are stored: uniform line ends and whitespace, no invisible
//! characters (`protocol.md` §3.5). So the same text in two spellings has one content id.

/// Appended where a text was cut.
const NOTICE: &str =
    "\n\n[Content truncated because extracted text exceeded the configured byte limit.]";

/// Normalises whitespace. Line ends become LF. Removes control characters except LF and TAB, and
/// the invisible U+200B, U+200C, U+200D, U+FEFF and U+00AD. Runs of adjacent space, TAB and NBSP
/// become one space. Trims each line and both ends; keeps at most one empty line in a row.
pub fn normalise(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut empty_lines = 0_usize;
    for line in lines(text) {
        let start = normal.len();
        if start > 0 {
            normal.extend(std::iter::repeat_n('\n', 1 + empty_lines.min(1)));
        }
        let content = normal.len();
        push_line(&mut normal, line);
        if normal.len() == content {
            normal.truncate(start);
            empty_lines += usize::from(start > 0);
        } else {
            empty_lines = 0;
        }
    }
    normal
}

/// Truncates a text to `limit` bytes, notice included, at a character boundary. Returns whether it did.
#[must_use = "a text that was cut is reported"]
pub fn truncate(text: &mut String, limit: usize) -> bool {
    if text.len() <= limit {
        return false;
    }
    text.truncate(text.floor_char_boundary(limit.saturating_sub(NOTICE.len())));
    text.push_str(NOTICE);
    true
}

/// Splits a text into lines that end in LF, CR or CRLF.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\n', '\r']) else {
            rest = None;
            return Some(text);
        };
        let ending = if text[end..].starts_with("\r\n") {
            2
        } else {
            1
        };
        rest = Some(&text[end + ending..]);
        Some(&text[..end])
    })
}

/// Appends a line, trimmed and without invisible characters.
fn push_line(normal: &mut String, line: &str) {
    let start = normal.len();
    let mut after_blank = false;
    for c in line.chars() {
        match c {
            ' ' | '\t' | '\u{a0}' => {
                if !after_blank {
                    normal.push(' ');
                }
                after_blank = true;
            }
            '\u{200b}'..='\u{200d}' | '\u{feff}' | '\u{ad}' => after_blank = false,
            c if c.is_control() => after_blank = false,
            c => {
                normal.push(c);
                after_blank = false;
            }
        }
    }
    let kept = normal[start..].trim_end().len();
    normal.truncate(start + kept);
    let blanks = normal[start..].len() - normal[start..].trim_start().len();
    normal.replace_range(start..start + blanks, "");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_text_keeps_whole_characters_and_ends_with_a_notice() {
        assert_eq!(NOTICE.len(), 80);
        let mut text = "é".repeat(100);
        assert!(truncate(&mut text, 121));
        assert_eq!(text.len(), 120);
        assert!(text.starts_with(&"é".repeat(20)) && text.ends_with(NOTICE));
    }

    #[test]
    fn a_text_of_exactly_the_limit_is_kept() {
        let mut text = "x".repeat(100);
        assert!(!truncate(&mut text, 100));
        assert_eq!(text, "x".repeat(100));
    }

    #[test]
    fn two_blanks_around_a_removed_character_stay_two() {
        assert_eq!(normalise("a \u{200b} b"), "a  b");
    }
}
