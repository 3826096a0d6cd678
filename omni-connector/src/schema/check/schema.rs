//! Finds mistakes in an action's input schema.

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::Problems;
use crate::schema::{
    DOCUMENT_MARK, DOCUMENT_NAMES, REFUSED_KEYS, Rule, compare, input::REFUSED_AT_TOP,
};

pub(super) fn look(problems: &mut Problems, schema: &Value) {
    let Value::Object(object) = schema else {
        problems.error(
            "its input schema is no JSON object",
            "an action without input has the schema `{}`",
        );
        return;
    };
    for key in REFUSED_AT_TOP {
        if object.contains_key(key) {
            problems.error(
                format!("Omni refuses `{key}` at the top of an input schema"),
                "describe one object, with optional properties for what differs",
            );
        }
    }
    if object.get("type").is_some_and(|kind| kind != "object") {
        problems.error(
            "its input is no object",
            "take a struct; wrap a single value in one",
        );
    }
    let mut look = Look {
        problems,
        refers: refers(schema),
    };
    look.at_schema("input_schema", schema);
}

/// Returns whether a reference occurs outside of definitions.
fn refers(value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            let used = object
                .iter()
                .filter(|(key, _)| !DEFINITIONS.contains(&key.as_str()));
            object.contains_key("$ref") || used.into_iter().any(|(_, value)| refers(value))
        }
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

struct Look<'a> {
    problems: &'a mut Problems,
    refers: bool,
}

