//! Reads CSV. Only TAB and `|` separate cells.

use super::{parts::Parts, rows::Rows, text};

pub(super) fn read(data: &[u8], max_rows: usize, parts: &mut Parts<'_>) {
    let text = text::decode(data, None, parts);
    lines(&text, max_rows, parts);
}

pub(super) fn lines(text: &str, max_rows: usize, parts: &mut Parts<'_>) {
    let mut rows = Rows::new(max_rows);
    for line in text.lines() {
        if !rows.push(line.split(['\t', '|']), parts) {
            break;
        }
    }
    rows.finish(max_rows, parts);
}
