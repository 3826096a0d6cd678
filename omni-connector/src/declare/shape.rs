//! Whether an action's input can be a JSON object, as far as rustc can tell.
//!
//! An alias or a nested type is seen through, since types are compared and not their names. An author's own enum passes
//! here; the check before registering finds it by its schema.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    marker::PhantomData,
};

use super::argument::Args;
use crate::wire::{Email, SecretString};

/// Asks about an argument's type: `Is::<Args<Input>>::OBJECT`.
#[derive(Debug)]
pub struct Is<T>(PhantomData<fn() -> T>);

/// The answer for every type that has no better one.
pub trait AnyShape {
    /// Nothing speaks against it.
    const OBJECT: bool = true;
}

impl<T> AnyShape for Is<T> {}

// An inherent constant goes before that of a trait.
impl<T: NoObject> Is<Args<T>> {
    /// JSON knows this type, and not as an object.
    pub const OBJECT: bool = false;
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
