//! Replaces secrets in a recording by stand-ins. A secret has the same stand-in everywhere, so a recording can be replayed
//! without it.

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{
    met,
    rules::{self, is_bare_secret, is_secret_name, plain},
    secrets::SHORTEST,
    spelling::Matcher,
};

/// How a stand-in begins; its number follows. Its characters need no escape in any header, URL or body.
pub(crate) const STAND_IN: &str = "tape_secret_";
/// The shortest value that is a secret because of its place and is also replaced elsewhere.
const CERTAIN: usize = 8;

/// The secrets of a recording, each with the number of its stand-in.
#[derive(Default)]
pub(crate) struct StandIns {
    numbers: HashMap<String, usize>,
    /// The numbers of secrets that first came in an answer.
    given: BTreeSet<usize>,
    /// Whether an answer is being cleaned.
    is_answer: bool,
    /// Secrets that are replaced everywhere, in every spelling.
    known: Vec<String>,
    matcher: OnceLock<Matcher>,
    /// How many secrets of the process are known.
    met: usize,
}

/// Returns whether a value was replaced.
fn is_stand_in(text: &str) -> bool {
    text.starts_with(STAND_IN)
}

/// Returns whether the value of a field with this name is a secret. A token that leads to the next page and
/// the type of a token are not.
fn is_secret(name: &str) -> bool {
    const PAGES: [&str; 10] = [
        "page", "next", "prev", "contin", "cursor", "sync", "delta", "scroll", "skip", "resum",
    ];
    let name = plain(name);
    let leads = PAGES.iter().any(|word| name.contains(word));
    is_secret_name(&name) && !leads && !name.ends_with("type")
}

impl StandIns {
    /// Learns a secret that is replaced wherever it occurs.
    pub(crate) fn learn(&mut self, secret: &str) {
        let secret = secret.trim();
        let is_new = !self.known.iter().any(|known| known == secret);
        if secret.len() >= SHORTEST && is_new && !is_stand_in(secret) {
            self.number(secret);
            self.known.push(secret.to_owned());
            self.matcher = OnceLock::new();
        }
    }

    /// Declares whether an answer is cleaned from now on, or a request.
    pub(crate) const fn set_answer(&mut self, is_answer: bool) {
        self.is_answer = is_answer;
    }

    /// Learns the secrets that the process has met since the last time.
    pub(crate) fn learn_met(&mut self) {
        let new = met::since(self.met);
        self.met += new.len();
        for secret in new {
            self.learn(&secret);
        }
    }

    /// Learns a field of a login, or of the answer of a token endpoint: it is a secret, whatever its name.
    pub(crate) fn learn_login_field(&mut self, name: &str, value: &str) {
        const HARMLESS: [&str; 8] = [
            "audience",
            "client_id",
            "grant_type",
            "requested_token_use",
            "resource",
            "scope",
            "token_type",
            "username",
        ];
        let is_url = value.starts_with("https://") || value.starts_with("http://");
        if value.len() >= CERTAIN && !is_url && !HARMLESS.contains(&name) {
            self.learn(value);
        }
    }

    /// Learns the fields of an answer of a token endpoint.
    pub(crate) fn learn_login(&mut self, answer: &Value) {
        for (name, value) in answer.as_object().into_iter().flatten() {
            self.learn_login_field(name, value.as_str().unwrap_or_default());
        }
    }

    /// Learns the value of a cookie that identifies a session, from a header `Set-Cookie`.
    pub(crate) fn learn_cookie(&mut self, cookie: &str) {
        let pair = cookie.split(';').next().unwrap_or_default();
        if let Some((name, value)) = pair.split_once('=') {
            let name = plain(name);
            let is_session = name.contains("sess") || name.contains("sid");
            if is_session || is_bare_secret(&name) || is_secret_name(&name) {
                self.learn(value);
            }
        }
    }

    fn number(&mut self, secret: &str) -> usize {
        let next = self.numbers.len() + 1;
        *self.numbers.entry(secret.to_owned()).or_insert_with(|| {
            if self.is_answer {
                self.given.insert(next);
            }
            next
        })
    }

    /// Returns the stand-in of a value that is a secret because of its place.
    pub(crate) fn stand_in(&mut self, secret: &str) -> String {
        if secret.is_empty() || is_stand_in(secret) {
            return secret.to_owned();
        }
        // In a link it is escaped, in a parameter it is not.
        let plain = percent_decode_str(secret).decode_utf8_lossy();
        format!("{STAND_IN}{}", self.number(plain.trim()))
    }

    /// Replaces the secrets in a string.
    pub(crate) fn clean(&mut self, text: &str) -> String {
        let text = self.without_known(text);
        let mut mark = |name: Option<&str>, secret: &str| {
            name.is_none_or(is_secret).then(|| self.stand_in(secret))
        };
        rules::replace(&text, &mut mark).into_owned()
    }

