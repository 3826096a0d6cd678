//! What an argument reads of the caller's input, as far as rustc can tell.
//!
//! An alias or a nested type is seen through, since types are compared and not their names. An author's own enum passes
//! here; the check before registering finds it by its schema.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    marker::PhantomData,
};

use super::{
    argument::{Args, FromCall},
    call::{CallOf, OfAction},
    schema::SchemaFn,
};
use crate::contract::{Email, SecretString};

/// Asks about an argument of an action of connector `K`: `InputOf::<Acme, Args<Input>>::WHOLE`.
#[derive(Debug)]
pub struct InputOf<K, T>(PhantomData<fn() -> (K, T)>);

/// What an argument reads of the caller's input.
#[derive(Debug, Clone, Copy)]
pub enum Whole {
    /// Nothing.
    Nothing,
    /// All of it, with this schema.
    Of(SchemaFn),
    /// All of it, as something that is never a JSON object.
    NotAnObject,
}

/// The answer for every type that has no better one.
pub trait AnyInput {
    /// What the argument says of itself.
    const WHOLE: Whole;
}

impl<K, T: FromCall<CallOf<K, OfAction>>> AnyInput for InputOf<K, T> {
    const WHOLE: Whole = match T::INPUT {
        Some(schema) => Whole::Of(schema),
        None => Whole::Nothing,
    };
}

// An inherent constant goes before that of a trait.
impl<K, T: NoObject> InputOf<K, Args<T>> {
    /// JSON knows this type, and not as an object.
    pub const WHOLE: Whole = Whole::NotAnObject;
}

/// Types that are no JSON objects.
pub trait NoObject {}

macro_rules! values {
    ($($type:ty)+) => { $(impl NoObject for $type {})+ };
}

macro_rules! containers {
    ($($type:ident)+) => { $(impl<T> NoObject for $type<T> {})+ };
}

values! {
    () bool char String i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64
    url::Url time::OffsetDateTime time::Date Email SecretString
}
containers! { Vec VecDeque BTreeSet HashSet Option }
