//! Folds letters, digits and marks to the form in which words are compared. Keeps the original
//! position of each.

use std::ops::Range;

use icu_normalizer::{
    ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed,
    properties::CanonicalCombiningClassMapBorrowed,
};
use icu_properties::{CodePointMapData, props::GeneralCategory};

/// Folds runs of characters, one at a time.
#[derive(Debug, Default)]
pub(super) struct Folder {
    text: String,
    /// Start of each character with its marks: in the folded run and in the original.
    places: Vec<(usize, usize)>,
    /// Length of the original run.
    length: usize,
    cluster: String,
}

impl Folder {
    /// Folds `run` and forgets the previous one.
    pub(super) fn fold(&mut self, run: &str) {
        self.text.clear();
        self.places.clear();
        self.length = run.len();
        let mut start = 0;
        while let Some(c) = run[start..].chars().next() {
            let after = start + c.len_utf8();
            let end = run[after..]
                .find(|c| !continues(c))
                .map_or(run.len(), |end| after + end);
            self.places.push((self.text.len(), start));
            if end == after && is_its_own_fold(c) {
                self.text.push(c);
            } else {
                self.fold_cluster(&run[start..end]);
            }
            start = end;
        }
    }

    /// Returns the folded run.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Maps a range of the folded run to the original, in whole characters.
    pub(super) fn original(&self, folded: &Range<usize>) -> Range<usize> {
        let first = self.places.partition_point(|(at, _)| *at <= folded.start);
        let behind = self.places.partition_point(|(at, _)| *at < folded.end);
        let start = self.places[..first].last().map_or(0, |(_, from)| *from);
        let end = self
            .places
            .get(behind)
            .map_or(self.length, |(_, from)| *from);
        start..end
    }

    /// Folds a character with its marks: decomposes it, removes case and accents, and recomposes
    /// it.
    fn fold_cluster(&mut self, cluster: &str) {
        let classes = CanonicalCombiningClassMapBorrowed::new();
        self.cluster.clear();
        let mut base = '\0';
        for c in cluster.chars().filter(|c| !is_ignored(*c)) {
            for c in decompose(c).chars().flat_map(char::to_lowercase) {
                if is_accent(classes.get_u8(c)) && !(c == BREVE && is_cyrillic(base)) {
                    continue;
                }
                match unaccented(c) {
                    Some(ascii) => self.cluster.push_str(ascii),
                    None => self.cluster.push(c),
                }
                base = c;
            }
        }
        if self.cluster.is_ascii() {
            self.text.push_str(&self.cluster);
        } else {
            let composed = ComposingNormalizerBorrowed::new_nfc();
            self.text.push_str(&composed.normalize(&self.cluster));
        }
    }
}

/// Returns whether a character can be part of a word.
pub(super) fn is_part(c: char) -> bool {
    c.is_alphanumeric() || !c.is_ascii() && (is_mark(c) || is_ignored(c))
}

/// Returns whether a character attaches to the previous one: marks, and the vowels and finals of a
/// Korean syllable.
fn continues(c: char) -> bool {
    !c.is_ascii()
        && (matches!(c, '\u{1160}'..='\u{11FF}' | '\u{FF9E}' | '\u{FF9F}')
            || !is_its_own_fold(c) && (is_mark(c) || is_ignored(c)))
}

fn is_mark(c: char) -> bool {
    use GeneralCategory::{EnclosingMark, NonspacingMark, SpacingMark};
    matches!(
        CodePointMapData::<GeneralCategory>::new().get(c),
        NonspacingMark | SpacingMark | EnclosingMark
    )
}

/// Returns whether a character is invisible within a word: soft hyphens, joiners, variation
/// selectors. The zero-width space is excluded, since it separates words.
fn is_ignored(c: char) -> bool {
    match c {
        '\u{200B}' => false,
        '\u{640}' | '\u{34F}' | '\u{20E3}' => true,
        c if c.is_ascii() || c.is_alphanumeric() => false,
        c => {
            is_selector(c)
                || CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format
        }
    }
}

/// Returns whether a character only selects a variant of the previous one.
fn is_selector(c: char) -> bool {
    matches!(c, '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Returns whether a character needs no folding. Covers most Chinese, Japanese and Korean
/// characters; others are looked up.
fn is_its_own_fold(c: char) -> bool {
    c.is_ascii_digit()
        || c.is_ascii_lowercase()
        || matches!(c, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FC}')
        || matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}')
}

/// Decomposes a character. Thai and Lao keep letters whose compatibility form their dictionaries do
/// not know.
fn decompose(c: char) -> String {
    let mut bytes = [0; 4];
    let one = c.encode_utf8(&mut bytes);
    let normalizer = if matches!(c, '\u{E00}'..='\u{EFF}') {
        DecomposingNormalizerBorrowed::new_nfd()
    } else {
        DecomposingNormalizerBorrowed::new_nfkd()
    };
    normalizer.normalize(one).into_owned()
}

/// Returns whether a mark is an accent: marks above, below and through letters, and the vowel signs
/// of Hebrew and Arabic. Other marks (vowels of India and Southeast Asia, voicing in Japanese) make
/// a different letter.
fn is_accent(class: u8) -> bool {
    matches!(class, 1 | 10..=35 | 200..)
}

/// Turns и into й, a different letter.
const BREVE: char = '\u{306}';

fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52F}')
}

