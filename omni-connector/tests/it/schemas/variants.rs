//! Limits and aliases of variants, wherever a union is and however it is tagged.

use std::collections::BTreeMap;

use omni_connector::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::Value;

use super::declared::Declared;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "unit", content = "of", rename_all = "snake_case")]
#[allow(dead_code, reason = "only decoded")]
enum Beside {
    #[serde(alias = "h")]
    Hours(#[schemars(range(max = 24))] u32),
    Span(Hours, #[schemars(length(max = 3))] String),
    Never,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Hours {
    #[serde(alias = "amount")]
    #[schemars(range(max = 24))]
    n: u32,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Minutes {
    #[serde(alias = "amount")]
    #[schemars(range(max = 1440))]
    n: u32,
}

/// Each variant is a struct of its own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    tag = "unit",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[allow(dead_code, reason = "only decoded")]
enum Own {
    Hours(Hours),
    #[serde(alias = "min")]
    Minutes(Minutes),
    Between {
        #[serde(alias = "from")]
        #[schemars(range(max = 12))]
        first_hour: u8,
        last: Option<Named>,
    },
}

/// A variant without a tag.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "unit", rename_all = "camelCase")]
#[allow(dead_code, reason = "only decoded")]
enum Loose {
    Hours(Hours),
    #[serde(untagged)]
    Text(Named),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Named {
    #[schemars(length(max = 4))]
    text: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Places {
    #[serde(default)]
    maybe: Option<Beside>,
    #[serde(default)]
    listed: Vec<Option<Beside>>,
    #[serde(default)]
    by_name: BTreeMap<String, Vec<Beside>>,
    #[serde(flatten)]
    flat: Option<Flat>,
}

/// Serde refuses nothing below a flattened `Option`.
#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Maybe {
    #[serde(alias = "count")]
    #[schemars(range(max = 100))]
    limit: Option<u32>,
    #[serde(flatten)]
    hours: Option<Hours>,
    #[serde(flatten)]
    own: Option<Own>,
}

/// Every name is free, also beside a part that may be absent.
#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Free {
    #[serde(flatten)]
    hours: Option<Hours>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "only decoded")]
enum Flat {
    #[serde(alias = "hrs")]
    Hours(Hours),
    Minutes(Minutes),
}

/// Anything may be given, and hours have a limit.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only decoded")]
enum Open {
    Hours(Hours),
    Anything(Value),
}

#[test]
fn each_variant_keeps_its_limits_and_aliases_wherever_the_union_is() {
    let top = Declared::whole::<Beside>();
    let argument = Declared::argument::<Own>();
    let loose = Declared::argument::<Loose>();
    let open = Declared::argument::<Open>();
    let places = Declared::whole::<Places>();
    for (declared, text, fits) in [
        (&top, r#"{"unit":"hours","of":24}"#, true),
        (&top, r#"{"unit":"hours","of":25}"#, false),
        (&top, r#"{"unit":"h","of":25}"#, false),
        (&top, r#"{"of":25.0,"unit":"h"}"#, false),
        (&top, r#"{"unit":"span","of":[{"n":24},"abc"]}"#, true),
        (&top, r#"{"unit":"span","of":[{"amount":24},"abc"]}"#, true),
        (&top, r#"{"unit":"span","of":[{"n":25},"abc"]}"#, false),
        (&top, r#"{"unit":"span","of":[{"amount":25},"abc"]}"#, false),
        (&top, r#"{"unit":"span","of":[{"n":1},"abcd"]}"#, false),
        (&top, r#"{"unit":"never","of":null}"#, true),
        (&top, r#"{"unit":"never","api_url":"https://acme"}"#, true),
        (&argument, r#"{"value":{"unit":"hours","n":24}}"#, true),
        (&argument, r#"{"value":{"unit":"hours","n":25}}"#, false),
        (
            &argument,
            r#"{"value":{"unit":"hours","amount":25}}"#,
            false,
        ),
        (&argument, r#"{"value":{"unit":"minutes","n":25}}"#, true),
        (
            &argument,
            r#"{"value":{"unit":"min","amount":1440.0}}"#,
            true,
        ),
        (
            &argument,
            r#"{"value":{"unit":"min","amount":1441}}"#,
            false,
        ),
        (
            &argument,
            r#"{"value":{"unit":"between","firstHour":12}}"#,
            true,
        ),
        (
            &argument,
            r#"{"value":{"unit":"between","from":13}}"#,
            false,
        ),
        (
            &argument,
            r#"{"value":{"unit":"between","from":1,"last":{"text":"late"}}}"#,
            true,
        ),
        (&loose, r#"{"value":{"text":"late"}}"#, true),
        (&loose, r#"{"value":{"text":"later"}}"#, false),
        (&loose, r#"{"value":{"unit":"hours","n":24}}"#, true),
        (&loose, r#"{"value":{"unit":"hours","amount":24}}"#, true),
        (&loose, r#"{"value":{"unit":"hours","amount":25}}"#, false),
        (&places, r#"{"maybe":null}"#, true),
        (&places, r#"{"maybe":{"unit":"h","of":24}}"#, true),
        (&places, r#"{"maybe":{"unit":"h","of":25}}"#, false),
        (
            &places,
            r#"{"listed":[null,{"unit":"hours","of":24}]}"#,
            true,
        ),
        (
            &places,
            r#"{"listed":[null,{"unit":"hours","of":25}]}"#,
            false,
        ),
        (
            &places,
            r#"{"by_name":{"a":[{"unit":"never"},{"unit":"h","of":24}]}}"#,
            true,
        ),
        (
            &places,
            r#"{"by_name":{"a":[{"unit":"never"},{"unit":"h","of":25}]}}"#,
            false,
        ),
        (&places, r#"{"hours":{"n":24}}"#, true),
        (&places, r#"{"hours":{"n":25}}"#, false),
        (&places, r#"{"minutes":{"amount":25}}"#, true),
        (&places, r#"{"minutes":{"amount":1441}}"#, false),
        (&places, r#"{"hrs":{"n":24}}"#, true),
        (&places, r#"{"hrs":{"n":25}}"#, false),
        (&places, r#"{"hrs":{"amount":25}}"#, false),
        (&places, r#"{"minutes":{"n":1441}}"#, false),
        (&places, r#"{"api_url":"https://acme","by_name":{}}"#, true),
        (&open, r#"{"value":{"n":24}}"#, true),
        (&open, r#"{"value":{"n":25}}"#, false),
        (&open, r#"{"value":{"m":25}}"#, true),
        (&open, r#"{"value":"free"}"#, true),
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        let decoded = declared.decode(&value);
        assert_eq!(decoded.is_ok(), fits, "{text}: {decoded:?}");
    }
}

#[test]
fn a_name_that_may_be_an_alias_below_a_flattened_option_is_held_to_every_limit() {
    let maybe = Declared::whole::<Maybe>();
    let free = Declared::whole::<Free>();
    for (declared, text, fits) in [
        (&maybe, r#"{"count":100,"amount":24}"#, true),
        (&maybe, r#"{"count":101,"amount":24}"#, false),
        (&maybe, r#"{"amount":25}"#, false),
        (&maybe, r#"{"unit":"minutes","amount":24}"#, true),
        (&maybe, r#"{"unit":"between","from":12}"#, true),
        (&maybe, r#"{"unit":"between","from":13}"#, false),
        (
            &maybe,
            r#"{"unit":"between","from":1,"last":{"text":"later"}}"#,
            false,
        ),
        (&maybe, r#"{"limit":1,"odd":"no name of any part"}"#, true),
        (&free, r#"{"n":25}"#, false),
        (&free, r#"{"odd":25}"#, true),
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        let decoded = declared.decode(&value);
        assert_eq!(decoded.is_ok(), fits, "{text}: {decoded:?}");
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "snake_case")]
#[allow(
    dead_code,
    clippy::option_option,
    reason = "only decoded; null and absent are told apart this way"
)]
enum Change {
    Assign {
        #[serde(default, deserialize_with = "given", alias = "person")]
        #[schemars(length(max = 4))]
        who: Option<Option<String>>,
        note: Option<String>,
    },
    Nothing,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Changed {
    id: u8,
    note: Option<String>,
    #[serde(flatten)]
    change: Due,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(
    dead_code,
    clippy::option_option,
    reason = "only decoded; null and absent are told apart this way"
)]
struct Due {
    #[serde(default, deserialize_with = "given", alias = "due_on")]
    #[schemars(range(max = 31))]
    due: Option<Option<u8>>,
    place: Option<String>,
}

#[allow(
    clippy::option_option,
    reason = "null and absent are told apart this way"
)]
fn given<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    given: D,
) -> Result<Option<Option<T>>, D::Error> {
    Deserialize::deserialize(given).map(Some)
}

#[test]
fn a_null_that_clears_within_a_tagged_or_flattened_type_is_in_the_schema() {
    let (tagged, flat) = (Declared::whole::<Change>(), Declared::whole::<Changed>());
    let argument = Declared::argument::<Changed>();
    for (declared, text, fits) in [
        (&tagged, r#"{"op":"assign","who":null}"#, true),
        (&tagged, r#"{"op":"assign","who":"anna"}"#, true),
        (&tagged, r#"{"op":"assign","person":"annas"}"#, false),
        (&flat, r#"{"id":1,"due":null}"#, true),
        (&flat, r#"{"id":1,"due":32}"#, false),
        (&flat, r#"{"id":1,"due_on":32}"#, false),
        (&argument, r#"{"value":{"id":1,"due":null}}"#, true),
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        let decoded = declared.decode(&value);
        assert_eq!(decoded.is_ok(), fits, "{text}: {decoded:?}");
        let is_described = declared.validator.is_valid(&value);
        assert!(is_described || !fits, "{text}: {}", declared.schema);
    }
    for (declared, place) in [
        (&tagged, "/properties/note/type"),
        (&flat, "/properties/note/type"),
        (&flat, "/properties/place/type"),
    ] {
        let kind = declared.schema.pointer(place);
        assert_eq!(kind.and_then(Value::as_str), Some("string"), "{place}");
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Day {
    #[serde(alias = "sat")]
    Saturday,
    Sunday,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only decoded")]
struct Plan {
    by_day: BTreeMap<Day, Hours>,
    #[serde(default)]
    maybe: Option<BTreeMap<Day, Named>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "plan")]
#[allow(dead_code, reason = "only decoded")]
enum Planned {
    Days { by_day: BTreeMap<Day, Hours> },
}

#[test]
fn the_keys_of_a_map_may_be_aliases_and_its_values_keep_their_limits() {
    let (whole, tagged) = (Declared::whole::<Plan>(), Declared::argument::<Planned>());
    for (declared, text, fits) in [
        (&whole, r#"{"by_day":{"saturday":{"n":24}}}"#, true),
        (
            &whole,
            r#"{"by_day":{"sat":{"n":24},"sunday":{"n":24}}}"#,
            true,
        ),
        (&whole, r#"{"by_day":{"sat":{"n":25}}}"#, false),
        (&whole, r#"{"by_day":{"sat":{"amount":25}}}"#, false),
        (
            &whole,
            r#"{"by_day":{},"maybe":{"sat":{"text":"late"}}}"#,
            true,
        ),
        (
            &whole,
            r#"{"by_day":{},"maybe":{"sat":{"text":"later"}}}"#,
            false,
        ),
        (&whole, r#"{"by_day":{"monday":{"n":1}}}"#, false),
        (
            &tagged,
            r#"{"value":{"plan":"Days","by_day":{"sat":{"n":24}}}}"#,
            true,
        ),
        (
            &tagged,
            r#"{"value":{"plan":"Days","by_day":{"sat":{"n":25}}}}"#,
            false,
        ),
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        let decoded = declared.decode(&value);
        assert_eq!(decoded.is_ok(), fits, "{text}: {decoded:?}");
    }
}

#[test]
fn a_number_beyond_its_type_is_refused_and_not_rounded() {
    let (single, long) = (Declared::argument::<f32>(), Declared::argument::<i64>());
    for (declared, number, fits) in [
        (&single, "3.4028235e38", true),
        (&single, "1e39", false),
        (&single, "-1e39", false),
        (&single, "1e-50", true),
        (&long, "-9223372036854775808", true),
        (&long, "-9223372036854775809", false),
        (&long, "9223372036854775808", false),
    ] {
        let value: Value = serde_json::from_str(&format!(r#"{{"value":{number}}}"#)).unwrap();
        let decoded = declared.decode(&value);
        assert_eq!(decoded.is_ok(), fits, "{number}: {decoded:?}");
    }
}
