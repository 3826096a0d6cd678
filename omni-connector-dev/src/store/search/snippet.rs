//! Chooses the part of a text that best shows the match. People must see the original text, never
//! its indexed form.

use std::ops::Range;

use omni_connector::hide_secrets;

use super::{SnippetPart, parse::Word};
use crate::store::words::Words;

/// Words per snippet.
const SHOWN: usize = 24;

/// A match of a typed word or phrase, in word positions of the text.
struct Match {
    words: Range<usize>,
    typed: usize,
}

/// Returns the first part of `text` that holds most of the typed words, or its beginning when it
/// holds none. Hides secrets before the text is cut into pieces, each of which might show a part of one.
pub(super) fn around(text: &str, typed: &[Word], secrets: &[String]) -> Vec<SnippetPart> {
    /// Bytes beside the snippet that are searched for secrets.
    const BESIDE: usize = 1 << 10;
    let (places, matches) = find(text, typed);
    let first = best(&matches).map_or(0, |shown| {
        shown.start.saturating_sub((SHOWN - shown.len()) / 2)
    });
    // Near the end of a text, the snippet starts earlier.
    let first = first.min(places.len().saturating_sub(SHOWN));
    let last = (first + SHOWN).min(places.len());
    let mut parts = Vec::new();
    let mut push = |text: &str, is_match| {
        let text = one_line(text);
        if !text.is_empty() {
            parts.push(SnippetPart { text, is_match });
        }
    };
    let mut position = if first == 0 { 0 } else { places[first].start };
    let end = if last == places.len() {
        text.len()
    } else {
        places[last - 1].end
    };
    if !secrets.is_empty() {
        let from = text.floor_char_boundary(position.saturating_sub(BESIDE));
        let until = text.ceil_char_boundary((end + BESIDE).min(text.len()));
        let window = &text[from..until];
        let hidden = hide_secrets(window, secrets.iter().map(String::as_str), "••••••");
        if hidden != window {
            return around(&hidden, typed, &[]);
        }
    }
    if first > 0 {
        push("…", false);
    }
    for found in &matches {
        let inside = first <= found.words.start && found.words.end <= last;
        let place = places[found.words.start].start..places[found.words.end - 1].end;
        if inside && place.start >= position {
            push(&text[position..place.start], false);
            push(&text[place.clone()], true);
            position = place.end;
        }
    }
    push(&text[position..end], false);
    if last < places.len() {
        push("…", false);
    }
    parts
}

/// Finds the places of the words and the matches among them. Stops as early as possible, since a
/// text can be long.
fn find(text: &str, typed: &[Word]) -> (Vec<Range<usize>>, Vec<Match>) {
    let (mut places, mut matches) = (Vec::new(), Vec::new());
    let longest = typed.iter().map(|word| word.words.len()).max().unwrap_or(1);
    let mut recent = std::collections::VecDeque::with_capacity(longest);
    // For each typed word, the word position at which it was last seen.
    let mut seen: Vec<Option<usize>> = vec![None; typed.len()];
    let mut enough = (typed.is_empty()).then_some(SHOWN);
    for word in Words::of(text) {
        if recent.len() == longest {
            recent.pop_front();
        }
        recent.push_back(word.folded);
        places.push(word.place);
        for (number, wanted) in typed.iter().enumerate() {
            let Some(skipped) = recent.len().checked_sub(wanted.words.len()) else {
                continue;
            };
            if wanted.is_at_the_end_of(recent.iter().skip(skipped).map(AsRef::as_ref)) {
                let start = places.len() - wanted.words.len();
                matches.push(Match {
                    words: start..places.len(),
                    typed: number,
                });
                seen[number] = Some(start);
            }
        }
        let is_complete = || {
            seen.iter()
                .all(|at| at.is_some_and(|at| at + SHOWN >= places.len()))
        };
        if enough.is_none() && is_complete() {
            enough = Some(places.len() + SHOWN);
        }
        if enough.is_some_and(|enough| places.len() > enough) {
            break;
        }
    }
    (places, matches)
}

/// Returns the words from the first to the last match of the best part: the first with the most
/// typed words.
fn best(matches: &[Match]) -> Option<Range<usize>> {
    let mut best: Option<(usize, Range<usize>)> = None;
    for (number, first) in matches.iter().enumerate() {
        let start = first.words.start;
        let within = matches[number..]
            .iter()
            .take_while(|found| found.words.start < start + SHOWN)
            .filter(|found| found.words.end <= start + SHOWN);
        let (mut typed, mut end) = (Vec::new(), first.words.end.min(start + SHOWN));
        for found in within {
            if !typed.contains(&found.typed) {
                typed.push(found.typed);
                end = found.words.end;
            }
        }
        if best.as_ref().is_none_or(|(most, _)| typed.len() > *most) {
            best = Some((typed.len(), start..end));
        }
    }
    best.map(|(_, shown)| shown)
}

/// Replaces every run of whitespace with one space, also at the ends.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_whitespace() {
            line.push(c);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(words: &str, is_beginning: bool) -> Word {
        Word {
            words: words.split(' ').map(str::to_owned).collect(),
            is_beginning,
        }
    }

    /// Returns the snippet with its matches in brackets.
    fn shown(text: &str, typed: &[Word]) -> String {
        let part = |part: SnippetPart| {
            if part.is_match {
                format!("[{}]", part.text)
            } else {
                part.text
            }
        };
        around(text, typed, &[]).into_iter().map(part).collect()
    }

    #[test]
    fn matches_are_marked_in_the_original_text() {
        for (text, typed, expected) in [
            (
                "Die Straße, ﬁn",
                vec![word("strasse", false)],
                "Die [Straße], ﬁn",
            ),
            (
                "季度会议纪要发布",
                vec![word("会议 纪要", false)],
                "季度[会议纪要]发布",
            ),
            (
                "a  b\nA c",
                vec![word("a", false), word("c", false)],
                "[a] b [A] [c]",
            ),
            (
                "two words, words two",
                vec![word("two words", false)],
                "[two words], words two",
            ),
            (
                "serial series",
                vec![word("seri", true)],
                "[serial] [series]",
            ),
            ("aaa aaa aaa", vec![word("aaa aaa", false)], "[aaa aaa] aaa"),
            ("nothing of it", vec![word("else", false)], "nothing of it"),
            ("", vec![word("else", false)], ""),
        ] {
            assert_eq!(shown(text, &typed), expected);
        }
    }

    #[test]
    fn the_part_with_the_most_words_is_shown() {
        let far = "x ".repeat(60);
        let text = format!("one {far}two {far}one and two {far}");
        let shown = shown(&text, &[word("one", false), word("two", false)]);
        assert!(shown.contains("[one] and [two]"), "{shown}");
        assert!(shown.starts_with('…') && shown.ends_with('…'), "{shown}");
        assert_eq!(Words::of(&shown).count(), SHOWN);
    }
}
