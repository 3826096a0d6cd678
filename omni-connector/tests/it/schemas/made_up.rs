//! Types of every shape that serde supports, with generated values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use omni_connector::{
    Email,
    schemars::{self, JsonSchema},
    wire::{Day, Timestamp},
};
use proptest::{
    collection::{btree_map, btree_set, vec},
    prelude::*,
    sample::select,
    strategy::Union,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use time::{Date, OffsetDateTime};
use url::Url;

/// A type with generated values.
pub(super) trait Any:
    std::fmt::Debug + Serialize + DeserializeOwned + JsonSchema + 'static
{
    fn any() -> BoxedStrategy<Self>;
}

macro_rules! any {
    ($($type:ty => $strategy:expr;)+) => {
        $(impl Any for $type {
            fn any() -> BoxedStrategy<Self> {
                $strategy.boxed()
            }
        })+
    };
}

any! {
    bool => proptest::bool::ANY;
    u8 => proptest::num::u8::ANY;
    u16 => proptest::num::u16::ANY;
    u32 => proptest::num::u32::ANY;
    u64 => proptest::num::u64::ANY;
    usize => proptest::num::usize::ANY;
    i8 => proptest::num::i8::ANY;
    i16 => proptest::num::i16::ANY;
    i32 => proptest::num::i32::ANY;
    i64 => proptest::num::i64::ANY;
    f32 => proptest::num::f32::NORMAL;
    f64 => proptest::num::f64::NORMAL;
    std::num::NonZeroU8 => (1..=u8::MAX).prop_map(|n| n.try_into().unwrap());
    std::num::NonZeroI32 => (1..=i32::MAX).prop_map(|n| n.try_into().unwrap());
    char => proptest::char::any();
    String => "\\PC{0,6}";
    () => Just(());
    Url => select(vec!["https://example.com/a?b=c", "mailto:ann@example.com"]).prop_map(|url| url.parse().unwrap());
    Email => "[a-z]{1,5}@[a-z]{1,5}\\.org".prop_map(|email| email.parse().unwrap());
    Day => (2_400_000..2_500_000).prop_map(|day| Self(Date::from_julian_day(day).unwrap()));
    Timestamp => (0..4_000_000_000_i64).prop_map(|second| Self(OffsetDateTime::from_unix_timestamp(second).unwrap()));
    std::time::Duration => (0..1_000_000_u64).prop_map(Self::from_millis);
    std::net::Ipv4Addr => proptest::num::u32::ANY.prop_map(Self::from);
    std::net::IpAddr => std::net::Ipv4Addr::any().prop_map(Self::from);
    Value => select(vec![json!({ "a": [1] }), json!("x"), json!(2)]);
}

impl<T: Any> Any for Option<T> {
    fn any() -> BoxedStrategy<Self> {
        proptest::option::of(T::any()).boxed()
    }
}

impl<T: Any> Any for Box<T> {
    fn any() -> BoxedStrategy<Self> {
        T::any().prop_map(Self::new).boxed()
    }
}

impl<T: Any> Any for Vec<T> {
    fn any() -> BoxedStrategy<Self> {
        vec(T::any(), 0..3).boxed()
    }
}

impl<T: Any> Any for [T; 2] {
    fn any() -> BoxedStrategy<Self> {
        [T::any(), T::any()].boxed()
    }
}

impl<T: Any + Ord> Any for BTreeSet<T> {
    fn any() -> BoxedStrategy<Self> {
        btree_set(T::any(), 0..3).boxed()
    }
}

impl<K: Any + Ord, V: Any> Any for BTreeMap<K, V> {
    fn any() -> BoxedStrategy<Self> {
        btree_map(K::any(), V::any(), 0..3).boxed()
    }
}

impl<V: Any> Any for HashMap<String, V> {
    fn any() -> BoxedStrategy<Self> {
        btree_map("[a-z]{3}", V::any(), 0..3)
            .prop_map(|map| map.into_iter().collect())
            .boxed()
    }
}

impl<A: Any, B: Any> Any for (A, B) {
    fn any() -> BoxedStrategy<Self> {
        (A::any(), B::any()).boxed()
    }
}

/// Defines structs and enums with generated values, with any attributes.
macro_rules! shapes {
    () => {};
    ($(#[$meta:meta])* struct $name:ident { $($(#[$of:meta])* $field:ident: $type:ty,)+ } $($rest:tt)*) => {
        #[derive(Debug, Serialize, Deserialize, JsonSchema)]
        $(#[$meta])*
        pub(super) struct $name { $($(#[$of])* $field: $type,)+ }

        impl Any for $name {
            fn any() -> BoxedStrategy<Self> {
                ($(<$type>::any(),)+).prop_map(|($($field,)+)| Self { $($field),+ }).boxed()
            }
        }

        shapes!($($rest)*);
    };
    ($(#[$meta:meta])* struct $name:ident($(#[$of:meta])* $type:ty); $($rest:tt)*) => {
        #[derive(Debug, Serialize, Deserialize, JsonSchema)]
        $(#[$meta])*
        pub(super) struct $name($(#[$of])* $type);

        impl Any for $name {
            fn any() -> BoxedStrategy<Self> {
                <$type>::any().prop_map(Self).boxed()
            }
        }

        shapes!($($rest)*);
    };
    ($(#[$meta:meta])* enum $name:ident {
        $($(#[$of:meta])* $variant:ident $(($($type:ty),+))? $({ $($(#[$inner:meta])* $field:ident: $of_field:ty),+ })?,)+
    } $($rest:tt)*) => {
        #[derive(Debug, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
        $(#[$meta])*
        pub(super) enum $name { $($(#[$of])* $variant $(($($type),+))? $({ $($(#[$inner])* $field: $of_field),+ })?,)+ }

        impl Any for $name {
            fn any() -> BoxedStrategy<Self> {
                Union::new([$(shapes!(@ $name $variant $(($($type),+))? $({ $($field: $of_field),+ })?)),+]).boxed()
            }
        }

        shapes!($($rest)*);
    };
    (@ $name:ident $variant:ident) => { Just(()).prop_map(|()| $name::$variant).boxed() };
    (@ $name:ident $variant:ident($a:ty)) => { <$a>::any().prop_map($name::$variant).boxed() };
    (@ $name:ident $variant:ident($a:ty, $b:ty)) => {
        (<$a>::any(), <$b>::any()).prop_map(|(a, b)| $name::$variant(a, b)).boxed()
    };
    (@ $name:ident $variant:ident { $($field:ident: $type:ty),+ }) => {
        ($(<$type>::any(),)+).prop_map(|($($field,)+)| $name::$variant { $($field),+ }).boxed()
    };
}

shapes! {
    struct Numbers { a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64, i: f32, j: f64, k: std::num::NonZeroU8, }
    struct Texts { a: String, b: char, c: Url, d: Email, e: Day, f: Timestamp, g: std::net::Ipv4Addr, h: bool, }
    struct Lists {
        a: Vec<u8>, b: [i32; 2], c: (u8, String), d: BTreeSet<String>, e: Vec<Vec<bool>>, f: Vec<Option<u8>>,
        g: Vec<Option<Level>>, h: (Option<String>, u8), i: Vec<Documented>, j: Vec<Option<External>>,
    }
    struct Maps {
        a: HashMap<String, u8>, b: BTreeMap<u32, String>, c: BTreeMap<Level, i8>, d: HashMap<String, Option<u8>>,
        e: HashMap<String, Option<Documented>>, f: HashMap<String, Vec<Inner>>,
    }
    /// A type that others contain.
    #[derive(PartialEq, PartialOrd)]
    struct Inner {
        /// First
        x: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        y: Option<i32>,
    }
    struct Optional {
        #[serde(skip_serializing_if = "Option::is_none")]
        a: Option<u8>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        b: Option<Inner>,
        #[serde(skip_serializing_if = "Option::is_none")]
        c: Option<Documented>,
        #[serde(skip_serializing_if = "Option::is_none")]
        d: Option<External>,
        #[serde(skip_serializing_if = "Option::is_none")]
        e: Option<Vec<Option<Inner>>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        f: Option<Box<Texts>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        g: Option<Untagged>,
    }
    struct Defaults {
        #[serde(default)]
        a: u8,
        #[serde(default = "seven")]
        b: i32,
        #[serde(default)]
        c: Vec<String>,
        #[serde(default)]
        d: HashMap<String, u8>,
        #[serde(default)]
        e: Level,
    }
    #[serde(rename_all = "camelCase")]
    struct Renamed { first_name: String, #[serde(rename = "type")] kind: Level, #[serde(rename = "$id")] id: u8, }
    #[serde(deny_unknown_fields)]
    struct Closed { a: Inner, #[serde(default)] b: bool, }
    #[derive(PartialEq, PartialOrd)]
    struct Newtype(Inner);
    struct NewText(String);
    #[serde(transparent)]
    struct Transparent { only: Vec<u8>, }
    struct Flat {
        a: String,
        #[serde(flatten)]
        inner: Inner,
    }
    struct FlatMap {
        a: u8,
        #[serde(flatten)]
        more: HashMap<String, i32>,
    }
    struct FlatOption {
        a: u8,
        #[serde(flatten, skip_serializing_if = "Option::is_none")]
        inner: Option<Newtype>,
    }
    struct FlatInternal {
        own: String,
        #[serde(flatten)]
        of: Internal,
    }
    struct FlatAdjacent {
        own: String,
        #[serde(flatten)]
        of: Adjacent,
    }
    struct FlatExternal {
        own: String,
        #[serde(flatten)]
        of: Structs,
    }
    struct Free { a: Value, b: (), #[serde(skip_serializing_if = "Option::is_none")] c: Option<Value>, }
    struct Deep { a: Vec<HashMap<String, Option<Adjacent>>>, b: (Internal, Untagged), c: Newtype, d: NewText, e: Transparent, }
    #[derive(Default, Eq, Ord)]
    enum Level { #[default] Low, High, #[serde(rename = "very high")] VeryHigh, }
    /// How much it matters.
    #[serde(rename_all = "kebab-case")]
    enum Documented {
        /// Can wait.
        NotNow,
        /// Must not wait.
        Now,
        /// As people see fit.
        #[serde(rename = "any time")]
        Any,
    }
    enum External { Unit, New(Inner), Pair(u8, String), Struct { a: bool, b: Level }, Text(String), List(Vec<u8>), }
    enum Structs { New(Inner), Struct { a: bool, b: Level }, }
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Internal {
        /// Nothing more
        Unit,
        /// With more
        New(Inner),
        Struct { a: bool, #[serde(default)] b: Level },
    }
    #[serde(tag = "t", content = "c")]
    enum Adjacent { Unit, New(Inner), Pair(u8, String), Struct { a: bool, b: Level }, }
    #[serde(untagged)]
    enum Untagged { New(Wide), Pair(u8, String), Struct { a: bool }, Text(String), Level(Level), }
    #[derive(PartialEq, PartialOrd)]
    struct Wide { a: bool, b: Level, c: Level, }
    #[serde(deny_unknown_fields)]
    enum ClosedExternal { New(Inner), Struct { a: bool }, }
    #[serde(tag = "only")]
    enum Single { One { a: u8 }, }
    struct Limited { a: Ten, b: Short, c: Few, d: Vec<Ten>, e: HashMap<String, Short>, f: Either, }
    #[serde(untagged)]
    enum Either { Ten(Ten), Short(Short), }
}

#[derive(Debug, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
pub(super) struct Ten(#[schemars(range(min = 10, max = 100))] u8);

#[derive(Debug, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
pub(super) struct Short(#[schemars(length(max = 4), regex(pattern = "^[^x]*$"))] String);

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Few(#[schemars(length(min = 1, max = 2), inner(range(min = 1)))] Vec<i64>);

any! {
    Ten => (10..=100_u8).prop_map(Self);
    Short => "[a-w]{0,4}".prop_map(Self);
    Few => vec(1..9_i64, 1..=2).prop_map(Self);
}

fn seven() -> i32 {
    7
}
