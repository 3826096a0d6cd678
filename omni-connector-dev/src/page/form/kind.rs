//! Reduces a schema to the few kinds that have a control.

use serde_json::{Map, Value};

use super::DEEPEST;

/// A schema as shown by a control.
pub(super) struct Shape<'a> {
    pub(super) kind: Kind<'a>,
    /// Whether null is allowed.
    pub(super) nullable: bool,
    pub(super) title: Option<&'a str>,
    pub(super) description: Option<&'a str>,
    pub(super) default: Option<&'a Value>,
    /// Whether a stored value must never be shown.
    pub(super) is_secret: bool,
}

pub(super) enum Kind<'a> {
    /// Any value, as JSON.
    Json,
    Text(Text<'a>),
    Number(Number<'a>),
    Flag,
    /// One of these values.
    Choice(Vec<&'a Value>),
    List(&'a Value),
    Object(Object<'a>),
    /// One of these schemas.
    Variants(Vec<&'a Value>),
}

pub(super) struct Text<'a> {
    pub(super) format: Option<&'a str>,
    pub(super) pattern: Option<&'a str>,
    pub(super) min: Option<u64>,
    pub(super) max: Option<u64>,
}

pub(super) struct Number<'a> {
    pub(super) is_whole: bool,
    pub(super) min: Option<&'a Value>,
    pub(super) max: Option<&'a Value>,
}

pub(super) struct Object<'a> {
    /// The members and whether each is required; required ones come first.
    pub(super) members: Vec<(&'a str, &'a Value, bool)>,
    /// The schema of all other members, if it restricts them.
    pub(super) others: Option<&'a Value>,
    /// Whether other members are allowed.
    pub(super) is_open: bool,
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
        || schema.get("const").is_some_and(Value::is_null)
        || schema.get("enum") == Some(&Value::Array(vec![Value::Null]))
}

/// Reads the shape of a schema at a nesting depth.
pub(super) fn shape(schema: &Value, depth: usize) -> Shape<'_> {
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    let flag = |key: &str| schema.get(key).and_then(Value::as_bool) == Some(true);
    let (kind, nullable) = if depth > DEEPEST {
        (Kind::Json, false)
    } else {
        kind(schema, depth)
    };
    Shape {
        kind,
        nullable,
        title: text("title"),
        description: text("description"),
        default: schema.get("default"),
        is_secret: text("format") == Some("password") || flag("writeOnly") || flag("x-secret"),
    }
}

fn kind(schema: &Value, depth: usize) -> (Kind<'_>, bool) {
    if schema.get("$ref").is_some() || schema.get("not").is_some() || schema.get("if").is_some() {
        return (Kind::Json, false);
    }
    if let Some(fixed) = schema.get("const") {
        return (Kind::Choice(vec![fixed]), false);
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let some: Vec<_> = values.iter().filter(|value| !value.is_null()).collect();
        let nullable = some.len() < values.len();
        return (Kind::Choice(some), nullable);
    }
    for key in ["oneOf", "anyOf"] {
        let Some(all) = schema.get(key).and_then(Value::as_array) else {
            continue;
        };
        // Each alternative would have to contain the members next to the alternatives.
        if schema.get("properties").is_some() {
            return (Kind::Json, false);
        }
        let some: Vec<_> = all.iter().filter(|variant| !is_null(variant)).collect();
        let nullable = some.len() < all.len();
        return match some[..] {
            [] => (Kind::Json, true),
            [only] => {
                let inner = shape(only, depth + 1);
                (inner.kind, nullable || inner.nullable)
            }
            _ if some.iter().all(|variant| variant.get("const").is_some()) => {
                let fixed = some.iter().filter_map(|variant| variant.get("const"));
                (Kind::Choice(fixed.collect()), nullable)
            }
            _ => (Kind::Variants(some), nullable),
        };
    }
    if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
        return match &all[..] {
            [only] if schema.get("properties").is_none() => kind(only, depth + 1),
            _ => (Kind::Json, false),
        };
    }
    match schema.get("type") {
        Some(Value::String(name)) => (typed(schema, name), false),
        Some(Value::Array(names)) => {
            let some: Vec<_> = names.iter().filter_map(Value::as_str).collect();
            let nullable = some.contains(&"null");
            let rest: Vec<_> = some.into_iter().filter(|name| *name != "null").collect();
            match rest[..] {
                [only] => (typed(schema, only), nullable),
                _ => (Kind::Json, nullable),
            }
        }
        _ if schema.get("properties").is_some() => (typed(schema, "object"), false),
        _ => (Kind::Json, false),
    }
}

