//! Tests whole and damaged PDF files.

use std::fmt::Write;

use omni_connector_readers::Format;

use super::{Outcome, outcome};

/// Builds a document with one page for each content.
fn document(pages: &[&str]) -> Vec<u8> {
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        String::new(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let mut kids = String::new();
    for page in pages {
        let number = objects.len() + 1;
        let _ = write!(kids, "{number} 0 R ");
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {} 0 R/Resources<</Font<</F 3 0 R>>>>>>",
            number + 1
        ));
        objects.push(format!(
            "<</Length {}>>stream\n{page}\nendstream",
            page.len()
        ));
    }
    objects[1] = format!("<</Type/Pages/Count {}/Kids[{kids}]>>", pages.len());
    let mut file = "%PDF-1.4\n".to_owned();
    let mut table = String::from("0000000000 65535 f \n");
    for (index, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        let _ = writeln!(file, "{} 0 obj{object} endobj", index + 1);
    }
    let start = file.len();
    let count = objects.len() + 1;
    let _ = write!(
        file,
        "xref\n0 {count}\n{table}trailer<</Size {count}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"
    );
    file.into_bytes()
}

fn words(text: &str) -> String {
    format!("BT /F 12 Tf 72 700 Td ({text}) Tj ET")
}

fn read(data: &[u8]) -> Outcome {
    outcome(Format::Pdf, data)
}

#[test]
fn pages_are_read_in_order() {
    let outcome = read(&document(&[&words("first"), &words("second")]));
    outcome.holds(&["first", "second"]).omni_loses(&[]);
    assert!(outcome.text.find("first") < outcome.text.find("second"));
}

#[test]
fn a_font_that_is_not_embedded_costs_no_page() {
    let japanese = read(include_bytes!(
        "../files/reportlab-not-embedded-japanese.pdf"
    ));
    japanese.holds(&[
        "四半期報告書には仕入先の請求書が含まれています",
        "plainpage",
    ]);
    let chinese = read(include_bytes!(
        "../files/reportlab-not-embedded-chinese.pdf"
    ));
    chinese.holds(&["季度报告包含北方仓库供应商的发票", "plainpage"]);
}

#[test]
fn one_bad_page_costs_at_most_that_page() {
    let broken = [
        "BT /Missing 12 Tf (unknown font) Tj ET",
        "/Cs99 cs 1 2 3 4 5 sc BT /F 12 Tf ((((",
        "/Gone Do /Gone gs BI /W 99999999 /H 99999999 ID",
        "q q q q Q Q Q Q Q Q Q 1 0 0 cm [ << >> ] TJ Tj",
    ];
    for page in broken {
        let outcome = read(&document(&[&words("before"), page, &words("after")]));
        assert_eq!(outcome.failure, None, "{page}");
        assert!(
            outcome.text.contains("before") && outcome.text.contains("after"),
            "{page}: {outcome:?}"
        );
    }
}

#[test]
fn a_scan_gives_the_words_of_its_invisible_text() {
    let scan = read(include_bytes!("../files/scan-with-text.pdf"));
    scan.holds(&[
        "scanword0",
        "scanword1",
        "scanword2",
        "scanword3",
        "scanword4",
        "scanword5",
    ]);
}

#[test]
fn a_document_with_a_bad_end_is_repaired() {
    let whole = document(&[&words("repairword")]);
    let start = whole.windows(9).rposition(|at| at == b"startxref").unwrap();
    let wrong = [&whole[..start], b"startxref\n7\n%%EOF\n"].concat();
    let beyond = [&whole[..start], b"startxref\n99999999\n%%EOF\n"].concat();
    let padded = [&whole[..], &[0; 5000]].concat();
    let appended = [&whole[..], &b"<html>sent by a portal</html>".repeat(200)].concat();
    let prepended = [b"HTTP/1.1 200 OK\r\n\r\n", &whole[..]].concat();
    for (name, file) in [
        ("wrong", &wrong),
        ("beyond", &beyond),
        ("cut", &whole[..start].to_vec()),
        ("padded", &padded),
        ("appended", &appended),
        ("prepended", &prepended),
    ] {
        let outcome = read(file);
        assert!(outcome.text.contains("repairword"), "{name}: {outcome:?}");
    }
}

#[test]
fn a_document_without_a_user_password_is_read() {
    read(include_bytes!("../files/pypdf-aes-256.pdf")).holds(&["repairword", "secondpage"]);
}

#[test]
fn a_file_that_is_not_a_pdf_is_reported_as_such() {
    let failure = read(b"hello").failure.unwrap();
    assert!(failure.contains("%PDF-"), "{failure}");
}
