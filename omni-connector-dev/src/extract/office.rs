//! Word documents and presentations: archives of XML, read as a stream.

use std::{
    fmt::Write,
    io::{BufReader, Cursor, Read},
};

use quick_xml::{
    Reader, escape,
    events::{BytesRef, Event},
};
use zip::ZipArchive;

use super::{ExtractError, LONGEST_PART};

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Paragraphs a line each, tables a line a row with TAB between cells.
pub(super) fn docx(data: &[u8], max_bytes: usize) -> Result<String, ExtractError> {
    let mut archive = open(data).ok_or(ExtractError::Docx)?;
    let part = archive
        .by_name("word/document.xml")
        .map_err(|_| ExtractError::Docx)?;
    let mut xml = Reader::from_reader(BufReader::new(part.take(LONGEST_PART)));
    xml.config_mut().check_end_names = false;

    let mut text = String::new();
    let (mut buffer, mut in_text, mut fallbacks) = (Vec::new(), false, 0_usize);
    // Depth of tables, and whether the open row has a cell.
    let (mut tables, mut row_has_cell) = (0_usize, false);
    while text.len() <= max_bytes {
        buffer.clear();
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(tag)) => match tag.local_name().as_ref() {
                // What older readers show in place of what stands before it.
                "Fallback" => fallbacks += 1,
                "t" => in_text = fallbacks == 0,
                "tbl" => tables += 1,
                "tr" => row_has_cell = false,
                "tc" => {
                    if row_has_cell {
                        text.push('\t');
                    }
                    row_has_cell = true;
                }
                _ => {}
            },
            Ok(Event::Empty(tag)) if fallbacks == 0 => match tag.local_name().as_ref() {
                "tab" => text.push('\t'),
                "br" | "cr" => text.push('\n'),
                _ => {}
            },
            Ok(Event::End(tag)) => match tag.local_name().as_ref() {
                "Fallback" => fallbacks = fallbacks.saturating_sub(1),
                "t" => in_text = false,
                // A cell's paragraphs share its line.
                "p" if tables == 0 && fallbacks == 0 => text.push('\n'),
                "p" if fallbacks == 0 => text.push(' '),
                "tr" => text.push('\n'),
                "tbl" => {
                    tables = tables.saturating_sub(1);
                    text.push('\n');
                }
                _ => {}
            },
            Ok(Event::Text(piece)) if in_text => text.push_str(&piece.xml10_content()),
            Ok(Event::GeneralRef(reference)) if in_text => text.extend(character(&reference)),
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => return Err(ExtractError::Docx),
        }
    }
    Ok(text)
}

/// Slides in the order of their numbers, each under a heading.
pub(super) fn pptx(data: &[u8], max_bytes: usize) -> Result<String, ExtractError> {
    let mut archive = open(data).ok_or(ExtractError::Pptx)?;
    let mut slides: Vec<(u32, String)> = archive
        .file_names()
        .flatten()
        .filter_map(|name| {
            let number = name
                .strip_prefix("ppt/slides/slide")?
                .strip_suffix(".xml")?;
            Some((number.parse().ok()?, name.clone().into_owned()))
        })
        .collect();
    slides.sort_unstable();

    let mut text = String::new();
    for (index, (_, name)) in slides.iter().enumerate() {
        if text.len() > max_bytes {
            break;
        }
        let _ = writeln!(text, "Slide {}", index + 1);
        slide(&mut archive, name, &mut text, max_bytes)?;
        text.push('\n');
    }
    Ok(text)
}

fn slide(
    archive: &mut Archive<'_>,
    name: &str,
    text: &mut String,
    max_bytes: usize,
) -> Result<(), ExtractError> {
    let part = archive.by_name(name).map_err(|_| ExtractError::Pptx)?;
    let mut xml = Reader::from_reader(BufReader::new(part.take(LONGEST_PART)));
    xml.config_mut().check_end_names = false;
    let (mut buffer, mut in_text) = (Vec::new(), false);
    while text.len() <= max_bytes {
        buffer.clear();
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(tag)) if tag.local_name().as_ref() == "t" => in_text = true,
            Ok(Event::End(tag)) => match tag.local_name().as_ref() {
                "t" => in_text = false,
                "p" => text.push('\n'),
                _ => {}
            },
            // The real manager loses `&amp;` and its like in slides: what is found here must be found there.
            Ok(Event::Text(piece)) if in_text => {
                text.push_str(piece.xml10_content().trim());
                text.push(' ');
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => return Err(ExtractError::Pptx),
        }
    }
    Ok(())
}

fn open(data: &[u8]) -> Option<Archive<'_>> {
    ZipArchive::new(Cursor::new(data))
        .inspect_err(|error| tracing::debug!(%error, "an archive cannot be read"))
        .ok()
}

/// `&amp;`, `&#38;` and their like.
fn character(reference: &BytesRef<'_>) -> Option<char> {
    match reference.resolve_char_ref() {
        Ok(Some(c)) => Some(c),
        _ => escape::resolve_xml_entity(reference).and_then(|text| text.chars().next()),
    }
}
