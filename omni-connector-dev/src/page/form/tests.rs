//! Tests for many schemas that decoding an unchanged form gives the rendered value.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Fields, decode, render};

/// Returns the fields that a browser would send.
fn sent(page: &str) -> Fields {
    let mut fields = Vec::new();
    let mut rest = page;
    let mut select: Option<(String, Option<String>)> = None;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let mut quoted = false;
        let end = rest
            .find(|c| {
                quoted ^= c == '"';
                c == '>' && !quoted
            })
            .unwrap();
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let attribute = |name: &str| {
            let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
            Some(plain(&tag[start..start + tag[start..].find('"')?]))
        };
        let has = |name: &str| tag.split(' ').any(|word| word == name);
        match tag.split(' ').next().unwrap() {
            "input" => {
                let kind = attribute("type").unwrap_or_default();
                if !(kind == "checkbox" || kind == "radio") || has("checked") {
                    let value = attribute("value").unwrap_or_default();
                    fields.extend(attribute("name").map(|name| (name, value)));
                }
            }
            "textarea" => {
                let text = plain(&rest[..rest.find("</textarea>").unwrap()]);
                let text = text
                    .strip_prefix('\n')
                    .unwrap_or(&text)
                    .replace('\n', "\r\n");
                fields.extend(attribute("name").map(|name| (name, text)));
            }
            "select" => select = attribute("name").map(|name| (name, None)),
            "option" => {
                if let Some((_, chosen)) = &mut select
                    && (chosen.is_none() || has("selected"))
                {
                    *chosen = attribute("value");
                }
            }
            "/select" => {
                if let Some((name, Some(chosen))) = select.take() {
                    fields.push((name, chosen));
                }
            }
            _ => {}
        }
    }
    Fields::new(fields)
}

