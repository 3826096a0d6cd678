//! `#[arg]`: a value that the caller supplies, with its limits.

use proc_macro2::{Span, TokenStream};
use syn::{
    Attribute, Expr, GenericArgument, Ident, Lit, LitInt, PatType, PathArguments, Type, UnOp,
    spanned::Spanned,
};

use super::{
    WireName, docs,
    fits::{self, Described, Kind},
    names, parameter,
};
use crate::{
    diagnostics::Errors,
    parse::{Keys, conditions, marker, marker_keys},
};

const KEYS: &[&str] = &[
    "name",
    "default",
    "min",
    "max",
    "min_length",
    "max_length",
    "min_items",
    "max_items",
    "pattern",
    "format",
    "example",
];

/// One argument that the caller supplies.
pub(crate) struct Arg {
    pub(crate) ty: Type,
    /// `#[cfg(…)]` of the parameter.
    pub(crate) conditions: Vec<Attribute>,
    pub(crate) name: WireName,
    pub(crate) description: TokenStream,
    pub(crate) default: Option<Default>,
    /// As JSON.
    pub(crate) example: Option<String>,
    pub(crate) limits: Vec<(Ident, Limit)>,
}

/// The value of an argument that the caller omits.
pub(crate) enum Default {
    /// The type's own default.
    OfType,
    /// This JSON text.
    Json(String),
}

/// The value of one limit.
pub(crate) enum Limit {
    Int(i128),
    Float(f64),
    Size(LitInt),
    Text(String),
}

impl Arg {
    pub(super) fn of(parameter: &PatType, errors: &mut Errors) -> Self {
        let attribute = parameter
            .attrs
            .iter()
            .find(|attribute| marker(attribute, &["arg"]).is_some());
        let tokens = attribute.map(marker_keys).unwrap_or_default();
        let keys = Keys::parse(tokens, KEYS, &[], errors);
        if let Some(place) = borrow_in(&parameter.ty) {
            errors.push(place, "action input owns its data", "use `String`");
        }
        let name = name(parameter, &keys, errors);
        let description = docs::description(&parameter.attrs);
        if description.is_none() && !name.text.is_empty() {
            errors.push(
                name.span,
                format!("argument `{}` needs a description", name.text),
                "add a `///` comment above it; people and language models read it",
            );
        }
        let bare = keys.is_bare("default").then_some(Default::OfType);
        let literal_default = match bare {
            None => literal(&keys, "default", &parameter.ty, errors),
            Some(_) => None,
        };
        let limits = limits(&keys, literal_default.as_ref(), errors);
        idle_limits(&keys, &parameter.ty, errors);
        let default = bare.or(literal_default.map(|literal| Default::Json(literal.json)));
        Self {
            ty: (*parameter.ty).clone(),
            conditions: conditions(&parameter.attrs),
            name,
            description: description.unwrap_or_default(),
            default,
            example: literal(&keys, "example", &parameter.ty, errors).map(|literal| literal.json),
            limits,
        }
    }
}

/// Reports limits that say nothing about a value of the type. Limits of a list are those of its items as well.
fn idle_limits(keys: &Keys, ty: &Type, errors: &mut Errors) {
    let Some(Described {
        name,
        kind,
        is_list,
    }) = fits::described(ty)
    else {
        return;
    };
    let (meant, way_out): (&[&str], _) = match kind {
        _ if is_list && matches!(kind, Kind::Bool) => (&[], "use `min_items` and `max_items`"),
        Kind::Number => (&["min", "max"], "use `min` and `max`, or take a `String`"),
        Kind::String => (
            &["min_length", "max_length", "pattern", "format"],
            "use `min_length`, `max_length` or `pattern`, or take a number",
        ),
        Kind::Bool => (&[], "remove it"),
    };
    for key in KEYS {
        let says_something = match *key {
            "name" | "default" | "example" => true,
            "min_items" | "max_items" => is_list,
            key => meant.contains(&key),
        };
        if !says_something && let Some(place) = keys.span(key) {
            let text = format!("`{key}` says nothing about a value of type `{name}`");
            errors.push(place, text, way_out);
        }
    }
}

