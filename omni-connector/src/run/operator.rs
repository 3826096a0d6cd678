//! A search operator together with the function that reads its value from an item.

use std::any::{Any, TypeId};

use serde_json::Value;

use crate::wire::{AttributeValue, Attributes, SearchOperator, ValueType};

/// One operator of a connector. The macros write a static table of these; a document built from an item carries the
/// attributes of all operators that read this type of item.
#[derive(Debug, Clone, Copy)]
pub struct Operator {
    /// What people type.
    pub name: &'static str,
    /// The attribute's key.
    pub attribute: &'static str,
    /// What kind of value it is.
    pub value_type: ValueType,
    /// JSON Schema of the attribute.
    pub schema: fn() -> Value,
    /// The type of item it reads.
    pub item: fn() -> TypeId,
    /// The value in an item of that type; none leaves the attribute out.
    pub read: fn(&dyn Any) -> Option<Value>,
}

impl Operator {
    /// An operator that reads a value of type `V` from items of type `T` into the attribute of its name.
    pub const fn of<T: Any, V: AttributeValue>(
        name: &'static str,
        read: fn(&dyn Any) -> Option<Value>,
    ) -> Self {
        Self {
            name,
            attribute: name,
            value_type: V::VALUE_TYPE,
            schema: V::schema,
            item: TypeId::of::<T>,
            read,
        }
    }

    /// Fills another attribute.
    #[must_use]
    pub const fn attribute(mut self, attribute: &'static str) -> Self {
        self.attribute = attribute;
        self
    }

    /// The entry in the manifest.
    pub fn definition(&self) -> SearchOperator {
        SearchOperator {
            operator: self.name.to_owned(),
            attribute_key: self.attribute.to_owned(),
            value_type: self.value_type.as_str().to_owned(),
        }
    }

    /// The entries of all of them in the manifest. Operators of one name read different items, and are one to people.
    pub fn definitions(operators: &[Self]) -> Vec<SearchOperator> {
        let mut definitions: Vec<SearchOperator> = Vec::new();
        for definition in operators.iter().map(Self::definition) {
            // Those that disagree about the attribute or its kind stay apart, and are refused before registering.
            if !definitions.contains(&definition) {
                definitions.push(definition);
            }
        }
        definitions
    }

    /// The attributes that `operators` read from `item`.
    pub fn attributes(operators: &[Self], item: &dyn Any) -> Attributes {
        operators
            .iter()
            .filter(|operator| (operator.item)() == item.type_id())
            .filter_map(|operator| Some((operator.attribute.to_owned(), (operator.read)(item)?)))
            .collect()
    }
}
