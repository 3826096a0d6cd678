//! Reads the rows of a workbook's sheets up to the row limit.

use std::io::{Cursor, Read, Write};

use calamine::{Data, DataRef, Reader, Xls, Xlsx, XlsxError};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{Refusal, parts::Parts, rows::Rows};

/// Shortest entry in a workbook's list of strings, in bytes.
const SHORTEST_TEXT: usize = b"<si/>".len();
/// Bytes of that list searched for its declared length.
const HEAD: usize = 4 << 10;

pub(super) fn xlsx(data: &[u8], max_rows: usize, parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let mended = without_false_count(data);
    let data = mended.as_deref().unwrap_or(data);
    let mut workbook: Xlsx<_> =
        Xlsx::new(Cursor::new(data)).map_err(|e: XlsxError| e.to_string())?;
    let mut rows = Rows::new(max_rows);
    for name in workbook.sheet_names() {
        parts.part(format!("sheet `{name}`"), |parts| {
            if !rows.title(&name, parts) {
                return Ok(());
            }
            let mut cells = match workbook.worksheet_cells_reader(&name) {
                Ok(cells) => cells,
                // A chart sheet has no cells.
                Err(XlsxError::NotAWorksheet(_)) => return Ok(()),
                Err(error) => return Err(error.to_string()),
            };
            let (mut number, mut row) = (0, Vec::new());
            loop {
                // A truncated sheet is read up to the fault.
                let cell = match cells.next_cell() {
                    Ok(Some(cell)) => cell,
                    Ok(None) => break,
                    Err(error) => {
                        rows.push(row.into_iter(), parts);
                        return Err(error.to_string());
                    }
                };
                if cell.get_position().0 != number {
                    number = cell.get_position().0;
                    if !rows.push(row.drain(..), parts) {
                        return Ok(());
                    }
                }
                match cell.get_value() {
                    DataRef::String(text) => row.push(text.clone()),
                    DataRef::SharedString(text) => row.push((*text).to_owned()),
                    _ => {}
                }
            }
            rows.push(row.into_iter(), parts);
            Ok(())
        });
    }
    rows.finish(max_rows, parts);
    Ok(())
}

pub(super) fn xls(data: &[u8], max_rows: usize, parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let mut workbook: Xls<_> =
        Xls::new(Cursor::new(data)).map_err(|error: calamine::XlsError| error.to_string())?;
    let mut rows = Rows::new(max_rows);
    for name in workbook.sheet_names() {
        parts.part(format!("sheet `{name}`"), |parts| {
            if !rows.title(&name, parts) {
                return Ok(());
            }
            let sheet = workbook.worksheet_range(&name).map_err(|e| e.to_string())?;
            for row in sheet.rows() {
                let texts = row.iter().filter_map(|cell| match cell {
                    Data::String(text) => Some(text),
                    _ => None,
                });
                if !rows.push(texts, parts) {
                    break;
                }
            }
            Ok(())
        });
    }
    rows.finish(max_rows, parts);
    Ok(())
}

/// Removes the declared length of the list of strings when the list cannot be that long. The reader
/// would allocate memory for it.
fn without_false_count(data: &[u8]) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(data)).ok()?;
    let list = (0..archive.len()).find(|index| {
        let name = archive.by_index_raw(*index).ok();
        let name = name.and_then(|part| part.name().ok().map(|name| name.to_ascii_lowercase()));
        name.is_some_and(|name| name.ends_with("sharedstrings.xml"))
    })?;
    let mut xml = Vec::new();
    archive.by_index(list).ok()?.read_to_end(&mut xml).ok()?;
    let head = String::from_utf8_lossy(&xml[..xml.len().min(HEAD)]);
    let start = head.find("uniqueCount")?;
    let value = head[start..].find(['"', '\''])? + start + 1;
    let end = head[value..].find(['"', '\''])? + value;
    let declared: usize = head[value..end].trim().parse().unwrap_or(usize::MAX);
    if declared <= xml.len() / SHORTEST_TEXT {
        return None;
    }
    xml.splice(value..end, *b"0");

    let mut mended = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let part = archive.by_index_raw(index).ok()?;
        if index == list {
            let name = part.name().ok()?.into_owned();
            mended.start_file(name, SimpleFileOptions::default()).ok()?;
            mended.write_all(&xml).ok()?;
        } else {
            mended.raw_copy_file(part).ok()?;
        }
    }
    Some(mended.finish().ok()?.into_inner())
}
