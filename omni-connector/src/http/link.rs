//! Parses the `Link` header (RFC 8288).

use reqwest::header::{HeaderMap, LINK};

/// Returns the target of the first link with `rel="next"`, or an error if a header cannot be parsed.
pub(super) fn next(headers: &HeaderMap) -> Result<Option<String>, String> {
    for value in headers.get_all(LINK) {
        let value = value.to_str().map_err(|_| unreadable())?;
        if let Some(next) = next_in(value)? {
            return Ok(Some(next));
        }
    }
    Ok(None)
}

fn unreadable() -> String {
    "its `Link` header cannot be read".to_owned()
}

fn next_in(value: &str) -> Result<Option<String>, String> {
    let mut rest = value.trim_start_matches([',', ' ', '\t']);
    while !rest.is_empty() {
        let target = rest.strip_prefix('<').ok_or_else(unreadable)?;
        let (target, parameters) = target.split_once('>').ok_or_else(unreadable)?;
        let (is_next, after) = parameters_say_next(parameters)?;
        if is_next {
            return Ok(Some(target.trim().to_owned()));
        }
        rest = after.trim_start_matches([',', ' ', '\t']);
    }
    Ok(None)
}

/// Returns whether the parameters of one link name the next page, and the rest of the header.
fn parameters_say_next(parameters: &str) -> Result<(bool, &str), String> {
    let mut rest = parameters.trim_start();
    let mut is_next = false;
    // Only the first `rel` counts (RFC 8288).
    let mut has_rel = false;
    while let Some(parameter) = rest.strip_prefix(';') {
        let parameter = parameter.trim_start();
        let end = parameter.find(['=', ';', ',']).unwrap_or(parameter.len());
        let (name, after) = parameter.split_at(end);
        let value;
        (value, rest) = match after.strip_prefix('=') {
            None => ("", after),
            Some(after) => match after.trim_start().strip_prefix('"') {
                Some(quoted) => {
                    let end = end_of_quoted(quoted).ok_or_else(unreadable)?;
                    (&quoted[..end], &quoted[end + 1..])
                }
                None => {
                    let end = after.find([';', ',']).unwrap_or(after.len());
                    after.split_at(end)
                }
            },
        };
        rest = rest.trim_start();
        if name.trim().eq_ignore_ascii_case("rel") && !has_rel {
            has_rel = true;
            let mut relations = value.split_ascii_whitespace();
            is_next = relations.any(|relation| relation.eq_ignore_ascii_case("next"));
        }
    }
    if rest.is_empty() || rest.starts_with(',') {
        Ok((is_next, rest))
    } else {
        Err(unreadable())
    }
}

fn end_of_quoted(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(index, c)| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end.then_some(index)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        for (value, next) in [
            (
                "<https://h/?page=2>; rel=\"next\", <https://h/?page=9>; rel=\"last\"",
                Some("https://h/?page=2"),
            ),
            (
                "<https://h/?ids=1,2;3>; rel=first, </issues?page=2>;title=\"a, <b>; rel=\\\"x\" ;REL=Next",
                Some("/issues?page=2"),
            ),
            ("<a>; rel=\"prev next\"", Some("a")),
            ("<a>; rel=\"prev\"; rel=\"next\"", None),
            ("<a>; rel=\"nextish\"", None),
            ("<a>, <b>; rel=next", Some("b")),
            ("", None),
        ] {
            assert_eq!(next_in(value), Ok(next.map(str::to_owned)), "{value}");
        }
        for value in [
            "https://h; rel=next",
            "<https://h; rel=next",
            "<a>; rel=\"next",
            "<a> rel=next",
        ] {
            assert!(next_in(value).is_err(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn a_link_is_found_at_any_position(
            before in prop::collection::vec(("[a-z0-9,;=/?&]{0,20}", "[a-z]{1,8}"), 0..4),
            target in "[a-zA-Z0-9,;=/?&:%]{1,40}",
            quoted in any::<bool>(),
        ) {
            let others = before.iter().filter(|(_, rel)| rel != "next");
            let mut links: Vec<String> = others.map(|(url, rel)| format!("<{url}>; rel=\"{rel}\"")).collect();
            links.push(if quoted { format!("<{target}>; rel=\"next\"") } else { format!("<{target}>;rel=next") });
            prop_assert_eq!(next_in(&links.join(", ")), Ok(Some(target)));
        }

        #[test]
        fn no_header_makes_it_panic(value in "[<>;,=\" \\\\a-zé]{0,40}") {
            let _ = next_in(&value);
        }
    }
}
