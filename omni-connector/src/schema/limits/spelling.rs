//! Resolves alternative spellings to declared names: serde's aliases, and whole numbers written as floats.
//!
//! A schema does not contain aliases, and serde does not list them. Trial decoding finds an alias: an input with the
//! declared name decodes identically, and an input with both names is refused as a duplicate.
//!
//! Below a flattened `Option` serde refuses nothing: a bad value is absent. There an unknown name may be the alias of any
//! absent name, and the input must satisfy the limits of each. Beside a flattened map it is a name of the map.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Rule, compare, violation::Path};
use crate::schema::{Tried, is_buffered, whole};

/// Decodes an input on trial.
type Try<'a> = &'a dyn Fn(&Value) -> Tried;

/// Limit of unknown names per input: each costs one trial for every declared name.
const MOST_UNKNOWN: usize = 100;

/// Limit of the forms that are tried for an ambiguous input.
const MOST_FORMS: usize = 64;

/// Values of which every type but those that take anything refuses one.
const MISFITS: [fn() -> Value; 2] = [|| Value::Bool(true), || json!([[]])];

/// A spelling in an input that the schema does not list.
enum Unknown {
    /// A key of the object at `place`.
    Name {
        place: String,
        name: String,
        declared: BTreeSet<String>,
        /// Those of the declared names that may stand below a flattened `Option`.
        optional: BTreeSet<String>,
        /// Whether the schema admits no other names, as that of a map whose keys are an enum. Such a map takes one key in
        /// two spellings.
        is_closed: bool,
    },
    /// The string or number at `place`, which matches none of the constants.
    Constant {
        place: String,
        /// The place for people.
        path: String,
        declared: Vec<Value>,
        /// Whether no alternative of the schema may take it.
        is_only_schema: bool,
    },
}

/// Checks an input against the limits in the schema's spelling. Ambiguous aliases yield several forms of it, and each must
/// satisfy the limits.
///
/// # Errors
/// Returns the first violated limit, or that too many names and values are not declared.
pub(crate) fn check_limits(rule: &Rule, input: &Value, decode: Try<'_>) -> Result<(), String> {
    if !rule.limits {
        return if rule.lists {
            check_constants(rule, input, decode)
        } else {
            Ok(())
        };
    }
    let check = |form: &Value| rule.check(form).map_err(|violation| violation.to_string());
    let found = unknown_of(rule, input);
    if found.is_empty() {
        return check(input);
    }
    forms(rule, input, found, decode)?
        .iter()
        .try_for_each(check)
}

/// Checks the constants of an input whose schema has no other limit.
fn check_constants(rule: &Rule, input: &Value, decode: Try<'_>) -> Result<(), String> {
    let found = unknown_of(rule, input);
    let constants = found
        .iter()
        .filter(|of| matches!(of, Unknown::Constant { .. }));
    let mut constants = constants.take(MOST_UNKNOWN).peekable();
    if constants.peek().is_none() {
        return Ok(());
    }
    // Decoding itself reports an input that does not decode.
    let Ok(trace) = decode(input) else {
        return Ok(());
    };
    match constants.find_map(|of| of.is_not_listed(input, &trace, decode)) {
        Some(path) => Err(not_listed(path)),
        None => Ok(()),
    }
}

fn not_listed(path: &str) -> String {
    format!("`{path}` is none of the listed values")
}

/// Rewrites the input with the schema's spelling of what was found in it.
fn forms(
    rule: &Rule,
    input: &Value,
    found: Vec<Unknown>,
    decode: Try<'_>,
) -> Result<Vec<Value>, String> {
    if found.len() > MOST_UNKNOWN {
        return Err(format!(
            "more than {MOST_UNKNOWN} names and values in it are not declared"
        ));
    }
    let mut forms = vec![input.clone()];
    // Decoding itself reports an input that does not decode.
    let Ok(trace) = decode(input) else {
        return Ok(forms);
    };
    for spelling in found {
        if let Some(path) = spelling.is_not_listed(input, &trace, decode) {
            return Err(not_listed(path));
        }
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
    if forms.iter().eq([input]) {
        return Ok(forms);
    }
    // Values below an alias can be checked only now.
    let mut all = Vec::new();
    for form in forms {
        match unknown_of(rule, &form) {
            found if found.is_empty() => all.push(form),
            found => all.extend(self::forms(rule, &form, found, decode)?),
        }
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
    let rules = with_alternatives(rules);
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

/// Returns the rules and those of all alternatives for the same value.
fn with_alternatives<'a>(rules: &[&'a Rule]) -> Vec<&'a Rule> {
    fn add<'a>(rule: &'a Rule, all: &mut Vec<&'a Rule>) {
        all.push(rule);
        let inner = rule.all.iter().chain(rule.any.iter().flatten());
        for rule in inner {
            add(rule, all);
        }
    }
    let mut all = Vec::with_capacity(rules.len());
    for rule in rules {
        add(rule, &mut all);
    }
    all
}

/// Finds the names and constants of an input that no rule at their path lists.
fn unknown_of(rule: &Rule, input: &Value) -> Vec<Unknown> {
    let mut found = Vec::new();
    find_unknown(&[rule], input, Path::Root, &mut found);
    found
}

