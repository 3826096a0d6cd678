//! The limits of an argument, in its declaration and in its schema.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value, json};

use crate::schema::compare;

/// The limits of a value. They are written into the schema and checked before a value is decoded.
///
/// Limits of an optional argument apply only when it is present. For a list, `min_items` and `max_items` limit the
/// list; all others limit each item.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// The smallest number.
    pub min: Option<Bound>,
    /// The largest number.
    pub max: Option<Bound>,
    /// The smallest number of characters.
    pub min_length: Option<usize>,
    /// The largest number of characters.
    pub max_length: Option<usize>,
    /// The smallest number of items in a list.
    pub min_items: Option<usize>,
    /// The largest number of items in a list.
    pub max_items: Option<usize>,
    /// A regular expression that must match anywhere in the string, as in JSON Schema; `^` and `$` anchor it. The
    /// syntax is that of the `regex` crate without Unicode classes. Use only features that other languages also have.
    pub pattern: Option<&'static str>,
    /// `date`, `date-time`, `email` or `uri`. Others are only shown.
    pub format: Option<&'static str>,
}

/// An end of a range. Whole numbers keep every digit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// A whole number.
    Int(i128),
    /// Any other number.
    Float(f64),
}

impl Bound {
    #[allow(
        clippy::cast_precision_loss,
        reason = "a caller cannot send a whole number beyond 64 bits"
    )]
    fn to_number(self) -> Option<Number> {
        match self {
            Self::Int(whole) => Number::from_i128(whole).or_else(|| Number::from_f64(whole as f64)),
            Self::Float(number) => Number::from_f64(number),
        }
    }
}

impl Limits {
    /// No limits.
    pub const NONE: Self = Self {
        min: None,
        max: None,
        min_length: None,
        max_length: None,
        min_items: None,
        max_items: None,
        pattern: None,
        format: None,
    };

    /// Adds the limits to the schema of a value. If its type also sets a limit, the stricter one counts.
    pub(super) fn restrict(&self, schema: &mut Map<String, Value>) {
        raise(schema, "minItems", self.min_items.map(Number::from));
        lower(schema, "maxItems", self.max_items.map(Number::from));
        self.restrict_each(schema);
    }

    /// Adds the limits of a single value; for a list, those of its items.
    fn restrict_each(&self, schema: &mut Map<String, Value>) {
        if let Some(Value::Object(items)) = schema.get_mut("items") {
            return self.restrict_each(items);
        }
        raise(schema, "minimum", self.min.and_then(Bound::to_number));
        lower(schema, "maximum", self.max.and_then(Bound::to_number));
        raise(schema, "minLength", self.min_length.map(Number::from));
        lower(schema, "maxLength", self.max_length.map(Number::from));
        if let Some(pattern) = self.pattern {
            match schema.get("pattern") {
                Some(own) if own != pattern => {
                    schema.insert("allOf".to_owned(), json!([{ "pattern": pattern }]));
                }
                _ => drop(schema.insert("pattern".to_owned(), pattern.into())),
            }
        }
        if let Some(format) = self.format {
            schema.insert("format".to_owned(), format.into());
        }
    }
}

fn raise(schema: &mut Map<String, Value>, key: &str, least: Option<Number>) {
    set_if(schema, key, least, Ordering::Greater);
}

fn lower(schema: &mut Map<String, Value>, key: &str, most: Option<Number>) {
    set_if(schema, key, most, Ordering::Less);
}

/// Sets a limit, unless the existing one is as strict.
fn set_if(schema: &mut Map<String, Value>, key: &str, limit: Option<Number>, stricter: Ordering) {
    let Some(limit) = limit else { return };
    let own = schema.get(key).and_then(Value::as_number);
    if own.is_none_or(|own| compare(&limit, own) == stricter) {
        schema.insert(key.to_owned(), Value::Number(limit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restricted(limits: Limits, mut schema: Value) -> Value {
        limits.restrict(schema.as_object_mut().unwrap());
        schema
    }

    #[test]
    fn limits_of_a_list_apply_to_its_items_except_its_length() {
        let limits = Limits {
            min: Some(Bound::Int(1)),
            max: Some(Bound::Float(2.5)),
            min_items: Some(1),
            max_items: Some(9),
            ..Limits::NONE
        };
        assert_eq!(
            restricted(
                limits,
                json!({ "type": "array", "items": { "type": "number" } })
            ),
            json!({
                "type": "array", "minItems": 1, "maxItems": 9,
                "items": { "type": "number", "minimum": 1, "maximum": 2.5 },
            })
        );
    }

    #[test]
    fn the_stricter_of_two_limits_holds() {
        let own = json!({ "minimum": 0, "maximum": 255, "pattern": "a" });
        let wider = Limits {
            min: Some(Bound::Int(-5)),
            max: Some(Bound::Int(1000)),
            ..Limits::NONE
        };
        assert_eq!(restricted(wider, own.clone()), own);
        let narrower = Limits {
            min: Some(Bound::Int(5)),
            max: Some(Bound::Int(10)),
            pattern: Some("b"),
            ..Limits::NONE
        };
        assert_eq!(
            restricted(narrower, own),
            json!({ "minimum": 5, "maximum": 10, "pattern": "a", "allOf": [{ "pattern": "b" }] })
        );
    }

    #[test]
    fn whole_numbers_keep_every_digit() {
        let limits = Limits {
            min: Some(Bound::Int(i128::from(i64::MIN))),
            max: Some(Bound::Int(i128::from(u64::MAX))),
            ..Limits::NONE
        };
        assert_eq!(
            restricted(limits, json!({})).to_string(),
            r#"{"maximum":18446744073709551615,"minimum":-9223372036854775808}"#
        );
    }
}
