//! Changes a value, so that it may become invalid.

use proptest::{
    prelude::*,
    sample::{Index, select},
};
use serde_json::{Value, json};

/// A change of a value. Cases of [`where_the_two_differ`](super::where_the_two_differ) are excluded.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Replace(Value),
    Remove(Index),
    Rename(Index),
    Add,
    Push,
    Pop,
}

pub(super) fn change() -> impl Strategy<Value = (Index, Change)> {
    let others = vec![
        json!(true),
        json!("x"),
        json!(""),
        json!("toolong"),
        json!(101),
        json!(300),
        json!(-1),
        json!(-200),
        json!(70_000),
        json!(5_000_000_000_i64),
        json!(-5_000_000_000_i64),
        json!(1.5),
        json!({}),
        json!({ "zzz": 1 }),
    ];
    let change = prop_oneof![
        8 => select(others).prop_map(Change::Replace),
        3 => any::<Index>().prop_map(Change::Remove),
        1 => any::<Index>().prop_map(Change::Rename),
        1 => Just(Change::Add),
        1 => Just(Change::Push),
        1 => Just(Change::Pop),
    ];
    (any::<Index>(), change)
}

fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{path}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                places(
                    field,
                    &format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        _ => {}
    }
}

pub(super) fn changed(value: &Value, place: Index, change: Change) -> Value {
    let mut value = value.clone();
    let mut found = Vec::new();
    places(&value, "", &mut found);
    let place = value.pointer_mut(place.get::<String>(&found)).unwrap();
    match (change, place) {
        (Change::Replace(other), place) => *place = other,
        (Change::Remove(index), Value::Object(fields)) if !fields.is_empty() => {
            let name = index
                .get(&fields.keys().cloned().collect::<Vec<_>>())
                .clone();
            fields.remove(&name);
        }
        (Change::Rename(index), Value::Object(fields)) if !fields.is_empty() => {
            let name = index
                .get(&fields.keys().cloned().collect::<Vec<_>>())
                .clone();
            let field = fields.remove(&name).unwrap();
            fields.insert("zzz".to_owned(), field);
        }
        (Change::Add, Value::Object(fields)) => drop(fields.insert("zzz".to_owned(), json!(1))),
        (Change::Push, Value::Array(items)) => {
            items.push(items.first().cloned().unwrap_or_default());
        }
        (Change::Pop, Value::Array(items)) => drop(items.pop()),
        _ => {}
    }
    value
}
