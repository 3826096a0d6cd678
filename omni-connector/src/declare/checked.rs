//! Tests the check of a manifest on schemas from declarations.

use serde_json::json;

use super::input_schema;
use crate::schema::check_tests::of_input;

#[derive(schemars::JsonSchema)]
#[allow(dead_code, reason = "only described")]
struct Node {
    children: Vec<Node>,
}

#[derive(schemars::JsonSchema)]
#[allow(dead_code, reason = "only described")]
struct Tree {
    root: Node,
    other: Option<Box<Node>>,
}

#[test]
fn a_type_that_contains_itself_is_named() {
    let expected =
        "E action `act`: the input type `Node` contains itself, and Omni takes no references";
    assert_eq!(of_input(input_schema::<Node>()), [expected]);
    assert_eq!(of_input(input_schema::<Tree>()), [expected]);
}

#[test]
fn every_mistake_is_reported_not_only_the_first() {
    assert_eq!(
        of_input(json!({
            "type": "object",
            "oneOf": [],
            "properties": {
                "not": { "type": "string" },
                "a": { "anyOf": [{ "if": {} }], "examples": [{ "then": 1 }] },
                "b": { "type": "string", "pattern": "(", "maximum": 3 },
                "c": { "type": "integer", "minimum": 3, "maximum": 2 },
                "d": { "type": "integer", "maximum": 2, "default": 3 },
                "e": { "type": "object", "properties": { "file_id": { "x-omni-document": true } } },
            },
        })),
        [
            "E action `act`: Omni refuses `oneOf` at the top of an input schema",
            "E action `act`: Omni refuses the keyword `if`, at `input_schema.properties.a.anyOf[0].if`",
            "E action `act`: Omni refuses the key `then`, at `input_schema.properties.a.examples[0].then`",
            "E action `act`: the pattern of `b` is no regular expression: found open group without closing ')'",
            "W action `act`: `maximum` says nothing about `b`, which is of type string",
            "E action `act`: nothing fits `c`: `minimum` is more than `maximum`",
            "E action `act`: the default of `d` cannot be a value of it: it must be at most 2",
            "E action `act`: Omni does not look for documents in `file_id`",
            "E action `act`: Omni refuses a schema with a property named `not`",
        ]
    );
    assert_eq!(
        of_input(json!({ "type": "string" })),
        ["E action `act`: its input is no object"]
    );
}

#[derive(schemars::JsonSchema)]
#[allow(dead_code, reason = "only described")]
struct Refers {
    document_id: super::DocRef,
    parent: Option<super::DocRef>,
}

#[test]
fn a_document_reference_in_another_place_is_reported() {
    assert_eq!(
        of_input(input_schema::<Refers>()),
        ["E action `act`: Omni does not look for documents in `parent`"]
    );
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    Newest,
    Oldest,
}

#[test]
fn a_default_or_an_example_that_cannot_be_a_value_is_found_before_registering() {
    use super::Arg;

    for (arg, expected) in [
        (Arg::of::<Order>("order", "").default("\"newest\""), None),
        (
            Arg::of::<Order>("order", "").default("\"newst\""),
            Some("the default of `order`"),
        ),
        (
            Arg::of::<Order>("order", "").example("\"newst\""),
            Some("the example of `order`"),
        ),
        (
            Arg::of::<u32>("n", "").default("\"5\""),
            Some("the default of `n`"),
        ),
        (
            Arg::of::<u8>("n", "").default("300"),
            Some("the default of `n`"),
        ),
        (Arg::of::<u8>("n", "").default("3.0"), None),
        (
            Arg::of::<f64>("n", "").default("1."),
            Some("the default of `n`"),
        ),
        (
            Arg::of::<String>("title", "").default("5"),
            Some("the default of `title`"),
        ),
        (
            Arg::of::<Vec<Order>>("orders", "").default("[\"newst\"]"),
            Some("the default of `orders`"),
        ),
        (
            Arg::of::<Option<Order>>("order", "").default("\"oldest\""),
            None,
        ),
        (
            Arg::of::<Option<Order>>("order", "").default("\"oldst\""),
            Some("the default of `order`"),
        ),
        (
            Arg::of::<bool>("flag", "").default("\"true\""),
            Some("the default of `flag`"),
        ),
        (
            Arg::of::<bool>("flag", "").example("1"),
            Some("the example of `flag`"),
        ),
        (
            Arg::of::<i8>("n", "").example("-129"),
            Some("the example of `n`"),
        ),
        (
            Arg::of::<std::num::NonZeroU8>("n", "").default("0"),
            Some("the default of `n`"),
        ),
        (
            Arg::of::<u32>("n", "").default("null"),
            Some("the default of `n`"),
        ),
        (
            Arg::of::<Vec<u8>>("list", "").default("5"),
            Some("the default of `list`"),
        ),
        (
            Arg::of::<Vec<u8>>("list", "").default("[1,256]"),
            Some("the default of `list`"),
        ),
        (
            Arg::of::<std::collections::BTreeMap<String, u8>>("map", "").default("{\"a\":-1}"),
            Some("the default of `map`"),
        ),
        (
            Arg::of::<(u8, String)>("pair", "").default("[1]"),
            Some("the default of `pair`"),
        ),
        (
            Arg::of::<url::Url>("link", "").default("\"nowhere\""),
            Some("the default of `link`"),
        ),
    ] {
        let found = of_input(super::schema_of(std::slice::from_ref(&arg)));
        assert_eq!(
            found.len(),
            usize::from(expected.is_some()),
            "{arg:?}: {found:?}"
        );
        assert!(
            expected.is_none_or(|expected| found[0].contains(expected)),
            "{found:?}"
        );
    }
}

