//! Repairs records of an old workbook that its reader cannot read: names of code pages, and texts of formulas that go on in
//! a second record. It must not change the place of any other record.

use std::ops::Range;

use encoding_rs::{Encoding, WINDOWS_1252};

use super::{compound, dos};

const BEGIN: u16 = 0x0809;
const CODE_PAGE: u16 = 0x0042;
const SHEET: u16 = 0x0085;
const LABELS: [u16; 2] = [0x0204, 0x00d6];
/// The text of a formula.
const RESULT: u16 = 0x0207;
const CONTINUE: u16 = 0x003c;
/// A cell without a value.
const BLANK: u16 = 0x0201;
/// The first version whose texts are in Unicode.
const UNICODE: u16 = 0x0600;

/// Returns the workbook with the repaired records, or none if none needs it.
pub(super) fn mended(data: &[u8]) -> Option<Vec<u8>> {
    let pieces = compound::stream(data, &["Workbook", "Book"])?;
    let mut stream: Vec<u8> = Vec::new();
    for piece in &pieces {
        stream.extend_from_slice(&data[piece.clone()]);
    }
    let pages = code_page(&mut stream);
    let texts = joined_texts(&mut stream);
    let mut data = (pages || texts).then(|| data.to_vec())?;
    let mut at = 0;
    for piece in pieces {
        let end = at + piece.len();
        data[piece].copy_from_slice(&stream[at..end]);
        at = end;
    }
    Some(data)
}

fn read(stream: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(stream.get(at..at + 2)?.try_into().ok()?))
}

fn write(stream: &mut [u8], at: usize, value: u16) {
    stream[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

/// Returns the kind of the record at a place, and where its data are.
fn record(stream: &[u8], at: usize) -> Option<(u16, Range<usize>)> {
    let (kind, length) = (read(stream, at)?, usize::from(read(stream, at + 2)?));
    let data = at + 4..at + 4 + length;
    (data.end <= stream.len()).then_some((kind, data))
}

/// Names a code page that the reader knows, and writes the texts again that are in a page of DOS. Returns whether it did.
fn code_page(stream: &mut [u8]) -> bool {
    let (mut version, mut upper, mut at, mut is_changed) = (0, None, 0, false);
    while let Some((kind, data)) = record(stream, at) {
        at = data.end;
        match kind {
            BEGIN if version == 0 => version = read(stream, data.start).unwrap_or(UNICODE),
            CODE_PAGE if data.len() >= 2 => {
                let number = read(stream, data.start).unwrap_or_default();
                let page = dos::page(&format!("cp{number}"));
                let known = match number {
                    0x8000 | 0x8001 if version >= UNICODE => 1200,
                    _ if page.is_some() && version >= UNICODE => 1200,
                    0x8000 => 10000,
                    0x8001 => 1252,
                    _ if page.is_some() => 1252,
                    _ => continue,
                };
                is_changed = true;
                write(stream, data.start, known);
                upper = page.filter(|_| version < UNICODE);
            }
            _ => {}
        }
        let Some((_, upper)) = upper else {
            continue;
        };
        let text = match kind {
            _ if LABELS.contains(&kind) => {
                let length = read(stream, data.start + 6).unwrap_or_default();
                data.start + 8..data.start + 8 + usize::from(length)
            }
            RESULT => data.start + 2..data.end,
            SHEET => data.start + 7..data.end,
            _ => continue,
        };
        let text = text.start.min(data.end)..text.end.min(data.end);
        for byte in &mut stream[text] {
            if let Some(index) = byte.checked_sub(128) {
                *byte = windows(upper.chars().nth(usize::from(index)));
            }
        }
    }
    is_changed
}

/// Returns the byte of a character in the code page of Windows.
fn windows(c: Option<char>) -> u8 {
    let page: &Encoding = WINDOWS_1252;
    let text = c.unwrap_or('?').to_string();
    let (bytes, _, has_no_byte) = page.encode(&text);
    match *bytes {
        [byte] if !has_no_byte => byte,
        _ => b'?',
    }
}

/// Joins the text of a formula with the records in which it goes on. Returns whether it did.
fn joined_texts(stream: &mut [u8]) -> bool {
    let (mut at, mut is_changed) = (0, false);
    while let Some((kind, data)) = record(stream, at) {
        at = data.end;
        if kind != RESULT || data.len() < 3 {
            continue;
        }
        let is_wide = stream[data.start + 2] & 1;
        let mut text_end = data.end;
        while let Some((CONTINUE, more)) = record(stream, at)
            && !more.is_empty()
            && stream[more.start] & 1 == is_wide
            && u16::try_from(text_end - data.start + more.len()).is_ok()
        {
            stream.copy_within(more.start + 1..more.end, text_end);
            text_end += more.len() - 1;
            at = more.end;
        }
        // The rest, five bytes of each record, becomes a record without meaning.
        let rest = at.saturating_sub(text_end + 4);
        if let (1.., Ok(text), Ok(rest)) = (
            rest,
            u16::try_from(text_end - data.start),
            u16::try_from(rest),
        ) {
            write(stream, data.start - 2, text);
            write(stream, text_end, BLANK);
            write(stream, text_end + 2, rest);
            is_changed = true;
        }
    }
    is_changed
}
