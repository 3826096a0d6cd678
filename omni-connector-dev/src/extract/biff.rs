//! Workbooks of the old format before they are read: their reader makes room for whatever rectangle a file declares, and a
//! few bytes can declare more than there is memory.

use std::{
    io::{Cursor, Read, Write},
    iter,
    ops::RangeInclusive,
};

use cfb::CompoundFile;

/// Cells that one workbook may make room for, some 32 bytes each.
const MOST_CELLS: u64 = 4 << 20;

const END: u16 = 0x000A;
const BEGINNING: u16 = 0x0809;
const SHEET: u16 = 0x0085;
const DIMENSIONS: u16 = 0x0200;
/// Several numbers in a row; the last of its columns stands at its end.
const NUMBERS: u16 = 0x00BD;
/// The other records that are a cell, beginning with its row and column.
const CELLS: [u16; 8] = [
    0x0006, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x0207, 0x027E,
];

/// The workbook in a file of its own, so that nothing but what was looked at is read; none when it would take too much room.
pub(super) fn bounded(data: &[u8]) -> Option<Vec<u8>> {
    let mut file = CompoundFile::open(Cursor::new(data)).ok()?;
    let name = ["/Workbook", "/Book"]
        .into_iter()
        .find(|name| file.is_stream(name))?;
    let mut book = Vec::new();
    file.open_stream(name).ok()?.read_to_end(&mut book).ok()?;
    if !is_bounded(&book) {
        tracing::debug!("a workbook takes too much room");
        return None;
    }
    let mut alone = CompoundFile::create(Cursor::new(Vec::new())).ok()?;
    alone.create_stream(name).ok()?.write_all(&book).ok()?;
    alone.flush().ok()?;
    Some(alone.into_inner().into_inner())
}

fn is_bounded(book: &[u8]) -> bool {
    let sheets = records(book)
        .take_while(|(kind, _)| *kind != END)
        .filter(|(kind, _)| *kind == SHEET);
    let mut left = MOST_CELLS;
    // A sheet that is said to begin where there is nothing takes no room.
    let mut starts =
        sheets.filter_map(|(_, data)| book.get(usize::try_from(long(data, 0)?).ok()?..));
    starts.all(|sheet| {
        left.checked_sub(room(sheet))
            .map(|rest| left = rest)
            .is_some()
    })
}

/// Cells that there must be room for: those declared, and the rectangle around those that are there, as values and formulas.
fn room(sheet: &[u8]) -> u64 {
    let (mut declared, mut count, mut depth) = (0_u64, 0_u64, 0_usize);
    let (mut rows, mut columns) = (Span::default(), Span::default());
    for (kind, data) in records(sheet) {
        match kind {
            BEGINNING => depth += 1,
            END if depth <= 1 => break,
            END => depth -= 1,
            // The cells of a chart within it are not read.
            _ if depth > 1 => {}
            DIMENSIONS => declared = declared.saturating_add(rectangle(data)),
            _ if kind == NUMBERS || CELLS.contains(&kind) => {
                let last = data.len().saturating_sub(2);
                let end = if kind == NUMBERS { last } else { 2 };
                rows.take(short(data, 0));
                columns.take(short(data, 2));
                columns.take(short(data, end));
                count += data.len() as u64 / 6;
            }
            _ => {}
        }
    }
    let around = rows.length() * columns.length();
    declared.saturating_add(count).saturating_add(2 * around)
}

/// The rectangle of a record of dimensions, whose numbers are longer in newer files.
fn rectangle(data: &[u8]) -> u64 {
    let (rows, columns) = if data.len() == 10 {
        (short(data, 0)..=short(data, 2), 4)
    } else {
        (long(data, 0)..=long(data, 4), 8)
    };
    let columns = short(data, columns)..=short(data, columns + 2);
    // What ends before it begins is more than there is.
    let length = |range: RangeInclusive<Option<u32>>| match range.into_inner() {
        (Some(start), Some(end)) => (u64::from(end) + 1).checked_sub(start.into()),
        _ => Some(0),
    };
    // A first column that cannot be one counts as none.
    let columns = match columns.into_inner() {
        (Some(start), end) if start > 0xFF || end < Some(start) => Some(0)..=end,
        (start, end) => start..=end,
    };
    match (length(rows), length(columns)) {
        (Some(rows), Some(columns)) => rows.saturating_mul(columns),
        _ => u64::MAX,
    }
}

