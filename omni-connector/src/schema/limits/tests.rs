//! Tests of limits.

use serde_json::json;

use super::*;

fn problem(schema: Value, value: Value) -> Option<String> {
    Rule::of(&schema)
        .check(&value)
        .err()
        .map(|violation| violation.to_string())
}

#[test]
fn each_limit_is_enforced_and_named_without_the_value() {
    for (schema, value, expected) in [
        (json!({ "minimum": 1 }), json!(0), "it must be at least 1"),
        (
            json!({ "maximum": 2.5 }),
            json!(3),
            "it must be at most 2.5",
        ),
        (
            json!({ "exclusiveMinimum": 0 }),
            json!(0),
            "it must be more than 0",
        ),
        (
            json!({ "exclusiveMaximum": 1 }),
            json!(1.0),
            "it must be less than 1",
        ),
        (
            json!({ "multipleOf": 5 }),
            json!(12),
            "it must be a multiple of 5",
        ),
        (
            json!({ "multipleOf": 0.1 }),
            json!(0.25),
            "it must be a multiple of 0.1",
        ),
        (
            json!({ "minProperties": 1 }),
            json!({}),
            "it has 0 fields, at least 1 is needed",
        ),
        (
            json!({ "maxProperties": 1 }),
            json!({ "a": 1, "b": 1 }),
            "it has 2 fields, at most 1 is allowed",
        ),
        (
            json!({ "minLength": 1 }),
            json!(""),
            "it is 0 characters long, at least 1 is needed",
        ),
        (
            json!({ "maxLength": 2 }),
            json!("äöü"),
            "it is 3 characters long, at most 2 are allowed",
        ),
        (
            json!({ "minItems": 2 }),
            json!([1]),
            "it has 1 item, at least 2 are needed",
        ),
        (
            json!({ "maxItems": 1 }),
            json!([1, 2]),
            "it has 2 items, at most 1 is allowed",
        ),
        (
            json!({ "uniqueItems": true }),
            json!([1, 1]),
            "it names an item twice",
        ),
        (
            json!({ "pattern": "^[A-Z]+$" }),
            json!("ops"),
            "it does not match the pattern `^[A-Z]+$`",
        ),
        (
            json!({ "format": "date" }),
            json!("20260822"),
            "it is no date, such as `2026-08-22`",
        ),
        (
            json!({ "format": "date-time" }),
            json!("2026-08-22T04:08:28"),
            "it is no time with an offset, such as `2026-08-22T04:08:28Z`",
        ),
        (
            json!({ "format": "email" }),
            json!("ann"),
            "it is no e-mail address",
        ),
        (
            json!({ "format": "uri" }),
            json!("page"),
            "it is no URL, such as `https://example.com/page`",
        ),
    ] {
        assert_eq!(
            problem(schema.clone(), value).as_deref(),
            Some(expected),
            "{schema}"
        );
    }
}

#[test]
fn a_pattern_may_match_anywhere() {
    assert_eq!(
        problem(json!({ "pattern": "[0-9]" }), json!("abc 7 def")),
        None
    );
}

#[test]
fn a_multiple_may_be_rounded() {
    for (step, value) in [
        (json!(0.1), json!(0.3)),
        (json!(0.01), json!(19.99)),
        (json!(5), json!(-10)),
    ] {
        assert_eq!(
            problem(json!({ "multipleOf": step }), value),
            None,
            "{step}"
        );
    }
}

#[test]
fn whole_numbers_are_compared_exactly() {
    let most = json!({ "maximum": 9_007_199_254_740_993_i64 });
    assert_eq!(
        problem(most.clone(), json!(9_007_199_254_740_993_i64)),
        None
    );
    assert!(problem(most, json!(9_007_199_254_740_994_i64)).is_some());
    let most = json!({ "maximum": u64::MAX - 1 });
    assert!(problem(most, json!(u64::MAX)).is_some());
    let least = json!({ "minimum": i64::MIN + 1 });
    assert!(problem(least, json!(i64::MIN)).is_some());
}

#[test]
fn a_violation_names_the_path() {
    let schema = json!({ "properties": {
        "labels": { "items": { "maxLength": 1 } },
        "pair": { "prefixItems": [{}, { "properties": { "x": { "minimum": 1 } } }] },
    }, "patternProperties": { "^[0-9]+$": { "maxLength": 1 } }, "additionalProperties": { "maximum": 1 } });
    for (value, expected) in [
        (
            json!({ "labels": ["a", "bc"] }),
            "`labels[1]` is 2 characters long, at most 1 is allowed",
        ),
        (
            json!({ "pair": [0, { "x": 0 }] }),
            "`pair[1].x` must be at least 1",
        ),
        (
            json!({ "12": "bc" }),
            "`12` is 2 characters long, at most 1 is allowed",
        ),
        (json!({ "other": 2 }), "`other` must be at most 1"),
    ] {
        assert_eq!(problem(schema.clone(), value).as_deref(), Some(expected));
    }
}

#[test]
fn of_several_alternatives_the_one_with_the_values_shape_sets_the_limit() {
    let schema = json!({ "anyOf": [
        { "type": "string", "maxLength": 2 },
        { "type": "object", "required": ["n"], "properties": { "n": { "type": "integer", "maximum": 5 } } },
        { "type": "object", "required": ["kind"], "properties": { "kind": { "enum": ["x"] } } },
    ] });
    for value in [
        json!("ab"),
        json!({ "n": 5 }),
        json!({ "n": 9, "kind": "x" }),
        json!(true),
    ] {
        assert_eq!(problem(schema.clone(), value), None);
    }
    assert_eq!(
        problem(schema.clone(), json!({ "n": 6, "kind": "y" })).as_deref(),
        Some("`n` must be at most 5")
    );
    assert!(
        problem(schema, json!("abc"))
            .unwrap()
            .contains("3 characters")
    );
}

#[test]
fn a_value_of_another_shape_passes() {
    let schema = json!({ "type": "object", "properties": { "n": { "type": "integer", "minimum": 1 } }, "required": ["n"] });
    for value in [json!({}), json!({ "n": "0" }), json!([]), json!(0)] {
        assert_eq!(problem(schema.clone(), value), None);
    }
}
