//! Limits of a value beyond its shape, read from its schema, so that each is declared once.
//!
//! Serde checks the shape. This module checks ranges, lengths, names, patterns and formats. It never quotes a value.

mod contents;
mod format;
mod number;
mod shape;
mod spelling;
mod violation;

use std::{cmp::Ordering, collections::HashSet};

use regex_lite::Regex;
use serde_json::{Map, Number, Value};

use {contents::Contents, format::Format, number::is_multiple, shape::Shape, violation::Path};
pub(crate) use {
    number::compare,
    spelling::{check_limits, whole_numbers},
    violation::Violation,
};

/// The limits at one path of an input and at all paths below it.
#[derive(Debug, Default)]
pub(crate) struct Rule {
    /// Whether this rule or a nested one has a limit to check.
    limits: bool,
    /// Whether this rule or a nested one lists constants.
    lists: bool,
    shape: Shape,
    minimum: Option<Number>,
    maximum: Option<Number>,
    above: Option<Number>,
    below: Option<Number>,
    multiple_of: Option<Number>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    pattern: Option<Regex>,
    format: Option<Format>,
    min_items: Option<usize>,
    max_items: Option<usize>,
    unique_items: bool,
    min_properties: Option<usize>,
    max_properties: Option<usize>,
    contents: Contents,
    properties: Vec<(String, Rule)>,
    named_like: Vec<(Regex, Rule)>,
    others: Option<Box<Rule>>,
    first_items: Vec<Rule>,
    items: Option<Box<Rule>>,
    all: Vec<Rule>,
    /// Groups of alternatives; at least one alternative of each group must hold.
    any: Vec<Vec<Rule>>,
}

impl Rule {
    /// Reads the limits from a schema. Other keywords are ignored. An invalid pattern is skipped here, because the check
    /// before registering reports it.
    pub(crate) fn of(schema: &Value) -> Self {
        let Value::Object(schema) = schema else {
            return Self::default();
        };
        let number = |key: &str| schema.get(key).and_then(Value::as_number).cloned();
        let amount = |key: &str| {
            let count = schema.get(key).and_then(Value::as_u64);
            count.map(|count| usize::try_from(count).unwrap_or(usize::MAX))
        };
        let one = |key: &str| {
            let inner = schema.get(key).filter(|inner| inner.is_object());
            inner.map(|inner| Box::new(Self::of(inner)))
        };
        let list = |key: &str| -> Vec<Self> {
            let schemas = schema.get(key).and_then(Value::as_array);
            schemas.into_iter().flatten().map(Self::of).collect()
        };
        let map = |key: &str| {
            schema
                .get(key)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
        };
        let mut rule = Self {
            limits: false,
            lists: false,
            shape: Shape::of(schema),
            minimum: number("minimum"),
            maximum: number("maximum"),
            above: number("exclusiveMinimum"),
            below: number("exclusiveMaximum"),
            multiple_of: number("multipleOf"),
            min_length: amount("minLength"),
            max_length: amount("maxLength"),
            pattern: text(schema, "pattern").and_then(|pattern| Regex::new(pattern).ok()),
            format: text(schema, "format").and_then(Format::of),
            min_items: amount("minItems"),
            max_items: amount("maxItems"),
            unique_items: schema.get("uniqueItems") == Some(&Value::Bool(true)),
            min_properties: amount("minProperties"),
            max_properties: amount("maxProperties"),
            contents: Contents::of(schema),
            properties: map("properties")
                .map(|(name, inner)| (name.clone(), Self::of(inner)))
                .collect(),
            named_like: map("patternProperties")
                .filter_map(|(name, inner)| Some((Regex::new(name).ok()?, Self::of(inner))))
                .collect(),
            others: one("additionalProperties"),
            first_items: list("prefixItems"),
            items: one("items"),
            all: list("allOf"),
            any: ["anyOf", "oneOf"]
                .map(list)
                .into_iter()
                .filter(|alternatives| !alternatives.is_empty())
                .collect(),
        };
        rule.limits = rule.has_own_limits() || rule.inner().any(|inner| inner.limits);
        rule.lists = !rule.shape.constants().is_empty() || rule.inner().any(|inner| inner.lists);
        rule
    }