/// Kinds and contents, as far as they are whole.
fn records(stream: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = stream;
    iter::from_fn(move || {
        let (kind, length) = (short(rest, 0)?, short(rest, 2)?);
        let (data, after) = rest[4..].split_at_checked(length as usize)?;
        rest = after;
        Some((u16::try_from(kind).ok()?, data))
    })
}

fn short(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes).into())
}

fn long(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

/// From the first to the last.
#[derive(Default)]
struct Span(Option<(u32, u32)>);

impl Span {
    fn take(&mut self, number: Option<u32>) {
        if let Some(number) = number {
            let (first, last) = self.0.unwrap_or((number, number));
            self.0 = Some((first.min(number), last.max(number)));
        }
    }

    fn length(&self) -> u64 {
        self.0
            .map_or(0, |(first, last)| u64::from(last - first) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::sheet;

    fn record(kind: u16, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len()).unwrap();
        [&kind.to_le_bytes()[..], &length.to_le_bytes(), data].concat()
    }

    fn book(sheet: &[Vec<u8>]) -> Vec<u8> {
        let entry = [&26_u32.to_le_bytes()[..], &[0, 0, 1, 0, b'S']].concat();
        let head = [
            record(BEGINNING, &[0, 6, 5, 0]),
            record(SHEET, &entry),
            record(END, &[]),
        ];
        let mut book = head.concat();
        book.resize(26, 0);
        book.extend(record(BEGINNING, &[0, 6, 16, 0]));
        book.extend(sheet.concat());
        book.extend(record(END, &[]));
        book
    }

    fn number(row: u16, column: u16) -> Vec<u8> {
        let data = [row.to_le_bytes(), column.to_le_bytes()].concat();
        record(0x0203, &[data, vec![0; 10]].concat())
    }

    fn dimensions(rows: (u32, u32), columns: (u16, u16)) -> Vec<u8> {
        let rows = [rows.0.to_le_bytes(), rows.1.to_le_bytes()].concat();
        let columns = [columns.0.to_le_bytes(), columns.1.to_le_bytes()].concat();
        record(DIMENSIONS, &[rows, columns, vec![0; 2]].concat())
    }

    #[test]
    fn a_workbook_may_take_as_much_room_as_it_fills() {
        for (sheet, expected) in [
            (vec![], true),
            (vec![dimensions((0, 65_536), (0, 40)), number(0, 0)], true),
            (vec![number(0, 0), number(1000, 255)], true),
            (vec![number(0, 0), number(65_535, 255)], false),
            (vec![dimensions((0, u32::MAX), (0, 65_535))], false),
            (vec![dimensions((9, 1), (0, 1))], false),
            // What belongs to a chart is not read.
            (
                vec![
                    record(BEGINNING, &[0, 6, 32, 0]),
                    number(0, 0),
                    number(65_535, 255),
                    record(END, &[]),
                    number(0, 0),
                ],
                true,
            ),
            (
                vec![
                    record(BEGINNING, &[0, 6, 32, 0]),
                    record(END, &[]),
                    number(0, 0),
                    number(65_535, 255),
                ],
                false,
            ),
        ] {
            assert_eq!(is_bounded(&book(&sheet)), expected, "{sheet:?}");
        }
    }

    fn file(book: &[u8]) -> Vec<u8> {
        let mut file = CompoundFile::create(Cursor::new(Vec::new())).unwrap();
        let mut stream = file.create_stream("/Workbook").unwrap();
        stream.write_all(book).unwrap();
        drop(stream);
        file.flush().unwrap();
        file.into_inner().into_inner()
    }

    fn label(row: u16, text: &str) -> Vec<u8> {
        let head = [row, 0, 0, u16::try_from(text.len()).unwrap()];
        let head: Vec<u8> = head.into_iter().flat_map(u16::to_le_bytes).collect();
        record(0x0204, &[&head, &[0][..], text.as_bytes()].concat())
    }

    #[test]
    fn a_workbook_is_read_unless_it_takes_too_much_room() {
        let read = |sheet: &[Vec<u8>]| sheet::xls(&file(&book(sheet)), 10);
        assert_eq!(read(&[label(0, "words")]), "Sheet: S\nwords\n");
        assert_eq!(read(&[label(0, "words"), number(65_535, 65_535)]), "");
    }
}
