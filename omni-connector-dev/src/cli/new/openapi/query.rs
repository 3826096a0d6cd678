//! What every call of a list sends. A filter with a default hides items, and a full run deletes from Omni what the list does not
//! have. A call without a required parameter is refused. So the author is asked for both.

use serde_json::Value;

use super::{
    document::{List, Parameter},
    paging::{NUMBERS, OFFSETS, ORDERS, Paging, SIZES, TOKENS},
    plan::{CHANGES, ListFlags, Question, known_parameter, listed, question},
};
use crate::cli::failure::Failure;

pub(super) fn query(
    list: &List,
    flags: &ListFlags<'_>,
    paging: Option<&Paging>,
    remarks: &mut Vec<String>,
) -> Result<Result<Vec<(String, String)>, Question>, Failure> {
    let mut sent = Vec::new();
    for one in flags.query {
        let Some((name, value)) = one.split_once('=') else {
            return Err(Failure::usage(format!("`--query {one}` has no value"))
                .help(format!("write it as `--query {one}=VALUE`")));
        };
        let name = known_parameter(list, "--query", name)?;
        if sent.iter().any(|(other, _)| *other == name) {
            return Err(Failure::usage(format!("`--query {name}` is given twice"))
                .help("leave one of them out"));
        }
        let sender = if flags.since == Some(name.as_str()) {
            Some("`--since`")
        } else {
            paging
                .is_some_and(|it| it.sends(&name))
                .then_some("`--paging`")
        };
        if let Some(sender) = sender {
            let failure = Failure::usage(format!("`--query {name}`: {sender} sends it already"));
            return Err(failure.help("leave one of them out"));
        }
        sent.push((name, value.to_owned()));
    }
    let of_pages = [&TOKENS[..], &NUMBERS, &OFFSETS, &SIZES].concat();
    let is_open = |name: &String, parameter: &Parameter| {
        let default = &parameter.schema["default"];
        // A list begins at the first page, and a number of pages or items hides none of them.
        let is_of_pages = of_pages.contains(&name.as_str())
            && (paging.is_none()
                || (!parameter.is_required && (default.is_null() || default.is_number())));
        !is_of_pages
            && flags.since != Some(name.as_str())
            && !paging.is_some_and(|it| it.sends(name))
            && !sent.iter().any(|(known, _)| known == name)
    };
    let mut asked = Vec::new();
    let mut others = Vec::new();
    for (name, parameter) in &list.parameters {
        if !is_open(name, parameter) {
            continue;
        }
        let is_order = ORDERS.contains(&name.as_str());
        let has_default = !parameter.schema["default"].is_null();
        if parameter.is_required || (has_default && !is_order) {
            asked.push(described(name, parameter));
        } else if !is_order && !CHANGES.contains(&name.as_str()) {
            others.push(name.as_str());
        }
    }
    if !others.is_empty() {
        remarks.push(format!(
            "parameters that are not sent: {}. If the list leaves items out without one of them, send it with `--query PARAMETER=VALUE`: a full run deletes from Omni what the list does not have",
            listed(others.into_iter())
        ));
    }
    if asked.is_empty() {
        return Ok(Ok(sent));
    }
    Ok(Err(question(
        format!(
            "with which values does `GET {}` list every item? the document has {}",
            list.path,
            asked.join(", ")
        ),
        "--query PARAMETER=VALUE for each",
    )))
}

/// Such as: `state` (`open` if it is not sent; one of `open`, `closed`, `all`).
fn described(name: &str, parameter: &Parameter) -> String {
    let schema = &parameter.schema;
    let shown = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut words = Vec::new();
    if parameter.is_required {
        words.push("required".to_owned());
    }
    if !schema["default"].is_null() {
        words.push(format!("`{}` if it is not sent", shown(&schema["default"])));
    }
    let values: Vec<_> = schema["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .map(shown)
        .collect();
    if !values.is_empty() {
        words.push(format!(
            "one of {}",
            listed(values.iter().map(String::as_str))
        ));
    }
    format!("`{name}` ({})", words.join("; "))
}
