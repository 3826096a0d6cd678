//! Splits a text into the words of the search index: ICU's words, folded as Omni's index folds
//! them. Texts and queries must use the same splitting. Keeps each word's position, so that people
//! see the original.
//!
//! Two rules go beyond Omni's index. ICU's words are split again at every character that is not a
//! letter, digit or mark, so that `report` finds `report.pdf`. Accents and compatibility forms are
//! folded in every script, even when written as separate characters.

mod dictionary;
mod fold;

use std::{borrow::Cow, collections::VecDeque, ops::Range, sync::LazyLock};

use icu_segmenter::{WordSegmenter, WordSegmenterBorrowed, options::WordBreakInvariantOptions};

use fold::Folder;

/// Longer words are not indexed, as in Omni: they are keys and encoded data, and would make the
/// index large.
const LONGEST_WORD: usize = 255;

/// ICU's own dictionaries for Thai, Lao, Khmer and Burmese. [`dictionary`] splits Chinese and Japanese.
static SEGMENTER: LazyLock<WordSegmenterBorrowed<'static>> =
    LazyLock::new(|| WordSegmenter::new_dictionary(WordBreakInvariantOptions::default()));

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// Its folded form.
    pub folded: Cow<'a, str>,
    /// Its position in the text.
    pub place: Range<usize>,
}

/// Iterates over the words of a text in order.
pub(super) struct Words<'a> {
    text: &'a str,
    position: usize,
    /// Words of the last run that held characters beyond ASCII.
    ready: VecDeque<Word<'a>>,
    folder: Folder,
}

impl<'a> Words<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self {
            text,
            position: 0,
            ready: VecDeque::new(),
            folder: Folder::default(),
        }
    }

    /// Reads the run of letters, digits and marks at `start` and moves past it.
    fn take_run(&mut self, start: usize) {
        let rest = &self.text[start..];
        let end = rest.find(|c| !fold::is_part(c)).unwrap_or(rest.len());
        self.position = start + end;
        self.folder.fold(&rest[..end]);
        let folded = self.folder.text();
        if !folded.chars().any(needs_dictionary) {
            self.pieces(start, 0..folded.len());
            return;
        }
        let mut begin = 0;
        for end in ends(folded) {
            self.pieces(start, begin..end);
            begin = end;
        }
    }

    /// Splits a part of the folded run at separators: a compatibility form can stand for several
    /// words.
    fn pieces(&mut self, start: usize, part: Range<usize>) {
        let mut begin = part.start;
        for piece in self.folder.text()[part].split(|c| !fold::is_part(c)) {
            let place = begin..begin + piece.len();
            // The separator is one character of any length.
            begin = place.end
                + self.folder.text()[place.end..]
                    .chars()
                    .next()
                    .map_or(0, char::len_utf8);
            if piece.len() > LONGEST_WORD || !piece.contains(char::is_alphanumeric) {
                continue;
            }
            let original = self.folder.original(&place);
            self.ready.push_back(Word {
                folded: Cow::Owned(piece.to_owned()),
                place: start + original.start..start + original.end,
            });
        }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        loop {
            if let Some(word) = self.ready.pop_front() {
                return Some(word);
            }
            let rest = &self.text.as_bytes()[self.position..];
            let skipped = rest
                .iter()
                .position(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())?;
            let start = self.position + skipped;
            let length = rest[skipped..]
                .iter()
                .position(|byte| !byte.is_ascii_alphanumeric())
                .unwrap_or(rest.len() - skipped);
            let end = start + length;
            if self.text[end..].starts_with(fold::is_part) {
                self.take_run(start);
                continue;
            }
            self.position = end;
            if length == 0 {
                // Skips a character that is neither ASCII nor part of a word.
                self.position += self.text[end..].chars().next().map_or(1, char::len_utf8);
            } else if length <= LONGEST_WORD {
                return Some(Word {
                    folded: lower_case(&self.text[start..end]),
                    place: start..end,
                });
            }
        }
    }
}

/// Returns the folded words of a text separated by spaces: the form in the index.
pub(super) fn indexed(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + text.len() / 8);
    for word in Words::of(text) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(&word.folded);
    }
    words
}

/// Returns where the words of a folded run end: runs of Chinese and Japanese have a splitter of their own.
fn ends(folded: &str) -> Vec<usize> {
    let (mut ends, mut start) = (Vec::new(), 0);
    while let Some(first) = folded[start..].chars().next() {
        let rest = &folded[start..];
        let is_own = dictionary::has(first);
        let length = rest.find(|c| dictionary::has(c) != is_own);
        let part = &rest[..length.unwrap_or(rest.len())];
        let own = is_own.then(|| dictionary::ends(part)).flatten();
        let places = own.unwrap_or_else(|| SEGMENTER.segment_str(part).skip(1).collect());
        ends.extend(places.into_iter().map(|end| start + end));
        start += part.len();
    }
    ends
}

fn lower_case(word: &str) -> Cow<'_, str> {
    if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(word.to_ascii_lowercase())
    } else {
        Cow::Borrowed(word)
    }
}

/// Returns whether a character may belong to a script without spaces between words. Runs of all
/// others are whole words.
fn needs_dictionary(c: char) -> bool {
    matches!(c, '\u{E00}'..) && !is_hangul(c)
}

