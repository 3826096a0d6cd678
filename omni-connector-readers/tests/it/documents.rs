//! Tests Word documents and presentations.

use omni_connector_readers::Format;

use super::{archive, outcome, relationships};

fn document(body: &str) -> Vec<u8> {
    let xml = format!("<w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>");
    archive(&[("word/document.xml", &xml)])
}

fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

#[test]
fn the_main_part_is_found_under_any_name() {
    let xml = format!("<w:document>{}</w:document>", paragraph("tamarind"));
    for name in [
        "word/document2.xml",
        "word/Document.xml",
        "word\\document.xml",
        "other/main.xml",
    ] {
        let target = name.replace('\\', "/");
        let list = relationships(&[("r1", "officeDocument", &target)]);
        let file = archive(&[("_rels/.rels", &list), (name, &xml)]);
        outcome(Format::Docx, &file).holds(&["tamarind"]);
    }
    // Without relationships the default name is found, ignoring case.
    outcome(Format::Docx, &archive(&[("Word/Document.XML", &xml)])).holds(&["tamarind"]);
}

#[test]
fn a_document_in_utf_16_is_read() {
    let xml: Vec<u8> = format!("\u{feff}<w:document>{}</w:document>", paragraph("Größe"))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    // Bytes that are not UTF-8 are stored unchanged in the archive.
    let mut file = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    file.start_file("word/document.xml", options).unwrap();
    std::io::Write::write_all(&mut file, &xml).unwrap();
    let file = file.finish().unwrap().into_inner();
    outcome(Format::Docx, &file).holds(&["Größe"]);
}

#[test]
fn text_that_was_moved_appears_at_its_new_place_alone() {
    let moved = "<w:r><w:t>movedclause</w:t></w:r>";
    let body = format!(
        "<w:p><w:moveFrom w:id=\"1\">{moved}</w:moveFrom></w:p>{}<w:p><w:moveTo w:id=\"2\">{moved}</w:moveTo></w:p>\
         <w:p><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del></w:p>",
        paragraph("between")
    );
    let outcome = outcome(Format::Docx, &document(&body));
    outcome.holds(&["between\nmovedclause"]).lacks(&["deleted"]);
    assert_eq!(outcome.text.matches("movedclause").count(), 1);
}

#[test]
fn hyphens_that_do_not_break_and_character_data_are_text() {
    let body = "<w:p><w:r><w:t>INV</w:t><w:noBreakHyphen/><w:t>2041</w:t></w:r></w:p>\
                <w:p><w:r><w:t><![CDATA[a<b]]> R&amp;D &#8364;</w:t></w:r></w:p>";
    outcome(Format::Docx, &document(body)).holds(&["INV-2041\n", "a<b R&D €"]);
}

#[test]
fn tabs_cells_and_alternatives_of_a_document_are_read_once() {
    let cell = |text: &str| format!("<w:tc>{}</w:tc>", paragraph(text));
    let body = [
        "<w:p><w:pPr><w:tabs><w:tab w:val=\"left\" w:pos=\"720\"/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t></w:r></w:p>"
            .to_owned(),
        format!("<w:tbl><w:tr>{}{}</w:tr></w:tbl>", cell("Name"), cell("Amount")),
        "<w:p><mc:Choice><w:r><w:t>once</w:t></w:r></mc:Choice><mc:Fallback><w:r><w:t>twice</w:t></w:r></mc:Fallback></w:p>"
            .to_owned(),
    ];
    let outcome = outcome(Format::Docx, &document(&body.concat()));
    assert_eq!(outcome.text, "a\tb\nName \tAmount \n\nonce\n");
}

#[test]
fn texts_outside_the_body_are_read_and_reported_as_lost_in_omni() {
    let related = relationships(&[
        ("r1", "header", "header1.xml"),
        ("r2", "footnotes", "/word/footnotes.xml"),
        ("r3", "comments", "comments.xml"),
        ("r4", "header", "gone.xml"),
    ]);
    let body = format!("<w:document>{}</w:document>", paragraph("body"));
    let file = archive(&[
        ("word/document.xml", &body),
        ("word/_rels/document.xml.rels", &related),
        ("word/header1.xml", &paragraph("headerword")),
        ("word/footnotes.xml", &paragraph("noteword")),
        ("word/comments.xml", &paragraph("commentword")),
    ]);
    let outcome = outcome(Format::Docx, &file);
    for word in ["body", "headerword", "noteword", "commentword"] {
        assert!(outcome.text.contains(word), "{word}");
    }
    outcome.omni_loses(&["headers", "footnotes", "comments"]);
    assert_eq!(
        outcome.lost,
        [("headers".to_owned(), "it is missing".to_owned())]
    );
}

