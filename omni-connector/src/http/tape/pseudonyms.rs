//! Makes up addresses, names and texts on a tape. The same original always becomes the same made-up value, in requests and
//! in answers, so a tape can be replayed. The made-up value has the same length, case, blanks and marks.
//!
//! Everybody who has a tape can check a guess: a guessed word becomes the same made-up word.

use std::collections::{BTreeMap, BTreeSet};

use ring::digest::{SHA256, digest};

use super::{Exchange, Recorded};

/// Names of fields with names of people and things, in lower case without separators. A field may end with one.
const NAMES: [&str; 12] = [
    "name",
    "author",
    "owner",
    "assignee",
    "creator",
    "reporter",
    "login",
    "nick",
    "from",
    "sender",
    "recipient",
    "phone",
];
/// Names of fields with texts.
const TEXTS: [&str; 18] = [
    "title",
    "subject",
    "summary",
    "description",
    "body",
    "text",
    "content",
    "comment",
    "note",
    "snippet",
    "message",
    "headline",
    "label",
    "excerpt",
    "preview",
    "caption",
    "markdown",
    "html",
];
/// Names of fields that end like one with names, and hold a technical value.
const TECHNICAL: [&str; 4] = ["typename", "hostname", "schemaname", "eventname"];
/// Media types of bodies that are texts as a whole.
const PROSE: [&str; 3] = ["text/plain", "text/html", "text/markdown"];

/// The made-up words and addresses of a tape.
#[derive(Default)]
pub(super) struct Pseudonyms {
    words: BTreeMap<String, String>,
    /// Values of fields with names: they are also replaced where they are a parameter or a part of a path.
    names: BTreeSet<String>,
}

impl Pseudonyms {
    /// Replaces addresses, names and texts in all exchanges.
    pub(super) fn apply(exchanges: &mut [Exchange]) {
        let mut all = Self::default();
        let mut found = BTreeSet::new();
        for exchange in &mut *exchanges {
            all.visit(exchange, &mut |_, kind, text| {
                words_of(kind, text, &mut found);
                None
            });
        }
        all.assign(found);
        let mut names = BTreeSet::new();
        for exchange in &mut *exchanges {
            all.visit(exchange, &mut |_, kind, text| {
                if kind == Kind::Name {
                    names.insert(text.to_owned());
                }
                None
            });
        }
        all.names = names;
        for exchange in exchanges {
            all.visit(exchange, &mut |all, kind, text| {
                Some(all.made_up(kind, text))
            });
        }
    }

    /// Gives each word another one of the same length, and no two words the same one.
    fn assign(&mut self, found: BTreeSet<String>) {
        let mut taken = BTreeSet::new();
        for word in found {
            // A word of one or two letters has too few others.
            let attempts = if word.chars().count() < 3 { 1 } else { 1_000 };
            let mut made = String::new();
            for attempt in 0..attempts {
                made = other_word(&word, attempt);
                if !taken.contains(&made) && made != word {
                    break;
                }
            }
            taken.insert(made.clone());
            self.words.insert(word, made);
        }
    }

    fn visit(&self, exchange: &mut Exchange, change: &mut Change<'_>) {
        let mut each = |kind: Kind, text: &mut String| {
            if let Some(new) = change(self, kind, text) {
                *text = new;
            }
        };
        if let Some((method, path)) = exchange.operation.split_once(' ') {
            let mut path = path.to_owned();
            each(Kind::Path, &mut path);
            exchange.operation = format!("{method} {path}");
        }
        let asked = &mut exchange.asked;
        each(Kind::Path, &mut asked.path);
        for (_, value) in &mut asked.query {
            each(Kind::Other, value);
        }
        for value in asked.headers.values_mut() {
            each(Kind::Other, value);
        }
        body(&mut asked.body, false, &mut each);
        let answered = &mut exchange.answered;
        let media_type = answered.headers.get("content-type");
        let is_prose = media_type.is_some_and(|is| PROSE.iter().any(|prose| is.starts_with(prose)));
        for value in answered.headers.values_mut() {
            each(Kind::Other, value);
        }
        body(&mut answered.body, is_prose, &mut each);
    }

