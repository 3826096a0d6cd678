//! The paths of calls: their segments, and how people see them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

/// Encodes one segment of a path, such as an id with a slash in it.
///
/// ```
/// assert_eq!(omni_connector::http::segment("a/b c?"), "a%2Fb%20c%3F");
/// ```
pub fn segment(text: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'~')
        .remove(b'.');
    match text {
        // These would lead to a parent path, encoded or not.
        "." | ".." => text.replace('.', "%252E"),
        _ => utf8_percent_encode(text, KEPT).to_string(),
    }
}

/// Formats a URL for people: without query, fragment and user.
pub(super) fn shown(url: &Url) -> String {
    let origin = url.origin().ascii_serialization();
    format!("{origin}{}", url.path())
}

/// Replaces the ids in a path, so that similar calls have the same name.
pub(super) fn template(path: &str) -> String {
    let is_id = |segment: &str| {
        segment.len() > 24
            || segment.contains(['%', '@', ':'])
            || (segment.contains(|c: char| c.is_ascii_digit()) && !is_version(segment))
    };
    let segments = path.trim_start_matches('/').split('/');
    let named: Vec<&str> = segments
        .map(|segment| if is_id(segment) { "{id}" } else { segment })
        .collect();
    named.join("/")
}

/// Returns whether a segment is a version such as `v1`, `v2.1` or `2024-01`, not an id.
fn is_version(segment: &str) -> bool {
    let rest = segment.strip_prefix(['v', 'V']).unwrap_or_default();
    !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Api;

    #[test]
    fn a_segment_never_climbs() {
        let api = Api::at("https://acme.example/v1");
        for id in ["..", ".", "a/../b", "%2e%2e", "?x=1"] {
            let url = api.get(format!("files/{}", segment(id))).url.unwrap();
            assert!(
                url.as_str().starts_with("https://acme.example/v1/files/"),
                "{id}: {url}"
            );
            assert_eq!(url.query(), None);
        }
    }
}
