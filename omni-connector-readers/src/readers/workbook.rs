//! Reads the rows of a workbook's sheets up to the row limit.

use std::{
    borrow::Cow,
    io::{Cursor, Read, Write},
    ops::Range,
};

use calamine::{Cell, Data, DataRef, Reader, Sheets, Xls, XlsError, Xlsb, Xlsx, XlsxError};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{Refusal, office, parts::Parts, records, rows::Rows, sparse};

/// Shortest entry in a workbook's list of strings, in bytes.
const SHORTEST_TEXT: usize = b"<si/>".len();
/// Bytes of a part searched for its declared size.
const HEAD: usize = 4 << 10;

pub(super) fn xlsx(data: &[u8], max_rows: usize, parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let open = |data: Vec<u8>| Xlsx::new(Cursor::new(data));
    let mended = without_false_sizes(data);
    let data = mended.as_deref().unwrap_or(data);
    let mut workbook = match open(data.to_vec()) {
        Ok(workbook) => workbook,
        Err(error) => {
            // Programs name binary workbooks `.xlsx` as well. Omni opens them by their content.
            if let Some(binary) = binary(data) {
                ranges(binary, max_rows, parts);
                return Ok(());
            }
            // A fault in the looks of cells, or in a part of their texts, must not cost all of them.
            without_faults(data, parts)
                .and_then(|mended| open(mended).ok())
                .ok_or_else(|| error.to_string())?
        }
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
            cell_by_cell(|| cells.next_cell(), Fault::of, &mut rows, parts)
        });
    }
    rows.finish(max_rows, parts);
    Ok(())
}

/// Reads a sheet without room for the cells between its cells. Skips a bad cell. Ends at a fault that is `fatal`.
fn cell_by_cell<'a, E: ToString>(
    mut next: impl FnMut() -> Result<Option<Cell<DataRef<'a>>>, E>,
    fault_of: impl Fn(&E) -> Fault,
    rows: &mut Rows,
    parts: &mut Parts<'_>,
) -> Result<(), String> {
    let (mut number, mut row) = (0, Vec::new());
    let (mut bad, mut why) = (0_usize, String::new());
    loop {
        let cell = match next() {
            Ok(Some(cell)) => cell,
            Ok(None) => break,
            Err(error) => match fault_of(&error) {
                Fault::None => continue,
                Fault::Cell => {
                    bad += 1;
                    why = error.to_string();
                    continue;
                }
                Fault::Sheet => {
                    rows.push(row.into_iter(), parts);
                    return Err(error.to_string());
                }
            },
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
    if bad > 0 {
        return Err(format!("{bad} of its cells cannot be read: {why}"));
    }
    Ok(())
}

/// What a fault in a sheet costs.
#[derive(Clone, Copy)]
enum Fault {
    /// No text.
    None,
    Cell,
    /// The rest of the sheet.
    Sheet,
}

impl Fault {
    fn of(error: &XlsxError) -> Self {
        match error {
            // An error of a formula that is newer than the reader.
            XlsxError::CellError(_) => Self::None,
            XlsxError::Xml(_) | XlsxError::XmlEof(_) | XlsxError::Io(_) | XlsxError::Zip(_) => {
                Self::Sheet
            }
            _ => Self::Cell,
        }
    }
}

pub(super) fn xls(data: &[u8], max_rows: usize, parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let mended = records::mended(data);
    let data = mended.as_deref().unwrap_or(data);
    let moved = sparse::moved_together(data);
    if moved.as_ref().is_some_and(|moved| moved.is_cut) {
        parts.lost("cells", "a sheet has more texts than are read");
    }
    let workbook = old(moved.map(|moved| moved.data), data).map_err(|error| error.to_string())?;
    ranges(Sheets::Xls(workbook), max_rows, parts);
    Ok(())
}

/// Opens a workbook of the old format, after its cells were moved together if they were far from each other.
fn old(moved: Option<Vec<u8>>, data: &[u8]) -> Result<Xls<Cursor<Cow<'_, [u8]>>>, XlsError> {
    Xls::new(Cursor::new(moved.map_or(Cow::Borrowed(data), Cow::Owned)))
}

/// Returns whether the data are a workbook of the old format.
pub(super) fn is_xls(data: &[u8]) -> bool {
    let mended = records::mended(data);
    let data = mended.as_deref().unwrap_or(data);
    let moved = sparse::moved_together(data);
    old(moved.map(|moved| moved.data), data)
        .is_ok_and(|workbook| !workbook.sheet_names().is_empty())
}

/// Opens a binary workbook.
fn binary(data: &[u8]) -> Option<Sheets<Cursor<Cow<'_, [u8]>>>> {
    let binary = Xlsb::new(Cursor::new(Cow::Borrowed(data))).ok()?;
    (!binary.sheet_names().is_empty()).then_some(Sheets::Xlsb(binary))
}