fn tenth() -> f32 {
    0.1
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Step {
    #[serde(default = "tenth")]
    #[schemars(range(max = 0.1))]
    step: f32,
    #[serde(default = "tenths")]
    steps: Vec<f32>,
}

fn tenths() -> Vec<f32> {
    vec![0.1, 0.7]
}

#[test]
fn a_default_of_single_precision_is_shown_as_it_was_written() {
    let schema = input_schema::<Step>();
    assert_eq!(schema["properties"]["step"]["default"], json!(0.1));
    assert_eq!(schema["properties"]["steps"]["default"], json!([0.1, 0.7]));
    assert_eq!(of_input(schema), Vec::<String>::new());
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Steps {
    #[serde(default = "perhaps")]
    perhaps: Option<f32>,
    #[serde(default = "shares")]
    shares: std::collections::HashMap<u8, Share>,
    #[serde(default = "named")]
    named: std::collections::BTreeMap<String, [f32; 1]>,
    #[serde(default = "pair")]
    pair: (u8, f32),
    #[serde(default = "within")]
    within: Within,
    #[serde(default = "either")]
    either: Vec<Either>,
    #[serde(default = "double")]
    double: f64,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(transparent)]
struct Share(#[schemars(range(min = LEAST, max = MOST))] f32);

const LEAST: f32 = 0.1;
const MOST: f32 = 0.7;

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Within {
    #[schemars(range(min = LEAST, max = MOST), extend("examples" = [MOST, LEAST]))]
    step: f32,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "only described")]
enum Either {
    Step(f32),
    Within(Within),
}

#[allow(clippy::unnecessary_wraps, reason = "the default of an optional field")]
const fn perhaps() -> Option<f32> {
    Some(0.1)
}

fn shares() -> std::collections::HashMap<u8, Share> {
    [(7, Share(0.7))].into()
}

fn named() -> std::collections::BTreeMap<String, [f32; 1]> {
    [("a".to_owned(), [0.7])].into()
}

const fn pair() -> (u8, f32) {
    (1, 0.7)
}

const fn within() -> Within {
    Within { step: 0.1 }
}

fn either() -> Vec<Either> {
    vec![Either::Step(0.1), Either::Within(within())]
}

const fn double() -> f64 {
    0.7_f32 as f64
}

#[test]
fn numbers_of_single_precision_have_their_digits_in_every_place() {
    let schema = input_schema::<Steps>();
    let properties = &schema["properties"];
    for (name, default) in [
        ("perhaps", json!(0.1)),
        ("shares", json!({ "7": 0.7 })),
        ("named", json!({ "a": [0.7] })),
        ("pair", json!([1, 0.7])),
        ("within", json!({ "step": 0.1 })),
        (
            "either",
            json!([{ "step": 0.1 }, { "within": { "step": 0.1 } }]),
        ),
        // A number of double precision that looks like it stays as it is.
        ("double", json!(double())),
    ] {
        assert_eq!(properties[name]["default"], default, "{name}");
    }
    let step = &properties["within"]["properties"]["step"];
    assert_eq!(
        [&step["minimum"], &step["maximum"], &step["examples"]],
        [&json!(0.1), &json!(0.7), &json!([0.7, 0.1])]
    );
    assert_eq!(of_input(schema), Vec::<String>::new());
}
