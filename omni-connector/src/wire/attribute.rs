//! Values of search operators: the types that an operator's function may return, and their form in document attributes.

use std::{borrow::Cow, fmt, str::FromStr};

use icu_normalizer::ComposingNormalizerBorrowed;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339};

use super::timestamp::in_utc;
use crate::wire::ValueType;

/// An e-mail address, trimmed and in lower case, as Omni compares them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Email(String);

/// A string that is not a valid e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address: it needs a local part, one `@` and a domain with a dot")]
pub struct InvalidEmail;

impl Email {
    /// Parses an address. A display name is refused: Omni matches people by address alone.
    ///
    /// # Errors
    /// The local part, the single `@` or the dotted domain is missing, or the address contains a blank.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail)?;
        let dotted =
            domain.split('.').count() > 1 && domain.split('.').all(|label| !label.is_empty());
        let clean = |part: &str| {
            !part.contains(|c: char| c.is_whitespace() || c.is_control() || "@<>,;\"".contains(c))
        };
        if local.is_empty() || !dotted || !clean(local) || !clean(domain) {
            return Err(InvalidEmail);
        }
        Ok(Self(text.to_lowercase()))
    }

    /// Returns the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        Self::parse(text)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Email {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Email".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "email" })
    }
}

/// A type that a function with `#[search_operator]` can return.
///
/// Strings become single tokens ([`token`]), because a search puts the operator's value unquoted into the index query
/// (`protocol.md` §7.3). Times are ISO 8601 in UTC. A list matches when one element matches. The attribute is omitted for
/// an absent value, an empty list, and a string without letters or digits.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no attribute value",
    label = "an operator cannot return this",
    note = "help: return `&str`, `String`, `Email`, a number, `bool`, `OffsetDateTime`, `Date`, or a `Vec` or `Option` of these"
)]
pub trait AttributeValue {
    /// The operator's value type in the manifest.
    const VALUE_TYPE: ValueType;

    /// Returns the JSON Schema of the attribute.
    fn schema() -> Value;

    /// Converts the value into an attribute; none omits the attribute.
    fn to_attribute(self) -> Option<Value>;
}

/// Converts a string into a single lower-case token. Each run of other characters between letters and digits becomes `_`.
///
/// Letters are composed first, so a name from a Mac (`e` and an accent) is the one that people type (`é`). A `+` or `#` at the
/// end of a word is spelled out: it tells names such as `C`, `C++` and `C#` apart.
///
/// ```
/// use omni_connector::wire::token;
///
/// assert_eq!(token("In Review (QA)"), "in_review_qa");
/// assert_eq!(token("OPS-42"), "ops_42");
/// assert_eq!(token("C++"), "c_plus_plus");
/// ```
pub fn token(text: &str) -> String {
    let text = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    let mut token = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(start) = rest.find(char::is_alphanumeric) {
        rest = &rest[start..];
        let (word, behind) = split_where(rest, |c| !c.is_alphanumeric());
        let (signs, behind) = split_where(behind, |c| !matches!(c, '+' | '#'));
        append(&mut token, word.chars().flat_map(char::to_lowercase));
        if !behind.starts_with(char::is_alphanumeric) {
            for sign in signs.chars() {
                let name = if sign == '+' { "plus" } else { "sharp" };
                append(&mut token, name.chars());
            }
        }
        rest = behind;
    }
    token
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

fn append(token: &mut String, word: impl Iterator<Item = char>) {
    if !token.is_empty() {
        token.push('_');
    }
    token.extend(word);
}

impl AttributeValue for &str {
    const VALUE_TYPE: ValueType = ValueType::Text;

    fn schema() -> Value {
        json!({ "type": "string" })
    }

    fn to_attribute(self) -> Option<Value> {
        let token = token(self);
        (!token.is_empty()).then(|| token.into())
    }
}

impl AttributeValue for String {
    const VALUE_TYPE: ValueType = ValueType::Text;

    fn schema() -> Value {
        <&str>::schema()
    }

    fn to_attribute(self) -> Option<Value> {
        self.as_str().to_attribute()
    }
}

impl AttributeValue for Email {
    const VALUE_TYPE: ValueType = ValueType::Person;

    fn schema() -> Value {
        json!({ "type": "string", "format": "email" })
    }

    fn to_attribute(self) -> Option<Value> {
        Some(self.0.into())
    }
}

impl AttributeValue for OffsetDateTime {
    const VALUE_TYPE: ValueType = ValueType::Datetime;

    fn schema() -> Value {
        json!({ "type": "string", "format": "date-time" })
    }

    fn to_attribute(self) -> Option<Value> {
        let text = in_utc(self).format(&Rfc3339);
        text.ok().map(Into::into)
    }
}

impl AttributeValue for Date {
    const VALUE_TYPE: ValueType = ValueType::Datetime;

    fn schema() -> Value {
        json!({ "type": "string", "format": "date" })
    }

    fn to_attribute(self) -> Option<Value> {
        Some(self.to_string().into())
    }
}

/// Implements the trait for types whose JSON form is the attribute.
macro_rules! plain {
    ($schema:literal: $($type:ty)+) => {
        $(impl AttributeValue for $type {
            const VALUE_TYPE: ValueType = ValueType::Text;

            fn schema() -> Value {
                json!({ "type": $schema })
            }

            fn to_attribute(self) -> Option<Value> {
                Some(self.into())
            }
        })+
    };
}

plain!("boolean": bool);
plain!("integer": i8 i16 i32 i64 u8 u16 u32 u64);
plain!("number": f32 f64);

impl<T: AttributeValue> AttributeValue for Option<T> {
    const VALUE_TYPE: ValueType = T::VALUE_TYPE;

    fn schema() -> Value {
        T::schema()
    }

    fn to_attribute(self) -> Option<Value> {
        self?.to_attribute()
    }
}

impl<T: AttributeValue> AttributeValue for Vec<T> {
    const VALUE_TYPE: ValueType = T::VALUE_TYPE;

    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }

    fn to_attribute(self) -> Option<Value> {
        let values: Vec<_> = self.into_iter().filter_map(T::to_attribute).collect();
        (!values.is_empty()).then(|| values.into())
    }
}