    fn made_up(&self, kind: Kind, text: &str) -> String {
        match kind {
            Kind::Name | Kind::Text => self.replaced(text, true),
            Kind::Other if self.names.contains(text) => self.replaced(text, true),
            Kind::Other => self.replaced(text, false),
            Kind::Path => {
                let parts = text.split('/').map(|part| self.made_up(Kind::Other, part));
                parts.collect::<Vec<_>>().join("/")
            }
        }
    }

    /// Replaces the words of addresses, or all words outside of tags.
    fn replaced(&self, text: &str, is_whole: bool) -> String {
        let mut new = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Word(word) if is_whole => new.push_str(&self.word(word)),
                Piece::Address(address) => {
                    for piece in pieces_of_address(address) {
                        match piece {
                            Piece::Word(word) => new.push_str(&self.word(word)),
                            Piece::Address(other) | Piece::Kept(other) => new.push_str(other),
                        }
                    }
                }
                Piece::Word(kept) | Piece::Kept(kept) => new.push_str(kept),
            }
        }
        new
    }

    /// Returns the made-up word in the case of the original.
    fn word(&self, word: &str) -> String {
        let Some(made) = self.words.get(&word.to_lowercase()) else {
            return word.to_owned();
        };
        let pairs = word.chars().zip(made.chars());
        pairs
            .map(|(was, is)| {
                if was.is_uppercase() {
                    is.to_ascii_uppercase()
                } else {
                    is
                }
            })
            .collect()
    }
}

type Change<'a> = dyn FnMut(&Pseudonyms, Kind, &str) -> Option<String> + 'a;

/// The meaning of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Text,
    /// A path, of which each part can be a name.
    Path,
    /// Any other value, of which only addresses are replaced.
    Other,
}

impl Kind {
    fn of_field(name: &str) -> Self {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        let name: String = letters.flat_map(char::to_lowercase).collect();
        let ends = |all: &[&str]| all.iter().any(|one| name.ends_with(one));
        if ends(&TECHNICAL) {
            Self::Other
        } else if ends(&TEXTS) {
            Self::Text
        } else if ends(&NAMES) {
            Self::Name
        } else {
            Self::Other
        }
    }
}

fn body(body: &mut Recorded, is_prose: bool, each: &mut dyn FnMut(Kind, &mut String)) {
    match body {
        Recorded::Json(value) => json(value, Kind::Other, each),
        Recorded::Form(fields) => {
            for (name, value) in fields {
                each(Kind::of_field(name), value);
            }
        }
        Recorded::Text(text) if is_prose => each(Kind::Text, text),
        Recorded::Text(text) => each(Kind::Other, text),
        Recorded::Bytes { base64, .. } => {
            // Its words cannot be found, so nothing of it stays.
            let padding = base64.len() - base64.trim_end_matches('=').len();
            let letters = base64.len() - padding;
            *base64 = format!("{}{}", "A".repeat(letters), "=".repeat(padding));
        }
        Recorded::Empty | Recorded::Streamed => {}
    }
}

