//! Spreadsheets: rows of those cells that hold a letter, since numbers alone find nothing. Read row by row, as far as the
//! limit of rows.

use std::{io::Cursor, time::Instant};

use calamine::{Data, DataRef, Reader, Xls, Xlsx};

use super::{ExtractError, biff, office};

/// Lines in which only TAB and `|` separate cells.
pub(super) fn csv(text: &str, max_rows: usize) -> String {
    let mut rows = Rows::new(max_rows);
    for line in text.lines() {
        if !rows.push(line.split(['\t', '|'])) {
            break;
        }
    }
    rows.text
}

pub(super) fn xlsx(data: &[u8], max_rows: usize, until: Instant) -> Result<String, ExtractError> {
    if !office::is_bounded(data) {
        return Err(ExtractError::Xlsx);
    }
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(data)).map_err(|error| {
        tracing::debug!(%error, "a workbook cannot be read");
        ExtractError::Xlsx
    })?;
    let mut rows = Rows::new(max_rows);
    for name in workbook.sheet_names() {
        if !rows.title(&name) {
            break;
        }
        let Ok(mut cells) = workbook.worksheet_cells_reader(&name) else {
            continue;
        };
        let (mut number, mut row) = (0, Vec::new());
        // A sheet that breaks off is read up to there.
        while let Ok(Some(cell)) = cells.next_cell() {
            if cell.get_position().0 != number {
                number = cell.get_position().0;
                if !rows.push(row.drain(..)) || Instant::now() > until {
                    return Ok(rows.text);
                }
            }
            match cell.get_value() {
                DataRef::String(text) => row.push(text.clone()),
                DataRef::SharedString(text) => row.push((*text).to_owned()),
                _ => {}
            }
        }
        rows.push(row.into_iter());
    }
    Ok(rows.text)
}

/// A workbook of the old format, or nothing: it never fails.
pub(super) fn xls(data: &[u8], max_rows: usize) -> String {
    let Some(book) = biff::bounded(data) else {
        return String::new();
    };
    let mut workbook: Xls<_> = match Xls::new(Cursor::new(book)) {
        Ok(workbook) => workbook,
        Err(error) => {
            tracing::debug!(%error, "a workbook cannot be read");
            return String::new();
        }
    };
    let mut rows = Rows::new(max_rows);
    for (name, sheet) in workbook.worksheets() {
        if !rows.title(&name) {
            break;
        }
        for row in sheet.rows() {
            let texts = row.iter().filter_map(|cell| match cell {
                Data::String(text) => Some(text),
                _ => None,
            });
            if !rows.push(texts) {
                return rows.text;
            }
        }
    }
    rows.text
}

struct Rows {
    text: String,
    left: usize,
}

impl Rows {
    fn new(max_rows: usize) -> Self {
        Self {
            text: String::new(),
            left: max_rows,
        }
    }

    /// A sheet's title, which counts as a row. Says whether more may follow.
    fn title(&mut self, name: &str) -> bool {
        if self.left > 0 && !self.text.is_empty() {
            self.text.push('\n');
        }
        let title = format!("Sheet: {name}");
        self.push(std::iter::once(title))
    }

    /// A row of cells, of which those without a letter are left out. Says whether more may follow.
    fn push<T: AsRef<str>>(&mut self, cells: impl Iterator<Item = T>) -> bool {
        if self.left == 0 {
            return false;
        }
        let start = self.text.len();
        for cell in cells {
            let cell = cell.as_ref();
            if cell.contains(char::is_alphabetic) {
                if self.text.len() > start {
                    self.text.push('\t');
                }
                self.text.push_str(cell);
            }
        }
        if self.text.len() > start {
            self.text.push('\n');
            self.left -= 1;
        }
        self.left > 0
    }
}
