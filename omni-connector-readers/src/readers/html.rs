//! Converts HTML to Markdown.

use std::{borrow::Cow, rc::Rc};

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};
use htmd::{HtmlToMarkdown, Node};

use super::{charset::Charset, parts::Parts, text};

/// Greatest nesting depth for the recursive converter. Only the words are kept of a deeper page.
const DEEPEST: usize = 1000;
/// Bytes at the start of a page that are searched for a declared encoding, as in browsers.
const HEAD: usize = 1024;

/// Elements that browsers show apart from their neighbours, and that the converter joins with them.
const APART: [&str; 7] = [
    "audio", "button", "canvas", "label", "object", "text", "video",
];

pub(super) fn read(data: &[u8], parts: &mut Parts<'_>) {
    let page = decoded(data, None, parts);
    let text = to_markdown(&page, parts);
    parts.text(&text);
}

/// Decodes a page by what it declares, or by the charset that is `known` otherwise.
pub(super) fn decoded<'a>(
    data: &'a [u8],
    known: Option<Charset>,
    parts: &mut Parts<'_>,
) -> Cow<'a, str> {
    match (declared(data), label(data)) {
        (None, Some(label)) => text::decode_as(data, &label, parts),
        (declared, _) => text::decode(data, declared.or(known), parts),
    }
}

/// Returns the charset declared by a `meta` tag or the XML declaration of XHTML, outside of comments and scripts. A
/// declared UTF-16 in bytes readable as ASCII means UTF-8.
pub(super) fn declared(data: &[u8]) -> Option<Charset> {
    let charset = Charset::of(&label(data)?)?;
    let is_wide = charset == Charset::Web(UTF_16LE) || charset == Charset::Web(UTF_16BE);
    Some(if is_wide {
        Charset::Web(UTF_8)
    } else {
        charset
    })
}

/// Returns the name of the declared charset, in lower case.
fn label(data: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&data[..data.len().min(HEAD)]).to_ascii_lowercase();
    let head = without(&head, "<!--", "-->");
    let head = without(&head, "<script", "</script");
    let tags = head.match_indices('<').map(|(at, _)| &head[at..]);
    tags.filter(|tag| tag.starts_with("<meta") || tag.starts_with("<?xml"))
        .find_map(|tag| {
            let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
            let at = ["charset", "encoding"]
                .iter()
                .find_map(|key| Some(tag.find(key)? + key.len()))?;
            let value = tag[at..].trim_start().strip_prefix('=')?;
            let value = value.trim_start_matches([' ', '"', '\'']);
            let end = value.find([' ', '"', '\'', ';', '/', '?']);
            Some(value[..end.unwrap_or(value.len())].to_owned())
        })
}

/// Removes everything between two marks.
fn without(text: &str, start: &str, end: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(start) {
        kept.push_str(&rest[..at]);
        rest = &rest[at + start.len()..];
        rest = rest.find(end).map_or("", |at| &rest[at + end.len()..]);
    }
    kept + rest
}

/// Converts a page or fragment to Markdown, including the text of `title`, `style` and `script`.
pub(super) fn to_markdown(html: &str, parts: &mut Parts<'_>) -> String {
    // The converter removes some control characters, which would join words.
    let joins = |c: char| c.is_ascii_control() && !c.is_ascii_whitespace();
    let html = match html.find(joins) {
        Some(_) => Cow::Owned(html.replace(joins, " ")),
        None => Cow::Borrowed(html),
    };
    let converter = HtmlToMarkdown::new();
    let Ok(tree) = converter.html_to_tree(&html) else {
        return html.into_owned();
    };
    if depth(&tree) > DEEPEST {
        return converter.convert(&flat(&html)).unwrap_or_default();
    }
    let text = converter.tree_to_markdown(&tree);
    let Some(separated) = apart(&html) else {
        return text;
    };
    let separated = converter.convert(&separated).unwrap_or_default();
    let count = |text: &str| text.split_whitespace().count();
    if count(&separated) == count(&text) {
        return text;
    }
    parts.omni_loses("blanks between buttons, labels and the like");
    separated
}

/// Writes a blank before each element that must not be joined with others. Returns none if there is no such element.
fn apart(html: &str) -> Option<String> {
    let (mut written, mut from) = (String::new(), 0);
    for (at, _) in html.match_indices('<') {
        let tag = html[at + 1..].trim_start_matches('/');
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric());
        let name = &tag[..end.unwrap_or(tag.len())];
        if APART.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            written.push_str(&html[from..at]);
            written.push(' ');
            from = at;
        }
    }
    (from > 0 || !written.is_empty()).then(|| written + &html[from..])
}

fn depth(tree: &Rc<Node>) -> usize {
    let mut deepest = 0;
    let mut open = vec![(Rc::clone(tree), 1)];
    while let Some((node, depth)) = open.pop() {
        deepest = deepest.max(depth);
        let children = node.children.borrow();
        open.extend(children.iter().map(|child| (Rc::clone(child), depth + 1)));
    }
    deepest
}

/// Returns a page without nesting: its text, with a break for each tag that is not a part of a line.
fn flat(html: &str) -> String {
    const INLINE: [&str; 22] = [
        "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "em", "font", "i", "ins",
        "mark", "s", "small", "span", "strong", "sub", "sup", "u", "wbr",
    ];
    let mut text = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let name = rest[1..].trim_start_matches('/');
        if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!' || c == '?') {
            text.push_str("&lt;");
            rest = &rest[1..];
            continue;
        }
        let end = name.find(|c: char| !c.is_ascii_alphanumeric());
        let name = name[..end.unwrap_or(name.len())].to_ascii_lowercase();
        rest = &rest[tag_length(rest)..];
        if matches!(name.as_str(), "script" | "style") {
            text.push_str("<br>");
            let end = rest.find("</").unwrap_or(rest.len());
            text.push_str(&rest[..end].replace('<', "&lt;"));
            rest = &rest[end..];
        }
        if !INLINE.contains(&name.as_str()) {
            text.push_str("<br>");
        }
    }
    text + rest
}

/// Returns the length of the tag at the start, in whose values `>` may occur.
fn tag_length(html: &str) -> usize {
    let mut quote = None;
    for (at, c) in html.char_indices() {
        match (c, quote) {
            ('>', None) => return at + 1,
            ('"' | '\'', None) if html[..at].trim_end().ends_with('=') => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
    }
    html.len()
}
