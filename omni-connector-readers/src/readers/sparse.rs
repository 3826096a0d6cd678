//! Moves the cells of a sheet together before the reader of old workbooks sees them: it makes room for all cells between
//! the first and the last one. It must not change the texts of a row or their order.

use std::collections::BTreeMap;

use super::compound;

/// The most cells for which the reader may make room in one sheet.
const MOST: usize = 1 << 20;

/// Kinds of records.
const BEGIN: [u16; 4] = [0x0809, 0x0409, 0x0209, 0x0009];
const END: u16 = 0x000a;
const AREA: u16 = 0x0200;
const LABELS: [u16; 3] = [0x0204, 0x00d6, 0x00fd];
const NUMBERS: [u16; 4] = [0x0203, 0x0205, 0x027e, 0x00bd];
const FORMULA: u16 = 0x0006;
/// The text of the formula before it.
const RESULT: u16 = 0x0207;
/// A cell without a value.
const BLANK: u16 = 0x0201;

/// A workbook whose cells were moved.
pub(super) struct Moved {
    pub(super) data: Vec<u8>,
    /// Whether cells were left out, since even their texts alone are too many.
    pub(super) is_cut: bool,
}

/// Moves the cells of each sheet that spans too many of them. Returns none when no sheet does.
pub(super) fn moved_together(data: &[u8]) -> Option<Moved> {
    let pieces = compound::stream(data, &["Workbook", "Book"])?;
    let mut stream: Vec<u8> = Vec::new();
    for piece in &pieces {
        stream.extend_from_slice(&data[piece.clone()]);
    }
    let (mut is_moved, mut is_cut) = (false, false);
    for sheet in sheets(&stream) {
        if sheet.is_wide() {
            is_moved = true;
            is_cut |= sheet.move_together(&mut stream);
        }
    }
    let mut data = is_moved.then(|| data.to_vec())?;
    let mut at = 0;
    for piece in pieces {
        let end = at + piece.len();
        data[piece].copy_from_slice(&stream[at..end]);
        at = end;
    }
    Some(Moved { data, is_cut })
}

/// A cell that may have a text.
#[derive(Clone, Copy)]
struct Cell {
    row: u16,
    column: u16,
    /// Where its record begins.
    at: usize,
    /// Where the record of its text begins, if it has one of its own.
    result: Option<usize>,
}

#[derive(Default)]
struct Sheet {
    cells: Vec<Cell>,
    /// The records of cells without a text, and of the declared area.
    others: Vec<usize>,
    declared: usize,
    rows: Option<(u16, u16)>,
    columns: Option<(u16, u16)>,
}

fn read(stream: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(stream.get(at..at + 2)?.try_into().ok()?))
}

fn write(stream: &mut [u8], at: usize, value: u16) {
    if let Some(place) = stream.get_mut(at..at + 2) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}

fn sheets(stream: &[u8]) -> Vec<Sheet> {
    let (mut sheets, mut sheet, mut at, mut depth) = (Vec::new(), Sheet::default(), 0, 0_usize);
    while let (Some(kind), Some(length)) = (read(stream, at), read(stream, at + 2)) {
        let data = at + 4;
        let end = data + usize::from(length);
        if end > stream.len() {
            break;
        }
        if BEGIN.contains(&kind) {
            depth += 1;
        } else if kind == END {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                sheets.push(std::mem::take(&mut sheet));
            }
        } else if depth == 1 {
            sheet.add(kind, at, &stream[data..end]);
        }
        at = end;
    }
    // The last one may be cut.
    sheets.push(sheet);
    sheets
}

fn widen(span: &mut Option<(u16, u16)>, value: u16) {
    let (first, last) = span.unwrap_or((value, value));
    *span = Some((first.min(value), last.max(value)));
}

fn length(span: Option<(u16, u16)>) -> usize {
    span.map_or(0, |(first, last)| usize::from(last - first) + 1)
}

impl Sheet {
    fn add(&mut self, kind: u16, at: usize, data: &[u8]) {
        if kind == AREA {
            let wide = |at| data.get(at..at + 4).and_then(|b| b.try_into().ok());
            let wide = |at| wide(at).map_or(0, |bytes| u32::from_le_bytes(bytes) as usize);
            let (rows, columns) = if data.len() < 14 {
                (read(data, 2).map_or(0, usize::from), read(data, 6))
            } else {
                (wide(4).max(wide(0)), read(data, 10))
            };
            let columns = columns.map_or(0, usize::from);
            self.declared = self.declared.max(rows.saturating_mul(columns.max(1)));
            self.others.push(at);
            return;
        }
        if kind == RESULT {
            if let Some(cell) = self.cells.last_mut() {
                cell.result = Some(at);
            }
            return;
        }
        let (is_label, is_number) = (LABELS.contains(&kind), NUMBERS.contains(&kind));
        let (Some(row), Some(column)) = (read(data, 0), read(data, 2)) else {
            return;
        };
        if !(is_label || is_number || kind == FORMULA) {
            return;
        }
        widen(&mut self.rows, row);
        widen(&mut self.columns, column);
        if is_number {
            self.others.push(at);
        } else {
            self.cells.push(Cell {
                row,
                column,
                at,
                result: None,
            });
        }
    }

    fn is_wide(&self) -> bool {
        self.declared > MOST || length(self.rows) * length(self.columns) > MOST
    }

    /// Gives the cells the first rows and columns, in their order. Returns whether some are left out.
    fn move_together(mut self, stream: &mut [u8]) -> bool {
        for at in &self.others {
            write(stream, *at, BLANK);
        }
        self.cells.sort_by_key(|cell| (cell.row, cell.column));
        let mut rows: BTreeMap<u16, Vec<u16>> = BTreeMap::new();
        for cell in &self.cells {
            let columns = rows.entry(cell.row).or_default();
            if columns.last() != Some(&cell.column) {
                columns.push(cell.column);
            }
        }
        let widest = rows.values().map(Vec::len).max().unwrap_or(1);
        let most = MOST / widest;
        let (mut is_cut, mut row, mut column) = (false, (0, None), (0, None));
        for cell in self.cells {
            if row.1.is_some_and(|before| before != cell.row) {
                row.0 += 1;
                column = (0, None);
            }
            if column.1.is_some_and(|before| before != cell.column) {
                column.0 += 1;
            }
            (row.1, column.1) = (Some(cell.row), Some(cell.column));
            if usize::from(row.0) >= most {
                is_cut = true;
                for at in std::iter::once(cell.at).chain(cell.result) {
                    write(stream, at, BLANK);
                }
                continue;
            }
            write(stream, cell.at + 4, row.0);
            write(stream, cell.at + 6, column.0);
        }
        is_cut
    }
}