fn plain(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

/// Renders and decodes a value; also returns the faults.
fn round(schema: &Value, value: &Value) -> (Value, HashMap<String, String>) {
    let page = render(schema, Some(value), &HashMap::new()).into_string();
    let decoded = decode(schema, &sent(&page));
    (decoded.value, decoded.faults)
}

fn one(schema: Value) -> Value {
    json!({ "type": "object", "properties": { "x": schema }, "required": ["x"] })
}

/// Returns schemas with values that they admit.
#[allow(clippy::too_many_lines, reason = "a list of schemas")]
fn corpus() -> Vec<(Value, Vec<Value>)> {
    let text = || json!({ "type": "string" });
    let point = || json!({ "type": "object", "properties": { "a": { "type": "integer" }, "b/c~d": text() }, "required": ["a"] });
    let tagged = |tag: &str, more: Value| json!({ "type": "object", "properties": { "kind": { "const": tag }, "with": more }, "required": ["kind", "with"] });
    vec![
        (
            text(),
            vec![
                json!(""),
                json!("a"),
                json!("<&\">'"),
                json!(" blanks "),
                json!("two\nlines"),
                json!("\nfirst"),
                json!("ünï"),
            ],
        ),
        (
            json!({ "type": "string", "maxLength": 5 }),
            vec![json!("12345")],
        ),
        (
            json!({ "type": "string", "format": "uri" }),
            vec![json!("https://a.example/?a=b&c")],
        ),
        (
            json!({ "type": "string", "format": "date-time" }),
            vec![json!("2026-01-31T12:00:00Z")],
        ),
        (
            json!({ "type": "string", "format": "email", "pattern": "^\"+$" }),
            vec![json!("a@b.example")],
        ),
        (
            json!({ "type": "integer" }),
            vec![json!(0), json!(-7), json!(18_446_744_073_709_551_615_u64)],
        ),
        (
            json!({ "type": "number", "minimum": 0.5, "maximum": 9 }),
            vec![json!(0.5), json!(1e300), json!(3)],
        ),
        (
            json!({ "type": "boolean" }),
            vec![json!(true), json!(false)],
        ),
        (
            json!({ "enum": ["a", "b", 3, true, { "c": 1 }] }),
            vec![json!("b"), json!(3), json!(true), json!({ "c": 1 })],
        ),
        (
            json!({ "enum": ["a", null] }),
            vec![json!("a"), json!(null)],
        ),
        (json!({ "const": "only" }), vec![json!("only")]),
        (
            json!({ "oneOf": [{ "const": "a", "title": "A" }, { "const": "b" }] }),
            vec![json!("b")],
        ),
        (
            json!({ "type": ["string", "null"] }),
            vec![json!(null), json!("x")],
        ),
        (
            json!({ "type": ["integer", "null"] }),
            vec![json!(null), json!(4)],
        ),
        (
            json!({ "type": ["boolean", "null"] }),
            vec![json!(null), json!(true), json!(false)],
        ),
        (
            json!({ "anyOf": [text(), { "type": "null" }] }),
            vec![json!(null), json!("x")],
        ),
        (
            json!({ "anyOf": [point(), { "type": "null" }] }),
            vec![json!(null), json!({ "a": 1 })],
        ),
        (
            json!({ "type": "array", "items": text() }),
            vec![json!([]), json!(["", "a", "<b>"])],
        ),
        (
            json!({ "type": "array", "items": { "type": "integer" } }),
            vec![json!([1, -2])],
        ),
        (
            json!({ "type": "array", "items": { "type": "array", "items": { "type": "boolean" } } }),
            vec![json!([[], [true, false]])],
        ),
        (
            json!({ "type": "array", "items": point() }),
            vec![json!([{ "a": 1 }, { "a": 2, "b/c~d": "x" }])],
        ),
        (
            json!({ "type": ["array", "null"], "items": text() }),
            vec![json!(null), json!(["a"])],
        ),
        (
            json!({ "type": "array", "prefixItems": [text()], "items": { "type": "integer" } }),
            vec![json!(["a", 1])],
        ),
        (json!({ "type": "array" }), vec![json!([1, "a", null])]),
        (
            point(),
            vec![json!({ "a": 1 }), json!({ "a": 1, "b/c~d": "x" })],
        ),
        (
            json!({ "type": "object", "properties": { "p": point() }, "required": ["p"] }),
            vec![json!({ "p": { "a": 5 } })],
        ),
        (
            json!({ "type": "object", "properties": { "p": point() } }),
            vec![json!({}), json!({ "p": { "a": 5 } })],
        ),
        (
            json!({ "type": "object", "additionalProperties": { "type": "integer" } }),
            vec![json!({}), json!({ "a": 1, "b": 2 })],
        ),
        (
            json!({ "type": "object", "additionalProperties": point() }),
            vec![json!({ "k": { "a": 1 } })],
        ),
        (
            json!({ "type": "object", "additionalProperties": { "type": "array", "items": text() } }),
            vec![json!({ "k": ["a", "b"] })],
        ),
        (
            json!({ "type": "object", "properties": { "a": text() }, "additionalProperties": { "type": "integer" } }),
            vec![json!({ "a": "x", "b": 2 })],
        ),
        (
            json!({ "type": "object", "properties": { "a": text() } }),
            vec![json!({ "a": "x", "unknown": [1, { "b": null }] })],
        ),
        (
            json!({ "type": "object", "properties": { "a": text() }, "additionalProperties": false }),
            vec![json!({ "a": "x" }), json!({})],
        ),
        (
            json!({ "type": "object" }),
            vec![json!({}), json!({ "any": [1] })],
        ),
        (
            json!({ "oneOf": [tagged("a", text()), tagged("b", json!({ "type": "integer" }))] }),
            vec![
                json!({ "kind": "a", "with": "x" }),
                json!({ "kind": "b", "with": 2 }),
            ],
        ),
        (
            json!({ "anyOf": [text(), { "type": "integer" }, { "type": "array", "items": text() }] }),
            vec![json!("a"), json!(3), json!(["b"])],
        ),
        (
            json!({ "anyOf": [tagged("a", text()), { "type": "null" }, tagged("b", point())] }),
            vec![json!(null), json!({ "kind": "b", "with": { "a": 1 } })],
        ),
        (
            json!({ "oneOf": [{ "const": "unit" }, { "type": "object", "properties": { "New": text() }, "required": ["New"], "additionalProperties": false }] }),
            vec![json!("unit"), json!({ "New": "x" })],
        ),
        (json!({ "allOf": [point()] }), vec![json!({ "a": 1 })]),
        (
            json!({ "allOf": [point(), { "type": "object" }] }),
            vec![json!({ "a": 1 })],
        ),
        (
            json!({ "$ref": "#/elsewhere" }),
            vec![json!({ "a": [1] }), json!("text"), json!(1)],
        ),
        (json!({ "not": text() }), vec![json!(1)]),
        (
            json!({}),
            vec![
                json!({ "a": 1 }),
                json!([1]),
                json!("a"),
                json!("{ not json"),
                json!(false),
            ],
        ),
        (json!(true), vec![json!(1)]),
        (
            json!({ "type": ["string", "integer"] }),
            vec![json!("a"), json!("1"), json!(1)],
        ),
        (
            json!({ "properties": { "a": text() } }),
            vec![json!({ "a": "x" })],
        ),
        (
            json!({ "type": "object", "properties": { "a": { "type": "boolean" } } }),
            vec![json!({}), json!({ "a": true }), json!({ "a": false })],
        ),
        (
            json!({ "type": "object", "properties": { "a": { "enum": ["x", "y"] } } }),
            vec![json!({}), json!({ "a": "y" })],
        ),
        (
            json!({ "type": "object", "properties": { "a": { "type": "integer" } } }),
            vec![json!({}), json!({ "a": 0 })],
        ),
        (
            json!({ "type": "object", "properties": { "a": { "type": "array", "items": text() } } }),
            vec![json!({}), json!({ "a": ["x"] })],
        ),
        (
            json!({ "type": "object", "properties": { "a": { "oneOf": [text(), { "type": "integer" }] } } }),
            vec![json!({}), json!({ "a": 5 })],
        ),
        (
            json!({ "type": "object", "properties": { "": text(), "a b": text(), "é": text() } }),
            vec![json!({ "": "x", "a b": "y", "é": "z" })],
        ),
    ]
}

#[test]
fn an_unchanged_form_gives_the_rendered_value() {
    for (schema, values) in corpus() {
        let schema = one(schema);
        for value in values {
            let value = json!({ "x": value });
            let (back, faults) = round(&schema, &value);
            assert_eq!((&back, faults.len()), (&value, 0), "{schema}: {faults:?}");
        }
    }
}

#[test]
fn a_schema_works_the_same_within_other_schemas() {
    for (schema, values) in corpus() {
        let within = [
            json!({ "type": "array", "items": one(schema.clone()) }),
            json!({ "type": "object", "additionalProperties": one(schema.clone()) }),
            json!({ "anyOf": [one(schema), { "type": "null" }] }),
        ];
        for value in values {
            let inner = json!({ "x": value });
            let outer = [json!([inner, inner]), json!({ "key": inner }), inner];
            for (schema, value) in within.iter().zip(outer) {
                let (schema, value) = (one(schema.clone()), json!({ "x": value }));
                let (back, faults) = round(&schema, &value);
                assert_eq!((&back, faults.len()), (&value, 0), "{schema}: {faults:?}");
            }
        }
    }
}

#[test]
fn nothing_of_a_schema_or_a_value_is_rendered_as_html() {
    let hostile = "<script>\"'><img src=x>";
    let schema = json!({
        "type": "object", "description": hostile, "properties": { hostile: {
            "type": "string", "title": hostile, "description": hostile, "default": hostile, "pattern": hostile,
        }, "e": { "enum": [hostile] }, "v": { "oneOf": [{ "title": hostile, "type": "string" }, { "type": "integer" }] } },
    });
    let faults = HashMap::from([("/e".to_owned(), hostile.to_owned())]);
    let page = render(&schema, Some(&json!({ hostile: hostile })), &faults).into_string();
    assert!(
        !page.contains("<script") && !page.contains("<img"),
        "{page}"
    );
}

#[test]
fn a_secret_field_is_never_filled() {
    let schema = json!({ "type": "object", "properties": { "key": { "type": "string", "writeOnly": true } } });
    let page = render(
        &schema,
        Some(&json!({ "key": "hush-hush" })),
        &HashMap::new(),
    )
    .into_string();
    assert!(
        page.contains("type=\"password\"") && !page.contains("hush"),
        "{page}"
    );
}

#[test]
fn a_missing_field_and_a_wrong_number_are_reported_at_their_path() {
    let schema = json!({ "type": "object", "properties": { "n": { "type": "integer" }, "m": { "type": "number" } }, "required": ["n", "m"] });
    let typed = |n: &str, m: &str| {
        Fields::new([
            ("v/n".to_owned(), n.to_owned()),
            ("v/m".to_owned(), m.to_owned()),
        ])
    };
    let faults = decode(&schema, &typed("", "x")).faults;
    assert_eq!(faults["/n"], "needs a number");
    assert_eq!(faults["/m"], "`x` is not a number");
    assert!(
        decode(&schema, &typed("1.5", "1.5"))
            .faults
            .contains_key("/n")
    );
}
