//! Reads Word documents: the body, followed by headers, footers, notes and comments.

use quick_xml::events::{BytesStart, Event};

use super::{
    beside,
    package::{Package, Related},
    xml::{self, Alternatives, Events},
};
use crate::readers::{Refusal, html, mail, parts::Parts, text};

/// Kinds of parts other than the body in reading order, with their names for people. Omni reads
/// none of them.
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
    for chunk in related.iter().filter(|related| related.kind == "aFChunk") {
        let data = package.bytes(&chunk.name);
        parts.part("inserted document", |parts| inserted(chunk, &data?, parts));
    }
    for (kind, people) in BESIDE {
        let named = related.iter().filter(|related| related.kind == kind);
        for related in named {
            let xml = package.part(&related.name);
            parts.part(people, |parts| {
                let mut text = String::new();
                let read = walk(&xml?, &mut |piece| {
                    text.push_str(piece);
                    true
                });
                beside::give(people, &text, parts);
                read
            });
            for drawn in beside::of(package, &related.name) {
                drawn.give(parts);
            }
        }
    }
    for drawn in beside::of(package, &main) {
        if drawn.what != "comments" {
            drawn.give(parts);
        }
    }
    Ok(())
}

/// Reads a document that a program inserted as it was (`altChunk`).
fn inserted(chunk: &Related, data: &[u8], parts: &mut Parts<'_>) -> Result<(), String> {
    let ending = chunk.name.rsplit('.').next().unwrap_or_default();
    let known = ["htm", "html", "xhtml", "mht", "mhtml", "txt", "docx", "rtf"];
    let is_page = || text::peek(data, 512).trim_start().starts_with('<');
    let ending = match ending {
        known_ending if known.contains(&known_ending) => known_ending,
        _ if data.starts_with(b"PK\x03\x04") => "docx",
        _ if is_page() => "html",
        other => other,
    };
    match ending {
        "htm" | "html" | "xhtml" => html::read(data, parts),
        "mht" | "mhtml" => mail::pages(data, parts)?,
        "txt" => text::read(data, parts)?,
        "docx" => {
            let mut package = Package::open(data)?;
            let main = package.main("word/document.xml")?;
            body_text(&package.part(&main)?, parts)?;
            for related in package.related(&main) {
                if let Some((_, what)) = BESIDE.iter().find(|(kind, _)| *kind == related.kind) {
                    let xml = package.part(&related.name);
                    match xml.and_then(|xml| plain(&xml)) {
                        Ok(text) => beside::give(what, &text, parts),
                        Err(why) => parts.lost(*what, why),
                    }
                } else if related.kind == "aFChunk" {
                    parts.lost("inserted document", "one within another is not read");
                }
            }
            for drawn in beside::of(&mut package, &main) {
                if drawn.what != "comments" {
                    drawn.give_within(parts);
                }
            }
        }
        _ => {
            return Err(format!(
                "a file of the type `{ending}` in a document is not read"
            ));
        }
    }
    parts.omni_loses("inserted documents");
    parts.text("\n");
    Ok(())
}

/// Returns the text of a part that is read as a whole.
fn plain(xml: &str) -> Result<String, String> {
    let mut text = String::new();
    walk(xml, &mut |piece| {
        text.push_str(piece);
        true
    })?;
    Ok(text)
}

fn body_text(xml: &str, parts: &mut Parts<'_>) -> Result<(), String> {
    walk(xml, &mut |piece| {
        parts.text(piece);
        !parts.is_full()
    })
}

/// Reads one line for each paragraph and each table row, with TAB between cells. `push` receives
/// the pieces and returns whether to go on.
fn walk(xml: &str, push: &mut dyn FnMut(&str) -> bool) -> Result<(), String> {
    let mut events = Events::of(xml);
    let mut state = State::default();
    while let Some(event) = events.next() {
        let piece = match &event {
            Event::Start(tag) => state.start(tag),
            Event::Empty(tag) => state.empty(tag),
            Event::End(tag) => state.end(tag.local_name().as_ref()).map(str::to_owned),
            other if state.is_in_text && state.is_shown() => xml::characters(other),
            _ => None,
        };
        if let Some(piece) = piece {
            state.alternatives.text(&piece);
            if !push(&piece) {
                return Ok(());
            }
        }
    }
    events.end()
}

/// The reader's position in a document.
#[derive(Default)]
struct State {
    is_in_text: bool,
    /// Depth of hidden content: moved text, and the pronunciation above a word, which would be joined to it.
    hidden: usize,
    /// The open tables.
    tables: Vec<Table>,
    alternatives: Alternatives,
    /// Whether the properties of a row are open.
    is_in_row_properties: bool,
}