    fn has_own_limits(&self) -> bool {
        let numbers = [
            &self.minimum,
            &self.maximum,
            &self.above,
            &self.below,
            &self.multiple_of,
        ];
        let counts = [
            self.min_length,
            self.max_length,
            self.min_items,
            self.max_items,
            self.min_properties,
            self.max_properties,
        ];
        numbers.iter().any(|limit| limit.is_some())
            || counts.iter().any(Option::is_some)
            || self.pattern.is_some()
            || self.format.is_some()
            || self.unique_items
            || self.contents.is_limit()
    }

    fn inner(&self) -> impl Iterator<Item = &Self> {
        self.properties
            .iter()
            .map(|(_, rule)| rule)
            .chain(self.named_like.iter().map(|(_, rule)| rule))
            .chain(self.others.as_deref())
            .chain(&self.first_items)
            .chain(self.items.as_deref())
            .chain(&self.all)
            .chain(self.any.iter().flatten())
    }

    /// Returns whether it admits everything, as the absence of a flattened `Option` does.
    fn is_open(&self) -> bool {
        !self.limits && self.shape.is_open() && self.inner().next().is_none()
    }

    /// Checks a value against the limits. A value of another shape passes: decoding reports the shape.
    ///
    /// # Errors
    /// Returns the first violated limit.
    pub(crate) fn check(&self, value: &Value) -> Result<(), Violation> {
        match self.look(value, Path::Root, false) {
            Err(violation) if !violation.is_shape => Err(violation),
            _ => Ok(()),
        }
    }

    /// Checks shape and limits of a declared value, such as a default.
    ///
    /// # Errors
    /// Returns the first violation.
    pub(crate) fn admit(&self, value: &Value) -> Result<(), Violation> {
        self.look(value, Path::Root, true)
    }

    /// Checks a value; `by_shape` is true where the value must match one of several alternatives.
    fn look(&self, value: &Value, path: Path<'_>, by_shape: bool) -> Result<(), Violation> {
        if by_shape && !self.shape.fits(value, self) {
            return Err(path.another_shape());
        }
        if !self.limits && !by_shape {
            return Ok(());
        }
        let mut first = First::of(by_shape);
        match value {
            Value::Number(amount) => first.note(self.look_at_number(amount, path))?,
            Value::String(text) => first.note(self.look_at_text(text, path))?,
            Value::Array(items) => {
                first.note(self.look_at_items(items, path))?;
                for (index, item) in items.iter().enumerate() {
                    if let Some(rule) = self.first_items.get(index).or(self.items.as_deref()) {
                        first.note(rule.look(item, Path::Item(&path, index), by_shape))?;
                    }
                }
            }
            Value::Object(fields) => {
                first.note(self.contents.look_at_names(fields, path))?;
                if let Some(problem) =
                    out_of(fields.len(), self.min_properties, self.max_properties)
                {
                    let fields = count(fields.len(), "field");
                    first.note(Err(path.limit(format!("has {fields}, {problem}"))))?;
                }
                for (name, value) in fields {
                    if value.is_null() && !self.shape.requires(name) {
                        // Null counts as absent; decoding reports whether null is allowed.
                        continue;
                    }
                    let path = Path::Field(&path, name);
                    self.of_field(name)
                        .try_for_each(|rule| first.note(rule.look(value, path, by_shape)))?;
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
        self.all
            .iter()
            .try_for_each(|rule| first.note(rule.look(value, path, by_shape)))?;
        self.any
            .iter()
            .try_for_each(|alternatives| first.note(look_at_any(alternatives, value, path)))?;
        first.end()
    }

    fn of_field(&self, name: &str) -> impl Iterator<Item = &Self> {
        let named = self
            .properties
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, rule)| rule);
        let like = self
            .named_like
            .iter()
            .find(|(pattern, _)| pattern.is_match(name))
            .map(|(_, rule)| rule);
        let is_other = named.is_none() && like.is_none();
        let other = self.others.as_deref().filter(|_| is_other);
        named.into_iter().chain(like).chain(other)
    }

    fn look_at_number(&self, amount: &Number, path: Path<'_>) -> Result<(), Violation> {
        for (limit, refused, must) in [
            (&self.minimum, &[Ordering::Less][..], "at least"),
            (&self.maximum, &[Ordering::Greater], "at most"),
            (&self.above, &[Ordering::Less, Ordering::Equal], "more than"),
            (
                &self.below,
                &[Ordering::Greater, Ordering::Equal],
                "less than",
            ),
        ] {
            if let Some(limit) = limit
                && refused.contains(&compare(amount, limit))
            {
                return Err(path.limit(format!("must be {must} {limit}")));
            }
        }
        match &self.multiple_of {
            Some(step) if !is_multiple(amount, step) => {
                Err(path.limit(format!("must be a multiple of {step}")))
            }
            _ => Ok(()),
        }
    }

    fn look_at_text(&self, text: &str, path: Path<'_>) -> Result<(), Violation> {
        if self.min_length.is_some() || self.max_length.is_some() {
            let length = text.chars().count();
            if let Some(problem) = out_of(length, self.min_length, self.max_length) {
                return Err(
                    path.limit(format!("is {} long, {problem}", count(length, "character")))
                );
            }
        }
        if let Some(pattern) = &self.pattern
            && !pattern.is_match(text)
        {
            return Err(path.limit(format!("does not match the pattern `{}`", pattern.as_str())));
        }
        match self.format {
            Some(format) if !format.admits(text) => Err(path.limit(format.problem())),
            _ => Ok(()),
        }
    }

    fn look_at_items(&self, items: &[Value], path: Path<'_>) -> Result<(), Violation> {
        if let Some(problem) = out_of(items.len(), self.min_items, self.max_items) {
            return Err(path.limit(format!("has {}, {problem}", count(items.len(), "item"))));
        }
        if self.unique_items {
            let mut seen = HashSet::new();
            if !items.iter().all(|item| seen.insert(item.to_string())) {
                return Err(path.limit("names an item twice"));
            }
        }
        self.contents.look_at_items(items, path)
    }
}

/// The violation to report of several parts of a value. A shape decides whether an alternative applies at all, so it
/// comes before each limit there. Elsewhere decoding reports shapes, so limits come first.
struct First {
    by_shape: bool,
    other: Option<Violation>,
}

impl First {
    const fn of(by_shape: bool) -> Self {
        let other = None;
        Self { by_shape, other }
    }