fn json(value: &mut serde_json::Value, kind: Kind, each: &mut dyn FnMut(Kind, &mut String)) {
    use serde_json::Value;
    match value {
        Value::String(text) => each(kind, text),
        Value::Array(items) => items.iter_mut().for_each(|item| json(item, kind, each)),
        Value::Object(fields) => {
            for (name, value) in fields {
                // The fields of an object in `author` have their own names.
                json(value, Kind::of_field(name), each);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Word(&'a str),
    /// An e-mail address.
    Address(&'a str),
    /// Marks, blanks, tags and entities.
    Kept(&'a str),
}

/// Splits a text into words, addresses and the rest.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if rest.starts_with(Exchange::STAND_IN) => {
                let after = &rest[Exchange::STAND_IN.len()..];
                let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                Exchange::STAND_IN.len() + digits
            }
            '<' if is_tag(rest) => rest.find('>').map_or(rest.len(), |end| end + 1),
            '&' => entity(rest).unwrap_or(1),
            _ if is_of_address(first) => {
                let run = rest.find(|c: char| !is_of_address(c)).unwrap_or(rest.len());
                if let Some(length) = address(&rest[..run]) {
                    found.push(Piece::Address(&rest[..length]));
                    rest = &rest[length..];
                    continue;
                }
                if first.is_alphanumeric() {
                    let word = rest
                        .find(|c: char| !c.is_alphanumeric())
                        .unwrap_or(rest.len());
                    found.push(Piece::Word(&rest[..word]));
                    rest = &rest[word..];
                    continue;
                }
                first.len_utf8()
            }
            _ => first.len_utf8(),
        };
        found.push(Piece::Kept(&rest[..length]));
        rest = &rest[length..];
    }
    found
}

/// Returns the words of an address; the last part of its host is kept.
fn pieces_of_address(address: &str) -> Vec<Piece<'_>> {
    let end = address.rfind('.').unwrap_or(address.len());
    let mut found = Vec::new();
    let mut rest = &address[..end];
    while let Some(first) = rest.chars().next() {
        // An escaped `@`.
        let is_escape = rest.starts_with("%40");
        let is_word = first.is_alphanumeric() && !is_escape;
        let length = if is_escape {
            3
        } else if is_word {
            rest.find(|c: char| !c.is_alphanumeric())
                .unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (piece, after) = rest.split_at(length);
        found.push(if is_word {
            Piece::Word(piece)
        } else {
            Piece::Kept(piece)
        });
        rest = after;
    }
    found.push(Piece::Kept(&address[end..]));
    found
}

fn is_tag(rest: &str) -> bool {
    rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!')
        && rest.contains('>')
}

fn entity(rest: &str) -> Option<usize> {
    let end = rest.find(';').filter(|end| *end < 12)?;
    let name = &rest[1..end];
    let is_entity = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '#');
    is_entity.then_some(end + 1)
}

const fn is_of_address(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '@' | '%')
}

/// Returns the length of the address at the beginning of a run of its characters.
fn address(run: &str) -> Option<usize> {
    let (at, length) = match (run.find('@'), run.find("%40")) {
        (Some(at), _) => (at, 1),
        (None, Some(at)) => (at, 3),
        (None, None) => return None,
    };
    let host = &run[at + length..];
    let end = host
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')))
        .unwrap_or(host.len());
    let host = host[..end].trim_end_matches(['.', '-']);
    let is_address = at > 0 && run.starts_with(char::is_alphanumeric) && host.contains('.');
    is_address.then(|| at + length + host.len())
}

/// Collects the words that get another one, in lower case.
fn words_of(kind: Kind, text: &str, found: &mut BTreeSet<String>) {
    for piece in pieces(text) {
        match piece {
            Piece::Word(word) if matches!(kind, Kind::Name | Kind::Text) => {
                found.insert(word.to_lowercase());
            }
            Piece::Address(address) => {
                for piece in pieces_of_address(address) {
                    if let Piece::Word(word) = piece {
                        found.insert(word.to_lowercase());
                    }
                }
            }
            Piece::Word(_) | Piece::Kept(_) => {}
        }
    }
}

