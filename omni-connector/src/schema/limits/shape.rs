//! The shape of a value, which selects the matching alternative among several.

use serde_json::{Map, Value};

use super::{Rule, text};

/// An alternative's requirements on a value, apart from its limits.
#[derive(Debug, Default)]
pub(super) struct Shape {
    kinds: Option<Vec<String>>,
    constants: Option<Vec<Value>>,
    required: Vec<String>,
    closed: bool,
    free: bool,
}

impl Shape {
    pub(super) fn of(schema: &Map<String, Value>) -> Self {
        let texts = |key: &str| -> Vec<String> {
            let texts = schema
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            texts
                .filter_map(|text| text.as_str().map(str::to_owned))
                .collect()
        };
        let others = schema.get("additionalProperties");
        Self {
            kinds: match text(schema, "type") {
                Some(kind) => Some(vec![kind.to_owned()]),
                None => Some(texts("type")).filter(|kinds| !kinds.is_empty()),
            },
            constants: match schema.get("const") {
                Some(constant) => Some(vec![constant.clone()]),
                None => schema.get("enum").and_then(Value::as_array).cloned(),
            },
            required: texts("required"),
            closed: others == Some(&Value::Bool(false)),
            free: others.is_some_and(|others| *others != Value::Bool(false)),
        }
    }

    /// Returns whether every value has it.
    pub(super) const fn is_open(&self) -> bool {
        self.kinds.is_none() && self.constants.is_none() && self.required.is_empty() && !self.closed
    }

    pub(super) fn requires(&self, name: &str) -> bool {
        self.required.iter().any(|required| required == name)
    }

    /// Returns whether it is declared to have no other names.
    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Returns whether it is declared to have any other names.
    pub(super) const fn names_are_free(&self) -> bool {
        self.free
    }

    pub(super) fn is_object(&self) -> bool {
        let kinds = self.kinds.as_deref().unwrap_or_default();
        matches!(kinds, [kind] if kind == "object")
    }

    /// Returns the listed constants; none if any value of the type is allowed.
    pub(super) fn constants(&self) -> &[Value] {
        self.constants.as_deref().unwrap_or_default()
    }

    pub(super) fn is_integer(&self) -> bool {
        let kinds = self.kinds.as_deref().unwrap_or_default();
        let is = |wanted: &str| kinds.iter().any(|kind| kind == wanted);
        is("integer") && !is("number")
    }

    pub(super) fn fits(&self, value: &Value, rule: &Rule) -> bool {
        let kind = self.kinds.as_ref().is_none_or(|kinds| {
            let is = |kind: &str| match kind {
                "null" => value.is_null(),
                "boolean" => value.is_boolean(),
                "integer" => {
                    value.is_i64()
                        || value.is_u64()
                        || value.as_f64().is_some_and(|float| float.fract() == 0.0)
                }
                "number" => value.is_number(),
                "string" => value.is_string(),
                "array" => value.is_array(),
                "object" => value.is_object(),
                _ => true,
            };
            kinds.iter().any(|kind| is(kind))
        });
        let constant = self
            .constants
            .as_ref()
            .is_none_or(|constants| constants.contains(value));
        let fields = value.as_object().is_none_or(|fields| {
            self.required.iter().all(|name| fields.contains_key(name))
                && (!self.closed
                    || fields
                        .keys()
                        .all(|name| rule.of_field(name).next().is_some()))
        });
        kind && constant && fields
    }
}