    fn note(&mut self, looked: Result<(), Violation>) -> Result<(), Violation> {
        match looked {
            Err(violation) if violation.is_shape == self.by_shape => Err(violation),
            Err(violation) => {
                self.other.get_or_insert(violation);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn end(self) -> Result<(), Violation> {
        self.other.map_or(Ok(()), Err)
    }
}

/// Requires one of the alternatives to hold. If none does, reports the limit of the alternative with the right shape: it
/// says more than a shape mismatch.
fn look_at_any(alternatives: &[Rule], value: &Value, path: Path<'_>) -> Result<(), Violation> {
    let mut found: Option<Violation> = None;
    for rule in alternatives {
        match rule.look(value, path, true) {
            // Decoding takes a value as another alternative before it takes it as anything, and does not look at limits.
            Ok(()) if rule.is_open() && found.as_ref().is_some_and(|found| !found.is_shape) => {}
            Ok(()) => return Ok(()),
            Err(violation) if found.as_ref().is_none_or(|found| found.is_shape) => {
                found = Some(violation);
            }
            Err(_) => {}
        }
    }
    found.map_or(Ok(()), Err)
}

fn count(amount: usize, of: &str) -> String {
    let plural = if amount == 1 { "" } else { "s" };
    format!("{amount} {of}{plural}")
}

/// Describes how an amount violates its limits; none if it does not.
fn out_of(amount: usize, least: Option<usize>, most: Option<usize>) -> Option<String> {
    let are = |count: usize| if count == 1 { "is" } else { "are" };
    match (least, most) {
        (Some(least), _) if amount < least => {
            Some(format!("at least {least} {} needed", are(least)))
        }
        (_, Some(most)) if amount > most => Some(format!("at most {most} {} allowed", are(most))),
        _ => None,
    }
}

fn text<'a>(schema: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    schema.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
