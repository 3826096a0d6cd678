//! Emits the rows of a spreadsheet, cells with a letter only: Omni does not find numbers alone
//! either.

use super::parts::Parts;

/// Counts the rows of a whole file, sheet titles included.
pub(super) struct Rows {
    left: usize,
    is_empty: bool,
    left_out: bool,
}

impl Rows {
    pub(super) fn new(max_rows: usize) -> Self {
        Self {
            left: max_rows,
            is_empty: true,
            left_out: false,
        }
    }

    /// Emits a sheet's title, which counts as a row.
    pub(super) fn title(&mut self, name: &str, parts: &mut Parts<'_>) -> bool {
        if self.left > 0 && !self.is_empty {
            parts.text("\n");
        }
        self.push([format!("Sheet: {name}")].into_iter(), parts)
    }

    /// Emits a row of cells. Returns whether more rows may follow.
    pub(super) fn push<T: AsRef<str>>(
        &mut self,
        cells: impl Iterator<Item = T>,
        parts: &mut Parts<'_>,
    ) -> bool {
        let mut row = String::new();
        for cell in cells {
            let cell = cell.as_ref();
            if cell.contains(char::is_alphabetic) {
                if !row.is_empty() {
                    row.push('\t');
                }
                row.push_str(cell);
            }
            // A repeated cell can put the same text into a row thousands of times.
            if row.len() > parts.room() {
                break;
            }
        }
        if row.is_empty() {
            return true;
        }
        if self.left == 0 {
            self.left_out = true;
            return false;
        }
        row.push('\n');
        parts.text(&row);
        self.left -= 1;
        self.is_empty = false;
        !parts.is_full()
    }

    /// Reports omitted rows.
    pub(super) fn finish(&self, max_rows: usize, parts: &mut Parts<'_>) {
        if self.left_out {
            parts.lost(
                "rows",
                format!("Omni keeps the first {max_rows} rows of a file"),
            );
        }
    }
}
