//! Refuses numbers that JSON cannot represent while serializing. `serde_json` writes NaN as `null`, which cannot be
//! read back.

use std::fmt::Display;

use serde::{
    Serialize, Serializer,
    ser::{
        Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};
use serde_json::Value;

/// Wraps a value. Serializing it fails when one of its numbers is not finite.
pub(super) struct Finite<'a, T: ?Sized>(pub(super) &'a T);

impl<T: Serialize + ?Sized> Serialize for Finite<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Checked(serializer))
    }
}

/// A serializer that forwards everything except numbers that are not finite.
struct Checked<S>(S);

fn finite<E: Error>(number: f64) -> Result<(), E> {
    if number.is_finite() {
        Ok(())
    } else {
        Err(E::custom(format_args!("JSON has no number `{number}`")))
    }
}

/// The error for a number that a JSON value does not hold.
fn too_wide<E: Error>() -> E {
    E::custom("a number beyond 64 bits cannot be saved; save it as a string")
}

macro_rules! plain {
    ($($method:ident($type:ty))*) => {$(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.0.$method(value)
        }
    )*};
}

impl<S: Serializer> Serializer for Checked<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Checked<S::SerializeSeq>;
    type SerializeTuple = Checked<S::SerializeTuple>;
    type SerializeTupleStruct = Checked<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Checked<S::SerializeTupleVariant>;
    type SerializeMap = Checked<S::SerializeMap>;
    type SerializeStruct = Checked<S::SerializeStruct>;
    type SerializeStructVariant = Checked<S::SerializeStructVariant>;

    plain! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_unit_struct(&'static str)
    }

    fn serialize_i128(self, value: i128) -> Result<S::Ok, S::Error> {
        self.0.serialize_i128(value).map_err(|_| too_wide())
    }

    fn serialize_u128(self, value: u128) -> Result<S::Ok, S::Error> {
        self.0.serialize_u128(value).map_err(|_| too_wide())
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        finite(f64::from(value))?;
        self.0.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        finite(value)?;
        self.0.serialize_f64(value)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&Finite(value))
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_struct(name, &Finite(value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0
            .serialize_newtype_variant(name, index, variant, &Finite(value))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.0.serialize_seq(len).map(Checked)
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.0.serialize_tuple(len).map(Checked)
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.0.serialize_tuple_struct(name, len).map(Checked)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.0
            .serialize_tuple_variant(name, index, variant, len)
            .map(Checked)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.0.serialize_map(len).map(Checked)
    }

    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        self.0.serialize_struct(name, len).map(Checked)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.0
            .serialize_struct_variant(name, index, variant, len)
            .map(Checked)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! parts {
    ($($trait:ident $method:ident)*) => {$(
        impl<S: $trait> $trait for Checked<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                self.0.$method(&Finite(value))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.0.end()
            }
        }
    )*};
}

parts! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

impl<S: SerializeMap> SerializeMap for Checked<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.0.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.0.serialize_value(&Finite(value))
    }

    /// Maps and flattened structs serialize whole entries, so that an error can name the key.
    fn serialize_entry<K: Serialize + ?Sized, T: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &T,
    ) -> Result<(), S::Error> {
        let entry = self.0.serialize_entry(key, &Finite(value));
        entry.map_err(|error| match serde_json::to_value(key) {
            Ok(Value::String(name)) => in_field(&name)(error),
            Ok(key) => in_field(&key.to_string())(error),
            Err(_) => error,
        })
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.0.end()
    }
}

/// Adds the name of the field to an error.
fn in_field<E: Error>(name: &str) -> impl FnOnce(E) -> E {
    move |error| E::custom(format_args!("`{name}`: {error}"))
}

macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl<S: $trait> $trait for Checked<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), S::Error> {
                self.0.serialize_field(name, &Finite(value)).map_err(in_field(name))
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), S::Error> {
                self.0.skip_field(name)
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.0.end()
            }
        }
    )*};
}

fields! { SerializeStruct SerializeStructVariant }

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{json, to_value};

    use super::*;

    #[derive(Serialize)]
    struct State {
        score: f64,
        parts: BTreeMap<String, Vec<Option<f32>>>,
        kind: Kind,
    }

    #[derive(Serialize)]
    enum Kind {
        Unit,
        Pair(u8, f64),
        Named { n: f64 },
    }

    #[derive(Serialize)]
    struct Flat {
        #[serde(flatten)]
        rates: Rates,
    }

    #[derive(Serialize)]
    struct Rates {
        high: f64,
    }

    #[derive(Serialize)]
    struct Wide {
        offset: u128,
    }

    fn state(score: f64, part: f32, kind: Kind) -> State {
        State {
            score,
            parts: BTreeMap::from([("a".to_owned(), vec![None, Some(part)])]),
            kind,
        }
    }

    #[test]
    fn a_state_with_a_number_that_does_not_come_back_is_refused_by_its_field() {
        for (state, place) in [
            (
                state(f64::NAN, 1.0, Kind::Unit),
                "`score`: JSON has no number `NaN`",
            ),
            (
                state(1.0, f32::INFINITY, Kind::Unit),
                "`parts`: `a`: JSON has no number `inf`",
            ),
            (
                state(1.0, 1.0, Kind::Pair(1, f64::NAN)),
                "`kind`: JSON has no number `NaN`",
            ),
            (
                state(
                    1.0,
                    1.0,
                    Kind::Named {
                        n: f64::NEG_INFINITY,
                    },
                ),
                "`kind`: `n`: JSON has no number `-inf`",
            ),
        ] {
            assert_eq!(to_value(Finite(&state)).unwrap_err().to_string(), place);
        }
        for (state, place) in [
            (
                to_value(Finite(&BTreeMap::from([("eu", f32::NAN)]))),
                "`eu`: JSON has no number `NaN`",
            ),
            (
                to_value(Finite(&BTreeMap::from([(7, Some(f64::NAN))]))),
                "`7`: JSON has no number `NaN`",
            ),
            (
                to_value(Finite(&Flat {
                    rates: Rates {
                        high: f64::INFINITY,
                    },
                })),
                "`high`: JSON has no number `inf`",
            ),
            (
                to_value(Finite(&Wide {
                    offset: u128::from(u64::MAX) + 1,
                })),
                "`offset`: a number beyond 64 bits cannot be saved; save it as a string",
            ),
            (
                to_value(Finite(&[i128::from(i64::MIN) - 1])),
                "a number beyond 64 bits cannot be saved; save it as a string",
            ),
        ] {
            assert_eq!(state.unwrap_err().to_string(), place);
        }
        assert_eq!(
            to_value(Finite(&(u128::from(u64::MAX), i128::from(i64::MIN)))).unwrap(),
            json!([u64::MAX, i64::MIN])
        );
        let fine = state(0.5, 1.0, Kind::Named { n: 2.0 });
        assert_eq!(
            to_value(Finite(&fine)).unwrap(),
            json!({ "score": 0.5, "parts": { "a": [null, 1.0] }, "kind": { "Named": { "n": 2.0 } } })
        );
    }
}
