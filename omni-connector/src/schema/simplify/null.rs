//! Drops the alternative null where it means the same as an absent value.

use serde_json::{Value, json};

use super::{Null, Schema};

pub(super) fn is_null(schema: &Value) -> bool {
    schema["type"] == "null" || schema["enum"] == json!([null])
}

/// Drops redundant nulls and moves meaningful ones into the only other alternative.
pub(super) fn fold_null(object: &mut Schema, null: Null) {
    for key in ["anyOf", "oneOf"] {
        let Some(Value::Array(schemas)) = object.get_mut(key) else {
            continue;
        };
        let others = schemas.iter().filter(|schema| !is_null(schema)).count();
        if others == 0 || others == schemas.len() {
            continue;
        }
        if null == Null::Meant && (others > 1 || !schemas.iter_mut().all(admit_null)) {
            continue;
        }
        schemas.retain(|schema| !is_null(schema));
    }
    if null == Null::Meant {
        return;
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = &mut types[..] {
            let only = only.take();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum")
        && values.len() > 1
    {
        values.retain(|value| !value.is_null());
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
}

/// Makes a schema admit null, if it has a keyword for it. Returns whether it does.
fn admit_null(schema: &mut Value) -> bool {
    let Value::Object(object) = schema else {
        return false;
    };
    if ["anyOf", "oneOf", "allOf"]
        .iter()
        .any(|key| object.contains_key(*key))
    {
        return false;
    }
    match object.get_mut("type") {
        Some(Value::Array(types)) if types.contains(&json!("null")) => {}
        Some(Value::Array(types)) => types.push(json!("null")),
        Some(kind) if *kind != "null" => *kind = json!([kind.take(), "null"]),
        Some(_) => {}
        None => return false,
    }
    if let Some(Value::Array(values)) = object.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    true
}