    fn without_known(&self, text: &str) -> String {
        let matcher = self
            .matcher
            .get_or_init(|| Matcher::new(self.known.iter().map(String::as_str)));
        matcher.replace(text, |secret| {
            let number = self.numbers[&self.known[secret]];
            Cow::Owned(format!("{STAND_IN}{number}"))
        })
    }

    /// Replaces the value of a parameter or a field.
    pub(crate) fn clean_field(&mut self, name: &str, value: &str) -> String {
        if is_secret(name) {
            self.stand_in(value)
        } else {
            self.clean(value)
        }
    }

    /// Replaces the secrets in a JSON value.
    pub(crate) fn clean_json(&mut self, value: &mut Value) {
        if value.get("access_token").is_some() {
            self.learn_login(value);
        }
        self.clean_in(value, false);
    }

    fn clean_in(&mut self, value: &mut Value, in_secret: bool) {
        match value {
            Value::String(text) if in_secret => *text = self.stand_in(text),
            Value::String(text) => *text = self.clean(text),
            Value::Array(items) => {
                for item in items {
                    self.clean_in(item, in_secret);
                }
            }
            Value::Object(fields) => {
                for (name, value) in &mut *fields {
                    self.clean_in(value, in_secret || is_secret(name));
                }
                let names: Vec<_> = fields.keys().cloned().collect();
                for name in names {
                    let clean = self.without_known(&name);
                    if clean != name
                        && let Some(value) = fields.remove(&name)
                    {
                        fields.insert(clean, value);
                    }
                }
            }
            _ => {}
        }
    }

    /// Replaces the secrets in a string by what was learned since it was cleaned.
    pub(crate) fn clean_again(&self, text: &str) -> String {
        let mut text = self.without_known(text);
        let mut certain: Vec<_> = self.numbers.iter().collect();
        certain.retain(|(secret, _)| secret.len() >= CERTAIN && text.contains(secret.as_str()));
        // A secret may contain another one.
        certain.sort_by_key(|(secret, _)| (Reverse(secret.len()), *secret));
        for (secret, number) in certain {
            text = text.replace(secret.as_str(), &format!("{STAND_IN}{number}"));
        }
        text
    }

    /// Returns whether a secret is in a string, in any spelling.
    pub(crate) fn finds(&self, text: &str) -> bool {
        self.clean_again(text) != text
    }

    /// Numbers the stand-ins of these texts by their first appearance. The numbers then say nothing about the order of
    /// answers. Returns how many there are, and the new numbers of those that the source gave.
    pub(crate) fn renumber(&self, texts: &mut [String]) -> (usize, BTreeSet<usize>) {
        let mut numbers = HashMap::new();
        for text in texts {
            let mut parts = text.split(STAND_IN);
            let mut renumbered = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let digits = part.bytes().take_while(u8::is_ascii_digit).count();
                let next = numbers.len() + 1;
                let number = *numbers.entry(part[..digits].to_owned()).or_insert(next);
                renumbered.extend([STAND_IN, &number.to_string(), &part[digits..]]);
            }
            *text = renumbered;
        }
        let given = self.given.iter();
        let given = given.filter_map(|before| numbers.get(&before.to_string()).copied());
        (numbers.len(), given.collect())
    }

    /// Returns the text with the same number for all stand-ins, to compare texts whose secrets differ.
    pub(crate) fn without_numbers(text: &str) -> String {
        let mut parts = text.split(STAND_IN);
        let mut plain = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            plain += STAND_IN;
            plain += part.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        plain
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_has_one_stand_in_in_every_place_and_spelling() {
        let mut stand_ins = StandIns::default();
        stand_ins.learn("s3cr/et=12");
        let one = "tape_secret_1";
        assert_eq!(
            stand_ins.clean("a s3cr/et=12 or s3cr%2Fet%3D12"),
            format!("a {one} or {one}")
        );
        let link = stand_ins.clean("https://h.example/f?signature=ab%2Fc&page_token=zz%3D");
        assert_eq!(
            link,
            "https://h.example/f?signature=tape_secret_2&page_token=zz%3D"
        );
        assert_eq!(stand_ins.clean_field("signature", "ab/c"), "tape_secret_2");
        let mut answer = json!({ "access_token": "tok-9876", "scope": "read", "token_type": "Bearer", "nextPageToken": "n" });
        stand_ins.clean_json(&mut answer);
        assert_eq!(
            answer,
            json!({ "access_token": "tape_secret_3", "scope": "read", "token_type": "Bearer", "nextPageToken": "n" })
        );
        assert_eq!(stand_ins.clean("again tok-9876"), "again tape_secret_3");
        assert!(stand_ins.finds("dG9rLTk4NzY=") && !stand_ins.finds("tok"));
    }
}
