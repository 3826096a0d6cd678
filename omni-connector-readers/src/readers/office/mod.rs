//! Reads office files: archives of XML parts that relationships connect.

mod beside;
mod document;
mod open;
mod package;
mod sheets;
mod slides;
mod xml;

use package::Package;
pub(super) use sheets::without_gone;
pub(super) use xml::{attribute, characters, is_wide, narrow};

use super::{Refusal, parts::Parts, workbook};
use crate::Format;

/// Reads an office file by the kind of its main part, whatever its declared format.
pub(super) fn read(
    called: Format,
    data: &[u8],
    max_rows: usize,
    parts: &mut Parts<'_>,
) -> Result<(), Refusal> {
    const COMPOUND_FILE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
    if data.is_empty() {
        return Err("the file is empty".to_owned());
    }
    if data.starts_with(COMPOUND_FILE) {
        if called == Format::Xlsx && workbook::is_xls(data) {
            return workbook::xls(data, max_rows, parts);
        }
        return Err("it is protected by a password, or of the format before 2007".to_owned());
    }
    let mut package = Package::open(data)?;
    if called == Format::Xlsx && open::is_spreadsheet(&mut package) {
        return open::read(&mut package, max_rows, parts);
    }
    match package.format().unwrap_or(called) {
        Format::Pptx => slides::read(&mut package, parts),
        Format::Xlsx => sheets::read(&mut package, data, max_rows, parts),
        _ => document::read(&mut package, parts),
    }
}

/// Returns whether the bytes are an office file's archive.
pub(super) fn is_archive(data: &[u8]) -> bool {
    data.starts_with(b"PK\x03\x04")
}
