//! Tests workbooks with bad cells, missing parts, odd code pages and texts in several records.

use omni_connector_readers::Format;

use super::{Outcome, archive, compound::compound, outcome, relationships};

/// A workbook of one sheet with two shared texts.
fn workbook(rows: &str) -> Vec<u8> {
    workbook_with("", rows, |part| part.as_bytes().to_vec())
}

fn workbook_with(sheets: &str, rows: &str, write: impl Fn(&str) -> Vec<u8>) -> Vec<u8> {
    use std::io::{Cursor, Write};
    use zip::{ZipWriter, write::SimpleFileOptions};

    let main = format!(
        r#"<?xml version="1.0" encoding="UTF-16"?><workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="r1"/>{sheets}</sheets></workbook>"#
    );
    let related = relationships(&[
        ("r1", "worksheet", "worksheets/sheet1.xml"),
        ("r2", "sharedStrings", "sharedStrings.xml"),
    ]);
    let related = related.replace(
        "http://x",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    );
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, part) in [
        ("xl/workbook.xml", &*main),
        ("xl/_rels/workbook.xml.rels", &related),
        (
            "xl/sharedStrings.xml",
            "<sst><si><t>first</t></si><si><t>second</t></si></sst>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            &format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"),
        ),
    ] {
        archive
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(&write(part)).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_bad_cell_costs_itself() {
    for (cell, why) in [
        (r#"<c r="A1" t="s"><v>99</v></c>"#, "1 of its cells"),
        (r#"<c r="A1" t="new"><v>x</v></c>"#, "1 of its cells"),
        (r#"<c r="?" t="s"><v>0</v></c>"#, "1 of its cells"),
    ] {
        let rows = format!(
            r#"<row r="1">{cell}<c r="C1" t="s"><v>0</v></c></row><row r="2"><c r="A2" t="s"><v>1</v></c></row>"#
        );
        let outcome = outcome(Format::Xlsx, &workbook(&rows));
        assert_eq!(
            outcome.text, "Sheet: S\nfirst\nsecond\n",
            "{cell}: {outcome:?}"
        );
        assert_eq!(outcome.lost.len(), 1, "{cell}: {outcome:?}");
        let (what, reason) = &outcome.lost[0];
        assert!(
            what == "sheet `S`" && reason.starts_with(why),
            "{outcome:?}"
        );
    }
    // The error of a formula has no text to lose, however new it is.
    let rows = r#"<row r="1"><c r="A1" t="e"><v>#SPILL!</v></c><c r="B1" t="e"><v>#N/A</v></c><c r="C1" t="s"><v>1</v></c></row>"#;
    outcome(Format::Xlsx, &workbook(rows)).holds(&["Sheet: S\nsecond\n"]);
}

#[test]
fn a_sheet_that_the_file_does_not_hold_costs_no_other() {
    let rows = r#"<row r="1"><c r="A1" t="s"><v>0</v></c></row>"#;
    let gone = r#"<sheet name="Gone" sheetId="2" r:id="r9"/>"#;
    let book = workbook_with(gone, rows, |part| part.as_bytes().to_vec());
    let outcome = outcome(Format::Xlsx, &book);
    assert_eq!(outcome.text, "Sheet: S\nfirst\n", "{outcome:?}");
    assert_eq!(outcome.lost[0].0, "sheet `Gone`");
}

#[test]
fn a_workbook_in_utf_16_is_read() {
    let rows = r#"<row r="1"><c r="A1" t="s"><v>1</v></c></row>"#;
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        for mark in ["\u{feff}", ""] {
            let wide = |part: &str| {
                format!("{mark}{part}")
                    .encode_utf16()
                    .flat_map(order)
                    .collect()
            };
            outcome(Format::Xlsx, &workbook_with("", rows, wide)).holds(&["second"]);
        }
    }
}

/// Excel repeats conversations as comments, beside the comments of their own.
#[test]
fn a_comment_beside_a_conversation_is_read() {
    let comment = |author: usize, text: &str| {
        format!("<comment authorId=\"{author}\"><text><r><t>{text}</t></r></text></comment>")
    };
    let comments = format!(
        "<comments><authors><author>tc={{1}}</author><author>Ada</author></authors><commentList>{}{}</commentList></comments>",
        comment(0, "repeatedword"),
        comment(1, "ownword"),
    );
    let talk = "<ThreadedComments><threadedComment><text>talkword</text></threadedComment></ThreadedComments>";
    let related = relationships(&[
        ("r1", "comments", "../comments1.xml"),
        (
            "r2",
            "threadedComment",
            "../threadedComments/threadedComment1.xml",
        ),
    ]);
    let sheet = "<worksheet><sheetData/></worksheet>";
    let main = r#"<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>"#;
    let book = archive(&[
        ("xl/workbook.xml", main),
        (
            "xl/_rels/workbook.xml.rels",
            &relationships(&[("r1", "worksheet", "worksheets/sheet1.xml")]).replace(
                "http://x",
                "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
            ),
        ),
        ("xl/worksheets/sheet1.xml", sheet),
        ("xl/worksheets/_rels/sheet1.xml.rels", &related),
        ("xl/comments1.xml", &comments),
        ("xl/threadedComments/threadedComment1.xml", talk),
    ]);
    outcome(Format::Xlsx, &book)
        .holds(&["ownword", "talkword"])
        .lacks(&["repeatedword"]);
}

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    [&kind.to_le_bytes()[..], &length.to_le_bytes(), data].concat()
}

/// An old workbook in a compound file: its version, its code page, the name of its sheet and the cells.
fn old(version: u16, page: u16, name: &[u8], cells: &[u8]) -> Outcome {
    let begin = |kind: u16| {
        let start = [version.to_le_bytes(), kind.to_le_bytes()].concat();
        record(0x0809, &[&start[..], &[0; 12]].concat())
    };
    let globals = |place: u32| {
        let length = u8::try_from(name.len()).unwrap();
        let mut sheet = [&place.to_le_bytes()[..], &[0, 0, length]].concat();
        // Whether the name is in Unicode.
        sheet.extend((version == 0x0600).then_some(0));
        sheet.extend(name);
        [
            begin(5),
            record(0x42, &page.to_le_bytes()),
            record(0x85, &sheet),
            record(0xa, &[]),
        ]
        .concat()
    };
    let place = u32::try_from(globals(0).len()).unwrap();
    let stream = [
        globals(place),
        begin(0x10),
        cells.to_vec(),
        record(0xa, &[]),
    ]
    .concat();
    let book = if version == 0x0600 {
        "Workbook"
    } else {
        "Book"
    };
    let file = compound(&[(book, stream)]);
    outcome(Format::Xls, &file)
}

#[test]
fn an_old_workbook_in_a_code_page_of_dos_or_of_a_macintosh_is_read() {
    let label = |text: &[u8]| {
        let length = u16::try_from(text.len()).unwrap().to_le_bytes();
        record(0x0204, &[&[0; 6][..], &length, text].concat())
    };
    for (page, text) in [
        (437, &b"Gr\x94\xe1e"[..]),
        (850, b"Gr\x94\xe1e"),
        (1252, b"Gr\xf6\xdfe"),
        (10000, b"Gr\x9a\xa7e"),
        (0x8000, b"Gr\x9a\xa7e"),
        (0x8001, b"Gr\xf6\xdfe"),
    ] {
        let outcome = old(0x0500, page, text, &label(text));
        assert_eq!(outcome.text, "Sheet: Größe\nGröße\n", "{page}: {outcome:?}");
    }
    // What is in Unicode needs no code page.
    let unicode = record(0x0204, b"\0\0\0\0\0\0\x05\0\0plain");
    old(0x0600, 850, b"S", &unicode).holds(&["plain"]);
}

#[test]
fn the_text_of_a_formula_may_go_on_in_further_records() {
    let formula = record(
        0x06,
        &[&[0; 6][..], &[0, 0, 0, 0, 0, 0, 0xff, 0xff], &[0; 8]].concat(),
    );
    let next = record(0x0204, b"\x01\0\0\0\0\0\x04\0\0next");
    for (pieces, text) in [
        (&["\0first", "\0second", "\0third"][..], "firstsecondthird"),
        (&["\0whole"], "whole"),
        (&["\u{1}w\0i\0", "\u{1}d\0e\0"], "wide"),
    ] {
        let length = u16::try_from(text.len()).unwrap().to_le_bytes();
        let mut cells = formula.clone();
        cells.extend(record(
            0x0207,
            &[&length[..], pieces[0].as_bytes()].concat(),
        ));
        for piece in &pieces[1..] {
            cells.extend(record(0x3c, piece.as_bytes()));
        }
        cells.extend(&next);
        let outcome = old(0x0600, 1200, b"S", &cells);
        assert_eq!(
            outcome.text,
            format!("Sheet: S\n{text}\nnext\n"),
            "{outcome:?}"
        );
    }
}
