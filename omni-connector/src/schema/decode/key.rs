//! A deserializer for the keys of an object.

use serde::{
    Deserializer,
    de::{IntoDeserializer, Visitor, value::StrDeserializer},
    forward_to_deserialize_any,
};

use super::misfit::Misfit;

/// The key of an entry. JSON keys are strings, even for number or boolean keys.
pub(super) struct Key<'a>(pub(super) &'a str);

impl Key<'_> {
    /// Returns the key if it is a valid JSON number or boolean. Rust would also parse `+7`, `007` and `inf`.
    fn as_json(&self) -> &str {
        let digits = self.0.strip_prefix('-').unwrap_or(self.0);
        let is_number = digits.starts_with(|first: char| first.is_ascii_digit())
            && !(digits.starts_with('0') && digits[1..].starts_with(|c: char| c.is_ascii_digit()));
        if is_number || matches!(self.0, "true" | "false") {
            self.0
        } else {
            ""
        }
    }
}

/// Generates methods that parse a key as the requested type.
macro_rules! parsed {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.as_json().parse() {
                Ok(value) => visitor.$visit(value),
                Err(_) => visitor.visit_str(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_str(self.0)
    }

    parsed! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32
        deserialize_i64 visit_i64 deserialize_i128 visit_i128
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32
        deserialize_u64 visit_u64 deserialize_u128 visit_u128
        deserialize_f32 visit_f32 deserialize_f64 visit_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let variant: StrDeserializer<'_, Misfit> = self.0.into_deserializer();
        visitor.visit_enum(variant)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
