//! Splits Chinese and Japanese as ICU's library for C does, which Omni uses: among all divisions into words of the
//! dictionary, the one with the least cost. `icu_segmenter` has the same dictionary, but takes the longest word at each
//! place. It therefore joins the words of `プロジェクトマネージャー` and cuts `研究生命` behind `研究生`.

use std::{iter, sync::LazyLock};

use icu_collections::char16trie::Char16Trie;
use icu_provider::{
    DataIdentifierBorrowed, DataMarkerAttributes, DataProvider, DataRequest, DataResponse,
};
use icu_segmenter::provider::{Baked, DictionaryBreakData, SegmenterDictionaryAutoV2};

/// The longest word of the dictionary, in characters.
const LONGEST: usize = 20;
/// Cost of a character that the dictionary does not know.
const UNKNOWN: u32 = 255;
/// Cost of a run of katakana as one word, by its length. Most are foreign words that no dictionary knows.
const KATAKANA: [u32; 9] = [8192, 984, 408, 240, 204, 252, 300, 372, 480];

static DICTIONARY: LazyLock<Option<&'static DictionaryBreakData<'static>>> = LazyLock::new(|| {
    let name = DataMarkerAttributes::from_str_or_panic("cjdict");
    let request = DataRequest {
        id: DataIdentifierBorrowed::for_marker_attributes(name),
        ..DataRequest::default()
    };
    let loaded: DataResponse<SegmenterDictionaryAutoV2> = Baked.load(request).ok()?;
    loaded.payload.get_static()
});

/// Returns whether a character belongs to Chinese or Japanese, with their marks of iteration, length and voice.
pub(super) fn has(c: char) -> bool {
    matches!(
        c,
        '\u{3005}'..='\u{3007}'
            | '\u{3041}'..='\u{309F}'
            | '\u{30A1}'..='\u{30FA}'
            | '\u{30FC}'..='\u{30FF}'
            | '\u{31F0}'..='\u{31FF}'
            | '\u{3400}'..='\u{4DBF}'
            | '\u{4E00}'..='\u{9FFF}'
            | '\u{F900}'..='\u{FAFF}'
            | '\u{20000}'..='\u{323AF}'
    )
}

/// Returns where the words of a run of such characters end, in bytes. Returns none if the dictionary is missing.
pub(super) fn ends(run: &str) -> Option<Vec<usize>> {
    match (*DICTIONARY)? {
        DictionaryBreakData::Char16Trie(words) => Some(cheapest(run, words)),
        DictionaryBreakData::ZeroTrie { .. } => None,
    }
}

/// The cheapest way to a place: its cost, and where its last word begins.
#[derive(Clone, Copy)]
struct Way {
    cost: u32,
    from: usize,
}

fn cheapest(run: &str, words: &Char16Trie<'_>) -> Vec<usize> {
    let characters: Vec<char> = run.chars().collect();
    let nowhere = Way {
        cost: u32::MAX,
        from: 0,
    };
    let mut ways = vec![nowhere; characters.len() + 1];
    ways[0].cost = 0;
    let mut is_within_katakana = false;
    for start in 0..characters.len() {
        let cost = ways[start].cost;
        if cost == u32::MAX {
            continue;
        }
        let mut word = |length: usize, own: u32| {
            let way = &mut ways[start + length];
            let cost = cost.saturating_add(own);
            if cost < way.cost {
                *way = Way { cost, from: start };
            }
        };
        let rest = &characters[start..];
        let mut is_known = false;
        let mut cursor = words.cursor();
        for (length, c) in iter::zip(1..=LONGEST, rest) {
            cursor.step32(u32::from(*c));
            if let Some(own) = cursor.value() {
                is_known |= length == 1;
                word(length, u32::try_from(own).unwrap_or(UNKNOWN));
            }
            if cursor.is_empty() {
                break;
            }
        }
        if !is_known {
            word(1, UNKNOWN);
        }
        let katakana = rest.iter().take(LONGEST).take_while(|c| is_katakana(**c));
        let katakana = katakana.count();
        if katakana > 0 && katakana < LONGEST && !is_within_katakana {
            word(
                katakana,
                KATAKANA.get(katakana).copied().unwrap_or(KATAKANA[0]),
            );
        }
        is_within_katakana = katakana > 0;
    }
    let mut ends: Vec<usize> =
        iter::successors(Some(characters.len()), |end| Some(ways[*end].from))
            .take_while(|end| *end > 0)
            .collect();
    ends.reverse();
    in_bytes(&characters, &ends)
}

fn in_bytes(characters: &[char], ends: &[usize]) -> Vec<usize> {
    let (mut bytes, mut from) = (0, 0);
    let lengths = ends.iter().map(|end| {
        let word = &characters[from..*end];
        from = *end;
        bytes += word.iter().map(|c| c.len_utf8()).sum::<usize>();
        bytes
    });
    lengths.collect()
}

fn is_katakana(c: char) -> bool {
    matches!(c, '\u{30A1}'..='\u{30FE}') && c != '\u{30FB}'
}