fn name(parameter: &PatType, keys: &Keys, errors: &mut Errors) -> WireName {
    let given = keys.string("name", "page_size", errors);
    let name = match (&given, parameter::name(&parameter.pat)) {
        (_, Some(binding)) => names::on_the_wire(given.as_ref(), &binding),
        (Some(given), None) => names::on_the_wire(Some(given), &Ident::new("_a", given.span())),
        (None, None) => {
            errors.push(
                parameter.pat.span(),
                "an argument that is taken apart needs a name",
                "`#[arg(name = \"…\")]`",
            );
            WireName {
                text: String::new(),
                span: parameter.pat.span(),
            }
        }
    };
    names::check_property(&name, errors);
    name
}

/// Returns the first borrow in a type.
fn borrow_in(ty: &Type) -> Option<Span> {
    let arguments = match ty {
        Type::Reference(reference) => return Some(reference.and_token.span()),
        Type::Path(path) => path.path.segments.iter().map(|segment| &segment.arguments),
        _ => return None,
    };
    arguments
        .filter_map(|arguments| match arguments {
            PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
            _ => None,
        })
        .flatten()
        .find_map(|argument| match argument {
            GenericArgument::Lifetime(lifetime) if lifetime.ident != "static" => {
                Some(lifetime.span())
            }
            GenericArgument::Type(ty) => borrow_in(ty),
            _ => None,
        })
}

/// A literal of the declaration, as the JSON that it becomes.
struct Literal {
    json: String,
    expression: Expr,
}

fn literal(keys: &Keys, key: &str, ty: &Type, errors: &mut Errors) -> Option<Literal> {
    keys.span(key)?;
    let expression = ungrouped(keys.value(key, "a literal", "\"…\"", errors)?);
    let Some(json) = json(&expression) else {
        errors.push(
            expression.span(),
            format!("`{key}` expects a literal"),
            "a string, a number of at most 64 bits, `true`, `false` or a list of these",
        );
        return None;
    };
    // A literal of another type is outside every limit, so only its type is reported.
    fits::check(key, &expression, ty, errors).then_some(Literal { json, expression })
}

/// Removes the groups around a literal: those of a `macro_rules!` that passed it on, and parentheses.
fn ungrouped(expression: Expr) -> Expr {
    match expression {
        Expr::Group(group) => ungrouped(*group.expr),
        Expr::Paren(paren) => ungrouped(*paren.expr),
        Expr::Unary(mut unary) => {
            *unary.expr = ungrouped(*unary.expr);
            Expr::Unary(unary)
        }
        Expr::Array(mut array) => {
            array.elems = array.elems.into_iter().map(ungrouped).collect();
            Expr::Array(array)
        }
        other => other,
    }
}

fn json(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(quoted(&text.value())),
            // JSON numbers are read into 64 bits.
            Lit::Int(number) => number
                .base10_parse::<u64>()
                .ok()
                .map(|number| number.to_string()),
            Lit::Float(number) => float(number.base10_digits()),
            Lit::Bool(value) => Some(value.value.to_string()),
            _ => None,
        },
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            Some(format!("-{}", json(&unary.expr)?))
        }
        Expr::Array(array) => {
            let items = array.elems.iter().map(json).collect::<Option<Vec<_>>>()?;
            Some(format!("[{}]", items.join(",")))
        }
        _ => None,
    }
}

/// Returns a float as JSON, which has neither `1.` nor leading zeros nor numbers beyond 64 bits.
fn float(digits: &str) -> Option<String> {
    digits
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())?;
    let end = digits.find(['.', 'e', 'E']).unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(end);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let rest = if rest == "." { ".0" } else { rest };
    Some(format!("{whole}{rest}"))
}

/// Returns a string as JSON.
fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c.is_control() => json.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

