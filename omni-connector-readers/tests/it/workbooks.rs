//! Tests workbooks of both formats, and other files with their extensions.

use std::fmt::Write;

use omni_connector_readers::{Format, Frame, Job};

use super::{archive, job, outcome, outcome_of, program, relationships, text_of};

#[test]
fn old_workbooks_of_every_size_are_read() {
    outcome(Format::Xls, include_bytes!("../files/xlwt-1-rows.xls"))
        .holds(&["Sheet: Rows", "row0label"]);
    outcome(Format::Xls, include_bytes!("../files/xlwt-60-rows.xls"))
        .holds(&["row0label", "row59label"]);
}

/// Returns an old workbook of 60 rows whose cells are at other places. `place` gets the number of a cell with a text.
fn placed(place: impl Fn(usize) -> (u16, u16)) -> Vec<u8> {
    const LABEL: &[u8] = b"\xfd\0\x0a\0";
    const AREA: &[u8] = b"\0\x02\x0e\0";
    let mut data = include_bytes!("../files/xlwt-60-rows.xls").to_vec();
    let (mut at, mut number) = (0, 0);
    while at + 18 < data.len() {
        if data[at..].starts_with(LABEL) {
            let (row, column) = place(number);
            data[at + 4..at + 6].copy_from_slice(&row.to_le_bytes());
            data[at + 6..at + 8].copy_from_slice(&column.to_le_bytes());
            number += 1;
            at += 14;
        } else if data[at..].starts_with(AREA) {
            data[at + 8..at + 12].copy_from_slice(&65_536_u32.to_le_bytes());
            data[at + 14..at + 16].copy_from_slice(&256_u16.to_le_bytes());
            at += 18;
        } else {
            at += 1;
        }
    }
    assert!(number >= 60, "{number} cells");
    data
}