/// Returns whether a character is a Korean syllable.
pub(super) fn is_hangul(c: char) -> bool {
    matches!(c, '\u{AC00}'..='\u{D7A3}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let words = Words::of(text);
        words.map(|word| word.folded.into_owned()).collect()
    }

    /// Returns the original parts of the text for its words.
    fn places(text: &str) -> Vec<&str> {
        Words::of(text).map(|word| &text[word.place]).collect()
    }

    #[test]
    fn latin_letters_fold_to_what_a_plain_keyboard_types() {
        for (text, expected) in [
            ("Straße STRASSE ẞ", "strasse strasse ss"),
            ("Łódź", "lodz"),
            ("Smørrebrød Ærø Århus", "smorrebrod aero arhus"),
            ("œuvre Œuvre", "oeuvre oeuvre"),
            ("Đường Nguyễn Việt", "duong nguyen viet"),
            ("Diyarbakır İSTANBUL Iğdır", "diyarbakir istanbul igdir"),
            ("ﬁnance oﬃce", "finance office"),
            ("Ａｂｃ １２３", "abc 123"),
            ("Þórður Ðe", "thordur de"),
            ("əli ŋ ħ ŧ ƙ ɓ", "ali n h t k b"),
            ("Ǆ ŀ x² №", "dz l x2"),
        ] {
            assert_eq!(indexed(text), expected, "{text}");
        }
    }

    #[test]
    fn other_scripts_lose_case_and_accents_but_keep_their_letters() {
        for (text, expected) in [
            ("ΑΘΗΝΑ Αθήνα ὁδός ΟΔΟΣ", "αθηνα αθηνα οδοσ οδοσ"),
            ("Ёлка ЙОД мой", "елка йод мой"),
            ("замо́к", "замок"),
            ("كِتَابٌ كتاب كتـــاب", "كتاب كتاب كتاب"),
            ("שָׁלוֹם", "שלום"),
            ("हिन्दी", "हिन्दी"),
        ] {
            assert_eq!(indexed(text), expected, "{text}");
        }
    }

    #[test]
    fn forms_of_one_character_are_one_word() {
        for (one, other) in [
            ("Cafe\u{301}", "Café"),
            ("ﾃﾞｰﾀﾍﾞｰｽ", "データベース"),
            ("ガ", "カ\u{3099}"),
            ("\u{1112}\u{116C}\u{110B}\u{1174}", "회의"),
            ("й", "и\u{306}"),
            ("葛\u{E0100}飾", "葛飾"),
            ("soft\u{AD}ware", "software"),
            ("نمی\u{200C}خواهم", "نمیخواهم"),
            ("ทำงาน", "ทำงาน"),
        ] {
            assert_eq!(words(one), words(other), "{one} {other}");
        }
        assert_ne!(words("ガス"), words("カス"));
    }

    #[test]
    fn scripts_without_blanks_are_split_by_dictionaries() {
        for (text, expected) in [
            ("季度会议纪要已经发布", "季度 会议 纪要 已经 发布"),
            ("請查看會議紀要。", "請 查看 會議 紀要"),
            ("四半期報告書を作成", "四半期 報告書 を 作成"),
            ("東京都の会議", "東京 都 の 会議"),
            ("コンピューターネットワーク", "コンピューター ネットワーク"),
            ("プロジェクトマネージャーの", "プロジェクト マネージャー の"),
            ("研究生命的起源", "研究 生命 的 起源"),
            ("发展中国家的经济", "发展 中 国家 的 经济"),
            ("人事部長の佐藤さん", "人事 部長 の 佐藤 さん"),
            (
                "お問い合わせはA社の第2四半期",
                "お 問い合わせ は a 社 の 第 2 四半期",
            ),
            ("한국어와中国語", "한국어와 中国語"),
            ("𠮷野家", "𠮷 野家"),
            ("รายงานประจำปี", "รายงาน ประจำ ปี"),
            ("សូមអានរបាយការណ៍", "សូម អាន របាយការណ៍"),
            ("ບົດລາຍງານ", "ບົດ ລາຍງານ"),
            ("နှစ်ပတ်လည်အစီရင်ခံစာ", "နှစ်ပတ်လည် အစီရင်ခံစာ"),
            ("회의록을 공유합니다", "회의록을 공유합니다"),
        ] {
            assert_eq!(indexed(text), expected, "{text}");
        }
    }

    #[test]
    fn signs_emoji_and_punctuation_separate() {
        assert_eq!(
            indexed("INV-2041, report.pdf; a_b"),
            "inv 2041 report pdf a b"
        );
        assert_eq!(indexed("👍launch🎉 1\u{FE0F}\u{20E3}"), "launch 1");
        assert_eq!(indexed("C++ C# ??? — …"), "c c");
        assert_eq!(indexed(&format!("a {} b é{0}", "x".repeat(256))), "a b");
    }

    #[test]
    fn a_word_has_its_position_in_the_original() {
        let text = "Die Straße, ﬁnance: Cafe\u{301}会议纪要 ﾃﾞｰﾀ½ x";
        assert_eq!(
            places(text),
            [
                "Die",
                "Straße",
                "ﬁnance",
                "Cafe\u{301}",
                "会议",
                "纪要",
                "ﾃﾞｰﾀ",
                "½",
                "½",
                "x"
            ]
        );
    }

    #[test]
    fn any_text_can_be_split() {
        // Marks without a letter, half of a pair, every kind of space.
        for text in [
            "\u{301}",
            "\u{301}a",
            "ﾞ",
            "\u{1160}",
            "\u{AD}",
            "\u{FE0F}",
            "\u{E33}",
            "ﷺ",
            "\u{3000}a",
        ] {
            words(text);
        }
        assert_eq!(indexed("\u{AD}\u{301}"), "");
    }
}