fn limits(keys: &Keys, default: Option<&Literal>, errors: &mut Errors) -> Vec<(Ident, Limit)> {
    let numbers = Range::of(keys, ["min", "max"], errors, number);
    let lengths = Range::of(keys, ["min_length", "max_length"], errors, size);
    let items = Range::of(keys, ["min_items", "max_items"], errors, size);

    if let Some(default) = default {
        let inside = match &default.expression {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => lengths.admits(text.value().chars().count()),
                _ => numbers.admits_json(&default.json),
            },
            Expr::Array(array) => items.admits(array.elems.len()),
            _ => numbers.admits_json(&default.json),
        };
        if !inside {
            errors.push(
                default.expression.span(),
                "the default is outside its own limits",
                "a caller who leaves it out would be refused",
            );
        }
    }

    let mut limits: Vec<_> = [numbers, lengths, items]
        .into_iter()
        .flat_map(|range| range.limits)
        .collect();
    for key in ["pattern", "format"] {
        let example = if key == "pattern" { "^[A-Z]+$" } else { "date" };
        if let Some(text) = keys.string(key, example, errors) {
            if key == "pattern"
                && let Err(error) = regex_lite::Regex::new(&text.value())
            {
                errors.push(
                    text.span(),
                    format!("not a regular expression: {error}"),
                    "the syntax is that of the crate `regex-lite`",
                );
            } else if key == "pattern"
                && let Some(default) = default
                && !matches(&text.value(), &default.expression)
            {
                errors.push(
                    default.expression.span(),
                    "the default does not match its own pattern",
                    "a caller who leaves it out would be refused",
                );
            }
            limits.push((Ident::new(key, text.span()), Limit::Text(text.value())));
        }
    }
    limits
}

/// Returns whether a default matches a pattern. Only strings are checked.
fn matches(pattern: &str, default: &Expr) -> bool {
    let Expr::Lit(literal) = default else {
        return true;
    };
    match &literal.lit {
        Lit::Str(text) => {
            regex_lite::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(&text.value()))
        }
        _ => true,
    }
}

/// A lower and an upper limit, either of which may be missing.
struct Range {
    bounds: [Option<f64>; 2],
    limits: Vec<(Ident, Limit)>,
}

impl Range {
    fn of(
        keys: &Keys,
        names: [&str; 2],
        errors: &mut Errors,
        read: fn(&Keys, &str, &mut Errors) -> Option<Bound>,
    ) -> Self {
        let mut range = Self {
            bounds: [None; 2],
            limits: Vec::new(),
        };
        for (index, name) in names.into_iter().enumerate() {
            let Some(Bound {
                value,
                limit,
                place,
            }) = read(keys, name, errors)
            else {
                continue;
            };
            range.bounds[index] = Some(value);
            range.limits.push((Ident::new(name, place), limit));
            if let [Some(least), Some(most)] = range.bounds
                && least > most
            {
                let [lower, upper] = names;
                errors.push(
                    place,
                    format!("`{upper}` is {most}, below `{lower}`, which is {least}"),
                    "no value can keep to both",
                );
                // A default outside both would be reported twice.
                range.bounds = [None; 2];
            }
        }
        range
    }

    #[allow(
        clippy::cast_precision_loss,
        reason = "sizes in a declaration are small"
    )]
    fn admits(&self, size: usize) -> bool {
        self.admits_number(size as f64)
    }

    fn admits_json(&self, number: &str) -> bool {
        number
            .parse()
            .is_ok_and(|number| self.admits_number(number))
            || number.parse::<f64>().is_err()
    }

    fn admits_number(&self, number: f64) -> bool {
        let [least, most] = self.bounds;
        least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
    }
}

/// One limit, with its value for comparing.
struct Bound {
    value: f64,
    limit: Limit,
    place: Span,
}

fn number(keys: &Keys, key: &str, errors: &mut Errors) -> Option<Bound> {
    keys.span(key)?;
    let expression: Expr = keys.value(key, "a number", "1", errors)?;
    let text = json(&expression);
    let Some(value) = text.as_ref().and_then(|json| json.parse().ok()) else {
        errors.push(
            expression.span(),
            format!("`{key}` expects a number"),
            format!("`{key} = 1`"),
        );
        return None;
    };
    Some(Bound {
        value,
        limit: text
            .and_then(|json| json.parse().ok())
            .map_or(Limit::Float(value), Limit::Int),
        place: expression.span(),
    })
}

fn size(keys: &Keys, key: &str, errors: &mut Errors) -> Option<Bound> {
    keys.span(key)?;
    let size: LitInt = keys.value(key, "a whole number", "50", errors)?;
    Some(Bound {
        value: size.base10_parse().ok()?,
        place: size.span(),
        limit: Limit::Size(size),
    })
}