/// The reader of old workbooks makes room for all cells between the first and the last one.
#[test]
#[cfg(unix)]
fn cells_far_from_each_other_cost_neither_memory_nor_the_file() {
    let number = |number: usize| u16::try_from(number).unwrap();
    for (name, data) in [
        (
            "the last cell",
            placed(|n| {
                if n == 59 {
                    (65_535, 255)
                } else {
                    (number(n), 0)
                }
            }),
        ),
        (
            "two corners",
            placed(|n| {
                if n < 30 {
                    (number(n), 255)
                } else {
                    (65_535, number(n))
                }
            }),
        ),
        ("a diagonal", placed(|n| (number(n) * 1_100, number(n) * 4))),
        ("a false area", placed(|n| (number(n), 0))),
    ] {
        let job = Job {
            max_memory_bytes: 200 << 20,
            ..job(Format::Xls)
        };
        let frames = program(&job, &data);
        let text = text_of(&frames);
        assert_eq!(frames.last(), Some(&Frame::Done), "{name}: {frames:?}");
        let lost = frames
            .iter()
            .find(|frame| matches!(frame, Frame::Lost { .. }));
        assert_eq!(lost, None, "{name}");
        assert!(
            text.contains("row0label") && text.contains("row59label"),
            "{name}: {text}"
        );
    }
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
        .omni_loses(&["lines of cells that are called a workbook"]);
    let table = outcome(Format::Xls, xml.as_bytes());
    assert_eq!(table.text, "Sheet: Costs\nxmlcell R&D\n");
    table.omni_loses(&["a workbook in XML"]);
    outcome(
        Format::Xls,
        include_bytes!("../files/xlsxwriter-False.xlsx"),
    )
    .holds(&["plaincell", "richcell tail"])
    .omni_loses(&["comments"]);
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

/// Reporting servers and old versions of Excel write such exports.
#[test]
fn a_web_archive_that_is_called_a_workbook_is_read_as_pages() {
    let archived = "MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\nContent-Type: multipart/related;\r\n\tboundary=\"----=_Next\"\r\n\r\n\
                    ------=_Next\r\nContent-Location: file:///C:/Book1.htm\r\nContent-Transfer-Encoding: quoted-printable\r\n\
                    Content-Type: text/html; charset=\"us-ascii\"\r\n\r\n<html><table><tr><td class=3Dxl65>first=\r\ncell</td></tr></table></html>\r\n\
                    ------=_Next\r\nContent-Location: file:///C:/sheet002.htm\r\nContent-Transfer-Encoding: base64\r\n\
                    Content-Type: text/html\r\n\r\nPHA+c2Vjb25kY2VsbDwvcD4=\r\n------=_Next--\r\n";
    outcome(Format::Xls, archived.as_bytes())
        .holds(&["firstcell", "secondcell"])
        .lacks(&["xl65", "boundary"])
        .omni_loses(&["a web archive that is called a workbook"]);
}

fn with_parts(book: &[u8], parts: &[(&str, &str)]) -> Vec<u8> {
    let mut book = zip::ZipArchive::new(std::io::Cursor::new(book)).unwrap();
    let mut all = Vec::new();
    for index in 0..book.len() {
        let mut part = book.by_index(index).unwrap();
        let mut xml = String::new();
        std::io::Read::read_to_string(&mut part, &mut xml).unwrap();
        let name = part.name().unwrap().into_owned();
        if parts.iter().all(|(other, _)| *other != name) {
            all.push((name, xml));
        }
    }
    let mut all: Vec<_> = all.iter().map(|(name, xml)| (&**name, &**xml)).collect();
    all.extend(parts);
    archive(&all)
}

#[test]
fn comments_drawings_and_charts_of_a_sheet_are_read() {
    let book = workbook("1", &[("One", &inline(1, "cellword"))]);
    let sheet = |kinds: &[(&str, &str, &str)]| relationships(kinds);
    let comments = "<comments><commentList><comment ref=\"A1\"><text><r><t>note</t></r><r><t>word</t></r></text></comment></commentList></comments>";
    let thread = "<ThreadedComments><threadedComment ref=\"A1\"><text>threadword</text></threadedComment></ThreadedComments>";
    let drawing = "<xdr:wsDr><xdr:sp><xdr:txBody><a:p><a:r><a:t>boxword</a:t></a:r></a:p></xdr:txBody></xdr:sp></xdr:wsDr>";
    let chart = "<c:chartSpace><c:title><a:p><a:r><a:t>Chart title</a:t></a:r></a:p></c:title><c:v>123</c:v></c:chartSpace>";
    let rels = "xl/worksheets/_rels/sheet0.xml.rels";
    let with_comments = with_parts(
        &book,
        &[
            (
                rels,
                &sheet(&[
                    ("r1", "comments", "../comments1.xml"),
                    ("r2", "drawing", "../drawings/drawing1.xml"),
                ]),
            ),
            ("xl/comments1.xml", comments),
            ("xl/drawings/drawing1.xml", drawing),
            (
                "xl/drawings/_rels/drawing1.xml.rels",
                &sheet(&[("r1", "chart", "../charts/chart1.xml")]),
            ),
            ("xl/charts/chart1.xml", chart),
        ],
    );
    outcome(Format::Xlsx, &with_comments)
        .holds(&["cellword", "noteword", "boxword", "Chart title"])
        .lacks(&["123"])
        .omni_loses(&["comments", "drawings", "charts"]);
    // Excel writes a conversation twice.
    let threaded = with_parts(
        &book,
        &[
            (
                rels,
                &sheet(&[
                    ("r1", "comments", "../comments1.xml"),
                    ("r2", "threadedComment", "../threads/t1.xml"),
                ]),
            ),
            ("xl/comments1.xml", comments),
            ("xl/threads/t1.xml", thread),
        ],
    );
    outcome(Format::Xlsx, &threaded)
        .holds(&["threadword"])
        .lacks(&["noteword"])
        .omni_loses(&["comments"]);
}

/// What a cell looks like is in parts that its text does not need.
#[test]
fn a_bad_part_beside_the_sheets_costs_no_cell() {
    let book = workbook("1", &[("One", &inline(1, "cellword")), ("Two", SHARED)]);
    for bad in ["<styleSheet><numFmts><<", "", "<html>", "\u{0}"] {
        let damaged = with_parts(
            &book,
            &[
                ("xl/styles.xml", bad),
                ("xl/theme/theme1.xml", bad),
                ("docProps/core.xml", bad),
            ],
        );
        let outcome = outcome(Format::Xlsx, &damaged);
        assert!(outcome.text.contains("cellword"), "{bad}: {outcome:?}");
        assert!(
            outcome.text.contains("wrongcountword"),
            "{bad}: {outcome:?}"
        );
    }
}

#[test]
fn a_list_of_texts_that_is_cut_off_costs_its_end_alone() {
    let rows = format!("{SHARED}{}", inline(2, "inlineword"));
    let book = workbook("2", &[("One", &rows)]);
    let cut = "<sst uniqueCount=\"2\"><si><t>keptword</t></si><si><t>lostwo";
    let damaged = with_parts(&book, &[("xl/sharedStrings.xml", cut)]);
    let outcome = outcome(Format::Xlsx, &damaged);
    for word in ["keptword", "inlineword"] {
        assert!(outcome.text.contains(word), "{outcome:?}");
    }
    assert_eq!(outcome.lost[0].0, "the last texts");
}

/// Spellings of the same workbook by other programs.
#[test]
fn a_workbook_is_read_in_every_spelling_of_its_parts() {
    let book = workbook("1", &[("One", SHARED)]);
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let sheet = |prefix: &str, space: &str| {
        let p = if prefix.is_empty() {
            String::new()
        } else {
            format!("{prefix}:")
        };
        let at = if prefix.is_empty() {
            "xmlns".to_owned()
        } else {
            format!("xmlns:{prefix}")
        };
        format!(
            "<{p}worksheet {at}=\"{space}\"><{p}sheetData><{p}row r=\"1\"><{p}c r=\"A1\" t=\"inlineStr\"><{p}is><{p}r><{p}t>Rich</{p}t></{p}r>\
             <{p}r><{p}t>cell</{p}t></{p}r></{p}is></{p}c><{p}c t=\"str\"><{p}f>A1</{p}f><{p}v>formulaword</{p}v></{p}c></{p}row></{p}sheetData></{p}worksheet>"
        )
    };
    for (prefix, space) in [
        ("", main),
        ("x", main),
        ("", "http://purl.oclc.org/ooxml/spreadsheetml/main"),
    ] {
        let other = with_parts(
            &book,
            &[("xl/worksheets/sheet0.xml", &sheet(prefix, space))],
        );
        outcome(Format::Xlsx, &other).holds(&["Richcell", "formulaword"]);
    }
}

#[test]
fn other_spellings_of_exports_called_xls_are_read() {
    let prefixed = "<?xml version=\"1.0\"?><ss:Workbook xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\"><ss:Worksheet ss:Name=\"S\">\
                    <ss:Table><ss:Row><ss:Cell><ss:Data>xml <![CDATA[R&D]]></ss:Data></ss:Cell></ss:Row></ss:Table></ss:Worksheet></ss:Workbook>";
    let archived = "From: <Saved by Excel>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\n\
                    Content-Type: text/html\r\n\r\n<p>archivedcell</p>\r\n--b--\r\n";
    let late = format!("Report\n{}\nName\tlatecell\n", "x".repeat(5000));
    for (export, word) in [
        (prefixed, "xml R&D"),
        (archived, "archivedcell"),
        ("Name,City\nAda,commacell\n", "commacell"),
        ("Name;City\nAda;semicell\n", "semicell"),
        (
            "ID;PWXL;N;E\nC;Y1;X1;K\"symboliccell\"\nE\n",
            "symboliccell",
        ),
        (&late, "latecell"),
    ] {
        outcome(Format::Xls, export.as_bytes()).holds(&[word]);
    }
    let rtf = outcome(Format::Xls, b"{\\rtf1 a, b; c}");
    assert_eq!(rtf.failure.as_deref(), Some("it is no workbook"));
}

#[test]
fn a_wrong_area_or_visibility_of_a_sheet_costs_no_cell() {
    let book = workbook("1", &[("One", SHARED), ("Two", &inline(1, "secondcell"))]);
    for area in ["", "x", "B2:A1", "A0", "A1:XFD99999999", "1:2"] {
        let sheet = format!(
            "<worksheet><dimension ref=\"{area}\"/><sheetData>{SHARED}</sheetData></worksheet>"
        );
        outcome(
            Format::Xlsx,
            &with_parts(&book, &[("xl/worksheets/sheet0.xml", &sheet)]),
        )
        .holds(&["wrongcountword", "secondcell"]);
    }
    let odd = "<workbook xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>\
               <sheet name=\"One\" sheetId=\"1\" state=\"odd\" r:id=\"r0\"/></sheets></workbook>";
    outcome(
        Format::Xlsx,
        &with_parts(&book, &[("xl/workbook.xml", odd)]),
    )
    .holds(&["wrongcountword"]);
}
