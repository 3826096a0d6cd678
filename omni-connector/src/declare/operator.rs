//! Operators: from the table to the manifest.

use std::any::Any;

use serde_json::{Map, Value, json};

use crate::contract::{AttributeValue, Operator};

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

/// JSON Schema of the attributes that the operators read; none when there are none.
pub fn attributes_schema<'a>(operators: impl IntoIterator<Item = &'a Operator>) -> Option<Value> {
    let properties: Map<_, _> = operators
        .into_iter()
        .map(|operator| (operator.attribute.to_owned(), (operator.schema)()))
        .collect();
    (!properties.is_empty()).then(|| json!({ "type": "object", "properties": properties }))
}
