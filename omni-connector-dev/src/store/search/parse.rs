//! Splits a typed query into operators and words (`protocol.md` §7.2). Any string parses. No part
//! of it may reach the search index unquoted.

use std::collections::{BTreeMap, HashMap};

use omni_connector::SearchOperator;

use crate::store::words::{self, Words};

/// Built-in operators, which no connector can replace.
const BUILT_IN: [&str; 5] = ["by", "in", "type", "before", "after"];

/// A parsed query.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    /// The words that remain after the operators.
    pub words: Vec<Word>,
    /// Values of the built-in operators, by name.
    pub built_in: BTreeMap<&'static str, Vec<String>>,
    /// Values of the connectors' operators, by name.
    pub operators: BTreeMap<String, Operated>,
    /// Whether the query holds only characters that cannot match, such as `???`.
    pub is_nothing_searchable: bool,
}

/// A connector's operator with its typed values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Operated {
    pub attribute_key: String,
    pub values: Vec<String>,
}

/// A word or a quoted phrase.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Its words in index form: at least one, adjacent in the text.
    pub words: Vec<String>,
    /// Whether the last word is a prefix: typed with a final `*`, or Korean, where particles follow
    /// without a space.
    pub is_beginning: bool,
}

/// Parses `text`. The first of two operators with the same name wins. Compares the typed name in
/// lower case, so an operator declared with upper case never matches.
pub(super) fn parse(text: &str, registered: &[SearchOperator]) -> Parsed {
    let known = Known::of(registered);
    let mut typed = Typed::new(text);
    let mut parsed = Parsed::default();
    let mut rest = String::with_capacity(text.len());
    let (mut before, mut position) = (' ', 0);
    while let Some(here) = text[position..].chars().next() {
        if is_word(here)
            && !is_word(before)
            && let Some((operator, value, end)) = typed.operator_at(position, &known)
        {
            parsed.values_of(operator).push(value.to_owned());
            rest.push(' ');
            before = ' ';
            position = end;
        } else {
            rest.push(here);
            before = here;
            position += here.len_utf8();
        }
    }
    parsed.words = typed_words(&rest);
    parsed.is_nothing_searchable = !rest.trim().is_empty()
        && parsed.words.is_empty()
        && parsed.built_in.is_empty()
        && parsed.operators.is_empty();
    parsed
}

/// An operator that can be typed.
enum Operator<'a> {
    BuiltIn(&'static str),
    Connector {
        name: String,
        attribute_key: &'a str,
    },
}

/// All known operators.
struct Known<'a> {
    attribute_keys: HashMap<&'a str, &'a str>,
    /// Longest operator name, in bytes.
    longest: usize,
}

impl<'a> Known<'a> {
    fn of(registered: &'a [SearchOperator]) -> Self {
        let mut attribute_keys = HashMap::new();
        for operator in registered {
            attribute_keys
                .entry(operator.operator.as_str())
                .or_insert(operator.attribute_key.as_str());
        }
        let names = attribute_keys.keys().copied().chain(BUILT_IN);
        let longest = names.map(str::len).max().unwrap_or_default();
        Self {
            attribute_keys,
            // A character has at most four bytes, and its lower case at least one.
            longest: longest.saturating_mul(4),
        }
    }

    fn find(&self, typed: &str) -> Option<Operator<'a>> {
        if typed.len() > self.longest {
            return None;
        }
        let name = typed.to_lowercase();
        if let Some(name) = BUILT_IN.into_iter().find(|built_in| *built_in == name) {
            return Some(Operator::BuiltIn(name));
        }
        let attribute_key = *self.attribute_keys.get(name.as_str())?;
        Some(Operator::Connector {
            name,
            attribute_key,
        })
    }
}

/// The typed query, read from start to end. Caches positions found ahead, so that a string without
/// spaces is not searched again from each word.
struct Typed<'a> {
    text: &'a str,
    /// Positions of the next colon and the next space, or the end.
    colon: usize,
    blank: usize,
}

