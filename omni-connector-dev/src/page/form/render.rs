//! Renders controls for a schema and a value. All content must be escaped.

use std::collections::HashMap;

use maud::{Markup, html};
use serde_json::Value;

use super::{
    ADD, REMOVE, below,
    kind::{Kind, Number, Object, Shape, Text, fits, label, shape},
    role,
};

/// The length above which a text gets a field with several lines.
const LONG: usize = 80;

/// Renders the controls of a schema with a value and its faults.
pub(crate) fn render(
    schema: &Value,
    value: Option<&Value>,
    faults: &HashMap<String, String>,
) -> Markup {
    let form = Form { faults };
    let shape = shape(schema, 0);
    match &shape.kind {
        Kind::Object(object) => form.members(object, value, "", 0),
        _ => form.control(&shape, value, "", true, 0, Some("Value")),
    }
}

struct Form<'a> {
    faults: &'a HashMap<String, String>,
}

impl Form<'_> {
    fn members(
        &self,
        object: &Object<'_>,
        value: Option<&Value>,
        place: &str,
        depth: usize,
    ) -> Markup {
        let members = value.and_then(Value::as_object);
        let named = |name: &String| object.members.iter().any(|(known, ..)| known == name);
        let others: serde_json::Map<_, _> = members
            .into_iter()
            .flatten()
            .filter(|(name, _)| !named(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        html! {
            @for (name, schema, required) in &object.members {
                (self.member(name, schema, value.and_then(|value| value.get(*name)), &below(place, name), *required, depth + 1))
            }
            @if let Some(schema) = object.others {
                (self.map(schema, &others, place, depth))
            } @else if object.is_open && (!others.is_empty() || object.members.is_empty()) {
                div.field {
                    label for=(format!("o{place}")) { @if object.members.is_empty() { "Members, as JSON" } @else { "Other members, as JSON" } }
                    textarea.code id=(format!("o{place}")) name=(format!("{}{place}", role::OTHERS)) rows="3" spellcheck="false" {
                        @if !others.is_empty() { (pretty(&Value::Object(others), false)) }
                    }
                }
            }
        }
    }

    fn map(
        &self,
        schema: &Value,
        others: &serde_json::Map<String, Value>,
        place: &str,
        depth: usize,
    ) -> Markup {
        let entries = format!("{place}~m");
        html! {
            div.list {
                input type="hidden" name=(format!("{}{entries}", role::COUNT)) value=(others.len());
                @for (index, (key, value)) in others.iter().enumerate() {
                    @let entry = below(&entries, &index.to_string());
                    div.item {
                        input.key aria-label="Key" placeholder="key" name=(format!("{}{entry}", role::KEY)) value=(key);
                        (self.control(&shape(schema, depth + 1), Some(value), &entry, true, depth + 1, Some("Value")))
                        (remove(&entry))
                    }
                }
                (add(&entries, "Add an entry"))
            }
        }
    }

    fn member(
        &self,
        name: &str,
        schema: &Value,
        value: Option<&Value>,
        place: &str,
        required: bool,
        depth: usize,
    ) -> Markup {
        let shape = shape(schema, depth);
        let must = required && !shape.nullable;
        let heading = html! {
            span.name { (shape.title.unwrap_or(name)) }
            @if shape.title.is_some_and(|title| title != name) { " " code { (name) } }
            @if must { " " span.required { "required" } }
        };
        let help = html! {
            @if let Some(description) = shape.description { p.help id=(format!("h{place}")) { (description) } }
            @if let Some(default) = shape.default.filter(|default| !default.is_null()) {
                p.help { "Default: " code { (plain(default)) } }
            }
            @if let Some(fault) = self.faults.get(place) { p.fault role="alert" { (name) " " (fault) } }
        };
        match shape.kind {
            Kind::Object(_) | Kind::List(_) | Kind::Variants(_) => html! {
                fieldset.field {
                    legend { (heading) }
                    (help)
                    (self.control(&shape, value, place, required, depth, None))
                }
            },
            Kind::Flag if must => html! {
                div.field.flag {
                    label { (self.control(&shape, value, place, required, depth, None)) " " (heading) }
                    (help)
                }
            },
            _ => html! {
                div.field {
                    label for=(format!("v{place}")) { (heading) }
                    (self.control(&shape, value, place, required, depth, None))
                    (help)
                }
            },
        }
    }

    fn control(
        &self,
        shape: &Shape<'_>,
        value: Option<&Value>,
        place: &str,
        required: bool,
        depth: usize,
        aria: Option<&str>,
    ) -> Markup {
        let must = required && !shape.nullable;
        let name = format!("{}{place}", role::VALUE);
        let value = value.filter(|value| !value.is_null());
        match &shape.kind {
            Kind::Text(text) => self::text(text, shape, value, &name, must, aria),
            Kind::Number(number) => self::number(number, value, &name, must, aria),
            Kind::Flag if must => html! {
                input id=(name) aria-label=[aria] type="checkbox" name=(name) value="true" checked[value == Some(&Value::Bool(true))];
            },
            Kind::Flag => html! {
                select id=(name) aria-label=[aria] name=(name) {
                    option value="" { "not set" }
                    option value="true" selected[value == Some(&Value::Bool(true))] { "yes" }
                    option value="false" selected[value == Some(&Value::Bool(false))] { "no" }
                }
            },
            Kind::Choice(values) => html! {
                select id=(name) aria-label=[aria] name=(name) {
                    @if !must { option value="" { "not set" } }
                    @for (index, choice) in values.iter().enumerate() {
                        option value=(index) selected[value == Some(*choice)] { (plain(choice)) }
                    }
                }
            },
            Kind::Json => html! {
                textarea.code id=(name) aria-label=[aria] name=(name) rows="3" spellcheck="false" placeholder="JSON" {
                    @if let Some(value) = value { (pretty(value, self.faults.contains_key(place))) }
                }
            },
            Kind::List(items) => self.list(items, value, place, depth),
            Kind::Object(object) if must => {
                html! { div.nested { (self.members(object, value, place, depth)) } }
            }
            Kind::Object(object) => html! {
                div.optional {
                    label { input type="checkbox" name=(format!("{}{place}", role::PRESENT)) value="1" checked[value.is_some()]; " set" }
                    div.nested { (self.members(object, value, place, depth)) }
                }
            },
            Kind::Variants(variants) => self.variants(variants, value, place, must, depth),
        }
    }

    fn list(&self, items: &Value, value: Option<&Value>, place: &str, depth: usize) -> Markup {
        let list = value
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        html! {
            div.list {
                input type="hidden" name=(format!("{}{place}", role::COUNT)) value=(list.len());
                @for (index, item) in list.iter().enumerate() {
                    @let entry = below(place, &index.to_string());
                    div.item {
                        (self.control(&shape(items, depth + 1), Some(item), &entry, true, depth + 1, Some(&format!("Item {}", index + 1))))
                        @if let Some(fault) = self.faults.get(&entry) { p.fault role="alert" { (fault) } }
                        (remove(&entry))
                    }
                }
                (add(place, "Add one"))
            }
        }
    }

    fn variants(
        &self,
        variants: &[&Value],
        value: Option<&Value>,
        place: &str,
        must: bool,
        depth: usize,
    ) -> Markup {
        let chosen =
            value.and_then(|value| variants.iter().position(|variant| fits(variant, value)));
        let chosen = chosen.or(must.then_some(0));
        let name = format!("{}{place}", role::CHOICE);
        html! {
            div.variants {
                @if !must {
                    div.variant { label { input type="radio" name=(name) value="" checked[chosen.is_none()]; " not set" } }
                }
                @for (index, variant) in variants.iter().enumerate() {
                    @let is_chosen = chosen == Some(index);
                    div.variant {
                        label { input type="radio" name=(name) value=(index) checked[is_chosen]; " " (label(variant, index)) }
                        div.nested {
                            (self.control(&shape(variant, depth + 1), value.filter(|_| is_chosen), &format!("{place}~v{index}"), true, depth + 1, Some(&label(variant, index))))
                        }
                    }
                }
            }
        }
    }
}

fn text(
    text: &Text<'_>,
    shape: &Shape<'_>,
    value: Option<&Value>,
    name: &str,
    must: bool,
    aria: Option<&str>,
) -> Markup {
    let typed = value.map(plain).unwrap_or_default();
    let is_secret = shape.is_secret;
    let kind = match text.format {
        _ if is_secret => "password",
        Some("uri" | "url") => "url",
        Some("email") => "email",
        Some("date") => "date",
        _ => "text",
    };
    let is_long =
        text.max.is_none_or(|max| max > 500) && (typed.len() > LONG || typed.contains('\n'));
    let placeholder = (text.format == Some("date-time")).then_some("2026-01-31T12:00:00Z");
    html! {
        @if is_long && !is_secret {
            textarea id=(name) aria-label=[aria] name=(name) rows="4" maxlength=[text.max] required[must && text.min.is_some_and(|min| min > 0)] { "\n" (typed) }
        } @else {
            input id=(name) aria-label=[aria] type=(kind) name=(name) value=[(!is_secret).then_some(&typed)] maxlength=[text.max] pattern=[text.pattern]
                placeholder=[placeholder] autocomplete="off" spellcheck="false" required[must && text.min.is_some_and(|min| min > 0)];
        }
    }
}

fn number(
    number: &Number<'_>,
    value: Option<&Value>,
    name: &str,
    must: bool,
    aria: Option<&str>,
) -> Markup {
    html! {
        input.number id=(name) aria-label=[aria] type="text" inputmode=(if number.is_whole { "numeric" } else { "decimal" }) name=(name)
            value=(value.map(plain).unwrap_or_default()) required[must] autocomplete="off"
            placeholder=[range(number)];
    }
}

fn range(number: &Number<'_>) -> Option<String> {
    match (number.min, number.max) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) => Some(format!("{min} or more")),
        (None, Some(max)) => Some(format!("{max} or less")),
        (None, None) => None,
    }
}

fn add(place: &str, text: &str) -> Markup {
    html! { button.small type="submit" name=(ADD) value=(place) formnovalidate { (text) } }
}

fn remove(place: &str) -> Markup {
    html! { button.small.remove type="submit" name=(REMOVE) value=(place) formnovalidate title="Remove" aria-label="Remove this one" { "×" } }
}

/// Formats a string as itself, anything else as JSON.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Formats JSON on several lines, or shows invalid input as typed.
fn pretty(value: &Value, is_wrong: bool) -> String {
    match value {
        Value::String(typed) if is_wrong => typed.clone(),
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}
