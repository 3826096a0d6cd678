//! Finds nulls that an output schema does not allow. JSON has no number such as NaN, so it is written as null.

use percent_encoding::percent_decode_str;
use rmcp::model::JsonObject;
use serde_json::Value;

/// Schemas nested deeper are not read: a reference may lead to itself.
const DEEPEST: usize = 256;

/// Returns the path of a null where the schema does not allow one. All other values follow from their types.
pub(super) fn misplaced(value: &Value, schema: &JsonObject) -> Option<String> {
    Schemas(schema).look(value, schema, 0).null
}

/// How a value differs from a schema.
#[derive(Default)]
struct Misfit {
    /// The path of a null that is not allowed.
    null: Option<String>,
    /// Whether another shape is expected, such as that of another variant.
    is_shape: bool,
}

impl Misfit {
    const SHAPE: Self = Self {
        null: None,
        is_shape: true,
    };

    const fn is_none(&self) -> bool {
        self.null.is_none() && !self.is_shape
    }

    fn add(&mut self, other: Self) {
        self.is_shape |= other.is_shape;
        self.null = self.null.take().or(other.null);
    }

    fn below(mut self, name: &str) -> Self {
        self.null = self.null.map(|path| match path.as_str() {
            "" => name.to_owned(),
            path => format!("{name}.{path}"),
        });
        self
    }
}

/// The whole schema, in which references are resolved.
struct Schemas<'a>(&'a JsonObject);

impl Schemas<'_> {
    fn look_at(&self, value: &Value, schema: &Value, depth: usize) -> Misfit {
        match schema {
            Value::Object(schema) => self.look(value, schema, depth),
            Value::Bool(false) => Misfit::SHAPE,
            _ => Misfit::default(),
        }
    }

    fn look(&self, value: &Value, schema: &JsonObject, depth: usize) -> Misfit {
        let mut found = of_itself(value, schema);
        if depth > DEEPEST {
            return found;
        }
        let depth = depth + 1;
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            found.add(self.look_at_target(value, reference, depth));
        }
        for schema in list(schema, "allOf") {
            found.add(self.look_at(value, schema, depth));
        }
        for key in ["anyOf", "oneOf"] {
            found.add(self.look_at_any(value, list(schema, key), depth));
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let schema = of_field(schema, name).or_else(|| {
                        let others = schema.get("unevaluatedProperties")?;
                        (!is_named(schema, name, depth)).then_some(others)
                    });
                    if let Some(schema) = schema {
                        found.add(self.look_at(value, schema, depth).below(name));
                    }
                }
            }
            Value::Array(items) => {
                let first = list(schema, "prefixItems");
                for (index, item) in items.iter().enumerate() {
                    if let Some(schema) = first.get(index).or_else(|| schema.get("items")) {
                        let of_item = self.look_at(item, schema, depth);
                        found.add(of_item.below(&index.to_string()));
                    }
                }
            }
            _ => {}
        }
        found
    }

    /// One alternative must fit. If none does, a null in one of the right shape is reported.
    fn look_at_any(&self, value: &Value, alternatives: &[Value], depth: usize) -> Misfit {
        let mut found = None;
        for schema in alternatives {
            let misfit = self.look_at(value, schema, depth);
            if misfit.is_none() {
                return misfit;
            }
            if !misfit.is_shape {
                found = found.or(Some(misfit));
            }
        }
        match found {
            None if alternatives.is_empty() => Misfit::default(),
            found => found.unwrap_or(Misfit::SHAPE),
        }
    }

    /// Looks at the schema that a reference within the document names (RFC 6901). Others are not resolved.
    fn look_at_target(&self, value: &Value, reference: &str, depth: usize) -> Misfit {
        let pointer = reference.strip_prefix('#');
        let pointer = pointer.and_then(|pointer| percent_decode_str(pointer).decode_utf8().ok());
        let Some(pointer) = pointer else {
            return Misfit::default();
        };
        let mut steps = pointer.split('/').skip(1);
        let plain = |step: &str| step.replace("~1", "/").replace("~0", "~");
        let Some(first) = steps.next() else {
            return self.look(value, self.0, depth);
        };
        let target = steps.try_fold(self.0.get(&plain(first)), |schema, step| {
            Some(match schema? {
                Value::Array(list) => list.get(step.parse::<usize>().ok()?),
                schema => schema.get(plain(step)),
            })
        });
        match target.flatten() {
            Some(target) => self.look_at(value, target, depth),
            None => Misfit::default(),
        }
    }
}

