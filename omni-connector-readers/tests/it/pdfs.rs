//! Tests whole and damaged PDF files.

use std::{fmt::Write as _, io::Write as _};

use flate2::{Compression, write::ZlibEncoder};
use omni_connector_readers::{Format, Frame, Job};

use super::{Outcome, job, outcome, program, text_of};

/// Builds a document with one page for each content.
fn document(pages: &[&str]) -> Vec<u8> {
    document_with(pages, b"<<>>")
}

/// Builds a document whose pages have the same image, `/I`.
fn document_with(pages: &[&str], image: &[u8]) -> Vec<u8> {
    let mut objects = vec![
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        Vec::new(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_vec(),
        image.to_vec(),
    ];
    let mut kids = String::new();
    for page in pages {
        let number = objects.len() + 1;
        let _ = write!(kids, "{number} 0 R ");
        objects.push(
            format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {} 0 R/Resources<</Font<</F 3 0 R>>/XObject<</I 4 0 R>>>>>>",
                number + 1
            )
            .into_bytes(),
        );
        let content = format!("<</Length {}>>stream\n{page}\nendstream", page.len());
        objects.push(content.into_bytes());
    }
    objects[1] = format!("<</Type/Pages/Count {}/Kids[{kids}]>>", pages.len()).into_bytes();
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut table = String::from("0000000000 65535 f \n");
    for (index, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        file.extend(format!("{} 0 obj", index + 1).bytes());
        file.extend(object);
        file.extend(b" endobj\n");
    }
    let start = file.len();
    let count = objects.len() + 1;
    let end = format!(
        "xref\n0 {count}\n{table}trailer<</Size {count}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"
    );
    file.extend(end.bytes());
    file
}

/// Returns a deflated image of `side` times `side` black pixels in colour.
fn image(side: usize) -> Vec<u8> {
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::fast());
    let line = vec![0; 3 * side];
    for _ in 0..side {
        pixels.write_all(&line).unwrap();
    }
    let pixels = pixels.finish().unwrap();
    let head = format!(
        "<</Type/XObject/Subtype/Image/Width {side}/Height {side}/ColorSpace/DeviceRGB/BitsPerComponent 8\
         /Filter/FlateDecode/Length {}>>stream\n",
        pixels.len()
    );
    [head.as_bytes(), &pixels, b"\nendstream"].concat()
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

/// The pixels of one page are more than the program may use in memory.
#[test]
#[cfg(unix)]
fn a_scan_of_any_size_gives_its_words_in_little_memory() {
    const SIDE: usize = 10_000;
    const MEMORY: u64 = 200 << 20;
    assert!(3 * (SIDE * SIDE) as u64 > MEMORY);
    let page = |word: &str| {
        format!("q 595 0 0 842 0 0 cm /I Do Q BT 3 Tr /F 12 Tf 72 700 Td ({word}) Tj ET")
    };
    let scan = document_with(&[&page("firstscan"), &page("secondscan")], &image(SIDE));
    let job = Job {
        max_memory_bytes: MEMORY,
        ..job(Format::Pdf)
    };
    let frames = program(&job, &scan);
    let text = text_of(&frames);
    assert!(
        text.contains("firstscan") && text.contains("secondscan"),
        "{frames:?}"
    );
    assert_eq!(frames.last(), Some(&Frame::Done));
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
fn a_document_with_a_user_password_is_reported_as_such() {
    for file in [
        &include_bytes!("../files/pypdf-user-password-aes-256.pdf")[..],
        include_bytes!("../files/pypdf-user-password-rc4-128.pdf"),
    ] {
        let outcome = read(file);
        assert_eq!(
            outcome.failure.as_deref(),
            Some("it is protected by a password")
        );
        assert_eq!(outcome.text, "");
    }
}

/// The tree of pages says how many there are; some programs write another number.
#[test]
fn a_wrong_count_of_pages_costs_no_page() {
    let whole = document(&[&words("first"), &words("second"), &words("third")]);
    let whole = String::from_utf8(whole).unwrap();
    for count in ["1", "0", "-", "9", "999999999"] {
        let wrong = whole.replace("/Count 3", &format!("/Count {count}"));
        let outcome = read(wrong.as_bytes());
        assert_eq!(outcome.failure, None, "{count}");
        for word in ["first", "second", "third"] {
            assert!(outcome.text.contains(word), "{count}: {outcome:?}");
        }
        assert!(outcome.lost.len() < 10, "{count}");
    }
}

#[test]
fn a_file_that_is_not_a_pdf_is_reported_as_such() {
    let failure = read(b"hello").failure.unwrap();
    assert!(failure.contains("%PDF-"), "{failure}");
}

/// The table says where each object is. Editors that change a file as text do not change it.
#[test]
fn a_table_of_objects_that_is_wrong_or_missing_is_made_anew() {
    let whole = document(&[&words("first"), &words("second")]);
    let whole = String::from_utf8(whole).unwrap();
    let start = whole.rfind("xref\n0").unwrap();
    let (objects, end) = whole.split_at(start);
    let offsets: Vec<&str> = end
        .lines()
        .filter_map(|line| line.strip_suffix(" 00000 n "))
        .collect();
    let mut mixed = end.to_owned();
    for (index, offset) in offsets.iter().enumerate() {
        mixed = mixed.replace(&format!("{offset} 00000 n"), &format!("#{index}# 00000 n"));
    }
    for (index, offset) in offsets.iter().rev().enumerate() {
        mixed = mixed.replace(&format!("#{index}#"), offset);
    }
    let zero = offsets.iter().fold(end.to_owned(), |end, offset| {
        end.replace(offset, "0000000000")
    });
    for (name, end) in [
        ("mixed", mixed),
        ("zero", zero),
        ("missing", String::new()),
        ("without a root", end.replace("/Root", "/Toor")),
        (
            "in a circle",
            end.replace("/Root", &format!("/Prev {start} /Root")),
        ),
    ] {
        let outcome = read(format!("{objects}{end}").as_bytes());
        for word in ["first", "second"] {
            assert!(outcome.text.contains(word), "{name}: {outcome:?}");
        }
    }
}

/// A font may map its bytes to characters, and leave some out.
#[test]
fn a_gap_in_the_table_of_a_font_costs_at_most_its_characters() {
    let table = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName/X def 1 begincodespacerange \
                 <00><ff> endcodespacerange 3 beginbfchar <66><0066> <69><0069> <73><0073> endbfchar endcmap end end";
    let table = format!("<</Length {}>>stream\n{table}\nendstream", table.len());
    let file = document_with(&[&words("first"), &words("second")], table.as_bytes());
    let font = "/BaseFont/Helvetica";
    let file = String::from_utf8(file).unwrap();
    // The objects move by the length of the name, so that the table of objects is wrong as well.
    let file = file.replace(font, &format!("{font}/ToUnicode 4 0 R"));
    let outcome = read(file.as_bytes());
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.lost, []);
    assert!(
        outcome.text.contains("fi") && outcome.text.matches('s').count() >= 2,
        "{outcome:?}"
    );
}

