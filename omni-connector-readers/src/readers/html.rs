//! Converts HTML to Markdown.

use std::rc::Rc;

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};
use htmd::{HtmlToMarkdown, Node};

use super::{charset::Charset, parts::Parts, text};

/// Greatest nesting depth for the recursive converter. Only the words are kept of a deeper page.
const DEEPEST: usize = 1000;
/// Bytes at the start of a page that are searched for a declared encoding, as in browsers.
const HEAD: usize = 1024;

pub(super) fn read(data: &[u8], parts: &mut Parts<'_>) {
    let page = match (declared(data), label(data)) {
        (None, Some(label)) => text::decode_as(data, &label, parts),
        (declared, _) => text::decode(data, declared, parts),
    };
    parts.text(&to_markdown(&page));
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
pub(super) fn to_markdown(html: &str) -> String {
    let converter = HtmlToMarkdown::new();
    let Ok(tree) = converter.html_to_tree(html) else {
        return words(html);
    };
    if depth(&tree) <= DEEPEST {
        converter.tree_to_markdown(&tree)
    } else {
        words(html)
    }
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

/// Returns the text outside of tags.
fn words(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    for piece in html.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, text)| text));
        text.push(' ');
    }
    text
}