/// Compares a value with its type, its constants and the names of its fields.
fn of_itself(value: &Value, schema: &JsonObject) -> Misfit {
    let is_kind = |kind: &Value| match kind.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer" | "number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    let is_of_type = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(is_kind),
        kind => kind.is_none_or(is_kind),
    };
    let is_listed = schema.get("const").is_none_or(|only| only == value)
        && schema.get("enum").is_none_or(|listed| {
            let listed = listed.as_array();
            listed.is_none_or(|listed| listed.contains(value))
        });
    if value.is_null() {
        return Misfit {
            null: (!is_of_type || !is_listed).then(String::new),
            is_shape: false,
        };
    }
    let has_fields = value.as_object().is_none_or(|fields| {
        let required = list(schema, "required").iter().filter_map(Value::as_str);
        let mut missing = required.filter(|name| !fields.contains_key(*name));
        missing.next().is_none()
    });
    Misfit {
        null: None,
        is_shape: !(is_of_type && is_listed && has_fields),
    }
}

/// Returns whether a part of a schema, such as an alternative, has a schema for this field.
fn is_named(schema: &JsonObject, name: &str, depth: usize) -> bool {
    of_field(schema, name).is_some()
        || ["allOf", "anyOf", "oneOf"]
            .iter()
            .flat_map(|key| list(schema, key))
            .filter_map(Value::as_object)
            .any(|schema| depth < DEEPEST && is_named(schema, name, depth + 1))
}

fn list<'a>(schema: &'a JsonObject, key: &str) -> &'a [Value] {
    let list = schema.get(key).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

