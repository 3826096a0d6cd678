//! Merges alternatives at the top of a schema into the single object that Omni accepts.

use serde_json::{Value, json};

use super::{Schema, alternative::collapse_enum};

/// Merges alternatives at the top into one object that admits all of them.
pub(super) fn merge_top(mut object: Schema) -> Schema {
    for (key, all_hold) in [("allOf", true), ("anyOf", false), ("oneOf", false)] {
        let Some(Value::Array(parts)) = object.remove(key) else {
            continue;
        };
        let parts = objects_of(parts);
        if parts.is_empty() {
            // No alternative is an object; the manager's rules then refuse the schema.
            object.insert("type".to_owned(), json!("not an object"));
            return object;
        }
        object = merge(object, parts, all_hold);
    }
    if object.remove("unevaluatedProperties") == Some(Value::Bool(false)) {
        object.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    object
}

/// Returns the alternatives that an object can satisfy, since an input is always an object.
fn objects_of(parts: Vec<Value>) -> Vec<Schema> {
    let parts = parts.into_iter().filter_map(|part| match part {
        Value::Object(part) => Some(merge_top(part)),
        Value::Bool(true) => Some(Schema::new()),
        _ => None,
    });
    parts
        .filter(|part| {
            part.get("type").is_none_or(|kind| kind == "object") && !part.contains_key("enum")
        })
        .collect()
}

fn merge(mut object: Schema, mut parts: Vec<Schema>, all_hold: bool) -> Schema {
    let mut required = required_by(&object);
    for name in parts.iter().flat_map(required_by) {
        let everywhere = all_hold || parts.iter().all(|part| required_by(part).contains(&name));
        if everywhere && !required.contains(&name) {
            required.push(name);
        }
    }
    let own = object.remove("properties");
    let own = own
        .and_then(|own| own.as_object().cloned())
        .unwrap_or_default();
    let mut properties: Vec<(String, Vec<Value>)> = own
        .into_iter()
        .map(|(name, schema)| (name, vec![schema]))
        .collect();
    if !all_hold {
        parts.iter_mut().for_each(describe_by_tag);
    }
    for (name, schema) in parts.iter().filter_map(properties_of).flatten() {
        match properties.iter_mut().find(|(known, _)| known == name) {
            Some((_, schemas)) if schemas.contains(schema) => {}
            Some((_, schemas)) => schemas.push(schema.clone()),
            None => properties.push((name.clone(), vec![schema.clone()])),
        }
    }
    let properties: Schema = properties
        .into_iter()
        .map(|(name, schemas)| (name, one_of_these(schemas)))
        .collect();
    let closed = |part: &Schema| part.get("additionalProperties") == Some(&Value::Bool(false));
    if !all_hold && parts.iter().all(closed) {
        object.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    object.insert("type".to_owned(), json!("object"));
    object.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        object.insert("required".to_owned(), json!(required));
    }
    object
}

fn properties_of(schema: &Schema) -> Option<&Schema> {
    schema.get("properties").and_then(Value::as_object)
}

fn required_by(schema: &Schema) -> Vec<String> {
    let names = schema.get("required").and_then(Value::as_array);
    let names = names.into_iter().flatten();
    names
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

/// Moves the description of an alternative to its tag property; the merge would lose it otherwise.
fn describe_by_tag(part: &mut Schema) {
    let Some(description) = part.get("description").cloned() else {
        return;
    };
    let required = required_by(part);
    let Some(Value::Object(properties)) = part.get_mut("properties") else {
        return;
    };
    let tag = properties.iter().find(|(_, schema)| {
        let constants = schema["enum"].as_array();
        constants.is_some_and(|constants| constants.len() == 1)
    });
    let tag = match (tag, &required[..]) {
        (Some((tag, _)), _) => tag.clone(),
        (None, [only]) if properties.len() == 1 => only.clone(),
        _ => return,
    };
    if let Some(Value::Object(tag)) = properties.get_mut(&tag) {
        tag.entry("description").or_insert(description);
    }
}

/// Combines several schemas of one property; constants of a tag become a list.
fn one_of_these(mut schemas: Vec<Value>) -> Value {
    if let [only] = &mut schemas[..] {
        return only.take();
    }
    let mut any = Schema::new();
    any.insert("anyOf".to_owned(), Value::Array(schemas));
    collapse_enum(&mut any);
    Value::Object(any)
}
