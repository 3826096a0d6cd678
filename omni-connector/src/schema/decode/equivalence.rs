//! Tests that [`Decoder`] decodes the same values as `serde_json::Value`.

use std::collections::{BTreeMap, HashMap};

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json, value::RawValue};

use super::value::Decoder;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Plain {
    a: u8,
    #[serde(default)]
    b: Option<String>,
    c: (bool, f64),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closed {
    a: i64,
    #[serde(default)]
    b: Vec<Newtype>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(u16);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Pair(char, Option<Unit>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum External {
    A,
    B(u8),
    C(u8, String),
    D { a: i32 },
    E(Option<Box<External>>),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "a", rename_all = "snake_case")]
enum Internal {
    A,
    B { b: u8 },
    C(BTreeMap<String, Value>),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "a", content = "b", rename_all = "snake_case")]
enum Adjacent {
    A,
    B(i8),
    C { a: String },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(i32),
    Text(String),
    List(Vec<u8>),
    Object { a: bool },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    a: Option<u8>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// Generates values that often fit the types above: few names, small numbers, little nesting.
fn values() -> impl Strategy<Value = Value> {
    let names = || {
        prop::sample::select(vec![
            "a", "b", "c", "d", "e", "1", "-7", "true", "+7", "007", "inf", "1.5",
        ])
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2_i64..300).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec!["a", "b", "c"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names(), inner), 0..4).prop_map(|entries| {
                let entries = entries.into_iter();
                entries
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<Map<_, _>>()
                    .into()
            }),
        ]
    })
}

fn has_whole_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => super::whole(number).is_some(),
        Value::Array(items) => items.iter().any(has_whole_float),
        Value::Object(fields) => fields.values().any(has_whole_float),
        _ => false,
    }
}

/// Asserts that both accept the value or both refuse it, with the same result. Structs written as lists are exempt.
fn agree<T: DeserializeOwned + Serialize>(value: &Value) {
    let theirs = serde_json::from_value::<T>(value.clone());
    match (T::deserialize(Decoder(value.clone())), theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert_eq!(json!(ours), json!(theirs), "{value}");
        }
        (Err(_), Err(_)) => {}
        // `serde_json` reads a number that does not fit single precision as infinite.
        (Err(ours), Ok(_)) if ours.message().contains("does not fit, expected f32") => {}
        (Err(ours), Ok(_)) => {
            let is_list = value.to_string().contains('[');
            assert!(
                is_list && ours.message().contains("sequence"),
                "{value}: {ours}"
            );
        }
        // A whole number counts as an integer even when written as a float.
        (Ok(_), Err(_)) if has_whole_float(value) => {}
        (Ok(ours), Err(theirs)) => panic!("{value}: {} in place of {theirs}", json!(ours)),
    }
}

proptest! {
    #[test]
    fn the_decoder_decodes_what_serde_json_decodes(value in values()) {
        agree::<Value>(&value);
        agree::<Plain>(&value);
        agree::<Closed>(&value);
        agree::<Vec<Plain>>(&value);
        agree::<Pair>(&value);
        agree::<Unit>(&value);
        agree::<External>(&value);
        agree::<Vec<External>>(&value);
        agree::<Internal>(&value);
        agree::<Adjacent>(&value);
        agree::<Untagged>(&value);
        agree::<Flat>(&value);
        agree::<HashMap<i8, Value>>(&value);
        agree::<BTreeMap<bool, u8>>(&value);
        agree::<HashMap<External, u8>>(&value);
        agree::<Option<[f32; 2]>>(&value);
        agree::<Box<RawValue>>(&value);
        agree::<(u64, i128, Newtype)>(&value);
    }
}

#[test]
fn enough_generated_values_fit_the_types() {
    let mut runner = TestRunner::deterministic();
    let fits = |runner: &mut TestRunner| {
        let value = values().new_tree(runner).unwrap().current();
        [
            serde_json::from_value::<External>(value.clone()).is_ok(),
            serde_json::from_value::<Internal>(value.clone()).is_ok(),
            serde_json::from_value::<Untagged>(value.clone()).is_ok(),
            serde_json::from_value::<Flat>(value).is_ok(),
        ]
    };
    let mut counts = [0; 4];
    for _ in 0..4_000 {
        for (count, fits) in counts.iter_mut().zip(fits(&mut runner)) {
            *count += usize::from(fits);
        }
    }
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
}
