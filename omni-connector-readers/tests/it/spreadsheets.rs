//! Spreadsheets of `OpenDocument`, binary workbooks, and workbooks under the name of another format.

use std::io::{Cursor, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

use super::{Format, Frame, Job, archive, job, outcome, outcome_of};
#[cfg(unix)]
use super::{program, text_of};

const NAMESPACES: &str = "xmlns:o=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
                          xmlns:t=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
                          xmlns:x=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"";

fn open_with(manifest: &str, sheets: &str) -> Vec<u8> {
    let content = format!(
        "<o:document-content {NAMESPACES}><o:body><o:spreadsheet>{sheets}</o:spreadsheet></o:body></o:document-content>"
    );
    archive(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        (
            "META-INF/manifest.xml",
            &format!(
                "<m:manifest xmlns:m=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\">{manifest}</m:manifest>"
            ),
        ),
        ("content.xml", &content),
    ])
}

fn open(sheets: &str) -> Vec<u8> {
    open_with("", sheets)
}

fn sheet(name: &str, rows: &str) -> String {
    format!("<t:table t:name=\"{name}\">{rows}</t:table>")
}

fn cell(text: &str) -> String {
    format!("<t:table-cell o:value-type=\"string\"><x:p>{text}</x:p></t:table-cell>")
}

fn row(repeated: usize, cells: &str) -> String {
    format!("<t:table-row t:number-rows-repeated=\"{repeated}\">{cells}</t:table-row>")
}

/// An entry may stand for a million cells, with a text or without.
#[test]
#[cfg(unix)]
fn cells_far_from_each_other_cost_neither_memory_nor_the_file() {
    let gap = "<t:table-cell t:number-columns-repeated=\"16383\"/>";
    let (first, last) = (cell("firstcell"), cell("lastcell"));
    let wide = format!("{first}{gap}{}", cell("edgecell"));
    let styled = "<t:table-cell t:style-name=\"ce1\" t:number-columns-repeated=\"16384\"/>";
    let number = "<t:table-cell o:value-type=\"float\" o:value=\"0\" t:number-columns-repeated=\"16384\"><x:p>0</x:p></t:table-cell>";
    let repeated = "<t:table-cell o:value-type=\"string\" t:number-columns-repeated=\"16384\"><x:p>again</x:p></t:table-cell>";
    let diagonal: String = (0..600)
        .map(|n| {
            let gap = format!(
                "<t:table-cell t:number-columns-repeated=\"{}\"/>",
                n * 27 + 1
            );
            row(1, &format!("{gap}{first}")) + &row(1_700, styled)
        })
        .collect();
    let all = [
        (
            "two corners",
            row(1, &first) + &row(1_048_574, "<t:table-cell/>") + &row(1, &format!("{gap}{last}")),
        ),
        (
            "a wide row and the last row",
            row(1, &wide) + &row(1_048_574, styled) + &row(1, &last),
        ),
        ("a diagonal", diagonal + &row(1, &last)),
        (
            "numbers everywhere",
            row(1, &first) + &row(1_048_574, number) + &row(1, &last),
        ),
        (
            "more rows and columns than there are",
            row(1, &first)
                + &row(usize::MAX, &styled.replace("16384", "99999999999"))
                + &row(1, &last),
        ),
        (
            "texts in every column",
            row(1, &first) + &row(3, repeated) + &row(1, &last),
        ),
    ];
    for (name, rows) in all {
        let job = Job {
            max_memory_bytes: 200 << 20,
            ..job(Format::Xlsx)
        };
        let frames = program(
            &job,
            &open(&(sheet("One", &rows) + &sheet("Two", &row(1, &cell("nextsheet"))))),
        );
        let text = text_of(&frames);
        assert_eq!(frames.last(), Some(&Frame::Done), "{name}: {frames:?}");
        assert!(
            !frames
                .iter()
                .any(|frame| matches!(frame, Frame::Lost { .. })),
            "{name}"
        );
        for word in ["firstcell", "lastcell", "nextsheet"] {
            assert!(text.contains(word), "{name}: {word}");
        }
    }
}

