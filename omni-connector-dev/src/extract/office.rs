//! Word documents and presentations: archives of XML, read as a stream.

use std::{
    borrow::Cow,
    fmt::Write,
    io::{self, BufRead, BufReader, Cursor, Read},
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
            Err(_) if xml.buffer_position() >= LONGEST_PART => break,
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
            Err(_) if xml.buffer_position() >= LONGEST_PART => break,
            Err(_) => return Err(ExtractError::Pptx),
        }
    }
    Ok(())
}

/// Whether the parts that a reader takes into memory are of a size for it. What an archive says of itself is not believed,
/// and neither is what its list of texts says of its length, which a reader would make room for.
pub(super) fn is_bounded(data: &[u8]) -> bool {
    let Some(mut archive) = open(data) else {
        return false;
    };
    let mut left = LONGEST_PART;
    (0..archive.len()).all(|index| {
        let Ok(part) = archive.by_index(index) else {
            return true;
        };
        let name = part.name().map(Cow::into_owned).unwrap_or_default();
        if name.starts_with("xl/media/") {
            return true;
        }
        let mut part = BufReader::new(part.take(left + 1));
        let is_list = name.to_ascii_lowercase().ends_with("sharedstrings.xml");
        let declared = if is_list { texts(&mut part) } else { 0 };
        let _ = io::copy(&mut part, &mut io::sink());
        let read = left + 1 - part.into_inner().limit();
        let is_believable = declared <= read / SHORTEST_TEXT;
        is_believable && left.checked_sub(read).map(|rest| left = rest).is_some()
    })
}

/// Bytes that a text of a workbook's list takes at least.
const SHORTEST_TEXT: u64 = b"<si/>".len() as u64;

/// How many texts a workbook's list says it holds.
fn texts(list: impl BufRead) -> u64 {
    let mut xml = Reader::from_reader(list);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(tag)) if tag.local_name().as_ref() == "sst" => {
                let mut attributes = tag.attributes();
                let counts = attributes.with_checks(false).flatten();
                let counts = counts.filter(|attribute| attribute.key.as_ref() == "uniqueCount");
                let counts = counts.filter_map(|count| count.value.parse().ok());
                return counts.max().unwrap_or(0);
            }
            Ok(Event::Eof) | Err(_) => return 0,
            Ok(_) => {}
        }
    }
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn archive(name: &str, data: &[u8]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(data).unwrap();
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn a_document_is_read_as_far_as_its_part_may_be_long() {
        let blanks = " ".repeat(2 << 20);
        let xml = format!("<w:t>early</w:t>{blanks}<w:t>late</w:t>");
        let document = archive("word/document.xml", xml.as_bytes());
        assert_eq!(docx(&document, 1 << 20).unwrap(), "early");
    }

    #[test]
    fn a_workbook_whose_parts_inflate_without_end_is_not_bounded() {
        let flood = vec![b'a'; 2 << 20];
        assert!(!is_bounded(&archive("xl/sharedStrings.xml", &flood)));
        assert!(is_bounded(&archive("xl/media/image1.png", &flood)));
        assert!(is_bounded(&archive(
            "xl/sharedStrings.xml",
            &flood[..1 << 20]
        )));
    }

    #[test]
    fn a_workbook_that_says_it_holds_more_texts_than_it_can_is_not_bounded() {
        let list = |count: &str| {
            let xml = format!(
                "<?xml version=\"1.0\"?><x:sst x:y=\"\" uniqueCount=\"{count}\"><si/><si/></x:sst>"
            );
            is_bounded(&archive("xl/sharedStrings.xml", xml.as_bytes()))
        };
        assert!(list("2"));
        assert!(list("some"));
        assert!(!list("16000000"));
    }

    #[test]
    fn a_text_longer_than_is_kept_is_not_read_to_its_end() {
        let xml = "<w:p><w:t>0123456789</w:t></w:p>".repeat(100);
        let document = archive("word/document.xml", xml.as_bytes());
        assert_eq!(docx(&document, 50).unwrap().len(), 54);
    }
}
