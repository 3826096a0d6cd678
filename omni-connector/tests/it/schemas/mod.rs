//! Checks that the schema of an input agrees with its decoding, for many types and values.
//!
//! A value within an input is valid for the schema exactly if it decodes. The few exceptions are in
//! [`where_the_two_differ`]. Omni refuses a whole input with alternatives at the top. Its schema admits everything that
//! decodes, and more.

mod change;
mod declared;
mod made_up;
mod spellings;
mod variants;

use std::collections::{BTreeMap, HashMap};

use omni_connector::{
    Email, SecretString,
    schema::{Severity, check, check_input_schema},
    wire::{Day, Timestamp},
};
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use url::Url;

use change::{change, changed};
use declared::Declared;
use made_up::*;

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

/// Checks that schema and decoding agree on every value within an input.
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

/// Checks that both accept a type's own values.
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

/// Checks that schema and decoding agree on every whole input.
fn exactly_as_a_whole_input<T: Any>() {
    as_a_whole_input::<T>(|decodes, admits| decodes == admits);
}

/// Checks that the schema admits every whole input that decodes, and possibly more.
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

/// Cases in which a schema says less than Rust, or in which a crate decodes more than documented.
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
    // The documented way to say "none" is to omit the field.
    differ::<Inner>(&json!({ "x": 1, "y": null }), ONLY_DECODED);
    // Serde accepts null for a unit variant, and ignores invalid fields of an optional flattened struct.
    differ::<External>(&json!({ "Unit": null }), ONLY_DECODED);
    differ::<FlatOption>(&json!({ "a": 0, "x": true }), ONLY_DECODED);
    // Schemas do not limit numbers to 64 bits.
    differ::<i64>(&json!(u64::MAX), ONLY_ADMITTED);
    differ::<u64>(&json!(1e20), ONLY_ADMITTED);
    // Limits of map keys, zero for non-zero types, and formats that JSON Schema does not know.
    differ::<BTreeMap<u32, u8>>(&json!({ "99999999999": 1 }), ONLY_ADMITTED);
    differ::<std::num::NonZeroI32>(&json!(0), ONLY_ADMITTED);
    differ::<std::net::IpAddr>(&json!("x"), ONLY_ADMITTED);
    // People are matched by their address, which must have a domain with a dot.
    differ::<Email>(&json!("ann@host"), ONLY_ADMITTED);
}

#[test]
fn a_secret_has_the_schema_of_a_string() {
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
fn every_schema_that_omni_refuses_is_found_before_registering() {
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