#[test]
fn a_text_in_every_cell_is_cut_at_the_limits() {
    let long = format!(
        "<t:table-cell o:value-type=\"string\" t:number-columns-repeated=\"16384\"><x:p>{}</x:p></t:table-cell>",
        "long ".repeat(20_000)
    );
    let job = Job {
        max_text_bytes: 300_000,
        ..job(Format::Xlsx)
    };
    let cut = outcome_of(&job, &open(&sheet("One", &row(1_048_576, &long))));
    assert_eq!((cut.failure, cut.text.len()), (None, 300_001));
    let many = outcome(
        Format::Xlsx,
        &open(&sheet("One", &row(1_048_576, &cell("again")))),
    );
    assert_eq!(many.text.matches("again").count(), 999);
    assert_eq!(many.lost[0].0, "rows");
}

#[test]
fn a_spreadsheet_is_read_in_every_spelling() {
    let rows = [
        // With line breaks between the tags, as other programs write it.
        "\n  <t:table-column t:number-columns-repeated=\"3\"/>\n  <t:table-header-rows>\n    <t:table-row>\n      ",
        &cell("header"),
        "\n    </t:table-row>\n  </t:table-header-rows>\n<t:table-row-group><t:table-row>",
        &cell("R&amp;D <x:span>spanned</x:span><x:s x:c=\"2\"/>words<x:line-break/>below"),
        "<t:table-cell o:value-type=\"string\" o:string-value=\"attributed\"/>",
        "<t:table-cell o:value-type=\"string\"><o:annotation><x:p>remark</x:p></o:annotation><x:p>noted</x:p><x:p>twice</x:p></t:table-cell>",
        "<t:covered-table-cell><x:p>covered</x:p></t:covered-table-cell>",
        "<t:table-cell o:value-type=\"date\" o:date-value=\"2026-03-01\"><x:p>March</x:p></t:table-cell>",
        "</t:table-row></t:table-row-group><t:table-row t:number-rows-repeated=\"x\">",
        &cell("oddcount"),
        "</t:table-row>",
    ]
    .concat();
    let changes = format!(
        "<t:tracked-changes><t:cell-content-change><t:previous>{}</t:previous></t:cell-content-change></t:tracked-changes>",
        cell("formerly")
    );
    let read = outcome(
        Format::Xlsx,
        &open(
            &(changes
                + &sheet("One", &rows)
                + "<t:table t:name=\"Empty\"/>"
                + &sheet("Two &amp; more", &row(1, &cell("second")))),
        ),
    );
    read.holds(&[
        "Sheet: One\nheader\nR&D spanned  words\nbelow\tattributed\tnoted\ntwice\tcovered\noddcount\n",
        "Sheet: Two & more\nsecond",
    ])
    .lacks(&["formerly", "remark", "March"]);
}

#[test]
fn a_spreadsheet_with_a_password_is_reported_as_such() {
    let encrypted = open_with(
        "<m:file-entry m:full-path=\"content.xml\"><m:encryption-data/></m:file-entry>",
        "",
    );
    let failed = outcome(Format::Xlsx, &encrypted);
    assert_eq!(
        failed.failure.as_deref(),
        Some("it is protected by a password")
    );
}

/// A file that breaks off is read up to the fault.
#[test]
fn a_spreadsheet_that_breaks_off_is_read_up_to_the_fault() {
    let broken = outcome(
        Format::Xlsx,
        &open(
            &(sheet("One", &row(1, &cell("whole")))
                + "<t:table t:name=\"Two\"><t:table-row>"
                + &cell("kept")
                + "</t:table-row><t:table-row><!--"),
        ),
    );
    assert!(
        broken.text.contains("whole") && broken.text.contains("kept"),
        "{}",
        broken.text
    );
    assert_eq!(broken.lost[0].0, "sheet `Two`");
}