fn find_unknown(own: &[&Rule], value: &Value, place: Path<'_>, found: &mut Vec<Unknown>) {
    let rules = with_alternatives(own);
    if rules.is_empty() {
        return;
    }
    match value {
        Value::Object(fields) => {
            let declared = || rules.iter().flat_map(|rule| &rule.properties);
            for (name, value) in fields {
                if !declared().any(|(known, _)| known == name) {
                    let missing: BTreeSet<_> = declared()
                        .filter(|(known, _)| !fields.contains_key(known))
                        .map(|(known, _)| known.clone())
                        .collect();
                    if !missing.is_empty() {
                        found.push(Unknown::Name {
                            place: place.pointer(),
                            name: name.clone(),
                            optional: &missing & &optional_of(own),
                            is_closed: rules
                                .iter()
                                .all(|rule| rule.properties.is_empty() || rule.shape.is_closed()),
                            declared: missing,
                        });
                    }
                }
                let place = Path::Field(&place, name);
                find_unknown(&of_field(&rules, name), value, place, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let place = Path::Item(&place, index);
                find_unknown(&of_item(&rules, index), item, place, found);
            }
        }
        Value::String(_) | Value::Number(_) => {
            let declared = || rules.iter().flat_map(|rule| rule.shape.constants());
            if declared().next().is_some() && !declared().any(|constant| is_same(constant, value)) {
                found.push(Unknown::Constant {
                    place: place.pointer(),
                    path: place.to_string(),
                    declared: declared().cloned().collect(),
                    is_only_schema: rules.len() == 1,
                });
            }
        }
        _ => {}
    }
}

/// Returns an input with another value at a place.
fn replaced(input: &Value, place: &str, with: &Value) -> Option<Value> {
    let mut form = input.clone();
    *form.pointer_mut(place)? = with.clone();
    Some(form)
}

/// Returns whether two constants are equal: `1.0` is `1`.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare(a, b).is_eq(),
        _ => a == b,
    }
}

/// Returns the names that may stand below a flattened `Option`: all but those of a union that takes anything. None beside
/// a flattened map.
fn optional_of(rules: &[&Rule]) -> BTreeSet<String> {
    /// Adds the names of a rule; `is_object` is true where its whole value is one.
    fn add(rule: &Rule, is_object: bool, names: &mut BTreeSet<String>) -> bool {
        let is_object = is_object || rule.shape.is_object();
        names.extend(rule.properties.iter().map(|(name, _)| name.clone()));
        let groups = rule.any.iter();
        let groups = groups.filter(|group| is_object || !group.iter().any(Rule::is_open));
        !rule.shape.names_are_free()
            && (rule.all.iter().chain(groups.flatten())).all(|rule| add(rule, is_object, names))
    }
    let mut names = BTreeSet::new();
    if rules.iter().all(|rule| add(rule, false, &mut names)) {
        names
    } else {
        BTreeSet::new()
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
                optional,
                is_closed,
            } => {
                let value = input.pointer(place).and_then(|object| object.get(name));
                let Some(value) = value else {
                    return Vec::new();
                };
                let with = |to: &str, value: Value| {
                    let mut form = input.clone();
                    let fields = form.pointer_mut(place).and_then(Value::as_object_mut);
                    fields.map(|fields| fields.insert(to.to_owned(), value));
                    form
                };
                let renamed = |to: &String| {
                    let mut form = with(to, value.clone());
                    let fields = form.pointer_mut(place).and_then(Value::as_object_mut);
                    fields.map(|fields| fields.remove(name));
                    alike(&form).then_some(form)
                };
                let is_refused = |form: Value| decode(&form).is_err();
                let is_alias = |to: &&String| is_refused(with(to, value.clone()));
                let aliases: Vec<_> = declared
                    .iter()
                    .filter(is_alias)
                    .filter_map(renamed)
                    .collect();
                if !aliases.is_empty() {
                    return aliases;
                }
                if *is_closed {
                    return declared.iter().filter_map(renamed).collect();
                }
                let takes_all =
                    |to: &&String| !MISFITS.iter().any(|misfit| is_refused(with(to, misfit())));
                optional
                    .iter()
                    .filter(takes_all)
                    .filter_map(renamed)
                    .collect()
            }
            Self::Constant {
                place, declared, ..
            } => {
                let replaced = |with: &Value| {
                    let form = replaced(input, place, with)?;
                    alike(&form).then_some(form)
                };
                declared.iter().filter_map(replaced).collect()
            }
        }
    }

    /// Returns the place of a constant that only the schema restricts, as that of a `String` with `enum` in an attribute. An
    /// enum of Rust decodes each of its constants otherwise, and refuses a value that nobody would list.
    fn is_not_listed(&self, input: &Value, trace: &[u64], decode: Try<'_>) -> Option<&str> {
        let Self::Constant {
            place,
            path,
            declared,
            is_only_schema: true,
        } = self
        else {
            return None;
        };
        let is_number = input.pointer(place)?.is_number();
        let is_listed = |value: &Value| declared.iter().any(|constant| is_same(constant, value));
        let unlisted = if is_number {
            (0_u8..=u8::MAX)
                .map(Value::from)
                .find(|value| !is_listed(value))?
        } else {
            Value::from("\u{1}")
        };
        let is_alike = |value: &Value| {
            let form = replaced(input, place, value);
            form.is_some_and(|form| decode(&form).is_ok_and(|other| other == trace))
        };
        let of_kind = |constant: &&Value| constant.is_number() == is_number && !constant.is_null();
        let takes_any = !is_buffered(&Ok(trace.to_vec()))
            && is_alike(&unlisted)
            && declared.iter().filter(of_kind).all(is_alike);
        takes_any.then_some(path.as_str())
    }
}