impl<'a> Typed<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            colon: 0,
            blank: 0,
        }
    }

    /// Returns the operator, the value and the end of `name:value` or `name:"quoted value"` at
    /// `start`. `start` must never decrease between calls.
    fn operator_at(
        &mut self,
        start: usize,
        known: &Known<'a>,
    ) -> Option<(Operator<'a>, &'a str, usize)> {
        let text = self.text;
        let next = |found: Option<usize>| found.map_or(text.len(), |at| start + at);
        if self.colon <= start {
            self.colon = next(text[start..].find(':'));
        }
        if self.blank <= start {
            self.blank = next(text[start..].find(char::is_whitespace));
        }
        if self.colon >= self.blank {
            return None;
        }
        let operator = known.find(&text[start..self.colon])?;
        let value = self.colon + 1;
        if let Some(quoted) = text[value..].strip_prefix('"')
            && let Some(length) = quoted.find('"')
            && length > 0
        {
            return Some((operator, &quoted[..length], value + length + 2));
        }
        let value = &text[value..self.blank];
        (!value.is_empty()).then_some((operator, value, self.blank))
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns quoted phrases and the words between spaces. Skips those without a word of the index.
fn typed_words(text: &str) -> Vec<Word> {
    let mut typed = Vec::new();
    for (index, part) in text.split('"').enumerate() {
        // Parts between quotation marks have odd indexes.
        if index % 2 == 1 {
            typed.extend(Word::new(part, false));
        } else {
            typed.extend(
                part.split_whitespace()
                    .filter_map(|word| Word::new(word, word.ends_with('*'))),
            );
        }
    }
    typed
}

impl Parsed {
    /// Returns the list that collects an operator's values.
    fn values_of(&mut self, operator: Operator<'_>) -> &mut Vec<String> {
        match operator {
            Operator::BuiltIn(name) => self.built_in.entry(name).or_default(),
            Operator::Connector {
                name,
                attribute_key,
            } => {
                let operated = self.operators.entry(name).or_insert_with(|| Operated {
                    attribute_key: attribute_key.to_owned(),
                    values: Vec::new(),
                });
                &mut operated.values
            }
        }
    }

    /// Builds an index query that all words must match. Returns `None` without words.
    pub(super) fn index_query(&self) -> Option<String> {
        let terms: Vec<_> = self.words.iter().map(Word::index_term).collect();
        (!terms.is_empty()).then(|| terms.join(" "))
    }
}

impl Word {
    fn new(text: &str, is_beginning: bool) -> Option<Self> {
        let words: Vec<_> = Words::of(text)
            .map(|word| word.folded.into_owned())
            .collect();
        let is_korean = words.last()?.ends_with(words::is_hangul);
        Some(Self {
            words,
            is_beginning: is_beginning || is_korean,
        })
    }

    /// Returns whether the last of `words`, compared over this word's length, equal this word.
    pub(super) fn is_at_the_end_of<'a>(&self, words: impl Iterator<Item = &'a str>) -> bool {
        let last = self.words.len() - 1;
        words
            .zip(&self.words)
            .enumerate()
            .all(|(number, (found, wanted))| {
                found == wanted || number == last && self.is_beginning && found.starts_with(wanted)
            })
    }

    /// Builds a string of the index's query language. Index words hold only letters, digits and
    /// marks, so none needs escaping.
    fn index_term(&self) -> String {
        let star = if self.is_beginning { "*" } else { "" };
        format!("\"{}\"{star}", self.words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Parsed {
        let operator = |operator: &str, attribute_key: &str| SearchOperator {
            operator: operator.to_owned(),
            attribute_key: attribute_key.to_owned(),
            value_type: "text".to_owned(),
        };
        parse(
            text,
            &[
                operator("ext", "extension"),
                operator("ext", "never"),
                operator("Upper", "upper"),
                operator("by", "never"),
            ],
        )
    }

    fn words(text: &str) -> Vec<String> {
        let words = parsed(text).words;
        words.into_iter().map(|word| word.words.join(" ")).collect()
    }

    #[test]
    fn operators_are_removed_from_the_words_and_the_first_of_a_name_wins() {
        let parsed = parsed("read EXT:md (ext:\"rst or txt\") me");
        let ext = &parsed.operators["ext"];
        assert_eq!(ext.attribute_key, "extension");
        assert_eq!(ext.values, ["md", "rst or txt"]);
        assert_eq!(parsed.index_query().unwrap(), r#""read" "me""#);
    }

    #[test]
    fn built_in_operators_cannot_be_overridden() {
        let parsed = parsed("by:ann");
        assert_eq!(parsed.built_in["by"], ["ann"]);
        assert!(parsed.operators.is_empty());
    }

    #[test]
    fn an_unknown_operator_is_searched_as_a_word() {
        assert_eq!(words("std::fs"), ["std fs"]);
        assert_eq!(words("https://a.example"), ["https a example"]);
        assert_eq!(words("next:md"), ["next md"]);
        assert_eq!(words("ext: md"), ["ext", "md"]);
        assert_eq!(
            words("Upper:x"),
            ["upper x"],
            "the typed name is compared in lower case"
        );
    }

    #[test]
    fn an_operator_begins_at_a_word_boundary() {
        assert_eq!(parsed("-ext:md").operators["ext"].values, ["md"]);
        assert_eq!(parsed("a-ext:md").operators["ext"].values, ["md"]);
        assert!(parsed("a_ext:md").operators.is_empty());
    }

    #[test]
    fn a_long_query_is_read_in_one_pass() {
        let long = |part: &str| part.repeat((1 << 20) / part.len());
        for text in [
            long("a-"),
            long("a-") + ":b",
            long("ext:"),
            long("by:\""),
            long("a:-") + "\"",
            format!("{}:\"{}", long("a-"), long("x")),
            long("Å-"),
        ] {
            let begun = std::time::Instant::now();
            parsed(&text);
            // Takes seconds in a debug build on a busy machine, and hours if every word looks ahead
            // to the end.
            let took = begun.elapsed();
            assert!(took.as_secs() < 60, "{text:.10}…: {took:?}");
        }
    }

    #[test]
    fn words_are_quoted_and_a_star_makes_a_prefix() {
        let query = |text| parsed(text).index_query();
        assert_eq!(
            query("seri* \"two words\" NEAR(x"),
            Some(r#""seri"* "two words" "near x""#.into())
        );
        assert_eq!(query(" * \" - \" "), None);
        assert_eq!(query("a\0b"), Some("\"a b\"".into()));
        assert_eq!(query("Größe 회의록"), Some("\"grosse\" \"회의록\"*".into()));
    }
}