/// Makes a word of the same length: letters for letters, digits for digits.
fn other_word(word: &str, attempt: u32) -> String {
    let mut bytes = digest(&SHA256, format!("{attempt} {word}").as_bytes())
        .as_ref()
        .to_vec();
    let length = word.chars().count();
    while bytes.len() < length {
        bytes.extend_from_slice(digest(&SHA256, &bytes).as_ref());
    }
    let pairs = word.chars().zip(bytes);
    pairs
        .map(|(c, byte)| match c {
            '0'..='9' => char::from(b'0' + byte % 10),
            // Chinese, Japanese and Korean words have no blanks between them, and stay words of their script.
            '\u{3040}'..='\u{d7ff}' => {
                char::from_u32(0x4e00 + u32::from(byte)).unwrap_or('\u{4e00}')
            }
            _ => char::from(b'a' + byte % 26),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn exchange(path: &str, body: &Value) -> Exchange {
        serde_json::from_value(json!({
            "operation": format!("GET {}", path.trim_start_matches('/')),
            "asked": { "method": "GET", "at": "https://a.example", "path": path, "headers": {}, "body": "empty",
                "query": [["reader", "ada.lovelace@acme.example"]] },
            "answered": { "status": 200, "headers": {}, "body": { "json": body } },
        }))
        .unwrap()
    }

    fn made_up(body: &Value) -> (Exchange, Value) {
        let mut all = [exchange("/boards/Rockets/cards", body)];
        Pseudonyms::apply(&mut all);
        let [one] = all;
        let Recorded::Json(body) = one.answered.body.clone() else {
            panic!("{one:?}")
        };
        (one, body)
    }

    #[test]
    fn addresses_names_and_texts_are_made_up_and_keep_their_shape_and_equality() {
        let body = json!({ "cards": [
            { "id": "card-Rockets-7", "status": "open", "board_name": "Rockets", "due": "2026-11-28T10:00:00Z",
              "title": "Rockets: 3 of Ada's", "owner": { "login": "ada", "mail": "Ada.Lovelace@acme.example" },
              "body": "<p class=\"x\">Ask ada &amp; call 555-0199, tape_secret_1</p>",
              "url": "https://a.example/people/ada.lovelace%40acme.example" },
        ] });
        let (one, new) = made_up(&body);
        let card = &new["cards"][0];
        for kept in ["id", "status", "due"] {
            assert_eq!(card[kept], body["cards"][0][kept]);
        }
        let text = serde_json::to_string(&one).unwrap().to_lowercase();
        for gone in ["lovelace", "acme", "\"ada\"", "ada's", "ask ", "0199"] {
            assert!(!text.contains(gone), "{gone} is in {text}");
        }
        let board = card["board_name"].as_str().unwrap();
        assert!(board.len() == 7 && board.starts_with(char::is_uppercase));
        // The same name in a path, and in a title.
        assert_eq!(one.asked.path, format!("/boards/{board}/cards"));
        assert_eq!(one.operation, format!("GET boards/{board}/cards"));
        assert!(
            card["title"]
                .as_str()
                .unwrap()
                .starts_with(&format!("{board}: "))
        );
        // The same address in a parameter, in another case, and escaped in a link.
        let address = &one.asked.query[0].1;
        let mail = card["owner"]["mail"].as_str().unwrap();
        assert_eq!(&mail.to_lowercase(), address);
        assert!(
            mail.ends_with(".example") && mail.starts_with(char::is_uppercase),
            "{mail}"
        );
        let link = card["url"].as_str().unwrap();
        assert!(
            link.ends_with(&format!("/people/{}", address.replace('@', "%40"))),
            "{link}"
        );
        let text = card["body"].as_str().unwrap();
        assert!(
            text.starts_with("<p class=\"x\">") && text.ends_with(", tape_secret_1</p>"),
            "{text}"
        );
        assert!(text.contains(" &amp; "), "{text}");
        assert_eq!(made_up(&body).1, new, "two recordings are equal");
    }

    #[test]
    fn no_two_words_become_the_same_one() {
        let words = (0..3_000).map(|number| format!("w{number}"));
        let mut all = Pseudonyms::default();
        all.assign(words.collect());
        let made: BTreeSet<_> = all.words.values().collect();
        assert_eq!(made.len(), 3_000);
    }
}
