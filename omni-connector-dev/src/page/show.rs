//! Formats numbers, times, texts and JSON.

use std::fmt::Write;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// An HTML answer.
pub(super) struct Html(pub(super) Markup);

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        ([(header::CONTENT_TYPE, kind)], self.0.into_string()).into_response()
    }
}

/// Formats a number as `12,345`.
pub(super) fn count(number: impl Into<i128>) -> String {
    let number: i128 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if number < 0 {
        format!("-{shown}")
    } else {
        shown
    }
}

/// Formats a number with its noun: `1 document`, `2 documents`.
pub(super) fn counted(number: impl Into<i128>, thing: &str) -> String {
    let number = number.into();
    let end = if number == 1 { "" } else { "s" };
    format!("{} {thing}{end}", count(number))
}

/// Formats bytes as `3.4 KB`.
#[allow(clippy::cast_precision_loss, reason = "for people")]
pub(super) fn bytes(number: u64) -> String {
    match number {
        0..1024 => format!("{number} B"),
        1024..1_048_576 => format!("{:.1} KB", number as f64 / 1024.0),
        _ => format!("{:.1} MB", number as f64 / 1_048_576.0),
    }
}

/// Formats a time as `3 min ago`, with the full time as a title.
pub(super) fn ago(time: OffsetDateTime) -> Markup {
    let passed = (OffsetDateTime::now_utc() - time).whole_seconds();
    let shown = match passed {
        ..5 => "just now".to_owned(),
        5..60 => format!("{passed} s ago"),
        60..3600 => format!("{} min ago", passed / 60),
        3600..86_400 => format!("{} h ago", passed / 3600),
        _ => format!("{} d ago", passed / 86_400),
    };
    let exact = stamp(time);
    html! { time datetime=(exact) title=(exact) { (shown) } }
}

/// Formats a time to the second in UTC.
pub(super) fn stamp(time: OffsetDateTime) -> String {
    let whole = time.replace_nanosecond(0).unwrap_or(time);
    whole.format(&Rfc3339).unwrap_or_default()
}

/// Formats a duration as `2.3 s`.
pub(super) fn seconds(passed: time::Duration) -> String {
    let all = passed.as_seconds_f64();
    match passed.whole_seconds() {
        ..10 => format!("{all:.1} s"),
        10..120 => format!("{all:.0} s"),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}

/// Formats a value as JSON on several lines.
pub(super) fn json(value: &Value) -> Markup {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    html! { pre.json tabindex="0" { (text) } }
}

/// Formats a value on one line, cut if it is long.
pub(super) fn short(value: &Value, longest: usize) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), |text| format!("\"{text}\""));
    cut(&text, longest)
}

/// Returns the beginning of a text.
pub(super) fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Isolates a text of a source, so that its direction marks do not affect others.
pub(super) fn foreign(text: &str) -> Markup {
    let text: String = text
        .chars()
        .map(|c| if steers(c) { '\u{fffd}' } else { c })
        .collect();
    html! { bdi { (text) } }
}

/// Returns whether a character is a direction mark, or a control character other than LF and TAB.
pub(super) fn steers(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
}

/// Renders a link to a source's page, if its URL is safe to follow.
pub(super) fn outward(url: &str) -> Markup {
    let lower = url.trim_start().to_ascii_lowercase();
    html! {
        @if lower.starts_with("https://") || lower.starts_with("http://") {
            a href=(url) rel="noreferrer noopener" target="_blank" { (foreign(url)) }
        } @else {
            (foreign(url))
        }
    }
}

/// Encodes a string for a query.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Renders a terminal's colour sequences as our colours; everything else as text.
pub(super) fn terminal(text: &str) -> Markup {
    let mut parts: Vec<(Option<&'static str>, String)> = vec![(None, String::new())];
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        if let Some((_, last)) = parts.last_mut() {
            last.push_str(&rest[..at]);
        }
        rest = &rest[at + 1..];
        let Some(sequence) = rest.strip_prefix('[') else {
            continue;
        };
        let Some(end) = sequence.find(|c: char| c.is_ascii_alphabetic()) else {
            break;
        };
        if sequence[end..].starts_with('m') {
            parts.push((
                class(&sequence[..end], parts.last().and_then(|(class, _)| *class)),
                String::new(),
            ));
        }
        rest = &sequence[end + 1..];
    }
    if let Some((_, last)) = parts.last_mut() {
        last.push_str(rest);
    }
    html! {
        @for (class, text) in parts.iter().filter(|(_, text)| !text.is_empty()) {
            @match class { Some(class) => span class=(class) { (text) }, None => (text) }
        }
    }
}

fn class(codes: &str, before: Option<&'static str>) -> Option<&'static str> {
    let mut class = before;
    // `38;5;9` selects one of 256 colours; rustc uses the bright ones.
    let codes = codes.replace("38;5;", "");
    for code in codes.split(';') {
        class = match code {
            "" | "0" | "39" => None,
            "31" | "91" | "9" => Some("t-red"),
            "33" | "93" | "11" => Some("t-yellow"),
            "32" | "92" | "10" => Some("t-green"),
            "34" | "94" | "12" | "36" | "96" | "14" => Some("t-blue"),
            "1" => class.or(Some("t-bold")),
            _ => class,
        };
    }
    class
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(-1000), "-1,000");
    }

    #[test]
    fn only_web_addresses_become_links() {
        for hostile in [
            "javascript:alert(1)",
            " JavaScript:x",
            "data:text/html,x",
            "file:///etc/passwd",
        ] {
            assert!(
                !outward(hostile).into_string().contains("href"),
                "{hostile}"
            );
        }
        assert!(
            outward("https://a.example/?x=\"<")
                .into_string()
                .contains("href=\"https://a.example/?x=&quot;&lt;\"")
        );
    }

    #[test]
    fn compiler_colours_become_classes_and_its_messages_stay_text() {
        let shown =
            terminal("\u{1b}[0m\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: <b>\u{1b}[2K").into_string();
        assert_eq!(shown, "<span class=\"t-red\">error</span>: &lt;b&gt;");
    }
}
