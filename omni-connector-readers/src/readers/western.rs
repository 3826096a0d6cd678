//! Tells Western text of old Macintoshes and of DOS from text of Windows, which detection takes all of it for. It changes
//! nothing unless the words are impossible in the one charset and flawless in the other.

use encoding_rs::{Encoding, ISO_8859_2, MACINTOSH, WINDOWS_1250, WINDOWS_1252, WINDOWS_1254};

use super::charset::Charset;

/// Letters of Western languages beyond ASCII.
const LETTERS: &str = "àáâãäåæçèéêëìíîïñòóôõöøœùúûüß";
/// Signs of Western texts beyond ASCII. Words may be joined by the first ones.
const JOINING: &str = "’-";
const SIGNS: &str = "‘’“”„‚«»‹›–—…•·°§©®™€£¥¢¿¡ªº¹²³½¼¾±×÷\u{a0}";

/// Returns the name of the better charset and the text in it.
pub(super) fn better(
    data: &[u8],
    guess: &'static Encoding,
    text: &str,
) -> Option<(&'static str, String)> {
    let is_western = [WINDOWS_1252, WINDOWS_1250, WINDOWS_1254, ISO_8859_2].contains(&guess);
    if !is_western || flaws(text, is_letter) == 0 {
        return None;
    }
    let others = [Charset::Web(MACINTOSH), Charset::of("cp850")?];
    others.into_iter().find_map(|charset| {
        let text = charset.decode(data).0;
        (flaws(&text, |c| LETTERS.contains(c)) == 0).then(|| (charset.name(), text.into_owned()))
    })
}

/// Returns whether a character is a letter of any language in the guessed charset.
fn is_letter(c: char) -> bool {
    c.is_alphabetic()
}

/// Counts the places that no text has: signs within a word, capitals within small letters, and unknown characters.
fn flaws(text: &str, is_letter: fn(char) -> bool) -> usize {
    let characters: Vec<char> = text.chars().collect();
    let at = |index: Option<usize>| index.and_then(|index| characters.get(index)).copied();
    let is_flaw = |(index, c): (usize, &char)| {
        if c.is_ascii() {
            return false;
        }
        let before = at(index.checked_sub(1)).unwrap_or(' ');
        let after = at(index.checked_add(1)).unwrap_or(' ');
        let is_within = before.is_alphabetic() && after.is_alphabetic();
        let is_letter = c.to_lowercase().all(is_letter);
        if !c.is_alphabetic() || !is_letter {
            let is_sign = SIGNS.contains(*c) || matches!(c, '\u{2500}'..='\u{25a0}');
            return !is_sign || is_within && !JOINING.contains(*c);
        }
        c.is_uppercase() && before.is_lowercase()
    };
    characters
        .iter()
        .enumerate()
        .filter(|place| is_flaw(*place))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_old_macintoshes_and_of_dos_is_told_from_that_of_windows() {
        let mac = b"Gr\x9a\xa7ere Stra\xa7en, \x86bergabe, caf\x8e \xd2quoted\xd3";
        let windows = WINDOWS_1252.decode(mac).0;
        let better = |data, text: &str| better(data, WINDOWS_1252, text);
        let read = "Größere Straßen, Übergabe, café “quoted”";
        assert_eq!(better(mac, &windows), Some(("macintosh", read.to_owned())));
        let dos = b"Gr\x94\xe1ere Stra\xe1en, \x9abergabe, Schl\x81ssel";
        let windows = WINDOWS_1252.decode(dos).0;
        let read = "Größere Straßen, Übergabe, Schlüssel";
        assert_eq!(better(dos, &windows), Some(("cp850", read.to_owned())));
    }

    #[test]
    fn text_of_windows_stays_so() {
        for text in [
            "Größere Straßen, Übergabe – “quoted” 5 €",
            "Don’t, l’école, naïve, ÉCOLE, Ça va ? 20°C",
            "šest žlutých, Šárka",
            "ŸŸ",
            "°C µm § 5",
        ] {
            let data = WINDOWS_1252.encode(text).0;
            assert_eq!(better(&data, WINDOWS_1252, text), None, "{text}");
        }
    }
}
