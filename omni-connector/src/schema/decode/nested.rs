//! What a list and an object hold, decoded one after the other.

use std::{mem, vec};

use serde::de::{DeserializeSeed, Error, Expected, MapAccess, SeqAccess};
use serde_json::{Value, map};

use super::{
    key::Key,
    misfit::{Misfit, Step, misfit},
    trace,
    value::Decoder,
};

/// The state of decoding a list.
pub(super) struct List {
    items: vec::IntoIter<Value>,
    length: usize,
}

impl List {
    pub(super) fn of(value: Value, expected: &dyn Expected) -> Result<Self, Misfit> {
        let Value::Array(items) = value else {
            return Err(misfit(&value, expected));
        };
        Ok(Self {
            length: items.len(),
            items: items.into_iter(),
        })
    }

    /// Adds the index of the current item to an error.
    pub(super) fn at_item(&self, misfit: Misfit) -> Misfit {
        misfit.below(Step::Index(self.length - self.items.len() - 1))
    }

    /// Returns an error if items are left over, as in a list that is longer than a tuple.
    pub(super) fn end(self) -> Result<(), Misfit> {
        match self.items.len() {
            0 => Ok(()),
            left => Err(Misfit::invalid_length(
                self.length,
                &format!("{} items", self.length - left).as_str(),
            )),
        }
    }
}

pub(super) struct Items<'a>(pub(super) &'a mut List);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let Some(item) = self.0.items.next() else {
            return Ok(None);
        };
        match seed.deserialize(Decoder(item)) {
            Ok(value) => Ok(Some(value)),
            Err(misfit) => Err(self.0.at_item(misfit)),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.items.len())
    }
}

/// The state of decoding an object.
pub(super) struct Object {
    entries: map::IntoIter,
    /// The key of the current entry.
    key: String,
    value: Value,
}

impl Object {
    pub(super) fn of(value: Value, expected: &dyn Expected) -> Result<Self, Misfit> {
        let Value::Object(entries) = value else {
            return Err(misfit(&value, expected));
        };
        Ok(Self {
            entries: entries.into_iter(),
            key: String::new(),
            value: Value::Null,
        })
    }

    /// Makes the state for a struct with these fields.
    pub(super) fn of_struct(
        value: Value,
        fields: &'static [&'static str],
        expected: &dyn Expected,
    ) -> Result<Self, Misfit> {
        trace::note_known(fields);
        Self::of(value, expected)
    }

    pub(super) fn next_key(&mut self) -> Option<Key<'_>> {
        (self.key, self.value) = self.entries.next()?;
        Some(Key(&self.key))
    }

    pub(super) fn value(&mut self) -> Decoder {
        Decoder(mem::take(&mut self.value))
    }

    /// Adds the key of the current entry to an error.
    pub(super) fn at_key(&mut self, misfit: Misfit) -> Misfit {
        misfit.below(Step::Key(mem::take(&mut self.key)))
    }

    /// Returns an error if the visitor succeeded and entries are left over.
    pub(super) fn end(self, is_decoded: bool) -> Option<Misfit> {
        let left = self.entries.len();
        (is_decoded && left > 0).then(|| Misfit::invalid_length(left, &"no more entries"))
    }
}

pub(super) struct Entries<'a>(pub(super) &'a mut Object);

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let Some(key) = self.0.next_key() else {
            return Ok(None);
        };
        match seed.deserialize(key) {
            Ok(key) => {
                trace::note(&key);
                Ok(Some(key))
            }
            Err(misfit) => Err(self.0.at_key(misfit)),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        match seed.deserialize(self.0.value()) {
            Ok(value) => {
                trace::note(&value);
                trace::note_taken::<V::Value>(&self.0.key);
                Ok(value)
            }
            Err(misfit) => Err(self.0.at_key(misfit)),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.entries.len())
    }
}
