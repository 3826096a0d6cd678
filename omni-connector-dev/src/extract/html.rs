//! HTML becomes Markdown.

use std::rc::Rc;

use htmd::{HtmlToMarkdown, Node};

/// The converter recurses; what nests deeper than any page people read is left to the words alone.
const DEEPEST: usize = 1000;

/// Markdown of a page or fragment; the text of `title`, `style` and `script` is part of it.
pub(super) fn to_markdown(html: &str) -> String {
    let converter = HtmlToMarkdown::new();
    let Ok(tree) = converter.html_to_tree(html) else {
        return String::new();
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

/// What stands outside of tags.
fn words(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    for piece in html.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, text)| text));
        text.push(' ');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_nests_without_end_keeps_its_words() {
        let html = format!("{}deep{}", "<b>".repeat(200_000), "</b>".repeat(200_000));
        assert_eq!(to_markdown(&html).trim(), "deep");
    }
}
