//! Operators: from the table to the manifest.

use std::any::Any;

use serde_json::{Map, Value, json};

use super::table::{Declared, Methods};
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

/// All operators of a connector, those of its `impl` block first.
pub fn operators<K: Declared>() -> Vec<Operator> {
    [<K as Methods>::OPERATORS, <K as Declared>::OPERATORS].concat()
}

/// JSON Schema of the attributes that a connector's operators read; none when there are none.
pub fn attributes_schema<K: Declared>() -> Option<Value> {
    schema_of(&operators::<K>())
}

fn schema_of(operators: &[Operator]) -> Option<Value> {
    let mut properties = Map::new();
    for operator in operators {
        properties
            .entry(operator.attribute)
            .or_insert_with(operator.schema);
    }
    (!properties.is_empty()).then(|| json!({ "type": "object", "properties": properties }))
}