fn of_field<'a>(schema: &'a JsonObject, name: &str) -> Option<&'a Value> {
    let named = schema
        .get("properties")
        .and_then(|properties| properties.get(name));
    let patterns = schema.get("patternProperties").and_then(Value::as_object);
    let like = || {
        let matches = |pattern: &str| {
            let pattern = regex_lite::Regex::new(pattern);
            pattern.is_ok_and(|pattern| pattern.is_match(name))
        };
        let mut patterns = patterns.into_iter().flatten();
        patterns.find_map(|(pattern, schema)| matches(pattern).then_some(schema))
    };
    named
        .or_else(like)
        .or_else(|| schema.get("additionalProperties"))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use schemars::{JsonSchema, generate::SchemaSettings};
    use serde::Serialize;

    use super::*;

    /// Returns the path that is found, after a comparison with a validator of schemas.
    #[track_caller]
    fn found<T: JsonSchema + Serialize>(value: &T) -> Option<String> {
        let mut settings = SchemaSettings::draft2020_12().for_serialize();
        settings.meta_schema = None;
        let schema = settings
            .into_generator()
            .into_root_schema_for::<T>()
            .to_value();
        let value = serde_json::to_value(value).unwrap();
        let found = misplaced(&value, schema.as_object().unwrap());
        let is_valid = jsonschema::validator_for(&schema).unwrap().is_valid(&value);
        assert_eq!(found.is_none(), is_valid, "{value} by {schema}: {found:?}");
        found
    }

    #[derive(Serialize, JsonSchema)]
    struct Place<T> {
        at: T,
    }

    #[derive(Clone, Copy, Serialize, JsonSchema)]
    #[serde(transparent)]
    struct Share(f32);

    #[derive(Serialize, JsonSchema)]
    enum External {
        Ratio(f64),
        Pair(f64, String),
        Named { ratio: f64, note: Option<f64> },
        Unit,
    }

    #[derive(Serialize, JsonSchema)]
    #[serde(tag = "kind")]
    enum Tagged {
        Measured { ratio: f64 },
        Unknown { ratio: Option<f64> },
    }

    #[derive(Serialize, JsonSchema)]
    #[serde(tag = "kind", content = "of")]
    enum Adjacent {
        Ratio(f64),
        Perhaps(Option<f64>),
    }

    #[derive(Serialize, JsonSchema)]
    #[serde(untagged)]
    enum Untagged {
        Number(f64),
        Text(String),
        Fields { ratio: f64 },
    }

    #[derive(Serialize, JsonSchema)]
    struct Flat {
        name: String,
        #[serde(flatten)]
        tagged: Tagged,
        #[serde(flatten)]
        others: BTreeMap<String, f64>,
    }

    #[derive(Serialize, JsonSchema)]
    struct Tree {
        score: f64,
        children: Vec<Tree>,
    }

    #[derive(Serialize, JsonSchema)]
    #[schemars(rename = "of a/b~c %")]
    struct OddlyNamed {
        ratio: f64,
    }

    fn at<T: JsonSchema + Serialize>(value: T) -> Option<String> {
        found(&Place { at: value })
    }

    #[test]
    fn a_number_that_is_not_finite_is_found_in_every_place() {
        let tree = |score| Tree {
            score,
            children: vec![],
        };
        let tagged = |tagged| Flat {
            name: String::new(),
            tagged,
            others: BTreeMap::new(),
        };
        for (path, place) in [
            (at(f32::NAN), "at"),
            (at(f64::NEG_INFINITY), "at"),
            (at(Share(f32::INFINITY)), "at"),
            (at(vec![1.0, f64::NAN]), "at.1"),
            (at([1.0, f64::NAN]), "at.1"),
            (at((1, f64::NAN)), "at.1"),
            (at(vec![(0, Share(f32::NAN))]), "at.0.1"),
            (at(Some((f64::NAN,))), "at.0"),
            (at(HashMap::from([(7, f64::NAN)])), "at.7"),
            (at(BTreeMap::from([("a b", vec![f64::NAN])])), "at.a b.0"),
            (at(HashMap::from([('x', Some([f64::NAN]))])), "at.x.0"),
            (at(External::Ratio(f64::NAN)), "at.Ratio"),
            (at(External::Pair(f64::NAN, String::new())), "at.Pair.0"),
            (
                at(External::Named {
                    ratio: f64::NAN,
                    note: None,
                }),
                "at.Named.ratio",
            ),
            (at(Tagged::Measured { ratio: f64::NAN }), "at.ratio"),
            (at(Adjacent::Ratio(f64::NAN)), "at.of"),
            (at(Untagged::Number(f64::NAN)), "at"),
            (at(Untagged::Fields { ratio: f64::NAN }), "at.ratio"),
            (at(OddlyNamed { ratio: f64::NAN }), "at.ratio"),
            (
                at(std::ops::Range {
                    start: 0.0,
                    end: f64::NAN,
                }),
                "at.end",
            ),
            (at(Ok::<_, f64>(f64::NAN)), "at.Ok"),
            (at(Box::new(Place { at: f64::NAN })), "at.at"),
            (
                found(&Tree {
                    score: 1.0,
                    children: vec![tree(1.0), tree(f64::NAN)],
                }),
                "children.1.score",
            ),
            (at(tree(f64::NAN)), "at.score"),
            (
                found(&tagged(Tagged::Measured { ratio: f64::NAN })),
                "ratio",
            ),
            (
                found(&Flat {
                    others: BTreeMap::from([("more".to_owned(), f64::NAN)]),
                    ..tagged(Tagged::Unknown { ratio: None })
                }),
                "more",
            ),
        ] {
            assert_eq!(path.as_deref(), Some(place));
        }
    }

    #[test]
    fn a_null_that_a_type_allows_is_none() {
        assert_eq!(at(None::<f64>), None);
        assert_eq!(at(Some(f64::NAN)), None);
        assert_eq!(at(vec![Some(1.0), None]), None);
        assert_eq!(at((1, None::<Share>)), None);
        assert_eq!(at(()), None);
        assert_eq!(at(HashMap::from([(7, None::<f64>)])), None);
        assert_eq!(at(External::Unit), None);
        assert_eq!(at(External::Ratio(1.0)), None);
        assert_eq!(
            at(External::Named {
                ratio: 1.0,
                note: Some(f64::NAN)
            }),
            None
        );
        assert_eq!(at(Tagged::Unknown { ratio: None }), None);
        assert_eq!(at(Adjacent::Perhaps(None)), None);
        assert_eq!(at(Untagged::Text(String::new())), None);
        assert_eq!(at(serde_json::json!({ "anything": null })), None);
    }
}
