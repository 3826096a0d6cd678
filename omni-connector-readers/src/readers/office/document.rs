//! Word documents: the body, and behind it the texts that stand beside it.

use quick_xml::events::{BytesStart, Event};

use super::{
    package::Package,
    xml::{self, Events},
};
use crate::readers::{Refusal, parts::Parts};

/// Kinds of parts beside the body, in the order in which they are read, and their names for people. Omni reads none of them.
const BESIDE: [(&str, &str); 5] = [
    ("header", "headers"),
    ("footer", "footers"),
    ("footnotes", "footnotes"),
    ("endnotes", "endnotes"),
    ("comments", "comments"),
];

pub(super) fn read(package: &mut Package<'_>, parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let main = package.main("word/document.xml")?;
    let body = package.part(&main)?;
    parts.part("body", |parts| body_text(&body, parts));

    let related = package.related(&main);
    let chartlike = [("chart", "charts"), ("diagramData", "diagrams")];
    for (kind, people) in BESIDE.into_iter().chain(chartlike) {
        let named = related.iter().filter(|related| related.kind == kind);
        for related in named {
            let xml = package.part(&related.name);
            parts.part(people, |parts| {
                let mut text = Gathered::default();
                let read = walk(&xml?, &mut |piece| text.push(piece));
                text.give(people, parts);
                read
            });
        }
    }
    Ok(())
}

fn body_text(xml: &str, parts: &mut Parts<'_>) -> Result<(), String> {
    walk(xml, &mut |piece| {
        parts.text(piece);
        !parts.is_full()
    })
}

/// Text of a part beside the body.
#[derive(Default)]
pub(super) struct Gathered(String);

impl Gathered {
    pub(super) fn push(&mut self, piece: &str) -> bool {
        self.0.push_str(piece);
        true
    }

    /// Gives the text out, and says that Omni loses it. A chart's numbers find nothing.
    pub(super) fn give(&self, what: &str, parts: &mut Parts<'_>) {
        let words = |line: &&str| line.contains(char::is_alphabetic) || what != "charts";
        let lines: Vec<_> = self.0.trim().lines().filter(words).collect();
        if !lines.is_empty() {
            parts.omni_loses(what);
            parts.text("\n");
            parts.text(&lines.join("\n"));
            parts.text("\n");
        }
    }
}

/// Paragraphs a line each, tables a line a row with TAB between cells. `push` takes the pieces and says whether to go on.
fn walk(xml: &str, push: &mut dyn FnMut(&str) -> bool) -> Result<(), String> {
    let mut events = Events::of(xml);
    let mut state = State::default();
    while let Some(event) = events.next() {
        let piece = match &event {
            Event::Start(tag) => state.start(tag),
            Event::Empty(tag) => state.empty(tag).map(str::to_owned),
            Event::End(tag) => state.end(tag.local_name().as_ref()).map(str::to_owned),
            other if state.is_in_text && state.is_shown() => xml::characters(other),
            _ => None,
        };
        if let Some(piece) = piece
            && !push(&piece)
        {
            return Ok(());
        }
    }
    events.end()
}

/// Where in a document the reader is.
#[derive(Default)]
struct State {
    is_in_text: bool,
    /// Depth of what is not shown: text that was moved away, and what older programs show in place of what is before it.
    hidden: usize,
    /// For each open table, whether its open row has a cell.
    tables: Vec<bool>,
}

impl State {
    fn is_shown(&self) -> bool {
        self.hidden == 0
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Option<String> {
        match tag.local_name().as_ref() {
            "Fallback" | "moveFrom" | "del" => self.hidden += 1,
            "t" | "v" => self.is_in_text = true,
            "tbl" => self.tables.push(false),
            "tr" => self
                .tables
                .last_mut()
                .into_iter()
                .for_each(|row| *row = false),
            "tc" => {
                if let Some(row_has_cell) = self.tables.last_mut()
                    && std::mem::replace(row_has_cell, true)
                {
                    return Some("\t".to_owned());
                }
            }
            _ => return self.empty(tag).map(str::to_owned),
        }
        None
    }

    /// Signs that are tags, with or without content.
    fn empty(&self, tag: &BytesStart<'_>) -> Option<&'static str> {
        if !self.is_shown() {
            return None;
        }
        Some(match tag.local_name().as_ref() {
            "tab" | "ptab" if !has_position(tag) => "\t",
            "br" | "cr" => "\n",
            "noBreakHyphen" => "-",
            _ => return None,
        })
    }

    fn end(&mut self, name: &str) -> Option<&'static str> {
        match name {
            "Fallback" | "moveFrom" | "del" => self.hidden = self.hidden.saturating_sub(1),
            "t" => self.is_in_text = false,
            // A chart's values.
            "v" => {
                self.is_in_text = false;
                return self.is_shown().then_some("\n");
            }
            // A cell's paragraphs share its line.
            "p" if self.is_shown() => {
                return Some(if self.tables.is_empty() { "\n" } else { " " });
            }
            "tr" if self.is_shown() => return Some("\n"),
            "tbl" => {
                self.tables.pop();
                return self.is_shown().then_some("\n");
            }
            _ => {}
        }
        None
    }
}

/// A tab stop in a paragraph's format, which is no tab.
fn has_position(tag: &BytesStart<'_>) -> bool {
    xml::attribute(tag, "pos").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_sections_of_characters_is_text() {
        let mut text = String::new();
        let xml = "<w:p><w:r><w:t><![CDATA[a < b]]></w:t></w:r></w:p>";
        walk(xml, &mut |piece| {
            text.push_str(piece);
            true
        })
        .unwrap();
        assert_eq!(text, "a < b\n");
    }
}
