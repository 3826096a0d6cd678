//! Renders JSON as objects and lists that fold.

use maud::{Markup, html};
use serde_json::Value;

use super::show::{counted, cut, encoded, foreign, json};
use crate::json::below;

/// A list or an object with more members is folded at first.
const OPEN: usize = 12;
/// The depth from which everything is folded at first.
const DEEP: usize = 3;
/// A value of more parts is rendered as one text.
const MOST: usize = 3_000;
/// The longest text that is rendered whole, in characters.
const LONGEST: usize = 20_000;

/// Renders a value as a tree.
pub(super) fn tree(value: &Value) -> Markup {
    with_anchors(value, &[])
}

/// Renders a value as a tree in which the values at these JSON pointers can be linked to; [`anchor`] is their id.
pub(super) fn with_anchors(value: &Value, anchors: &[&str]) -> Markup {
    if parts(value) > MOST {
        return json(value);
    }
    html! { div.tree tabindex="0" { (node(value, "", 0, anchors)) } }
}

/// Returns the id of the value at a JSON pointer.
pub(super) fn anchor(place: &str) -> String {
    format!("at{}", encoded(place))
}

fn parts(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(parts).sum::<usize>(),
        Value::Array(items) => 1 + items.iter().map(parts).sum::<usize>(),
        _ => 1,
    }
}

fn node(value: &Value, place: &str, depth: usize, anchors: &[&str]) -> Markup {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let of = |(name, value)| (Some(name), value);
            let count = counted(members.len() as u64, "member");
            branch(
                members.iter().map(of),
                ("{ ", count, " }"),
                place,
                depth,
                anchors,
            )
        }
        Value::Array(items) if !items.is_empty() => {
            let count = counted(items.len() as u64, "item");
            let items = items.iter().map(|value| (None, value));
            branch(items, ("[ ", count, " ]"), place, depth, anchors)
        }
        Value::String(text) => html! { code.text { "\"" (foreign(&cut(text, LONGEST))) "\"" } },
        value => html! { code { (value) } },
    }
}

fn branch<'a>(
    members: impl ExactSizeIterator<Item = (Option<&'a String>, &'a Value)>,
    (start, count, end): (&str, String, &str),
    place: &str,
    depth: usize,
    anchors: &[&str],
) -> Markup {
    let has_anchor = anchors
        .iter()
        .any(|anchor| anchor.starts_with(&format!("{place}/")));
    let is_open = has_anchor || (depth < DEEP && (depth == 0 || members.len() <= OPEN));
    html! {
        details open[is_open] {
            summary { (start) span.quiet { (count) } (end) }
            ul {
                @for (index, (name, value)) in members.enumerate() {
                    @let place = match name {
                        Some(name) => below(place, name),
                        None => format!("{place}/{index}"),
                    };
                    @let id = anchors.contains(&place.as_str()).then(|| anchor(&place));
                    li id=[id] {
                        @if let Some(name) = name { span.name { (foreign(name)) } ": " }
                        (node(value, &place, depth + 1, anchors))
                    }
                }
            }
        }
    }
}
