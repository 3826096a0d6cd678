//! Limits of the names in an object, and of how many items of a list match a schema.

use serde_json::{Map, Value};

use super::{Rule, Violation, count, out_of, violation::Path};

/// The keywords `propertyNames`, `contains`, `minContains` and `maxContains`.
#[derive(Debug, Default)]
pub(super) struct Contents {
    names: Option<Box<Rule>>,
    contains: Option<Box<Rule>>,
    least: usize,
    most: Option<usize>,
}

impl Contents {
    pub(super) fn of(schema: &Map<String, Value>) -> Self {
        let amount = |key: &str| {
            let count = schema.get(key).and_then(Value::as_u64);
            count.map(|count| usize::try_from(count).unwrap_or(usize::MAX))
        };
        let rule = |key: &str| match schema.get(key)? {
            // `contains` without a condition counts every item.
            schema @ (Value::Object(_) | Value::Bool(true)) => Some(Box::new(Rule::of(schema))),
            _ => None,
        };
        Self {
            names: rule("propertyNames"),
            contains: rule("contains"),
            least: amount("minContains").unwrap_or(1),
            most: amount("maxContains"),
        }
    }

    pub(super) const fn is_limit(&self) -> bool {
        self.names.is_some() || self.contains.is_some()
    }

    pub(super) fn look_at_names(
        &self,
        fields: &Map<String, Value>,
        path: Path<'_>,
    ) -> Result<(), Violation> {
        let Some(rule) = &self.names else {
            return Ok(());
        };
        fields.keys().try_for_each(|name| {
            let looked = rule.look(&Value::String(name.clone()), Path::Root, true);
            looked.map_err(|violation| {
                Path::Field(&path, name).limit(format!("has a name that {}", violation.problem))
            })
        })
    }

    pub(super) fn look_at_items(&self, items: &[Value], path: Path<'_>) -> Result<(), Violation> {
        let Some(rule) = &self.contains else {
            return Ok(());
        };
        let matching = |item: &&Value| rule.look(item, Path::Root, true).is_ok();
        let matching = items.iter().filter(matching).count();
        match out_of(matching, Some(self.least), self.most) {
            Some(problem) => {
                let items = count(matching, "item");
                Err(path.limit(format!("has {items} that `contains` counts, {problem}")))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_names_of_an_object_are_held_to_their_schema() {
        let schema = json!({ "properties": { "labels": {
            "propertyNames": { "pattern": "^[a-z-]+$", "maxLength": 8 },
            "additionalProperties": { "propertyNames": { "enum": ["en", "de"] } },
        } } });
        let problem = |value: Value| {
            let checked = Rule::of(&schema).check(&json!({ "labels": value }));
            checked.err().map(|violation| violation.to_string())
        };
        for (value, expected) in [
            (json!({ "team-a": { "en": 1, "de": 2 } }), None),
            (json!({}), None),
            (json!("of another type"), None),
            (
                json!({ "team-a": {}, "Team": {} }),
                Some("`labels.Team` has a name that does not match the pattern `^[a-z-]+$`"),
            ),
            (
                json!({ "long-names": null }),
                Some(
                    "`labels.long-names` has a name that is 10 characters long, at most 8 are allowed",
                ),
            ),
            (
                json!({ "a": { "fr": 1 } }),
                Some(
                    "`labels.a.fr` has a name that is of another type, or none of the values that are listed",
                ),
            ),
        ] {
            assert_eq!(problem(value.clone()).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn the_items_that_a_list_must_contain_are_counted() {
        let problem = |schema: Value, value: Value| {
            let checked = Rule::of(&schema).check(&value);
            checked.err().map(|violation| violation.to_string())
        };
        let admin = || json!({ "type": "object", "properties": { "role": { "const": "admin" } }, "required": ["role"] });
        let (ann, bob) = (json!({ "role": "admin" }), json!({ "role": "reader" }));
        let none = "it has 0 items that `contains` counts, at least 1 is needed";
        let two = "it has 2 items that `contains` counts, at most 1 is allowed";
        for (schema, value, expected) in [
            (json!({ "contains": admin() }), json!([bob, ann]), None),
            (json!({ "contains": admin() }), json!([bob, {}]), Some(none)),
            (json!({ "contains": { "minimum": 5 } }), json!([1, 5]), None),
            (
                json!({ "contains": { "minimum": 5 } }),
                json!([]),
                Some(none),
            ),
            (
                json!({ "contains": admin(), "minContains": 0, "maxContains": 1 }),
                json!([]),
                None,
            ),
            (
                json!({ "contains": admin(), "maxContains": 1 }),
                json!([ann, bob, ann]),
                Some(two),
            ),
            (
                json!({ "contains": true, "maxContains": 1 }),
                json!([1, 2]),
                Some(two),
            ),
            (json!({ "minContains": 3 }), json!([1]), None),
        ] {
            assert_eq!(
                problem(schema.clone(), value.clone()).as_deref(),
                expected,
                "{schema} {value}"
            );
        }
    }
}