impl Look<'_> {
    /// Checks a schema, whose keys are keywords.
    fn at_schema(&mut self, path: &str, schema: &Value) {
        let Value::Object(object) = schema else {
            return self.at_data(path, schema);
        };
        for (key, value) in object {
            let path = format!("{path}.{key}");
            match key.as_str() {
                "$ref" => self.reference(value),
                // References into definitions report their problems once.
                key if self.refers && DEFINITIONS.contains(&key) => {}
                key if REFUSED_KEYS.contains(&key) => self.problems.error(
                    format!("Omni refuses the keyword `{key}`, at `{path}`"),
                    "say it in the description, and check it in the action",
                ),
                "properties" => self.at_properties(&path, value),
                "patternProperties" => self.at_names(&path, value, |look, path, _, schema| {
                    look.at_schema(path, schema);
                }),
                "items"
                | "additionalProperties"
                | "unevaluatedProperties"
                | "propertyNames"
                | "contains" => {
                    self.at_schema(&path, value);
                }
                "anyOf" | "oneOf" | "allOf" | "prefixItems" => match value {
                    Value::Array(schemas) => {
                        for (index, schema) in schemas.iter().enumerate() {
                            self.at_schema(&format!("{path}[{index}]"), schema);
                        }
                    }
                    _ => self.at_data(&path, value),
                },
                _ => self.at_data(&path, value),
            }
        }
        self.limits(path, object);
    }

    fn at_properties(&mut self, path: &str, properties: &Value) {
        self.at_names(path, properties, |look, path, name, schema| {
            let is_top = path.strip_suffix(name) == Some("input_schema.properties.");
            if schema.get(DOCUMENT_MARK).is_some() && !(is_top && DOCUMENT_NAMES.contains(&name)) {
                look.problems.error(
                    format!("Omni does not look for documents in `{name}`"),
                    "name a `DocRef` `document_id` or `file_id`, as an argument or a field of the input itself",
                );
            }
            look.at_schema(path, schema);
        });
    }

    /// Checks schemas by property name. The manager does not distinguish these names from keywords.
    fn at_names(&mut self, path: &str, schemas: &Value, each: fn(&mut Self, &str, &str, &Value)) {
        let Value::Object(schemas) = schemas else {
            return self.at_data(path, schemas);
        };
        for (name, schema) in schemas {
            if REFUSED_KEYS.contains(&name.as_str()) {
                self.problems.error(
                    format!("Omni refuses a schema with a property named `{name}`"),
                    "rename it: `#[arg(name = \"…\")]`, or `#[serde(rename = \"…\")]` on a field",
                );
            }
            each(self, &format!("{path}.{name}"), name, schema);
        }
    }

    /// Checks examples and defaults, which the manager also searches for keywords.
    fn at_data(&mut self, path: &str, value: &Value) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    let path = format!("{path}.{key}");
                    if REFUSED_KEYS.contains(&key.as_str()) {
                        self.problems.error(
                            format!("Omni refuses the key `{key}`, at `{path}`"),
                            "leave the example or default out, or rename the field",
                        );
                    }
                    self.at_data(&path, value);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.at_data(&format!("{path}[{index}]"), item);
                }
            }
            _ => {}
        }
    }

    fn reference(&mut self, to: &Value) {
        let name = to.as_str().and_then(|to| to.rsplit('/').next());
        let message = format!(
            "the input type `{}` contains itself, and Omni takes no references",
            name.unwrap_or("?")
        );
        let is_known = self.problems.found.iter();
        if is_known
            .clone()
            .any(|known| known.message == message && known.place == self.problems.place)
        {
            return;
        }
        self.problems.error(
            message,
            "end the circle: take the inner part as `serde_json::Value`, or by its id; write a schema of your own without `$ref`",
        );
    }

    fn limits(&mut self, path: &str, schema: &Map<String, Value>) {
        let place = path
            .strip_prefix("input_schema")
            .unwrap_or(path)
            .trim_start_matches('.');
        let place = match place.replace("properties.", "") {
            place if place.is_empty() => "the input".to_owned(),
            place => format!("`{place}`"),
        };
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && let Err(error) = Regex::new(pattern)
        {
            self.problems.error(
                format!("the pattern of {place} is no regular expression: {error}"),
                "correct it; look-around and back-references are not known",
            );
        }
        for (least, most) in [
            ("minimum", "maximum"),
            ("minLength", "maxLength"),
            ("minItems", "maxItems"),
            ("minContains", "maxContains"),
            ("minProperties", "maxProperties"),
        ] {
            if let (Some(Value::Number(from)), Some(Value::Number(to))) =
                (schema.get(least), schema.get(most))
                && compare(from, to).is_gt()
            {
                self.problems.error(
                    format!("nothing fits {place}: `{least}` is more than `{most}`"),
                    "change one of the two",
                );
            }
        }
        let examples = schema.get("examples").and_then(Value::as_array);
        let examples = examples.into_iter().flatten();
        let shown = schema.get("default").map(|default| ("default", default));
        let shown = shown
            .into_iter()
            .chain(examples.map(|example| ("example", example)));
        let rule = Rule::of(&Value::Object(schema.clone()));
        for (what, value) in shown {
            if let Err(violation) = rule.admit(value) {
                self.problems.error(
                    format!("the {what} of {place} cannot be a value of it: {violation}"),
                    format!("change the {what}, the limit or the type"),
                );
            }
        }
        let kinds: Vec<_> = match schema.get("type") {
            Some(Value::String(kind)) => vec![kind.as_str()],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        for (of, keywords) in [
            (
                &["integer", "number"][..],
                &[
                    "minimum",
                    "maximum",
                    "exclusiveMinimum",
                    "exclusiveMaximum",
                    "multipleOf",
                ][..],
            ),
            (&["string"], &["minLength", "maxLength", "pattern"]),
            (
                &["array"],
                &["minItems", "maxItems", "contains", "uniqueItems"],
            ),
            (
                &["object"],
                &["minProperties", "maxProperties", "propertyNames"],
            ),
        ] {
            let without_use = keywords
                .iter()
                .find(|keyword| schema.contains_key(**keyword));
            if let Some(keyword) = without_use
                && !of.iter().any(|kind| kinds.contains(kind))
            {
                self.problems.warning(
                    format!(
                        "`{keyword}` says nothing about {place}, which is of type {}",
                        kinds.join(" or ")
                    ),
                    "remove the limit, or change the type",
                );
            }
        }
    }
}
