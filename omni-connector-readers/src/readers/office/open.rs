//! Reads `OpenDocument` spreadsheets, which programs name `.xlsx` and `.xls` as well. It never makes room for the cells
//! between two cells: one entry of the file may stand for a million of them.

use std::iter;

use quick_xml::events::{BytesStart, Event};

use super::{
    package::Package,
    xml::{Events, attribute, characters},
};
use crate::readers::{Refusal, parts::Parts, rows::Rows};

const CONTENT: &str = "content.xml";
/// The most columns that a repeated cell fills. Omni has the same limit.
const MOST_COLUMNS: usize = 16_384;

/// Returns whether the archive is a spreadsheet of this format.
pub(super) fn is_spreadsheet(package: &mut Package<'_>) -> bool {
    package
        .part("mimetype")
        .is_ok_and(|kind| kind.contains("opendocument.spreadsheet"))
        && package.has(CONTENT)
}

pub(super) fn read(
    package: &mut Package<'_>,
    max_rows: usize,
    parts: &mut Parts<'_>,
) -> Result<(), Refusal> {
    let manifest = package.part("meta-inf/manifest.xml").unwrap_or_default();
    if manifest.contains("encryption-data") {
        return Err("it is protected by a password".to_owned());
    }
    let xml = package.part(CONTENT)?;
    let (mut events, mut rows) = (Events::of(&xml), Rows::new(max_rows));
    while let Some(event) = events.next() {
        let is_empty = matches!(event, Event::Empty(_));
        let (Event::Start(tag) | Event::Empty(tag)) = event else {
            continue;
        };
        match tag.local_name().as_ref() {
            "tracked-changes" if !is_empty => skip(&mut events, "tracked-changes"),
            "table" => {
                let name = attribute(&tag, "name").unwrap_or_default();
                let mut is_at_end = is_empty;
                parts.part(format!("sheet `{name}`"), |parts| {
                    let is_shown = rows.title(&name, parts);
                    if is_shown && !is_empty {
                        is_at_end = sheet(&mut events, &mut rows, parts);
                    }
                    events.broken.take().map_or(Ok(()), Err)
                });
                if !is_at_end {
                    skip(&mut events, "table");
                }
            }
            _ => {}
        }
    }
    rows.finish(max_rows, parts);
    events.end()
}

/// Reads the rows of a sheet. Returns whether they were read to the end.
fn sheet(events: &mut Events<'_>, rows: &mut Rows, parts: &mut Parts<'_>) -> bool {
    let (mut row, mut repeated) = (Vec::new(), 1);
    while let Some(event) = events.next() {
        match event {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "table-row" => {
                    row.clear();
                    repeated = times(&tag, "number-rows-repeated");
                }
                "table-cell" | "covered-table-cell" => {
                    let text = cell(events, &tag);
                    keep(text, &tag, &mut row);
                }
                // The names of shapes and the texts of forms are no cells.
                "shapes" | "forms" => skip(events, tag.local_name().as_ref()),
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "table-row" if !row.is_empty() => {
                    let cells = || {
                        row.iter()
                            .flat_map(|(text, times)| iter::repeat_n(text, *times))
                    };
                    if (0..repeated).any(|_| !rows.push(cells(), parts)) {
                        return false;
                    }
                }
                "table" => return true,
                _ => {}
            },
            Event::Empty(tag) if tag.local_name().as_ref() == "table-cell" => {
                keep(String::new(), &tag, &mut row);
            }
            _ => {}
        }
    }
    true
}

/// Keeps the text of a cell, unless it only shows a number, a date or another value, which Omni leaves out.
fn keep(text: String, tag: &BytesStart<'_>, row: &mut Vec<(String, usize)>) {
    let has_value = ["value", "date-value", "time-value", "boolean-value"]
        .iter()
        .any(|name| attribute(tag, name).is_some());
    let text = if text.is_empty() {
        attribute(tag, "string-value").unwrap_or_default()
    } else {
        text
    };
    if !has_value && text.contains(char::is_alphabetic) {
        let repeated = times(tag, "number-columns-repeated");
        row.push((text, repeated.min(MOST_COLUMNS)));
    }
}

/// Returns a cell's text, without the comment on it.
fn cell(events: &mut Events<'_>, tag: &BytesStart<'_>) -> String {
    let end = tag.local_name().as_ref().to_owned();
    let (mut text, mut open_paragraphs, mut paragraphs) = (String::new(), 0_usize, 0_usize);
    while let Some(event) = events.next() {
        match &event {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                name @ ("annotation" | "table") if matches!(event, Event::Start(_)) => {
                    let name = name.to_owned();
                    skip(events, &name);
                }
                "p" | "h" => {
                    if paragraphs > 0 {
                        text.push('\n');
                    }
                    paragraphs += 1;
                    open_paragraphs += usize::from(matches!(event, Event::Start(_)));
                }
                "s" => text.extend(iter::repeat_n(' ', times(tag, "c").min(MOST_COLUMNS))),
                "tab" => text.push('\t'),
                "line-break" => text.push('\n'),
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "p" | "h" => open_paragraphs = open_paragraphs.saturating_sub(1),
                name if name == end => break,
                _ => {}
            },
            event if open_paragraphs > 0 => {
                text.push_str(&characters(event).unwrap_or_default());
            }
            _ => {}
        }
    }
    text
}

/// Returns how many times an entry counts. A number that cannot be read counts once.
fn times(tag: &BytesStart<'_>, name: &str) -> usize {
    attribute(tag, name)
        .and_then(|times| times.trim().parse().ok())
        .unwrap_or(1)
}

/// Reads to the end of an element.
fn skip(events: &mut Events<'_>, name: &str) {
    let mut depth = 1_usize;
    while let Some(event) = events.next() {
        match event {
            Event::Start(tag) if tag.local_name().as_ref() == name => depth += 1,
            Event::End(tag) if tag.local_name().as_ref() == name => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}
