//! Checks at compile time whether an action's input can be a JSON object.
//!
//! It compares types, not names, so it also covers aliases and nested types. An author's own enum passes here; the
//! check before registration finds it by its schema.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    marker::PhantomData,
};

use super::argument::Args;
use crate::wire::{Email, SecretString};

/// Checks an argument's type: `Is::<Args<Input>>::OBJECT`.
#[derive(Debug)]
pub struct Is<T>(PhantomData<fn() -> T>);

/// The fallback for all other types.
pub trait AnyShape {
    /// It may be an object.
    const OBJECT: bool = true;
}

impl<T> AnyShape for Is<T> {}

// An inherent constant takes precedence over that of a trait.
impl<T: NoObject> Is<Args<T>> {
    /// The JSON form of this type is not an object.
    pub const OBJECT: bool = false;
}

/// Types whose JSON form is not an object.
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
