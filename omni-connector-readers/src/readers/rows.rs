//! Rows of those cells that hold a letter, since numbers alone find nothing in Omni either.

use super::parts::Parts;

/// Counts the rows of a whole file, titles included.
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

    /// A sheet's title, which counts as a row.
    pub(super) fn title(&mut self, name: &str, parts: &mut Parts<'_>) -> bool {
        if self.left > 0 && !self.is_empty {
            parts.text("\n");
        }
        self.push([format!("Sheet: {name}")].into_iter(), parts)
    }

    /// A row of cells. Says whether more may follow.
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

    /// Names the rows that were left out, if there were any.
    pub(super) fn finish(&self, max_rows: usize, parts: &mut Parts<'_>) {
        if self.left_out {
            parts.lost(
                "rows",
                format!("Omni keeps the first {max_rows} rows of a file"),
            );
        }
    }
}
