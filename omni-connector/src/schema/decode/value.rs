//! A deserializer for JSON values that records the path of an error.
//!
//! It accepts the same input as `serde_json::Value`, except lists in place of structs. It is compiled once for each of the
//! hundreds of types that a connector decodes. Hence it is one plain type; a wrapper around another would need four.

use serde::{
    Deserializer,
    de::{DeserializeSeed, EnumAccess, Error, Unexpected, VariantAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use super::{
    key::Key,
    misfit::{Misfit, Step, misfit},
    nested::{Entries, Items, List, Object},
    trace,
};

/// A value to decode.
pub(super) struct Decoder(pub(super) Value);

impl Decoder {
    /// Reads numbers as `serde_json` does without its feature `arbitrary_precision`: 64 bits, or a float.
    fn number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Misfit> {
        if let Some(number) = number.as_u64() {
            visitor.visit_u64(number)
        } else if let Some(number) = number.as_i64() {
            visitor.visit_i64(number)
        } else if let Some(number) = number.as_f64() {
            visitor.visit_f64(number)
        } else {
            Err(Misfit::custom("the number does not fit a float"))
        }
    }

    /// Reads a number of single precision, which may not be infinite.
    fn single<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Misfit> {
        #[allow(clippy::cast_possible_truncation, reason = "the result is examined")]
        let is_finite = |float: f64| (float as f32).is_finite();
        if number.as_f64().is_some_and(is_finite) {
            Self::number(number, visitor)
        } else {
            Err(Misfit::custom("the number does not fit, expected f32"))
        }
    }

    /// Reads a whole number, including one with a point or an exponent: JSON Schema counts `10.0` as an integer.
    fn whole<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Misfit> {
        match whole(number) {
            Some(whole) => Self::number(&whole, visitor),
            None => Self::number(number, visitor),
        }
    }

    /// Reads a whole number of 128 bits. A number beyond 64 bits was rounded when its JSON was read, so it is refused.
    fn wide<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Misfit> {
        let fraction = number.as_f64().map(f64::fract);
        if number.is_f64() && fraction == Some(0.0) && whole(number).is_none() {
            return Err(Misfit::custom("the number does not fit 64 bits"));
        }
        Self::whole(number, visitor)
    }
}

/// Returns the float's value as an integer if it is whole and fits 64 bits. The lowest of them is refused: an integer that
/// is too low for 64 bits is rounded to the same float.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range and the lack of a fraction are checked"
)]
pub(crate) fn whole(number: &Number) -> Option<Number> {
    const ABOVE_SIGNED: f64 = 9_223_372_036_854_775_808.0;
    let float = number.as_f64().filter(|_| number.is_f64())?;
    if float.fract() != 0.0 {
        return None;
    }
    if float == -ABOVE_SIGNED {
        None
    } else if (-ABOVE_SIGNED..ABOVE_SIGNED).contains(&float) {
        Some((float as i64).into())
    } else if (ABOVE_SIGNED..ABOVE_SIGNED * 2.0).contains(&float) {
        Some((float as u64).into())
    } else {
        None
    }
}

/// Generates methods that accept one kind of value and refuse every other.
macro_rules! only {
    ($($method:ident($value:pat => $visit:expr))*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.0 {
                $value => $visit(visitor),
                other => Err(misfit(&other, &visitor)),
            }
        }
    )*};
}

/// Generates methods that accept any number; the visitor checks the range.
macro_rules! numbers {
    ($as:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.0 {
                Value::Number(number) => Self::$as(&number, visitor),
                other => Err(misfit(&other, &visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Decoder {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => Self::number(&number, visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    numbers! { whole:
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    numbers! { wide: deserialize_i128 deserialize_u128 }

    numbers! { number: deserialize_f64 }

    numbers! { single: deserialize_f32 }

    only! {
        deserialize_bool(Value::Bool(value) => |visitor: V| visitor.visit_bool(value))
        deserialize_char(Value::String(text) => |visitor: V| visitor.visit_string(text))
        deserialize_str(Value::String(text) => |visitor: V| visitor.visit_string(text))
        deserialize_string(Value::String(text) => |visitor: V| visitor.visit_string(text))
        deserialize_identifier(Value::String(text) => |visitor: V| visitor.visit_string(text))
        deserialize_unit(Value::Null => |visitor: V| visitor.visit_unit())
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::String(text) => visitor.visit_string(text),
            _ => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if name == RAW {
            let text = Value::String(self.0.to_string());
            return Self(Map::from_iter([(RAW.to_owned(), text)]).into()).deserialize_map(visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let mut list = List::of(self.0, &visitor)?;
        let value = visitor.visit_seq(Items(&mut list))?;
        list.end()?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let mut object = Object::of(self.0, &visitor)?;
        let value = visitor.visit_map(Entries(&mut object));
        match object.end(value.is_ok()) {
            None => value,
            Some(misfit) => Err(misfit),
        }
    }

    // Repeats the code above: a call of it would be compiled for each type as well.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let mut object = Object::of_struct(self.0, fields, &visitor)?;
        let value = visitor.visit_map(Entries(&mut object));
        match object.end(value.is_ok()) {
            None => value,
            Some(misfit) => Err(misfit),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_enum(Chosen::of(self.0)?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }
}

/// The name under which `serde_json::value::RawValue` requests a value's raw JSON.
const RAW: &str = "$serde_json::private::RawValue";

/// An enum variant: its name alone, or as the only key of an object.
struct Chosen {
    variant: String,
    content: Option<Value>,
}

impl Chosen {
    fn of(value: Value) -> Result<Self, Misfit> {
        let mut entries = match value {
            Value::String(variant) => {
                return Ok(Self {
                    variant,
                    content: None,
                });
            }
            Value::Object(entries) => entries.into_iter(),
            other => return Err(misfit(&other, &"string or map")),
        };
        match (entries.next(), entries.next()) {
            (Some((variant, content)), None) => Ok(Self {
                variant,
                content: Some(content),
            }),
            _ => Err(Misfit::invalid_value(
                Unexpected::Map,
                &"map with a single key",
            )),
        }
    }
}

impl<'de> EnumAccess<'de> for Chosen {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        let variant = seed.deserialize(Key(&self.variant))?;
        trace::note(&variant);
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Chosen {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        match self.content {
            None | Some(Value::Null) => Ok(()),
            Some(other) => Err(misfit(&other, &"unit").below(Step::Key(self.variant))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        let (variant, content) = self.content("newtype variant")?;
        seed.deserialize(Decoder(content))
            .map_err(|error| error.below(Step::Key(variant)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        let (variant, content) = self.content("tuple variant")?;
        Decoder(content)
            .deserialize_seq(visitor)
            .map_err(|error| error.below(Step::Key(variant)))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let (variant, content) = self.content("struct variant")?;
        Decoder(content)
            .deserialize_map(visitor)
            .map_err(|error| error.below(Step::Key(variant)))
    }
}

impl Chosen {
    fn content(self, expected: &'static str) -> Result<(String, Value), Misfit> {
        match self.content {
            Some(content) => Ok((self.variant, content)),
            None => Err(Misfit::invalid_type(Unexpected::UnitVariant, &expected)),
        }
    }
}
