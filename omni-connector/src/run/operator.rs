//! A search operator together with the function that reads its value from an item.

use std::{
    any::{Any, TypeId},
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::Value;

use crate::wire::{AttributeValue, Attributes, SearchOperator, ValueType};

/// A search operator of a connector. The macros generate a static table of operators. A document made from an item gets
/// the attributes of all operators that read this type of item.
#[derive(Debug, Clone, Copy)]
pub struct Operator {
    /// The name that people type.
    pub name: &'static str,
    /// The attribute's key.
    pub attribute: &'static str,
    /// The type of its values.
    pub value_type: ValueType,
    /// Returns the JSON Schema of the attribute.
    pub schema: fn() -> Value,
    /// The type of item it reads.
    pub item: fn() -> TypeId,
    /// Reads the value from an item of that type. `None` omits the attribute.
    pub read: fn(&dyn Any) -> Option<Value>,
}

impl Operator {
    /// Makes an operator that reads a value of type `V` from items of type `T`. Its attribute has the same name.
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

    /// Sets another attribute.
    #[must_use]
    pub const fn attribute(mut self, attribute: &'static str) -> Self {
        self.attribute = attribute;
        self
    }

    /// Returns the operator's entry in the manifest.
    pub fn definition(&self) -> SearchOperator {
        SearchOperator {
            operator: self.name.to_owned(),
            attribute_key: self.attribute.to_owned(),
            value_type: self.value_type.as_str().to_owned(),
        }
    }

    /// Returns the entries of all operators in the manifest. Operators with the same name read different items and
    /// share one entry.
    pub fn definitions(operators: &[Self]) -> Vec<SearchOperator> {
        let mut definitions: Vec<SearchOperator> = Vec::new();
        for definition in operators.iter().map(Self::definition) {
            // Operators that disagree about the attribute or its type stay separate, and are refused before
            // registration.
            if !definitions.contains(&definition) {
                definitions.push(definition);
            }
        }
        definitions
    }

    /// Returns the attributes that `operators` read from `item`.
    pub fn attributes(operators: &[Self], item: &dyn Any) -> Attributes {
        operators
            .iter()
            .filter(|operator| (operator.item)() == item.type_id())
            .filter_map(|operator| Some((operator.attribute.to_owned(), (operator.read)(item)?)))
            .collect()
    }
}

/// The operators of a run, and which of them a document of the run has a value for.
#[derive(Debug)]
pub(super) struct Operators {
    pub(super) all: Vec<Operator>,
    have_value: Box<[AtomicBool]>,
}

impl Operators {
    pub(super) fn new(all: Vec<Operator>) -> Self {
        let have_value = all.iter().map(|_| AtomicBool::new(false)).collect();
        Self { all, have_value }
    }

    /// Notes the values of a document.
    pub(super) fn note(&self, attributes: &Attributes) {
        for (operator, has_value) in self.all.iter().zip(&self.have_value) {
            if !has_value.load(Ordering::Relaxed) && attributes.contains_key(operator.attribute) {
                has_value.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Returns the names of the operators that find no document of the run.
    pub(super) fn without_value(&self) -> Vec<&'static str> {
        let has = |name: &str| {
            let mut all = self.all.iter().zip(&self.have_value);
            all.any(|(operator, has)| operator.name == name && has.load(Ordering::Relaxed))
        };
        let mut names: Vec<_> = self.all.iter().map(|operator| operator.name).collect();
        names.retain(|name| !has(name));
        names.dedup();
        names
    }
}
