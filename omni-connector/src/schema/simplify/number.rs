//! Writes numbers without Rust's formats, and with their original digits.

use regex_lite::Regex;
use serde_json::{Value, json};

use super::Schema;

/// Writes single-precision defaults, examples and limits with their original digits: 0.1, not 0.10000000149011612.
pub(super) fn shorten_singles(object: &mut Schema) {
    for key in [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    ] {
        if let Some(mut limit) = object.remove(key) {
            shorten(&mut limit, object);
            object.insert(key.to_owned(), limit);
        }
    }
    for key in ["default", "examples"] {
        let Some(mut value) = object.remove(key) else {
            continue;
        };
        match (&mut value, key) {
            (Value::Array(examples), "examples") => {
                for example in examples {
                    shorten(example, object);
                }
            }
            (value, _) => shorten(value, object),
        }
        object.insert(key.to_owned(), value);
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the number was of single precision before JSON made it a double"
)]
fn shorten(value: &mut Value, schema: &Schema) {
    let inner = |key: &str, index: usize| match schema.get(key)? {
        Value::Array(schemas) => schemas.get(index)?.as_object(),
        other => other.as_object(),
    };
    match value {
        Value::Number(number) if schema.get("format").is_some_and(|format| format == "float") => {
            let digits = number.as_f64().map(|double| (double as f32).to_string());
            if let Some(short) = digits.and_then(|digits| digits.parse::<f64>().ok())
                && number.is_f64()
            {
                *value = json!(short);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let of_item = inner("prefixItems", index).or_else(|| inner("items", 0));
                if let Some(of_item) = of_item {
                    shorten(item, of_item);
                }
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let named = inner("properties", 0).and_then(|named| named.get(name)?.as_object());
                let like = inner("patternProperties", 0).and_then(|patterns| {
                    let (_, of_field) = patterns.iter().find(|(pattern, _)| {
                        Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(name))
                    })?;
                    of_field.as_object()
                });
                let others = || inner("additionalProperties", 0);
                if let Some(of_field) = named.or(like).or_else(others) {
                    shorten(field, of_field);
                }
            }
        }
        _ => {}
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        let alternatives = schema.get(key).and_then(Value::as_array);
        for alternative in alternatives
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
        {
            shorten(value, alternative);
        }
    }
}

/// Replaces Rust's number formats, which JSON Schema does not define, by limits. Decoding checks 64 bits and more,
/// because most readers would round such numbers.
pub(super) fn plain_numbers(object: &mut Schema) {
    let Some(format) = object.get("format").and_then(Value::as_str) else {
        return;
    };
    let (least, most) = match format {
        "int8" => (json!(i8::MIN), json!(i8::MAX)),
        "int16" => (json!(i16::MIN), json!(i16::MAX)),
        "int32" => (json!(i32::MIN), json!(i32::MAX)),
        "uint8" => (json!(0), json!(u8::MAX)),
        "uint16" => (json!(0), json!(u16::MAX)),
        "uint32" => (json!(0), json!(u32::MAX)),
        "int" | "int64" | "int128" | "float" | "double" => (Value::Null, Value::Null),
        "uint" | "uint64" | "uint128" => (json!(0), Value::Null),
        _ => return,
    };
    object.remove("format");
    for (key, limit) in [("minimum", least), ("maximum", most)] {
        if !limit.is_null() {
            object.entry(key).or_insert(limit);
        }
    }
}