/// Returns Lucene's spelling, which Omni uses, of letters that do not decompose.
fn unaccented(c: char) -> Option<&'static str> {
    Some(match c {
        'ᴀ' | 'ɐ' | 'ə' | 'ɚ' | 'ᶏ' | 'ᶕ' | 'ⱥ' => "a",
        'ꜳ' => "aa",
        'æ' | 'ᴁ' | 'ᴂ' => "ae",
        'ꜵ' => "ao",
        'ꜷ' => "au",
        'ꜹ' | 'ꜻ' => "av",
        'ꜽ' => "ay",
        'ʙ' | 'ᴃ' | 'ƀ' | 'ƃ' | 'ɓ' | 'ᵬ' | 'ᶀ' => "b",
        'ʗ' | 'ᴄ' | 'ƈ' | 'ȼ' | 'ɕ' | 'ↄ' | 'ꜿ' => "c",
        'ᴅ' | 'ᴆ' | 'ð' | 'đ' | 'ƌ' | 'ȡ' | 'ɖ' | 'ɗ' | 'ᵭ' | 'ᶁ' | 'ᶑ' | 'ꝺ' => {
            "d"
        }
        'ȸ' => "db",
        'ʣ' | 'ʥ' => "dz",
        'ᴇ' | 'ⱻ' | 'ǝ' | 'ɇ' | 'ɘ' | 'ɛ' | 'ɜ' | 'ɝ' | 'ɞ' | 'ʚ' | 'ᴈ' | 'ᶒ' | 'ᶓ' | 'ᶔ' | 'ⱸ' => {
            "e"
        }
        'ꜰ' | 'ꟻ' | 'ƒ' | 'ᵮ' | 'ᶂ' => "f",
        'ǥ' | 'ɢ' | 'ʛ' | 'ɠ' | 'ɡ' | 'ᵷ' | 'ᵹ' | 'ᶃ' | 'ꝿ' => "g",
        'ʜ' | 'ħ' | 'ɥ' | 'ɦ' | 'ʮ' | 'ʯ' | 'ⱨ' | 'ⱶ' => "h",
        'ƕ' => "hv",
        'ɪ' | 'ᵻ' | 'ꟾ' | 'ı' | 'ɨ' | 'ᴉ' | 'ᵼ' | 'ᶖ' => "i",
        'ᴊ' | 'ȷ' | 'ɉ' | 'ɟ' | 'ʄ' | 'ʝ' => "j",
        'ᴋ' | 'ƙ' | 'ʞ' | 'ᶄ' | 'ⱪ' | 'ꝁ' | 'ꝃ' | 'ꝅ' => "k",
        'ʟ' | 'ᴌ' | 'ł' | 'ƚ' | 'ȴ' | 'ɫ' | 'ɬ' | 'ɭ' | 'ᶅ' | 'ⱡ' | 'ꝇ' | 'ꝉ' | 'ꞁ' => {
            "l"
        }
        'ỻ' => "ll",
        'ʪ' => "ls",
        'ʫ' => "lz",
        'ᴍ' | 'ꟽ' | 'ꟿ' | 'ɯ' | 'ɰ' | 'ɱ' | 'ᵯ' | 'ᶆ' => "m",
        'ɴ' | 'ᴎ' | 'ŋ' | 'ƞ' | 'ȵ' | 'ɲ' | 'ɳ' | 'ᵰ' | 'ᶇ' => "n",
        'ᴏ' | 'ᴐ' | 'ø' | 'ɔ' | 'ɵ' | 'ᴖ' | 'ᴗ' | 'ᶗ' | 'ⱺ' | 'ꝋ' | 'ꝍ' => "o",
        'œ' | 'ɶ' | 'ᴔ' => "oe",
        'ꝏ' => "oo",
        'ᴕ' | 'ȣ' => "ou",
        'ᴘ' | 'ƥ' | 'ᵱ' | 'ᵽ' | 'ᶈ' | 'ꝑ' | 'ꝓ' | 'ꝕ' | 'ꟼ' => "p",
        'ĸ' | 'ɋ' | 'ʠ' | 'ꝗ' | 'ꝙ' => "q",
        'ȹ' => "qp",
        'ʀ' | 'ʁ' | 'ᴙ' | 'ᴚ' | 'ɍ' | 'ɼ' | 'ɽ' | 'ɾ' | 'ɿ' | 'ᵲ' | 'ᵳ' | 'ᶉ' | 'ꝛ' | 'ꞃ' => {
            "r"
        }
        'ꜱ' | 'ꞅ' | 'ȿ' | 'ʂ' | 'ᵴ' | 'ᶊ' | 'ẜ' | 'ẝ' => "s",
        'ß' => "ss",
        'ᴛ' | 'ŧ' | 'ƫ' | 'ƭ' | 'ȶ' | 'ʇ' | 'ʈ' | 'ᵵ' | 'ⱦ' => "t",
        'ʨ' => "tc",
        'þ' | 'ᵺ' | 'ꝧ' => "th",
        'ʦ' => "ts",
        'ꜩ' => "tz",
        'ᴜ' | 'ᵾ' | 'ʉ' | 'ᶙ' => "u",
        'ᵫ' => "ue",
        'ᴠ' | 'ʋ' | 'ʌ' | 'ᶌ' | 'ⱱ' | 'ⱴ' | 'ꝟ' => "v",
        'ꝡ' => "vy",
        'ᴡ' | 'ƿ' | 'ʍ' | 'ⱳ' => "w",
        'ᶍ' => "x",
        'ʏ' | 'ƴ' | 'ɏ' | 'ʎ' | 'ỿ' => "y",
        'ᴢ' | 'ƶ' | 'ȝ' | 'ȥ' | 'ɀ' | 'ʐ' | 'ʑ' | 'ᵶ' | 'ᶎ' | 'ⱬ' | 'ꝣ' => "z",
        // The Greek sigma at the end of a word.
        'ς' => "σ",
        _ => return None,
    })
}
