//! Resolves alternative spellings to declared names: serde's aliases, and whole numbers written as floats.
//!
//! A schema does not contain aliases, and serde does not list them. Trial decoding finds an alias: an input with the
//! declared name decodes identically, and an input with both names is refused as a duplicate.

use std::{collections::BTreeSet, iter};

use serde_json::Value;

use super::Rule;
use crate::schema::{Tried, whole};

/// Decodes an input on trial.
type Try<'a> = &'a dyn Fn(&Value) -> Tried;

/// Limit of unknown names per input: each costs one trial for every declared name.
const MOST_UNKNOWN: usize = 100;

/// Limit of the forms that are tried for an ambiguous input.
const MOST_FORMS: usize = 64;

/// A spelling in an input that the schema does not list.
enum Unknown {
    /// A key of the object at `place`.
    Name {
        place: String,
        name: String,
        declared: BTreeSet<String>,
    },
    /// The string at `place`, which matches none of the constants.
    Constant { place: String, declared: Vec<Value> },
}

/// Rewrites the input with the schema's spelling. Ambiguous aliases yield several forms, and each must satisfy the limits.
///
/// # Errors
/// Returns the path of an object with too many undeclared names.
pub(crate) fn forms(rule: &Rule, input: &Value, decode: Try<'_>) -> Result<Vec<Value>, String> {
    if !rule.limits {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    unknown(&[rule], input, String::new(), &mut found);
    if found.is_empty() {
        return Ok(vec![input.clone()]);
    }
    if found.len() > MOST_UNKNOWN {
        return Err(format!(
            "more than {MOST_UNKNOWN} names and values in it are not declared"
        ));
    }
    // Decoding itself reports an input that does not decode.
    let Ok(trace) = decode(input) else {
        return Ok(vec![input.clone()]);
    };
    let mut forms = vec![input.clone()];
    for spelling in found {
        let mut next = Vec::new();
        for form in forms {
            let read = spelling.read(&form, &trace, decode);
            if read.is_empty() {
                next.push(form);
            }
            next.extend(read);
        }
        next.truncate(MOST_FORMS);
        forms = next;
    }
    if forms[..] == [input.clone()] {
        return Ok(forms);
    }
    // Values below an alias can be checked only now.
    let mut all = Vec::new();
    for form in forms {
        all.extend(self::forms(rule, &form, decode)?);
    }
    all.truncate(MOST_FORMS);
    Ok(all)
}

/// Converts floats into integers where their value is whole and the schema wants integers, or lists nothing, as below an
/// alias. Serde's buffers do not convert them.
pub(crate) fn whole_numbers(rule: &Rule, input: &mut Value) {
    make_whole(&[rule], input);
}

fn make_whole(rules: &[&Rule], value: &mut Value) {
    let rules: Vec<_> = rules.iter().flat_map(|rule| rule.here()).collect();
    match value {
        Value::Number(number)
            if rules.is_empty() || rules.iter().any(|rule| rule.shape.is_integer()) =>
        {
            if let Some(whole) = whole(number) {
                *number = whole;
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                make_whole(&of_item(&rules, index), item);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                make_whole(&of_field(&rules, name), value);
            }
        }
        _ => {}
    }
}

fn of_item<'a>(rules: &[&'a Rule], index: usize) -> Vec<&'a Rule> {
    let of_item = |rule: &&'a Rule| rule.first_items.get(index).or(rule.items.as_deref());
    rules.iter().filter_map(of_item).collect()
}

fn of_field<'a>(rules: &[&'a Rule], name: &str) -> Vec<&'a Rule> {
    rules.iter().flat_map(|rule| rule.of_field(name)).collect()
}

impl Rule {
    /// Returns this rule and the rules of all alternatives for the same value.
    fn here(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        let inner = self.all.iter().chain(self.any.iter().flatten());
        Box::new(iter::once(self).chain(inner.flat_map(Self::here)))
    }
}

/// Collects the names and constants that no rule at a path lists.
fn unknown(rules: &[&Rule], value: &Value, place: String, found: &mut Vec<Unknown>) {
    let rules: Vec<_> = rules.iter().flat_map(|rule| rule.here()).collect();
    if rules.is_empty() {
        return;
    }
    match value {
        Value::Object(fields) => {
            let declared: Vec<_> = rules
                .iter()
                .flat_map(|rule| rule.properties.iter().map(|(name, _)| name))
                .collect();
            let missing: BTreeSet<_> = declared
                .iter()
                .filter(|name| !fields.contains_key(**name))
                .map(|name| (*name).clone())
                .collect();
            for (name, value) in fields {
                if !missing.is_empty() && !declared.contains(&name) {
                    found.push(Unknown::Name {
                        place: place.clone(),
                        name: name.clone(),
                        declared: missing.clone(),
                    });
                }
                let below = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
                unknown(&of_field(&rules, name), value, below, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                unknown(
                    &of_item(&rules, index),
                    item,
                    format!("{place}/{index}"),
                    found,
                );
            }
        }
        Value::String(_) => {
            let declared = rules.iter().flat_map(|rule| rule.shape.constants());
            let declared: Vec<_> = declared.cloned().collect();
            if !declared.is_empty() && !declared.contains(value) {
                found.push(Unknown::Constant { place, declared });
            }
        }
        _ => {}
    }
}

impl Unknown {
    /// Returns the inputs that replace this spelling by a declared one and decode identically.
    fn read(&self, input: &Value, trace: &[u64], decode: Try<'_>) -> Vec<Value> {
        let alike = |form: &Value| decode(form).is_ok_and(|other| other == trace);
        match self {
            Self::Name {
                place,
                name,
                declared,
            } => {
                let renamed = |to: &String| {
                    let mut both = input.clone();
                    let fields = both.pointer_mut(place)?.as_object_mut()?;
                    let value = fields.get(name)?.clone();
                    fields.insert(to.clone(), value);
                    let mut only = both.clone();
                    only.pointer_mut(place)?.as_object_mut()?.remove(name);
                    (decode(&both).is_err() && alike(&only)).then_some(only)
                };
                declared.iter().filter_map(renamed).collect()
            }
            Self::Constant { place, declared } => {
                let replaced = |with: &Value| {
                    let mut form = input.clone();
                    *form.pointer_mut(place)? = with.clone();
                    alike(&form).then_some(form)
                };
                declared.iter().filter_map(replaced).collect()
            }
        }
    }
}
