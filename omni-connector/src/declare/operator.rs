//! Converts the table of search operators for the manifest.

use std::any::Any;

use serde_json::{Map, Value, json};

use super::annotated::Declared;
use crate::{run::Operator, wire::AttributeValue};

/// A function with `#[search_operator]`, as an entry of `search_operators = […]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a search operator",
    label = "not a search operator",
    note = "help: add `#[search_operator]` to the function"
)]
pub trait OperatorFn {
    /// Its entry in the table.
    const OPERATOR: Operator;
}

/// Reads an operator's value from an item of type `T`.
pub fn read<'item, T: Any, V: AttributeValue>(
    item: &'item dyn Any,
    operator: impl FnOnce(&'item T) -> V,
) -> Option<Value> {
    operator(item.downcast_ref()?).to_attribute()
}

/// Returns the operators of the block and of the struct's list.
pub(super) fn operators<K: Declared>() -> Vec<Operator> {
    [K::TABLE.operator_methods, K::LISTED_OPERATORS].concat()
}

/// Returns the JSON Schema of the attributes that these operators read, if there are any.
pub(super) fn attributes_schema(operators: &[Operator]) -> Option<Value> {
    let mut properties = Map::new();
    for operator in operators {
        let schema = (operator.schema)();
        let merged = match properties.remove(operator.attribute) {
            Some(earlier) => either(earlier, schema),
            None => schema,
        };
        properties.insert(operator.attribute.to_owned(), merged);
    }
    (!properties.is_empty()).then(|| json!({ "type": "object", "properties": properties }))
}

/// Returns the schema of an attribute whose value has different types in different items.
fn either(mut earlier: Value, schema: Value) -> Value {
    if earlier == schema {
        return earlier;
    }
    match earlier.get_mut("anyOf").and_then(Value::as_array_mut) {
        Some(shapes) if shapes.contains(&schema) => earlier,
        Some(shapes) => {
            shapes.push(schema);
            earlier
        }
        None => json!({ "anyOf": [earlier, schema] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ValueType;

    const fn operator(attribute: &'static str, schema: fn() -> Value) -> Operator {
        Operator {
            name: attribute,
            attribute,
            value_type: ValueType::Text,
            schema,
            item: || std::any::TypeId::of::<()>(),
            read: |_| None,
        }
    }

    #[test]
    fn an_attribute_with_several_value_types_admits_each_of_them() {
        let operators = [
            operator("department", <&str>::schema),
            operator("department", <Vec<String>>::schema),
            operator("department", <Vec<String>>::schema),
            operator("location", <&str>::schema),
            operator("location", <String>::schema),
        ];
        let text = json!({ "type": "string" });
        assert_eq!(
            attributes_schema(&operators).unwrap()["properties"],
            json!({
                "department": { "anyOf": [text, { "type": "array", "items": text }] },
                "location": text,
            })
        );
    }
}