impl<T: AttributeValue + Clone> AttributeValue for &[T] {
    const VALUE_TYPE: ValueType = T::VALUE_TYPE;

    fn schema() -> Value {
        <Vec<T>>::schema()
    }

    fn to_attribute(self) -> Option<Value> {
        self.to_vec().to_attribute()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    #[test]
    fn addresses_are_compared_as_omni_compares_them() {
        assert_eq!(
            Email::parse(" Ann@Example.COM ").unwrap().as_str(),
            "ann@example.com"
        );
        for text in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@host",
            "a b@example.com",
            "Ann <ann@example.com>",
            "a@b@c.d",
            "a@.com",
        ] {
            assert_eq!(Email::parse(text), Err(InvalidEmail), "{text}");
        }
    }

    #[test]
    fn texts_become_what_people_can_type() {
        assert_eq!("In Review".to_attribute(), Some(json!("in_review")));
        assert_eq!("Größe XL".to_attribute(), Some(json!("größe_xl")));
        assert_eq!("  – ".to_attribute(), None);
    }

    #[test]
    fn names_that_differ_by_a_sign_alone_are_told_apart() {
        let names = ["C", "C++", "C#", "C+"].map(token);
        assert_eq!(names, ["c", "c_plus_plus", "c_sharp", "c_plus"]);
        for (text, expected) in [
            ("C++ and F#", "c_plus_plus_and_f_sharp"),
            ("q1+q2", "q1_q2"),
            ("issue #5", "issue_5"),
            ("+49 30", "49_30"),
            ("Yes!", "yes"),
        ] {
            assert_eq!(token(text), expected);
        }
    }

    #[test]
    fn a_name_in_parts_is_the_one_that_a_keyboard_types() {
        assert_eq!(token("Cafe\u{301} am See"), token("Café am See"));
        assert_eq!(token("Cafe\u{301}"), "café");
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(
            datetime!(2026-08-22 06:08:28 +2).to_attribute(),
            Some(json!("2026-08-22T04:08:28Z"))
        );
        assert_eq!(
            date!(2026 - 08 - 22).to_attribute(),
            Some(json!("2026-08-22"))
        );
    }

    #[test]
    fn nothing_leaves_the_attribute_out() {
        assert_eq!(None::<Email>.to_attribute(), None);
        assert_eq!(Vec::<String>::new().to_attribute(), None);
        assert_eq!(vec![Some("A"), None].to_attribute(), Some(json!(["a"])));
    }

    #[test]
    fn lists_of_people_are_lists_of_addresses_in_the_schema() {
        let address = json!({ "type": "string", "format": "email" });
        assert_eq!(
            <Option<Vec<Email>>>::schema(),
            json!({ "type": "array", "items": address })
        );
        assert_eq!(<Option<Vec<Email>>>::VALUE_TYPE, ValueType::Person);
    }
}
