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
    let open = |data: Vec<u8>| Xlsx::new(Cursor::new(data));
    let mended = without_false_count(data);
    let data = mended.as_deref().unwrap_or(data);
    let mut workbook = match open(data.to_vec()) {
        Ok(workbook) => workbook,
        // A fault in the looks of cells, or in a part of their texts, must not cost all of them.
        Err(error) => without_faults(data, parts)
            .and_then(|mended| open(mended).ok())
            .ok_or_else(|| error.to_string())?,
    };
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
    rewritten(&mut archive, |name, _| {
        name.ends_with("sharedstrings.xml")
            .then(|| Some(xml.clone()))
    })
}

/// Leaves out the looks of cells, and ends the list of strings after its last whole entry.
fn without_faults(data: &[u8], parts: &mut Parts<'_>) -> Option<Vec<u8>> {
    const ENTRY: &[u8] = b"</si>";
    let mut archive = ZipArchive::new(Cursor::new(data)).ok()?;
    let mut is_cut = false;
    let mended = rewritten(&mut archive, |name, data| {
        if name.ends_with("styles.xml") {
            return Some(None);
        }
        if !name.ends_with("sharedstrings.xml") {
            return None;
        }
        let mut xml = data();
        if !xml.trim_ascii_end().ends_with(b"sst>") {
            let last = xml.windows(ENTRY.len()).rposition(|at| at == ENTRY);
            xml.truncate(last.map_or(0, |at| at + ENTRY.len()));
            if xml.is_empty() {
                xml.extend(b"<sst>");
            }
            xml.extend(b"</sst>");
            is_cut = true;
        }
        Some(Some(xml))
    })?;
    if is_cut {
        parts.lost("the last texts", "the list of texts is cut off");
    }
    Some(mended)
}

/// Writes an archive again. `change` gets each part's name in lower case and a way to read the part. It returns none to
/// keep the part, or the new part, or nothing to leave it out.
fn rewritten(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    mut change: impl FnMut(&str, &mut dyn FnMut() -> Vec<u8>) -> Option<Option<Vec<u8>>>,
) -> Option<Vec<u8>> {
    let mut written = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let name = archive.by_index_raw(index).ok()?.name().ok()?.into_owned();
        let mut read = || {
            let mut data = Vec::new();
            if let Ok(mut part) = archive.by_index(index) {
                // A part is read up to a fault.
                let _ = part.read_to_end(&mut data);
            }
            data
        };
        match change(&name.to_ascii_lowercase(), &mut read) {
            Some(Some(part)) => {
                written
                    .start_file(name, SimpleFileOptions::default())
                    .ok()?;
                written.write_all(&part).ok()?;
            }
            Some(None) => {}
            None => written
                .raw_copy_file(archive.by_index_raw(index).ok()?)
                .ok()?,
        }
    }
    Some(written.finish().ok()?.into_inner())
}
