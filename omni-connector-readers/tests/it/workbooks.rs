//! Tests workbooks of both formats, and other files with their extensions.

use std::fmt::Write;

use omni_connector_readers::{Format, Job};

use super::{archive, job, outcome, outcome_of, relationships};

#[test]
fn old_workbooks_of_every_size_are_read() {
    outcome(Format::Xls, include_bytes!("../files/xlwt-1-rows.xls"))
        .holds(&["Sheet: Rows", "row0label"]);
    outcome(Format::Xls, include_bytes!("../files/xlwt-60-rows.xls"))
        .holds(&["row0label", "row59label"]);
}

#[test]
fn files_exported_as_xls_are_read_in_their_real_format() {
    let html = b"<html><body><table><tr><td>htmlcell</td></tr></table></body></html>";
    let tabs = b"Name\tCity\nAda\ttabcell\n";
    let xml = "\u{feff}<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" \
               xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\"><Worksheet ss:Name=\"Costs\"><Table><Row>\
               <Cell><Data ss:Type=\"String\">xmlcell R&amp;D</Data></Cell><Cell><Data ss:Type=\"Number\">7</Data></Cell>\
               </Row></Table></Worksheet></Workbook>";
    outcome(Format::Xls, html)
        .holds(&["htmlcell"])
        .omni_loses(&["a page that is called a workbook"]);
    outcome(Format::Xls, tabs)
        .holds(&["tabcell"])
        .omni_loses(&["lines with tabs that are called a workbook"]);
    let table = outcome(Format::Xls, xml.as_bytes());
    assert_eq!(table.text, "Sheet: Costs\nxmlcell R&D\n");
    table.omni_loses(&["a workbook in XML"]);
    outcome(
        Format::Xls,
        include_bytes!("../files/xlsxwriter-False.xlsx"),
    )
    .holds(&["plaincell", "richcell tail"])
    .omni_loses(&[]);
    let none = outcome(Format::Xls, b"hello");
    assert_eq!(none.failure.as_deref(), Some("it is no workbook"));
    assert_eq!(none.text, "");
}

fn workbook(count: &str, sheets: &[(&str, &str)]) -> Vec<u8> {
    let mut list = String::new();
    let mut related = vec![(
        "s".to_owned(),
        "sharedStrings".to_owned(),
        "sharedStrings.xml".to_owned(),
    )];
    for (index, (name, _)) in sheets.iter().enumerate() {
        let _ = write!(
            list,
            "<sheet name=\"{name}\" sheetId=\"{}\" r:id=\"r{index}\"/>",
            index + 1
        );
        related.push((
            format!("r{index}"),
            "worksheet".to_owned(),
            format!("worksheets/sheet{index}.xml"),
        ));
    }
    let book = format!(
        "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
         xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>{list}</sheets></workbook>"
    );
    let related: Vec<_> = related
        .iter()
        .map(|(id, kind, target)| (&**id, &**kind, &**target))
        .collect();
    let related = relationships(&related).replace(
        "http://x/",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships/",
    );
    let texts = format!("<sst uniqueCount=\"{count}\"><si><t>wrongcountword</t></si></sst>");
    let main = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument";
    let main = format!(
        "<Relationships><Relationship Id=\"m\" Type=\"{main}\" Target=\"xl/workbook.xml\"/></Relationships>"
    );
    let mut parts = vec![
        ("_rels/.rels".to_owned(), main),
        ("xl/workbook.xml".to_owned(), book),
        ("xl/_rels/workbook.xml.rels".to_owned(), related),
        ("xl/sharedStrings.xml".to_owned(), texts),
    ];
    for (index, (_, rows)) in sheets.iter().enumerate() {
        let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
        parts.push((format!("xl/worksheets/sheet{index}.xml"), sheet));
    }
    let parts: Vec<_> = parts.iter().map(|(name, xml)| (&**name, &**xml)).collect();
    archive(&parts)
}

const SHARED: &str = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row>";

fn inline(row: usize, text: &str) -> String {
    format!("<row r=\"{row}\"><c r=\"A{row}\" t=\"inlineStr\"><is><t>{text}</t></is></c></row>")
}

#[test]
fn a_wrong_count_of_texts_costs_nothing() {
    for count in ["1", "5000", "4000000000", "99999999999999999999", "some"] {
        let outcome = outcome(Format::Xlsx, &workbook(count, &[("One", SHARED)]));
        assert_eq!(
            outcome.text, "Sheet: One\nwrongcountword\n",
            "{count}: {outcome:?}"
        );
    }
}

#[test]
fn one_bad_sheet_loses_only_that_sheet() {
    let fine = inline(1, "finecell");
    let bad =
        inline(1, "kept") + "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>x</t></is></c><<";
    let book = workbook("1", &[("Bad", &bad), ("Fine", &fine)]);
    let outcome = outcome(Format::Xlsx, &book);
    assert!(
        outcome.text.contains("kept") && outcome.text.contains("finecell"),
        "{outcome:?}"
    );
    assert_eq!(outcome.lost.len(), 1, "{outcome:?}");
    assert_eq!(outcome.lost[0].0, "sheet `Bad`");
}

#[test]
fn rows_beyond_the_limit_are_named() {
    let rows: String = (1..=5)
        .map(|row| inline(row, &format!("row{row}")))
        .collect();
    let book = workbook("1", &[("One", &rows)]);
    let read = |max_rows| {
        let job = Job {
            max_rows,
            ..job(Format::Xlsx)
        };
        outcome_of(&job, &book)
    };
    let cut = read(3);
    assert_eq!(cut.text, "Sheet: One\nrow1\nrow2\n");
    assert_eq!(cut.lost[0].0, "rows");
    read(6).holds(&["row5"]);
}

#[test]
fn cells_without_a_letter_are_left_out_as_in_omni() {
    let rows = "<row r=\"1\"><c r=\"A1\"><v>1002003</v></c></row>".to_owned()
        + &inline(2, "1002003")
        + &inline(3, "word");
    let outcome = outcome(Format::Xlsx, &workbook("1", &[("One", &rows)]));
    assert_eq!(outcome.text, "Sheet: One\nword\n");
}