#[derive(Default)]
struct Table {
    /// Whether the open row has a cell.
    row_has_cell: bool,
    /// Whether the open row was deleted or moved away.
    row_is_gone: bool,
}

impl State {
    fn is_shown(&self) -> bool {
        self.hidden == 0
            && self.tables.iter().all(|table| !table.row_is_gone)
            && self.alternatives.are_shown()
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Option<String> {
        self.alternatives.start(tag);
        match tag.local_name().as_ref() {
            "moveFrom" | "del" if self.is_in_row_properties => return self.empty(tag),
            "moveFrom" | "del" | "rt" => self.hidden += 1,
            "t" | "v" => self.is_in_text = true,
            "tbl" => self.tables.push(Table::default()),
            "trPr" => self.is_in_row_properties = true,
            // Its words would join those of the paragraph that contains the text box.
            "txbxContent" if self.is_shown() => {
                let separator = if self.tables.is_empty() { "\n" } else { " " };
                return Some(separator.to_owned());
            }
            "tr" => {
                if let Some(table) = self.tables.last_mut() {
                    *table = Table::default();
                }
            }
            "tc" => {
                if let Some(table) = self.tables.last_mut()
                    && std::mem::replace(&mut table.row_has_cell, true)
                    && self.is_shown()
                {
                    return Some("\t".to_owned());
                }
            }
            _ => return self.empty(tag),
        }
        None
    }

    /// Returns the characters that are written as tags, with or without content.
    fn empty(&mut self, tag: &BytesStart<'_>) -> Option<String> {
        let name = tag.local_name();
        if self.is_in_row_properties && matches!(name.as_ref(), "del" | "moveFrom") {
            if let Some(table) = self.tables.last_mut() {
                table.row_is_gone = true;
            }
            return None;
        }
        if !self.is_shown() {
            return None;
        }
        Some(match name.as_ref() {
            "tab" | "ptab" if !has_position(tag) => "\t".to_owned(),
            "br" | "cr" => "\n".to_owned(),
            "noBreakHyphen" => "-".to_owned(),
            "sym" => symbol(tag).to_string(),
            // Drawn words, such as a watermark.
            "textpath" => xml::attribute(tag, "string")? + "\n",
            _ => return None,
        })
    }

    fn end(&mut self, name: &str) -> Option<&'static str> {
        self.alternatives.end(name);
        match name {
            "moveFrom" | "del" if self.is_in_row_properties => {}
            "moveFrom" | "del" | "rt" => self.hidden = self.hidden.saturating_sub(1),
            "trPr" => self.is_in_row_properties = false,
            "t" => self.is_in_text = false,
            // Values of a chart.
            "v" => {
                self.is_in_text = false;
                return self.is_shown().then_some("\n");
            }
            // The paragraphs of a cell share a line.
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

/// Returns the character of a symbol, or a blank when only its font has the meaning.
fn symbol(tag: &BytesStart<'_>) -> char {
    /// The letters of the font Symbol at the places of `A` to `Z` and `a` to `z`.
    const GREEK: [&str; 2] = ["ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", "αβχδεφγηιϕκλμνοπθρστυϖωξψζ"];
    const PRIVATE: std::ops::RangeInclusive<u32> = 0xe000..=0xf8ff;
    let code = xml::attribute(tag, "char").and_then(|code| u32::from_str_radix(&code, 16).ok());
    let font = xml::attribute(tag, "font").unwrap_or_default();
    let font = font.to_ascii_lowercase();
    let Some(code) = code else {
        return ' ';
    };
    if !PRIVATE.contains(&code) {
        return char::from_u32(code).unwrap_or(' ');
    }
    // The last two digits are the place in the font.
    let place = code.to_le_bytes()[0];
    if font == "symbol" {
        let letters = GREEK[usize::from(place >= b'a')];
        let index = (place | 0x20).checked_sub(b'a').map(usize::from);
        return index.and_then(|at| letters.chars().nth(at)).unwrap_or(' ');
    }
    let is_of_signs = ["wingdings", "webdings", "symbol", "dingbats", "mt extra"];
    if font.is_empty() || is_of_signs.iter().any(|name| font.contains(name)) {
        return ' ';
    }
    char::from(place)
}

/// Returns whether the tag is a tab stop in a paragraph's format rather than a tab character.
fn has_position(tag: &BytesStart<'_>) -> bool {
    xml::attribute(tag, "pos").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_cdata_sections_is_read() {
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
