//! Reads files named `.xls`: workbooks of the old format, and other formats that programs export
//! under that name because Excel opens them.

use quick_xml::{Reader, events::Event};

use super::{Refusal, csv, html, mail, office, parts::Parts, rows::Rows, text, workbook};
use crate::Format;

pub(super) fn read(data: &[u8], max_rows: usize, parts: &mut Parts<'_>) -> Result<(), Refusal> {
    const COMPOUND_FILE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
    /// First record of a workbook outside a compound file, by version.
    const BARE: [&[u8]; 3] = [b"\x09\x08", b"\x09\x04", b"\x09\x02"];
    if data.starts_with(COMPOUND_FILE) || BARE.iter().any(|start| data.starts_with(start)) {
        return workbook::xls(data, max_rows, parts);
    }
    if office::is_archive(data) {
        return office::read(Format::Xlsx, data, max_rows, parts);
    }
    let beginning = text::peek(data, 4096);
    let beginning = beginning.trim_start().to_ascii_lowercase();
    if beginning.contains("urn:schemas-microsoft-com:office:spreadsheet")
        && (beginning.contains("<workbook") || beginning.contains(":workbook"))
    {
        parts.omni_loses("a workbook in XML");
        table(&text::decode(data, None, parts), max_rows, parts);
        return Ok(());
    }
    if beginning.starts_with('<') {
        parts.omni_loses("a page that is called a workbook");
        html::read(data, parts);
        return Ok(());
    }
    if beginning
        .lines()
        .any(|line| line.starts_with("mime-version:"))
    {
        parts.omni_loses("a web archive that is called a workbook");
        return mail::pages(data, parts);
    }
    let is_text = !beginning.contains(|c: char| c.is_control() && !c.is_whitespace());
    let has_cells = || text::detected(data).contains(['\t', ',', ';']);
    if is_text && !beginning.starts_with("{\\rtf") && has_cells() {
        parts.omni_loses("lines of cells that are called a workbook");
        csv::read(data, max_rows, parts);
        return Ok(());
    }
    Err("it is no workbook".to_owned())
}

/// Reads a workbook in the XML format of 2003: `Data` elements (cells) in `Row` elements of
/// `Worksheet` elements.
fn table(xml: &str, max_rows: usize, parts: &mut Parts<'_>) {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    let mut rows = Rows::new(max_rows);
    let (mut row, mut is_in_cell) = (Vec::<String>::new(), false);
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => match tag.local_name().as_ref() {
                "Worksheet" => {
                    let name = office::attribute(&tag, "Name").unwrap_or_default();
                    rows.title(&name, parts);
                }
                "Data" => {
                    is_in_cell = true;
                    row.push(String::new());
                }
                _ => {}
            },
            Ok(Event::End(tag)) => match tag.local_name().as_ref() {
                "Data" => is_in_cell = false,
                "Row" if !rows.push(row.drain(..), parts) => break,
                _ => {}
            },
            Ok(Event::Eof) => break,
            Ok(other) if is_in_cell => {
                if let (Some(cell), Some(text)) = (row.last_mut(), office::characters(&other)) {
                    cell.push_str(&text);
                }
            }
            Ok(_) => {}
            Err(error) => {
                parts.lost("the rest of the workbook", error.to_string());
                break;
            }
        }
    }
    rows.finish(max_rows, parts);
}
