//! The schema of an input and its decoding say the same, for many types and many values.
//!
//! For a value within an input: what decoding takes, the schema admits, and what decoding refuses, the schema refuses. A
//! schema knows less than Rust in a few corners, which [`where_the_two_differ`] names one by one. For a whole input with
//! alternatives at the top, which Omni refuses, the schema admits all that decoding takes, and more.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    marker::PhantomData,
    sync::LazyLock,
};

use futures_util::FutureExt;
use jsonschema::Validator;
use omni_connector::{
    ActionCall, ActionMode, BoxFuture, Connector, Email, ManagerClient, Operator, SecretString,
    ServiceCredential, Source, SourceType, SyncContext, SyncType,
    actions::answer,
    async_trait,
    contract::{Day, Severity, Timestamp, check, check_input_schema},
    declare::{self, Action, Arg, ArgType, Args, CallOf, FromCall, Methods, OfAction, call_action},
    schemars::{self, JsonSchema},
};
use proptest::{
    collection::{btree_map, btree_set, vec},
    prelude::*,
    sample::{Index, select},
    strategy::Union,
    test_runner::{Config, TestRunner},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use time::{Date, OffsetDateTime};
use url::Url;

/// A type of which values can be made up.
trait Any: std::fmt::Debug + Serialize + DeserializeOwned + JsonSchema + 'static {
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

/// Structs and enums of which values can be made up, with whatever attributes they have.
macro_rules! shapes {
    () => {};
    ($(#[$meta:meta])* struct $name:ident { $($(#[$of:meta])* $field:ident: $type:ty,)+ } $($rest:tt)*) => {
        #[derive(Debug, Serialize, Deserialize, JsonSchema)]
        $(#[$meta])*
        struct $name { $($(#[$of])* $field: $type,)+ }

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
        struct $name($(#[$of])* $type);

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
        enum $name { $($(#[$of])* $variant $(($($type),+))? $({ $($(#[$inner])* $field: $of_field),+ })?,)+ }

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
struct Ten(#[schemars(range(min = 10, max = 100))] u8);

#[derive(Debug, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
struct Short(#[schemars(length(max = 4), regex(pattern = "^[^x]*$"))] String);

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Few(#[schemars(length(min = 1, max = 2), inner(range(min = 1)))] Vec<i64>);

any! {
    Ten => (10..=100_u8).prop_map(Self);
    Short => "[a-w]{0,4}".prop_map(Self);
    Few => vec(1..9_i64, 1..=2).prop_map(Self);
}

fn seven() -> i32 {
    7
}

/// How a value is made another one. Left out is what [`where_the_two_differ`] is about.
#[derive(Debug, Clone)]
enum Change {
    Replace(Value),
    Remove(Index),
    Rename(Index),
    Add,
    Push,
    Pop,
}

fn change() -> impl Strategy<Value = (Index, Change)> {
    let others = vec![
        json!(true),
        json!("x"),
        json!(""),
        json!("toolong"),
        json!(101),
        json!(300),
        json!(-1),
        json!(-200),
        json!(70_000),
        json!(5_000_000_000_i64),
        json!(-5_000_000_000_i64),
        json!(1.5),
        json!({}),
        json!({ "zzz": 1 }),
    ];
    let change = prop_oneof![
        8 => select(others).prop_map(Change::Replace),
        3 => any::<Index>().prop_map(Change::Remove),
        1 => any::<Index>().prop_map(Change::Rename),
        1 => Just(Change::Add),
        1 => Just(Change::Push),
        1 => Just(Change::Pop),
    ];
    (any::<Index>(), change)
}

fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{path}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                places(
                    field,
                    &format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        _ => {}
    }
}

fn changed(value: &Value, place: Index, change: Change) -> Value {
    let mut value = value.clone();
    let mut found = Vec::new();
    places(&value, "", &mut found);
    let place = value.pointer_mut(place.get::<String>(&found)).unwrap();
    match (change, place) {
        (Change::Replace(other), place) => *place = other,
        (Change::Remove(index), Value::Object(fields)) if !fields.is_empty() => {
            let name = index
                .get(&fields.keys().cloned().collect::<Vec<_>>())
                .clone();
            fields.remove(&name);
        }
        (Change::Rename(index), Value::Object(fields)) if !fields.is_empty() => {
            let name = index
                .get(&fields.keys().cloned().collect::<Vec<_>>())
                .clone();
            let field = fields.remove(&name).unwrap();
            fields.insert("zzz".to_owned(), field);
        }
        (Change::Add, Value::Object(fields)) => drop(fields.insert("zzz".to_owned(), json!(1))),
        (Change::Push, Value::Array(items)) => {
            items.push(items.first().cloned().unwrap_or_default());
        }
        (Change::Pop, Value::Array(items)) => drop(items.pop()),
        _ => {}
    }
    value
}

/// A connector with one action, whose argument or whole input is a `T`: what the macros write for it.
struct Takes<T, const WHOLE: bool>(PhantomData<fn() -> T>);

type Called<T, const WHOLE: bool> = CallOf<Takes<T, WHOLE>, OfAction>;

impl<T: ArgType + 'static, const WHOLE: bool> Takes<T, WHOLE> {
    const ARGS: &'static [Arg] = &[Arg::of::<T>("value", "")];

    fn call(
        &self,
        mut call: Called<T, WHOLE>,
    ) -> BoxFuture<'_, anyhow::Result<axum::response::Response>> {
        Box::pin(async move {
            if WHOLE {
                answer(call.supply::<Args<T>>().map(drop))
            } else {
                answer(call.input()?.take::<T>().map(drop))
            }
        })
    }
}

impl<T: ArgType + 'static, const WHOLE: bool> Methods for Takes<T, WHOLE> {
    const SYNCS: &'static [declare::Sync<Self>] = &[];
    const ACTIONS: &'static [Action<Self>] = &[Action {
        name: "act",
        description: "Acts.",
        mode: ActionMode::Read,
        args: if WHOLE { &[] } else { Self::ARGS },
        input: if WHOLE {
            <Args<T> as FromCall<Called<T, WHOLE>>>::INPUT
        } else {
            None
        },
        scopes: None,
        source_types: &[SourceType::Web],
        admin_only: false,
        hidden: false,
        timeout: None,
        call: Self::call,
    }];
    const OPERATORS: &'static [Operator] = &[];
}

impl<T: ArgType + 'static, const WHOLE: bool> declare::Declared for Takes<T, WHOLE> {
    const NAME: &'static str = "takes";
    const SOURCE_TYPES: &'static [SourceType] = &[SourceType::Web];
    const MODES: &'static [SyncType] = &[];
    const ACTIONS: &'static [Action<Self>] = &[];
    const OPERATORS: &'static [Operator] = &[];
}

#[async_trait]
impl<T: ArgType + 'static, const WHOLE: bool> Connector for Takes<T, WHOLE> {
    type Config = Value;
    type Credentials = Value;
    type State = Value;

    fn name(&self) -> &'static str {
        "takes"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Web]
    }

    async fn sync(
        &self,
        _: Source,
        _: Option<ServiceCredential>,
        _: Option<Value>,
        _: SyncContext,
    ) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Making a client reads the system's certificates, which takes its time.
static MANAGER: LazyLock<ManagerClient> =
    LazyLock::new(|| ManagerClient::new("http://127.0.0.1:9"));

/// An input as an action declares it, and what the macros write for it.
struct Declared {
    call: fn(ActionCall) -> BoxFuture<'static, anyhow::Result<axum::response::Response>>,
    schema: Value,
    validator: Validator,
}

impl Declared {
    fn new<T: ArgType + 'static, const WHOLE: bool>() -> Self {
        let schema = declare::actions::<Takes<T, WHOLE>>()[0]
            .input_schema
            .clone();
        Self {
            call: |call| call_action(&Takes::<T, WHOLE>(PhantomData), call),
            validator: jsonschema::options()
                .should_validate_formats(true)
                .build(&schema)
                .unwrap(),
            schema,
        }
    }

    /// A value as an argument of the action.
    fn argument<T: ArgType + 'static>() -> Self {
        Self::new::<T, false>()
    }

    /// A value as the whole input.
    fn whole<T: ArgType + 'static>() -> Self {
        Self::new::<T, true>()
    }

    /// What the action says to an input.
    fn decode(&self, params: &Value) -> anyhow::Result<()> {
        let call = ActionCall {
            action: "act".to_owned(),
            params: params.clone(),
            credentials: None,
            source: None,
            actor_email: None,
            manager: MANAGER.clone(),
        };
        (self.call)(call).now_or_never().unwrap().map(drop)
    }

    /// An input without the keys that are dropped before decoding.
    fn without_unknown(&self, mut input: Value) -> Value {
        if let (Value::Object(fields), Value::Bool(false)) =
            (&mut input, &self.schema["additionalProperties"])
        {
            fields.retain(|name, _| self.schema["properties"].get(name).is_some());
        }
        input
    }

    fn is_fit_for_omni(&self) {
        assert_eq!(check_input_schema(&self.schema), Ok(()), "{}", self.schema);
        assert_eq!(
            problems(&self.schema),
            Vec::<String>::new(),
            "{}",
            self.schema
        );
    }
}

fn problems(schema: &Value) -> Vec<String> {
    let manifest = json!({
        "name": "acme", "display_name": "Acme", "version": "1", "sync_modes": ["full"], "connector_id": "acme",
        "connector_url": "http://acme:4001", "source_types": ["web"], "actions": [
            { "name": "act", "description": "Acts.", "source_types": ["web"], "input_schema": schema },
        ],
    });
    let problems = check(&serde_json::from_value(manifest).unwrap());
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    errors.map(ToString::to_string).collect()
}

fn each<T: Any>(promise: impl Fn(Value, Value) -> Result<(), TestCaseError>) {
    let mut runner = TestRunner::new(Config {
        cases: 128,
        max_shrink_iters: 500,
        failure_persistence: None,
        ..Config::default()
    });
    let values = (T::any(), vec(change(), 1..3)).prop_map(|(value, changes)| {
        let value = serde_json::to_value(value).unwrap();
        let other = changes
            .into_iter()
            .fold(value.clone(), |value, (place, change)| {
                changed(&value, place, change)
            });
        (value, other)
    });
    if let Err(error) = runner.run(&values, |(value, other)| promise(value, other)) {
        panic!("{}: {error}", std::any::type_name::<T>());
    }
}

/// The schema and decoding agree on every value within an input.
fn within_an_input<T: Any>() {
    let declared = Declared::argument::<T>();
    declared.is_fit_for_omni();
    each::<T>(|value, other| {
        let value = json!({ "value": value });
        let decoded = declared.decode(&value);
        prop_assert!(
            decoded.is_ok(),
            "decoding refuses {value}: {:#}",
            decoded.unwrap_err()
        );
        let admitted = declared.validator.validate(&value);
        prop_assert!(
            admitted.is_ok(),
            "the schema refuses {value}: {}\n{}",
            admitted.unwrap_err(),
            declared.schema
        );
        let other = json!({ "value": other });
        let (decoded, admitted) = (declared.decode(&other), declared.validator.validate(&other));
        prop_assert!(
            decoded.is_ok() == admitted.is_ok(),
            "{other}\ndecoding: {decoded:?}\nschema: {admitted:?}\n{}",
            declared.schema
        );
        Ok(())
    });
}

/// What a type's own values look like is taken by both.
fn by_its_own_values<T: Any>() {
    let declared = Declared::argument::<T>();
    declared.is_fit_for_omni();
    each::<T>(|value, _| {
        let value = json!({ "value": value });
        prop_assert!(
            declared.decode(&value).is_ok() && declared.validator.is_valid(&value),
            "{value}"
        );
        Ok(())
    });
}

/// The schema and decoding agree on every whole input.
fn exactly_as_a_whole_input<T: Any>() {
    as_a_whole_input::<T>(|decodes, admits| decodes == admits);
}

/// The schema admits every whole input that decoding takes, and more.
fn at_least_as_a_whole_input<T: Any>() {
    as_a_whole_input::<T>(|decodes, admits| admits || !decodes);
}

fn as_a_whole_input<T: Any>(agree: fn(bool, bool) -> bool) {
    let declared = Declared::whole::<T>();
    declared.is_fit_for_omni();
    each::<T>(|value, other| {
        let decoded = declared.decode(&value);
        prop_assert!(
            decoded.is_ok(),
            "decoding refuses {value}: {:#}",
            decoded.unwrap_err()
        );
        let admitted = declared.validator.validate(&value);
        prop_assert!(
            admitted.is_ok(),
            "the schema refuses {value}: {}\n{}",
            admitted.unwrap_err(),
            declared.schema
        );
        let decoded = declared.decode(&other);
        let other = declared.without_unknown(other);
        let admitted = declared.validator.validate(&other);
        prop_assert!(
            agree(decoded.is_ok(), admitted.is_ok()),
            "{other}\ndecoding: {decoded:?}\nschema: {admitted:?}\n{}",
            declared.schema
        );
        Ok(())
    });
}

macro_rules! hold {
    ($name:ident: $promise:ident for $($type:ty),+ $(,)?) => {
        #[test]
        fn $name() {
            $($promise::<$type>();)+
        }
    };
}

hold! {
    numbers_and_texts_are_described_exactly: within_an_input for
    Numbers, Texts, bool, u8, i32, f64, String, char, Url, Email, Day, Timestamp
}
hold! { lists_and_maps_are_described_exactly: within_an_input for Lists, Maps, Vec<Level>, HashMap<String, u8> }
hold! {
    structs_are_described_exactly: within_an_input for
    Inner, Optional, Defaults, Renamed, Closed, Newtype, NewText, Transparent, Free
}
hold! { enums_are_described_exactly: within_an_input for Level, Documented, External, Internal, Adjacent, Untagged, Single }
hold! {
    flattened_types_are_described_exactly: within_an_input for
    Flat, FlatMap, FlatInternal, FlatAdjacent, FlatExternal
}
hold! { nested_types_are_described_exactly: within_an_input for Deep }
hold! { limits_are_described_exactly: within_an_input for Limited, Ten, Short, Few, Either }
hold! {
    whole_inputs_are_described_exactly: exactly_as_a_whole_input for
    Numbers, Texts, Lists, Maps, Inner, Optional, Defaults, Renamed, Closed, Newtype, Flat, FlatMap, Free,
    Deep, Limited, Single
}
hold! {
    alternatives_at_the_top_admit_all_that_decoding_takes: at_least_as_a_whole_input for
    Structs, ClosedExternal, Internal, Adjacent, FlatInternal, FlatAdjacent, FlatExternal
}
hold! {
    the_rest_is_described_well_enough: by_its_own_values for
    FlatOption, std::num::NonZeroI32, std::net::IpAddr, std::time::Duration, u64, i64, usize
}

/// Where a schema says less than Rust, or the crate that decodes takes more than is written down.
#[test]
fn where_the_two_differ() {
    const ONLY_DECODED: (bool, bool) = (true, false);
    const ONLY_ADMITTED: (bool, bool) = (false, true);
    fn differ<T: Any>(value: &Value, (decodes, admits): (bool, bool)) {
        let declared = Declared::argument::<T>();
        let value = json!({ "value": value });
        assert_eq!(declared.decode(&value).is_ok(), decodes, "{value}");
        assert_eq!(declared.validator.is_valid(&value), admits, "{value}");
    }
    // Leaving out is the way to say "none" that is written down.
    differ::<Inner>(&json!({ "x": 1, "y": null }), ONLY_DECODED);
    // Serde takes the fields of a struct in their order, a unit variant with null, and nothing for what does not fit where
    // a flattened struct is optional.
    differ::<Inner>(&json!([1, 2]), ONLY_DECODED);
    differ::<External>(&json!({ "Unit": null }), ONLY_DECODED);
    differ::<FlatOption>(&json!({ "a": 0, "x": true }), ONLY_DECODED);
    // For a schema 1.0 is whole, and 64 bits are no limit.
    differ::<u8>(&json!(1.0), ONLY_ADMITTED);
    differ::<i64>(&json!(u64::MAX), ONLY_ADMITTED);
    differ::<u64>(&json!(1e20), ONLY_ADMITTED);
    // Limits of map keys, zeros that are none, and formats that JSON Schema does not know.
    differ::<BTreeMap<u32, u8>>(&json!({ "99999999999": 1 }), ONLY_ADMITTED);
    differ::<std::num::NonZeroI32>(&json!(0), ONLY_ADMITTED);
    differ::<std::net::IpAddr>(&json!("x"), ONLY_ADMITTED);
    // People are matched by their address, which has a dotted domain.
    differ::<Email>(&json!("ann@host"), ONLY_ADMITTED);
}

#[test]
fn a_secret_is_a_text_like_any_other() {
    let declared = Declared::argument::<SecretString>();
    declared.is_fit_for_omni();
    for (value, fits) in [(json!("hunter2"), true), (json!(7), false)] {
        let value = json!({ "value": value });
        assert_eq!(
            (
                declared.decode(&value).is_ok(),
                declared.validator.is_valid(&value)
            ),
            (fits, fits)
        );
    }
}

#[test]
fn whatever_omni_refuses_is_found_before_registering() {
    let key = select(vec![
        "type",
        "properties",
        "items",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "if",
        "$ref",
        "$defs",
        "definitions",
        "default",
        "additionalProperties",
        "patternProperties",
        "enum",
        "a",
    ]);
    let leaf = select(vec![
        json!("object"),
        json!("#/$defs/A"),
        json!(true),
        json!(null),
    ]);
    let schema = leaf.prop_recursive(5, 30, 3, move |inner| {
        prop_oneof![
            3 => btree_map(key.clone(), inner.clone(), 0..4).prop_map(|fields| json!(fields)),
            1 => vec(inner, 0..3).prop_map(Value::Array),
        ]
    });
    let config = Config {
        cases: 4_000,
        failure_persistence: None,
        ..Config::default()
    };
    let found = TestRunner::new(config).run(&schema, |schema| {
        let refused = check_input_schema(&schema).is_err();
        prop_assert!(!refused || !problems(&schema).is_empty(), "{schema}");
        Ok(())
    });
    found.unwrap();
}