/// Reads the rows of a workbook whose sheets are held in memory, unless it is a binary one.
fn ranges(mut workbook: Sheets<Cursor<Cow<'_, [u8]>>>, max_rows: usize, parts: &mut Parts<'_>) {
    let mut rows = Rows::new(max_rows);
    for name in workbook.sheet_names() {
        parts.part(format!("sheet `{name}`"), |parts| {
            if !rows.title(&name, parts) {
                return Ok(());
            }
            if let Sheets::Xlsb(workbook) = &mut workbook {
                let mut cells = workbook
                    .worksheet_cells_reader(&name)
                    .map_err(|error| error.to_string())?;
                return cell_by_cell(|| cells.next_cell(), |_| Fault::Sheet, &mut rows, parts);
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
}

/// Writes parts in UTF-16 as UTF-8, and corrects the sizes that a workbook declares and that cannot be true: the length of its list of strings, for which
/// the reader would allocate memory, and the area of a sheet.
fn without_false_sizes(data: &[u8]) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(data)).ok()?;
    let is_false = (0..archive.len()).any(|index| {
        let Ok(mut part) = archive.by_index(index) else {
            return false;
        };
        let name = part.name().map(|name| name.to_ascii_lowercase());
        let size = usize::try_from(part.size()).unwrap_or(usize::MAX);
        let mut head = Vec::new();
        let read = part.by_ref().take(HEAD as u64).read_to_end(&mut head);
        let is_bad =
            |name: String| office::is_wide(&head) || false_size(&name, &head, size).is_some();
        read.is_ok() && name.is_ok_and(is_bad)
    });
    if !is_false {
        return None;
    }
    rewritten(&mut archive, |name, data| {
        let is_part = [".xml", ".rels"].iter().any(|end| name.ends_with(end));
        if !is_part {
            return None;
        }
        let mut xml = data();
        let is_wide = office::is_wide(&xml);
        if is_wide {
            xml = office::narrow(&xml);
        }
        let head = &xml[..xml.len().min(HEAD)];
        if let Some((value, right)) = false_size(name, head, xml.len()) {
            xml.splice(value, right.bytes());
        } else if !is_wide {
            return None;
        }
        Some(Some(xml))
    })
}

/// Returns whether a part declares a size: the list of strings or a sheet.
fn is_sized(name: &str) -> bool {
    name.strip_suffix(".xml")
        .is_some_and(|name| name.ends_with("sharedstrings") || name.contains("worksheets/"))
}

/// Finds a declared size that cannot be true at the beginning of a part, and a possible one.
fn false_size(name: &str, head: &[u8], length: usize) -> Option<(Range<usize>, &'static str)> {
    if !is_sized(name) {
        return None;
    }
    // The last character may be cut.
    let text = str::from_utf8(head)
        .unwrap_or_else(|error| str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default());
    let value = |after: &str| {
        let start = text.find(after)?;
        let value = text[start..].find(['"', '\''])? + start + 1;
        let end = text[value..].find(['"', '\''])? + value;
        Some(value..end)
    };
    if name.ends_with("sharedstrings.xml") {
        let value = value("uniqueCount")?;
        let declared: usize = text[value.clone()].trim().parse().unwrap_or(usize::MAX);
        return (declared > length / SHORTEST_TEXT).then_some((value, "0"));
    }
    let value = value("dimension ref=")?;
    (!is_area(&text[value.clone()])).then_some((value, "A1"))
}

/// Returns whether a text is a cell such as `B2`, or two cells from the upper left to the lower right.
fn is_area(text: &str) -> bool {
    let cell = |cell: &str| {
        let at = cell.find(|c: char| c.is_ascii_digit())?;
        let (column, row) = cell.split_at(at);
        let is_column = (1..=3).contains(&at) && column.bytes().all(|b| b.is_ascii_uppercase());
        let row: u32 = row
            .parse()
            .ok()
            .filter(|row| (1..=1_048_576).contains(row))?;
        is_column.then(|| ((at, column.to_owned()), row))
    };
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    match (cell(first), cell(last)) {
        (Some(first), Some(last)) => first.0 <= last.0 && first.1 <= last.1,
        _ => false,
    }
}

/// Leaves out the looks of cells, and ends the list of strings after its last whole entry.
fn without_faults(data: &[u8], parts: &mut Parts<'_>) -> Option<Vec<u8>> {
    const ENTRY: &[u8] = b"</si>";
    let mut archive = ZipArchive::new(Cursor::new(data)).ok()?;
    let mut is_cut = false;
    let related = relationships(&mut archive);
    let mut gone = Vec::new();
    let mended = rewritten(&mut archive, |name, data| {
        if name.ends_with("styles.xml") {
            return Some(None);
        }
        if name.ends_with("workbook.xml") {
            let xml = String::from_utf8(data()).unwrap_or_default();
            let xml = with_known_states(office::without_gone(&xml, &related, &mut gone));
            return Some(Some(xml.into_bytes()));
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
    let mended = with_root(mended)?;
    for name in gone {
        parts.lost(format!("sheet `{name}`"), "the file does not hold it");
    }
    if is_cut {
        parts.lost("the last texts", "the list of texts is cut off");
    }
    Some(mended)
}

/// Shows sheets whose visibility is not one that the reader knows.
fn with_known_states(mut xml: String) -> String {
    let mut at = 0;
    while let Some(found) = xml[at..].find(" state=\"") {
        let start = at + found + " state=\"".len();
        let end = xml[start..].find('"').map_or(xml.len(), |end| start + end);
        if !["visible", "hidden", "veryHidden"].contains(&&xml[start..end]) {
            xml.replace_range(start..end, "visible");
        }
        at = start;
    }
    xml
}

/// Adds the list that names the main part, if it is missing.
fn with_root(data: Vec<u8>) -> Option<Vec<u8>> {
    const ROOT: &str = "_rels/.rels";
    const MAIN: &[u8] = br#"<Relationships><Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    let archive = ZipArchive::new(Cursor::new(&*data)).ok()?;
    if archive.index_for_name(ROOT).is_some() {
        return Some(data);
    }
    let mut archive = ZipWriter::new_append(Cursor::new(data)).ok()?;
    archive
        .start_file(ROOT, SimpleFileOptions::default())
        .ok()?;
    archive.write_all(MAIN).ok()?;
    Some(archive.finish().ok()?.into_inner())
}

/// Returns the list of the parts of a workbook.
fn relationships(archive: &mut ZipArchive<Cursor<&[u8]>>) -> String {
    let mut list = String::new();
    for index in 0..archive.len() {
        if let Ok(mut part) = archive.by_index(index)
            && part.name().is_ok_and(|name| {
                let name = name.to_ascii_lowercase();
                name.ends_with("_rels/workbook.xml.rels")
            })
        {
            // A fault leaves the list empty.
            let _ = part.read_to_string(&mut list);
        }
    }
    list
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
