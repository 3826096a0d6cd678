//! How a list ends: never by a guess. What the document has for it is named, and the author says which it is.

use super::{
    document::List,
    plan::{ListFlags, Question, listed, present, question},
};
use crate::cli::failure::Failure;

pub(super) const TOKENS: [&str; 10] = [
    "cursor",
    "page_token",
    "pageToken",
    "next_token",
    "nextToken",
    "after",
    "starting_after",
    "continuation",
    "offset_token",
    "next",
];
pub(super) const NUMBERS: [&str; 5] = ["page", "page_number", "pageNumber", "pageIndex", "p"];
pub(super) const OFFSETS: [&str; 6] = ["offset", "skip", "start", "startAt", "start_at", "from"];
pub(super) const SIZES: [&str; 12] = [
    "limit",
    "per_page",
    "perPage",
    "page_size",
    "pageSize",
    "size",
    "count",
    "max_results",
    "maxResults",
    "take",
    "top",
    "first",
];
pub(super) const ORDERS: [&str; 10] = [
    "sort",
    "order",
    "order_by",
    "orderBy",
    "sort_by",
    "sortBy",
    "ordering",
    "direction",
    "sort_order",
    "sortOrder",
];

/// How the list ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paging {
    /// The code without the size, such as `Paging::link_header()`.
    pub(super) code: String,
    pub(super) size: Option<(String, u64)>,
    /// The parameter of the token, number or offset.
    position: Option<String>,
}

impl Paging {
    /// Whether it sends a parameter.
    pub(super) fn sends(&self, parameter: &str) -> bool {
        let size = self.size.as_ref().map(|(name, _)| name);
        self.position
            .iter()
            .chain(size)
            .any(|name| name == parameter)
    }
}

pub(super) fn paging(
    list: &List,
    flags: &ListFlags<'_>,
    remarks: &mut Vec<String>,
) -> Result<Result<Paging, Question>, Failure> {
    let size = present(list, &SIZES).first().map(|name| {
        let largest = list.parameters[name].schema["maximum"]
            .as_u64()
            .unwrap_or(100);
        (name.clone(), largest.clamp(1, 1000))
    });
    let parameter = |what: &str, usual: &[&str]| {
        present(list, usual).into_iter().next().ok_or_else(|| {
            Failure::usage(format!(
                "`GET {}` has no parameter that looks like {what}",
                list.path
            ))
            .help(format!(
                "it has {}; choose another `--paging`",
                listed(list.parameters.keys().map(String::as_str))
            ))
        })
    };
    let pointer = || {
        let next = flags.next.map(str::to_owned).ok_or_else(|| {
            Failure::usage(
                "`--next` is missing: where the next page stands in the answer, as a JSON pointer",
            )
            .help(format!(
                "the answer has {}",
                listed(list.beside.iter().map(String::as_str))
            ))
        })?;
        if next.starts_with('/') {
            return Ok(next);
        }
        let failure = Failure::usage(format!("`--next {next}` is not a JSON pointer"));
        Err(failure.help(format!("write it as `/{next}`")))
    };
    let (code, position) = match flags.paging {
        Some("none") => {
            return Ok(Ok(Paging {
                code: "Paging::single()".to_owned(),
                size: None,
                position: None,
            }));
        }
        Some("link-header") => ("Paging::link_header()".to_owned(), None),
        Some("next-url") => (format!("Paging::next_url({:?})", pointer()?), None),
        Some("token") => {
            let parameter = parameter("a token", &TOKENS)?;
            let code = format!("Paging::cursor({:?}).param({parameter:?})", pointer()?);
            (code, Some(parameter))
        }
        Some("page") => {
            let parameter = parameter("the number of a page", &NUMBERS)?;
            let code = format!("Paging::page_number({parameter:?}).until_empty()");
            (code, Some(parameter))
        }
        Some("offset") => {
            let parameter = parameter("an offset", &OFFSETS)?;
            let code = format!("Paging::offset({parameter:?}).until_empty()");
            (code, Some(parameter))
        }
        _ => {
            let all = [&TOKENS[..], &NUMBERS, &OFFSETS, &SIZES].concat();
            let found = present(list, &all);
            let parameters = if found.is_empty() {
                "no parameter for it".to_owned()
            } else {
                listed(found.iter().map(String::as_str))
            };
            let beside = if list.beside.is_empty() {
                "nothing beside the items".to_owned()
            } else {
                listed(list.beside.iter().map(String::as_str))
            };
            return Ok(Err(question(
                format!(
                    "how does `GET {}` end? the document has {parameters}, and {beside} in the answer",
                    list.path
                ),
                "--paging token|next-url|link-header|page|offset|none",
            )));
        }
    };
    let is_counted = matches!(flags.paging, Some("page" | "offset"));
    if let Some(order) = present(list, &ORDERS).first().filter(|_| is_counted) {
        remarks.push(format!(
            "pages are counted, so an order that changes while they are read hides items; give `{order}` a value that is stable, such as by creation, in `src/api.rs`"
        ));
    }
    Ok(Ok(Paging {
        code,
        size,
        position,
    }))
}