#[test]
fn a_truncated_document_is_read_up_to_its_end() {
    let file = archive(&[(
        "word/document.xml",
        &format!("{}<w:p><<", paragraph("kept")),
    )]);
    let outcome = outcome(Format::Docx, &file);
    assert_eq!(outcome.text.trim(), "kept");
    assert_eq!(outcome.lost[0].0, "body");
}

#[test]
fn a_file_with_a_password_is_reported_as_such() {
    let file = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and the rest";
    let failure = outcome(Format::Docx, file).failure.unwrap();
    assert!(failure.contains("password"), "{failure}");
}

fn deck() -> Vec<u8> {
    let slide = |runs: &str| format!("<p:sld><a:p>{runs}</a:p></p:sld>");
    let run = |text: &str| format!("<a:r><a:t>{text}</a:t></a:r>");
    let presentation = "<p:presentation><p:sldIdLst><p:sldId id=\"256\" r:id=\"rId7\"/><p:sldId id=\"257\" r:id=\"rId3\"/>\
                        </p:sldIdLst></p:presentation>";
    archive(&[
        (
            "_rels/.rels",
            &relationships(&[("a", "officeDocument", "ppt/presentation.xml")]),
        ),
        ("ppt/presentation.xml", presentation),
        (
            "ppt/_rels/presentation.xml.rels",
            &relationships(&[
                ("rId3", "slide", "slides/slide1.xml"),
                ("rId7", "slide", "slides/slide2.xml"),
            ]),
        ),
        (
            "ppt/slides/slide1.xml",
            &slide(&(run("shownsecond R&amp;D caf&#233; ") + &run("Quarter") + &run("ly"))),
        ),
        ("ppt/slides/slide2.xml", &slide(&run("shownfirst"))),
        (
            "ppt/slides/_rels/slide1.xml.rels",
            &relationships(&[("n", "notesSlide", "../notesSlides/notesSlide1.xml")]),
        ),
        (
            "ppt/notesSlides/notesSlide1.xml",
            &slide(&(run("speakernoteword") + "<a:fld type=\"slidenum\"><a:t>77</a:t></a:fld>")),
        ),
    ])
}

#[test]
fn slides_follow_the_deck_with_whole_words_and_their_notes() {
    let outcome = outcome(Format::Pptx, &deck());
    outcome
        .holds(&[
            "Slide 1\nshownfirst",
            "Slide 2\nshownsecond R D café Quarterly",
            "speakernoteword",
        ])
        .lacks(&["77"])
        .omni_loses(&[
            "the order of slides",
            "words of several runs",
            "characters such as `&#233;` in slides",
            "notes of slides",
        ]);
}

#[test]
fn slides_without_a_presentation_follow_their_numbers() {
    let slide = |text: &str| format!("<p:sld><a:p><a:t>{text}</a:t></a:p></p:sld>");
    let slides = archive(&[
        ("ppt/slides/slide10.xml", &slide("tenth")),
        ("ppt/slides/slide2.xml", &slide("second")),
    ]);
    let outcome = outcome(Format::Pptx, &slides);
    assert_eq!(outcome.text.trim(), "Slide 1\nsecond\n\nSlide 2\ntenth");
    outcome.omni_loses(&[]);
}

#[test]
fn one_bad_slide_loses_only_that_slide() {
    let slides = archive(&[
        (
            "ppt/slides/slide1.xml",
            "<p:sld><a:p><a:t>one</a:t></a:p></p:sld>",
        ),
        ("ppt/slides/slide2.xml", "<p:sld><a:p><<"),
        (
            "ppt/slides/slide3.xml",
            "<p:sld><a:p><a:t>three</a:t></a:p></p:sld>",
        ),
    ]);
    let outcome = outcome(Format::Pptx, &slides);
    assert!(outcome.text.contains("one") && outcome.text.contains("three"));
    assert_eq!(outcome.lost.len(), 1);
    assert_eq!(outcome.lost[0].0, "slide 2");
}

#[test]
fn charts_tables_and_groups_of_a_slide_are_read() {
    let outcome = outcome(
        Format::Pptx,
        include_bytes!("../files/python-pptx-shapes.pptx"),
    );
    outcome
        .holds(&[
            "R D plan",
            "Quarterly",
            "tablecell",
            "groupedword",
            "catnorth",
            "seriesname",
        ])
        .omni_loses(&["words of several runs", "charts"]);
}