/// Omni opens a workbook by its content.
#[test]
fn a_workbook_under_the_name_of_another_format_is_read() {
    outcome(Format::Xlsx, include_bytes!("../files/xlwt-60-rows.xls"))
        .holds(&["Sheet: Rows", "row59label"]);
    let open = open(&sheet(
        "One",
        "<t:table-row><t:table-cell o:value-type=\"string\"><x:p>opencell</x:p></t:table-cell></t:table-row>",
    ));
    for format in [Format::Xls, Format::Xlsx] {
        outcome(format, &open).holds(&["Sheet: One", "opencell"]);
    }
}

/// Returns a record of a binary workbook (MS-XLSB 2.1.4).
fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut record = Vec::new();
    let [low, high] = [kind & 0x7f, kind >> 7].map(|part| u8::try_from(part).unwrap());
    if kind < 0x80 {
        record.push(low);
    } else {
        record.extend([low | 0x80, high]);
    }
    let mut length = data.len();
    loop {
        let part = u8::try_from(length & 0x7f).unwrap();
        length >>= 7;
        record.push(if length > 0 { part | 0x80 } else { part });
        if length == 0 {
            break;
        }
    }
    record.extend(data);
    record
}

fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut wide = u32::try_from(units.len()).unwrap().to_le_bytes().to_vec();
    wide.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    wide
}

/// Returns a binary workbook with one sheet of cells: row, column and text.
fn binary(relationships: &str, cells: &[(u32, u32, &str)]) -> Vec<u8> {
    const SHEET: u16 = 0x9c;
    let sheet = [&[0; 4], &1_u32.to_le_bytes()[..], &wide("r1"), &wide("Far")].concat();
    let workbook = [
        record(0x83, &[]),
        record(0x8f, &[]),
        record(SHEET, &sheet),
        record(0x90, &[]),
        record(0x84, &[]),
    ];
    let last = [1_048_575_u32, 16_383];
    let area = [0, last[0], 0, last[1]].map(u32::to_le_bytes).concat();
    let mut data = [record(0x81, &[]), record(0x94, &area), record(0x91, &[])].concat();
    for (row, column, text) in cells {
        data.extend(record(0, &[&row.to_le_bytes()[..], &[0; 13]].concat()));
        let cell = [&column.to_le_bytes()[..], &[0; 4], &wide(text)].concat();
        data.extend(record(6, &cell));
    }
    data.extend(record(0x92, &[]));
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, part) in [
        ("xl/_rels/workbook.bin.rels", relationships.as_bytes()),
        ("xl/workbook.bin", &workbook.concat()),
        ("xl/worksheets/sheet1.bin", &data),
    ] {
        archive
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(part).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

const RELATED: &str =
    "<Relationships><Relationship Id=\"r1\" Target=\"worksheets/sheet1.bin\"/></Relationships>";

/// The first and the last cell of a sheet are seventeen thousand million cells apart.
#[test]
#[cfg(unix)]
fn cells_of_a_binary_workbook_may_be_far_from_each_other() {
    let book = binary(
        RELATED,
        &[
            (0, 0, "firstcell"),
            (0, 16_383, "edgecell"),
            (1_048_575, 0, "below"),
            (1_048_575, 16_383, "lastcell"),
        ],
    );
    for format in [Format::Xlsx, Format::Xls] {
        let job = Job {
            max_memory_bytes: 200 << 20,
            ..job(format)
        };
        let frames = program(&job, &book);
        assert_eq!(frames.last(), Some(&Frame::Done), "{frames:?}");
        let text = text_of(&frames);
        assert_eq!(text, "Sheet: Far\nfirstcell\tedgecell\nbelow\tlastcell\n");
    }
}

#[test]
fn a_damaged_binary_workbook_is_a_failure_with_a_reason() {
    let failed = outcome(Format::Xlsx, &binary("<Relationships/>", &[(0, 0, "cell")]));
    assert!(failed.failure.is_some(), "{failed:?}");
}