/// Returns a document with another object in the place of the first one with the same number.
fn with_object(file: &[u8], number: usize, object: &str) -> Vec<u8> {
    let start = format!("\n{number} 0 obj");
    let text = file
        .windows(start.len())
        .position(|at| at == start.as_bytes());
    let at = text.unwrap() + start.len();
    let end = file[at..]
        .windows(6)
        .position(|at| at == b"endobj")
        .unwrap();
    let mut file = file.to_vec();
    file.splice(at..at + end, format!(" {object} ").bytes());
    file
}

#[test]
fn a_damaged_tree_of_pages_costs_no_page() {
    let file = document(&[&words("firstpage"), &words("secondpage")]);
    for (number, object) in [
        // The list of pages is an object of its own, goes in a circle, or is gone.
        (4, "[5 0 R 7 0 R]".to_owned()),
        (
            2,
            "<</Type/Pages/Count 3/Kids[5 0 R 2 0 R 7 0 R]>>".to_owned(),
        ),
        (2, "null".to_owned()),
        (1, "<</Type/Catalog/Pages 99 0 R>>".to_owned()),
    ] {
        let file = if number == 4 {
            with_object(&file, 2, "<</Type/Pages/Count 2/Kids 4 0 R>>")
        } else {
            file.clone()
        };
        let read = read(&with_object(&file, number, &object));
        let has = |word| read.text.contains(word);
        assert!(has("firstpage") && has("secondpage"), "{object}: {read:?}");
        assert_eq!(read.lost, [], "{object}");
    }
    // The reader cannot read a page that is written within the list, and says so.
    let page = "<</Type/Page/MediaBox[0 0 595 842]/Contents 6 0 R/Resources<</Font<</F 3 0 R>>>>>>";
    let within = format!("<</Type/Pages/Count 2/Kids[{page} 7 0 R]>>");
    let read = read(&with_object(&file, 2, &within));
    assert!(
        read.text.contains("secondpage") && read.lost.len() == 1,
        "{read:?}"
    );
}

#[test]
fn a_catalog_that_is_not_where_the_file_says_is_searched() {
    let file = String::from_utf8(document(&[&words("firstpage")])).unwrap();
    for root in ["/Root 99 0 R", "/Root 3 0 R", ""] {
        let file = file.replace("/Root 1 0 R", root);
        read(file.as_bytes()).holds(&["firstpage"]);
    }
}
