//! Tests HTML in different encodings.

use encoding_rs::Encoding;
use omni_connector_readers::Format;

use super::outcome;

#[test]
fn a_page_is_decoded_as_it_declares() {
    for (charset, text) in [
        ("iso-8859-1", "Größe straße"),
        ("windows-1251", "Квартальный отчёт"),
        ("shift_jis", "四半期報告書"),
        ("gb2312", "季度报告"),
        ("utf-8", "Größe"),
    ] {
        for tag in [
            format!("<meta charset=\"{charset}\">"),
            format!("<META http-equiv='Content-Type' content='text/html; charset={charset}'>"),
        ] {
            let page = format!("<html><head>{tag}</head><body><p>{text}</p></body></html>");
            let encoding = Encoding::for_label(charset.as_bytes()).unwrap();
            let read = outcome(Format::Html, &encoding.encode(&page).0);
            read.holds(&[text]);
            assert_eq!(read.omni_loses.is_empty(), charset == "utf-8", "{charset}");
        }
    }
}

#[test]
fn a_page_in_utf_16_is_read_with_and_without_a_mark() {
    for mark in ["\u{feff}", ""] {
        let page = format!("{mark}<html><body><p>wideword</p></body></html>");
        let bytes: Vec<u8> = page.encode_utf16().flat_map(u16::to_le_bytes).collect();
        outcome(Format::Html, &bytes).holds(&["wideword"]);
    }
}

#[test]
fn a_page_that_declares_nothing_is_detected() {
    let page =
        "<p>Größere Straßenbauarbeiten verzögern die Übergabe der Schlüssel bis Dienstag.</p>";
    let bytes = encoding_rs::WINDOWS_1252.encode(page).0;
    outcome(Format::Html, &bytes).holds(&["Größere Straßenbauarbeiten"]);
}

#[test]
fn an_endlessly_nested_page_keeps_its_words() {
    let page = format!("{}deep{}", "<b>".repeat(200_000), "</b>".repeat(200_000));
    assert_eq!(outcome(Format::Html, page.as_bytes()).text.trim(), "deep");
}

/// Browsers gave these encodings up, and show nothing of such a page.
#[test]
fn a_page_in_an_encoding_that_nobody_reads_keeps_its_plain_words() {
    for charset in ["iso-2022-kr", "hz-gb-2312", "iso-2022-cn", "x-unheard-of"] {
        let page = format!("<meta charset=\"{charset}\"><p>plainword</p>");
        outcome(Format::Html, page.as_bytes()).holds(&["plainword"]);
    }
}

#[test]
fn a_charset_is_known_by_every_name() {
    for (charset, bytes, text) in [
        ("cp936", &b"\xbc\xbe\xb6\xc8"[..], "季度"),
        ("x-windows-949", b"\xba\xd0\xb1\xe2", "분기"),
        ("cp850", b"Gr\x94\xe1e", "Größe"),
        ("hz-gb-2312", b"~{<>6H~}", "季度"),
        ("iso-2022-kr", b"\x1b$)C\x0e:P1b\x0f", "분기"),
    ] {
        for head in [
            format!("<meta charset=\"{charset}\">"),
            format!("<?xml version=\"1.0\" encoding=\"{charset}\"?>"),
        ] {
            let page = [head.as_bytes(), b"<p>", bytes, b"</p>"].concat();
            outcome(Format::Html, &page).holds(&[text]);
        }
    }
}

#[test]
fn a_charset_in_a_comment_or_a_script_is_not_declared() {
    let latin = encoding_rs::WINDOWS_1252.encode("<p>Größe</p>").0;
    for other in [
        "<!-- <meta charset=windows-1251> -->",
        "<script>var x = '<meta charset=koi8-r>'</script>",
    ] {
        let head = format!("{other}<meta charset=iso-8859-1>");
        outcome(Format::Html, &[head.as_bytes(), &latin].concat()).holds(&["Größe"]);
    }
}

#[test]
fn a_page_in_wide_characters_is_read_in_every_script() {
    let page = "<p>Квартальный отчёт содержит счета поставщиков северного склада</p>";
    for order in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
        let bytes: Vec<u8> = page.encode_utf16().flat_map(order).collect();
        outcome(Format::Html, &bytes).holds(&["Квартальный отчёт"]);
    }
    let quads = format!("\u{feff}{page}");
    let quads: Vec<u8> = quads
        .chars()
        .flat_map(|c| u32::from(c).to_le_bytes())
        .collect();
    outcome(Format::Html, &quads).holds(&["Квартальный отчёт"]);
}

#[test]
fn words_of_elements_side_by_side_stay_apart() {
    let page = "<button>one</button><button>two</button>end<label>three</label><label>four</label>\
                <svg><text>five</text><text>six</text></svg>";
    outcome(Format::Html, page.as_bytes())
        .holds(&["one two", "three four", "five six"])
        .lacks(&["twoend", "endthree"])
        .omni_loses(&["blanks between buttons, labels and the like"]);
    outcome(Format::Html, b"<label>Name:</label> <b>x</b>").omni_loses(&[]);
}

#[test]
fn a_page_that_is_too_deep_keeps_its_words_whole() {
    let page = format!(
        "{}Gr&ouml;&szlig;e <b>bo</b>ld 3 < 4<br>next<!-- hidden --><p title=\"a>b\">last<script>if (a < b) c()</script>end",
        "<div>".repeat(3000)
    );
    let outcome = outcome(Format::Html, page.as_bytes());
    outcome.lacks(&["hidden", "title", "&ouml;"]);
    let words: Vec<_> = outcome.text.split_whitespace().collect();
    assert_eq!(
        words.join(" "),
        "Größe bold 3 < 4 next last if (a < b) c() end"
    );
}
