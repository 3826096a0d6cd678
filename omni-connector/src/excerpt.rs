//! Shortens the texts of other systems for messages.

use crate::redact::redact_line;

/// How much of a text is looked at, in bytes. Far more than any excerpt: secrets in it become short.
const WINDOW: usize = 8 << 10;

/// Returns the beginning of a text as one line of at most `most` bytes, without secrets. They are removed before the cut, since a
/// piece of a secret is not recognized.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.len() >= WINDOW {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word[..word.floor_char_boundary(WINDOW)]);
    }
    let mut line = redact_line(&line).into_owned();
    let end = line.floor_char_boundary(most);
    if end < line.len() {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::note_secret;

    #[test]
    fn a_secret_across_the_end_of_an_excerpt_does_not_show_its_beginning() {
        note_secret("pa55/word+alone");
        for spelling in [
            "pa55/word+alone",
            "pa55%2Fword%2Balone",
            r"pa55\/word+alone",
        ] {
            for before in [0, 150, 196, 1_996, 9_000] {
                for padding in [" ", "x "] {
                    let text = format!("{}{spelling} is wrong", padding.repeat(before));
                    let shown = excerpt(&text, 200);
                    assert!(!shown.contains("pa5"), "{before} {shown}");
                    assert!(shown.len() <= 200 + '…'.len_utf8());
                }
            }
        }
        assert_eq!(excerpt(" a\n b ", 200), "a b");
    }
}
