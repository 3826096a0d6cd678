//! Limits apply to every spelling of an input that serde accepts: aliases of fields and variants, unions at any place,
//! nulls, and whole numbers written as floats.

use omni_connector::schemars::{self, JsonSchema};
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::declared::Declared;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "unit", rename_all = "snake_case")]
#[allow(dead_code, reason = "only decoded")]
enum Wait {
    #[serde(alias = "hrs")]
    Hours {
        #[serde(alias = "amount")]
        #[schemars(range(max = 24))]
        n: u32,
        note: Option<String>,
    },
    #[serde(alias = "mins")]
    Minutes {
        #[serde(alias = "amount")]
        #[schemars(range(max = 1440))]
        n: u32,
        note: Option<String>,
    },
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "only decoded")]
enum External {
    #[serde(alias = "hrs")]
    Hours {
        #[serde(alias = "amount")]
        #[schemars(range(max = 24))]
        n: u32,
        note: Option<String>,
    },
    #[serde(alias = "mins")]
    Minutes {
        #[serde(alias = "amount")]
        #[schemars(range(max = 1440))]
        n: u32,
        note: Option<String>,
    },
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Within {
    #[serde(alias = "until")]
    wait: Wait,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Flat {
    #[serde(flatten)]
    wait: Wait,
    name: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only decoded")]
struct Find {
    #[serde(alias = "q", alias = "search")]
    #[schemars(length(max = 5))]
    query: String,
    #[serde(default, alias = "page_size")]
    #[schemars(range(max = 5))]
    limit: Option<u8>,
    #[serde(default, alias = "or")]
    others: Vec<Other>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Other {
    #[serde(alias = "q")]
    #[schemars(length(max = 3))]
    query: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only decoded")]
enum Either {
    Hours {
        #[serde(alias = "hrs")]
        #[schemars(range(max = 24))]
        hours: u32,
    },
    Minutes {
        #[serde(alias = "mins")]
        #[schemars(range(max = 1440))]
        minutes: u32,
    },
}

fn hold<T: std::fmt::Debug>(
    inputs: impl Strategy<Value = T>,
    promise: impl Fn(T) -> Result<(), TestCaseError>,
) {
    let config = Config {
        cases: 256,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config).run(&inputs, promise).unwrap();
}

/// Generates a wait: its unit, its fields, and whether it is within the unit's limit.
fn waits() -> impl Strategy<Value = (&'static str, Value, bool)> {
    let units = select(vec![
        ("hours", 24),
        ("hrs", 24),
        ("minutes", 1440),
        ("mins", 1440),
    ]);
    let amounts = prop_oneof![0_u32..30, 1430_u32..1450];
    let names = select(vec!["n", "amount"]);
    let spelled = (any::<bool>(), any::<bool>(), any::<bool>());
    (units, amounts, names, spelled).prop_map(
        |((unit, most), amount, name, (is_float, has_null, has_config))| {
            let mut fields = json!({});
            fields[name] = if is_float {
                json!(f64::from(amount))
            } else {
                json!(amount)
            };
            if has_null {
                fields["note"] = Value::Null;
            }
            if has_config {
                // The manager adds the keys of the source's config.
                fields["api_url"] = json!("https://acme");
            }
            (unit, fields, amount <= most)
        },
    )
}

fn tagged(unit: &str, fields: &Value) -> Value {
    let mut wait = fields.clone();
    wait["unit"] = json!(unit);
    wait
}

fn judge(declared: &Declared, input: &Value, fits: bool) -> Result<(), TestCaseError> {
    let decoded = declared.decode(input);
    prop_assert_eq!(decoded.is_ok(), fits, "{}: {:?}", input, decoded);
    Ok(())
}

#[test]
fn a_tagged_union_keeps_the_limits_of_each_variant_in_every_spelling() {
    let (whole, within) = (Declared::whole::<Wait>(), Declared::whole::<Within>());
    let argument = Declared::argument::<Wait>();
    whole.is_fit_for_omni();
    hold((waits(), any::<bool>()), |((unit, fields, fits), until)| {
        let wait = tagged(unit, &fields);
        judge(&whole, &wait, fits)?;
        judge(&argument, &json!({ "value": wait }), fits)?;
        let name = if until { "until" } else { "wait" };
        judge(&within, &json!({ name: wait }), fits)
    });
}

#[test]
fn an_externally_tagged_union_keeps_the_limits_of_each_variant_in_every_spelling() {
    let (whole, argument) = (
        Declared::whole::<External>(),
        Declared::argument::<External>(),
    );
    hold(waits(), |(unit, fields, fits)| {
        judge(&whole, &json!({ unit: fields }), fits)?;
        judge(&argument, &json!({ "value": { unit: fields } }), fits)
    });
}

#[test]
fn a_flattened_union_keeps_the_limits_of_each_variant() {
    let (whole, argument) = (Declared::whole::<Flat>(), Declared::argument::<Flat>());
    hold(waits(), |(unit, fields, fits)| {
        let wait = tagged(unit, &fields);
        // Serde hides the variant of an alias in a flattened union, so the alias must satisfy the limits of all.
        let fits = fits && (unit.len() > 4 || declares_at_most_24(&fields));
        judge(&whole, &wait, fits)?;
        judge(&argument, &json!({ "value": wait }), fits)
    });
}

fn declares_at_most_24(fields: &Value) -> bool {
    let amount = fields.get("n").or(fields.get("amount"));
    amount.and_then(Value::as_f64).is_some_and(|n| n <= 24.0)
}

#[test]
fn an_untagged_union_keeps_the_limits_of_each_variant_in_every_spelling() {
    let (whole, argument) = (Declared::whole::<Either>(), Declared::argument::<Either>());
    let names = select(vec![
        ("hours", 24),
        ("hrs", 24),
        ("minutes", 1440),
        ("mins", 1440),
    ]);
    hold((names, 0_u32..1500), |((name, most), amount)| {
        let input = json!({ name: amount });
        judge(&whole, &input, amount <= most)?;
        judge(&argument, &json!({ "value": input }), amount <= most)
    });
}

#[test]
fn an_alias_is_taken_and_held_to_the_limit_of_its_field() {
    let (whole, argument) = (Declared::whole::<Find>(), Declared::argument::<Find>());
    let query = (select(vec!["query", "q", "search"]), "[a-z]{0,8}");
    let limit = proptest::option::of((select(vec!["limit", "page_size"]), 0_u8..9));
    let others = (
        select(vec!["others", "or"]),
        select(vec!["query", "q"]),
        proptest::collection::vec("[a-z]{0,5}", 0..3),
    );
    hold((query, limit, others), |(query, limit, others)| {
        let (list, name, others) = others;
        let fits = query.1.len() <= 5
            && limit.is_none_or(|(_, limit)| limit <= 5)
            && others.iter().all(|other| other.len() <= 3);
        let mut input = json!({ query.0: query.1 });
        if let Some((name, limit)) = limit {
            input[name] = json!(limit);
        }
        input[list] = others
            .into_iter()
            .map(|other| json!({ name: other }))
            .collect();
        judge(&argument, &json!({ "value": input }), fits)?;
        input["api_url"] = json!("https://acme");
        judge(&whole, &input, fits)
    });
}

#[test]
fn a_float_is_an_integer_if_it_is_whole() {
    let declared = Declared::argument::<u32>();
    for (text, fits) in [
        ("10", true),
        ("10.0", true),
        ("1e1", true),
        ("10.5", false),
        ("-1.0", false),
        ("1e10", false),
        ("1e300", false),
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        let value = json!({ "value": value });
        assert_eq!(declared.decode(&value).is_ok(), fits, "{text}");
        assert!(!fits || declared.validator.is_valid(&value), "{text}");
    }
}

#[test]
fn whole_floats_are_integers_in_every_type_and_place() {
    let signed = Declared::argument::<i8>();
    let wide = Declared::argument::<u64>();
    let list = Declared::argument::<Vec<u8>>();
    let optional = Declared::argument::<Option<std::num::NonZeroI32>>();
    let map = Declared::argument::<std::collections::BTreeMap<String, usize>>();
    for (declared, text, fits) in [
        (&signed, "-128.0", true),
        (&signed, "-0.0", true),
        (&signed, "1.28e2", false),
        (&wide, "9007199254740992.0", true),
        (&wide, "1e19", true),
        (&wide, "1.8446744073709552e19", false),
        (&wide, "18446744073709551615", true),
        (&wide, "18446744073709551616", false),
        (&wide, "1e-5", false),
        (&list, "[1.0,2e0,3]", true),
        (&list, "[1.0,2.5]", false),
        (&list, "[256.0]", false),
        (&optional, "-7.0", true),
        (&optional, "0.0", false),
        (&map, r#"{"a":1.0,"b":20e-1}"#, true),
        (&map, r#"{"a":1.0000001}"#, false),
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        let value = json!({ "value": value });
        let decoded = declared.decode(&value);
        assert_eq!(decoded.is_ok(), fits, "{text}: {decoded:?}");
    }
}

#[test]
fn a_flood_of_unknown_names_is_refused_and_not_tried_one_by_one() {
    let declared = Declared::whole::<Wait>();
    let mut input = json!({ "unit": "hours", "n": 1 });
    for index in 0..10_000 {
        input[format!("x{index}")] = json!(index);
    }
    let refused = declared.decode(&input).unwrap_err().to_string();
    assert!(refused.contains("more than 100 names"), "{refused}");
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
#[allow(dead_code, reason = "only decoded")]
enum Beside {
    #[serde(alias = "hrs")]
    Hours(#[schemars(range(max = 24))] u32),
    Minutes {
        #[serde(alias = "amount")]
        #[schemars(range(max = 60))]
        n: u32,
    },
    Never,
}

/// A percentage.
#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Percent(#[schemars(range(max = 100))] u8);

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Odd {
    #[serde(default)]
    percent: Option<Box<Percent>>,
    #[serde(default)]
    shares: std::collections::BTreeMap<String, Percent>,
    #[serde(default)]
    pair: Option<(Percent, String)>,
    #[serde(default)]
    #[schemars(inner(length(max = 3)))]
    words: Vec<String>,
    #[serde(default)]
    count: Option<std::num::NonZeroU8>,
    #[serde(flatten)]
    more: More,
    #[serde(default)]
    either: Vec<Either>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only decoded")]
struct More {
    #[serde(default, alias = "pageSize", alias = "limit")]
    #[schemars(range(max = 5))]
    page_limit: Option<u8>,
}

#[test]
fn limits_hold_in_every_place_that_a_type_has() {
    let beside = Declared::whole::<Adjacent>();
    let odd = Declared::whole::<Odd>();
    for (declared, text, fits) in [
        (&beside, r#"{"wait":{"kind":"hours","value":24}}"#, true),
        (&beside, r#"{"wait":{"kind":"hours","value":24.0}}"#, true),
        (&beside, r#"{"wait":{"kind":"hours","value":25}}"#, false),
        (&beside, r#"{"wait":{"kind":"hrs","value":25}}"#, false),
        (
            &beside,
            r#"{"wait":{"kind":"minutes","value":{"n":60}}}"#,
            true,
        ),
        (
            &beside,
            r#"{"wait":{"kind":"minutes","value":{"n":61}}}"#,
            false,
        ),
        (
            &beside,
            r#"{"wait":{"kind":"minutes","value":{"amount":61}}}"#,
            false,
        ),
        (&beside, r#"{"wait":{"kind":"never"}}"#, true),
        (&odd, r#"{"percent":100}"#, true),
        (&odd, r#"{"percent":1e2}"#, true),
        (&odd, r#"{"percent":101}"#, false),
        (&odd, r#"{"percent":null}"#, true),
        (&odd, r#"{"shares":{"a":100,"b":7.0}}"#, true),
        (&odd, r#"{"shares":{"a":1,"b":101}}"#, false),
        (&odd, r#"{"pair":[100,"ab"]}"#, true),
        (&odd, r#"{"pair":[101,"ab"]}"#, false),
        (&odd, r#"{"words":["abc"]}"#, true),
        (&odd, r#"{"words":["abc","abcd"]}"#, false),
        (&odd, r#"{"count":255.0}"#, true),
        (&odd, r#"{"count":0}"#, false),
        (&odd, r#"{"count":0.0}"#, false),
        (&odd, r#"{"count":-0.0}"#, false),
        (&odd, r#"{"pageLimit":5}"#, true),
        (&odd, r#"{"pageLimit":6}"#, false),
        (&odd, r#"{"pageSize":6}"#, false),
        (&odd, r#"{"limit":6.0}"#, false),
        (&odd, r#"{"either":[{"hrs":24},{"minutes":1440}]}"#, true),
        (&odd, r#"{"either":[{"hours":1},{"mins":1441}]}"#, false),
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        let decoded = declared.decode(&value);
        assert_eq!(decoded.is_ok(), fits, "{text}: {decoded:?}");
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Adjacent {
    wait: Beside,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Listed {
    #[serde(default)]
    #[schemars(extend("enum" = ["low", "high"]))]
    priority: Option<String>,
    #[serde(default)]
    #[schemars(extend("enum" = [1, 5, 10]))]
    stars: Option<u8>,
    #[serde(default)]
    #[schemars(extend("items" = { "type": "string", "enum": ["a", "b"] }))]
    tags: Vec<String>,
    #[serde(default)]
    level: Option<Level>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Level {
    #[serde(alias = "l")]
    Low,
    High,
    #[serde(other)]
    Other,
}

#[test]
fn constants_that_only_the_schema_lists_are_enforced() {
    let (whole, argument) = (Declared::whole::<Listed>(), Declared::argument::<Listed>());
    for (input, problem) in [
        (
            json!({ "priority": "low", "stars": 5.0, "tags": ["a", "b"] }),
            None,
        ),
        (json!({ "priority": null, "level": "l" }), None),
        // A custom rule of the type, which the schema cannot express.
        (json!({ "level": "unheard of" }), None),
        (
            json!({ "priority": "urgent" }),
            Some("`priority` is none of the listed values"),
        ),
        (
            json!({ "stars": 3 }),
            Some("`stars` is none of the listed values"),
        ),
        (
            json!({ "tags": ["a", "c"] }),
            Some("`tags[1]` is none of the listed values"),
        ),
        (
            json!({ "level": "l", "priority": "LOW" }),
            Some("`priority` is none"),
        ),
    ] {
        for (declared, input, place) in [
            (&whole, input.clone(), "`"),
            (&argument, json!({ "value": input }), "`value."),
        ] {
            let decoded = declared.decode(&input).map_err(|error| error.to_string());
            match problem {
                None => assert!(decoded.is_ok(), "{input}: {decoded:?}"),
                Some(problem) => {
                    let (error, problem) = (decoded.unwrap_err(), problem.replacen('`', place, 1));
                    assert!(error.contains(&problem), "{input}: {error}");
                }
            }
        }
    }
}