fn typed<'a>(schema: &'a Value, name: &str) -> Kind<'a> {
    let limit = |key: &str| schema.get(key).and_then(Value::as_u64);
    match name {
        "string" => Kind::Text(Text {
            format: schema.get("format").and_then(Value::as_str),
            pattern: schema.get("pattern").and_then(Value::as_str),
            min: limit("minLength"),
            max: limit("maxLength"),
        }),
        "integer" | "number" => Kind::Number(Number {
            is_whole: name == "integer",
            min: schema.get("minimum"),
            max: schema.get("maximum"),
        }),
        "boolean" => Kind::Flag,
        "array" => match schema.get("items") {
            Some(items) if items.is_object() && schema.get("prefixItems").is_none() => {
                Kind::List(items)
            }
            _ => Kind::Json,
        },
        "object" => Kind::Object(object(schema)),
        _ => Kind::Json,
    }
}

fn object(schema: &Value) -> Object<'_> {
    let empty = Map::new;
    let required = schema.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| required.is_some_and(|all| all.iter().any(|known| known == name));
    let members = schema.get("properties").and_then(Value::as_object);
    let mut members: Vec<_> = members
        .map(|members| members.iter().collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .map(|(name, schema)| (name.as_str(), schema, is_required(name)))
        .collect();
    members.sort_by_key(|(_, _, required)| !required);
    let additional = schema.get("additionalProperties");
    let others =
        additional.filter(|others| **others != Value::Object(empty()) && others.is_object());
    Object {
        others,
        is_open: others.is_none() && additional != Some(&Value::Bool(false)),
        members,
    }
}

/// Returns whether a value resembles those of a schema, to select one of several alternatives.
pub(super) fn fits(schema: &Value, value: &Value) -> bool {
    let shape = shape(schema, 0);
    if value.is_null() {
        return shape.nullable;
    }
    match shape.kind {
        Kind::Json => true,
        Kind::Text(_) => value.is_string(),
        Kind::Number(number) => {
            value.is_number() && (!number.is_whole || value.is_i64() || value.is_u64())
        }
        Kind::Flag => value.is_boolean(),
        Kind::Choice(values) => values.contains(&value),
        Kind::List(_) => value.is_array(),
        Kind::Variants(variants) => variants.iter().any(|variant| fits(variant, value)),
        Kind::Object(object) => value.as_object().is_some_and(|value| {
            let is_known = |name: &String| object.members.iter().any(|(known, ..)| known == name);
            (object.is_open || object.others.is_some() || value.keys().all(is_known))
                && object
                    .members
                    .iter()
                    .all(|(name, schema, required)| match value.get(*name) {
                        Some(member) => fits(schema, member),
                        None => !required,
                    })
        }),
    }
}

/// Returns the name of an alternative for people.
pub(super) fn label(schema: &Value, index: usize) -> String {
    if let Some(title) = schema.get("title").and_then(Value::as_str) {
        return title.to_owned();
    }
    let members = schema.get("properties").and_then(Value::as_object);
    let tag = members.and_then(|members| {
        members.values().find_map(|member| {
            let only = member
                .get("enum")
                .and_then(Value::as_array)
                .filter(|all| all.len() == 1);
            member.get("const").or_else(|| only?.first())?.as_str()
        })
    });
    let first = || members?.keys().next().map(String::as_str);
    let kind = || schema.get("type").and_then(Value::as_str);
    let found = tag.or_else(first).or_else(kind);
    found.map_or_else(|| format!("alternative {}", index + 1), str::to_owned)
}
