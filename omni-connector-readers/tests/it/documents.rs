//! Tests Word documents and presentations.

use omni_connector_readers::Format;

use super::{archive, outcome, relationships};

pub(super) fn document(body: &str) -> Vec<u8> {
    let xml = format!("<w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>");
    archive(&[("word/document.xml", &xml)])
}

pub(super) fn paragraph(text: &str) -> String {
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
        "<w:p><mc:AlternateContent><mc:Choice><w:r><w:t>once</w:t></w:r></mc:Choice><mc:Fallback><w:r><w:t>twice</w:t></w:r></mc:Fallback></mc:AlternateContent></w:p>"
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

/// A diagram's words are in its data. A program that writes none there has them in the drawing.
#[test]
fn diagrams_are_read_from_their_data_or_their_drawing() {
    let data = |text: &str| {
        format!(
            "<dgm:dataModel><dgm:ptLst><dgm:pt><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>\
             <dgm:pt type=\"pres\"><dgm:t><a:p/></dgm:t></dgm:pt></dgm:ptLst></dgm:dataModel>"
        )
    };
    let drawing = "<dsp:drawing><dsp:sp><dsp:txBody><a:p><a:r><a:t>Box</a:t></a:r><a:r><a:t>word</a:t></a:r></a:p>\
                   </dsp:txBody></dsp:sp></dsp:drawing>";
    let related = relationships(&[
        ("r1", "diagramData", "../diagrams/data1.xml"),
        ("r2", "diagramDrawing", "../diagrams/drawing1.xml"),
    ]);
    let slide = "<p:sld><a:p><a:r><a:t>slideword</a:t></a:r></a:p></p:sld>";
    let body = format!("<w:document>{}</w:document>", paragraph("bodyword"));
    for (text, found, not) in [("Step one", "Step one", "Boxword"), ("", "Boxword", "Step")] {
        for (format, main, rels, xml, body) in [
            (
                Format::Pptx,
                "ppt/slides/slide1.xml",
                "ppt/slides/_rels/slide1.xml.rels",
                slide,
                "slideword",
            ),
            (
                Format::Docx,
                "word/document.xml",
                "word/_rels/document.xml.rels",
                body.as_str(),
                "bodyword",
            ),
        ] {
            let folder = if format == Format::Pptx { "ppt" } else { "" };
            let place = |name: &str| {
                format!("{folder}/diagrams/{name}")
                    .trim_start_matches('/')
                    .to_owned()
            };
            let file = archive(&[
                (main, xml),
                (rels, &related),
                (&place("data1.xml"), &data(text)),
                (&place("drawing1.xml"), drawing),
            ]);
            outcome(format, &file)
                .holds(&[body, found])
                .lacks(&[not])
                .omni_loses(&["diagrams"]);
        }
    }
}

/// Charts of 2016, such as waterfalls, are parts of another kind, with another vocabulary. The
/// shapes that people draw on a chart are a part of the chart.
#[test]
fn charts_of_every_kind_and_the_shapes_on_them_are_read() {
    let chart_ex = "<cx:chartSpace><cx:chartData><cx:data><cx:strDim><cx:lvl><cx:pt idx=\"0\">North</cx:pt>\
                    <cx:pt idx=\"1\">South</cx:pt></cx:lvl></cx:strDim></cx:data></cx:chartData><cx:chart><cx:title><cx:tx>\
                    <cx:txData><cx:v>Sales bridge</cx:v></cx:txData></cx:tx></cx:title></cx:chart></cx:chartSpace>";
    let chart = "<c:chartSpace><c:ser><c:tx><c:v>seriesname</c:v></c:tx></c:ser></c:chartSpace>";
    let shapes = "<c:userShapes><a:p><a:r><a:t>shapeword</a:t></a:r></a:p></c:userShapes>";
    let slide = "<p:sld><a:p><a:r><a:t>slideword</a:t></a:r></a:p></p:sld>";
    let file = archive(&[
        ("ppt/slides/slide1.xml", slide),
        (
            "ppt/slides/_rels/slide1.xml.rels",
            &relationships(&[
                ("r1", "relationships/chartEx", "../charts/chartEx1.xml"),
                ("r2", "chart", "../charts/chart1.xml"),
                ("r3", "oleObject", "../embeddings/Budget.xlsx"),
            ]),
        ),
        ("ppt/charts/chartEx1.xml", chart_ex),
        ("ppt/charts/chart1.xml", chart),
        (
            "ppt/charts/_rels/chart1.xml.rels",
            &relationships(&[
                ("r1", "chartUserShapes", "../drawings/drawing1.xml"),
                ("r2", "package", "../embeddings/Workbook1.xlsx"),
            ]),
        ),
        ("ppt/drawings/drawing1.xml", shapes),
    ]);
    let outcome = outcome(Format::Pptx, &file);
    for word in [
        "North\n",
        "South\n",
        "Sales bridge",
        "seriesname",
        "shapeword",
    ] {
        assert!(outcome.text.contains(word), "{word}: {outcome:?}");
    }
    outcome.omni_loses(&["charts"]);
    let names: Vec<_> = outcome.lost.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(names, ["embedded file `budget.xlsx`"]);
}

#[test]
fn documents_that_a_program_inserted_are_read_or_named() {
    let related = relationships(&[
        ("r1", "aFChunk", "chunk1.htm"),
        ("r2", "aFChunk", "chunk2.mht"),
        ("r3", "aFChunk", "chunk3.rtf"),
    ]);
    let archived = "MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\
                    Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>archived=20word</p>\r\n--b--\r\n";
    let file = archive(&[
        (
            "word/document.xml",
            "<w:document><w:body><w:altChunk r:id=\"r1\"/></w:body></w:document>",
        ),
        ("word/_rels/document.xml.rels", &related),
        (
            "word/chunk1.htm",
            "<meta charset=utf-8><p>inserted word</p>",
        ),
        ("word/chunk2.mht", archived),
        ("word/chunk3.rtf", "{\\rtf1 lost}"),
    ]);
    let outcome = outcome(Format::Docx, &file);
    assert!(outcome.text.contains("inserted word"), "{outcome:?}");
    assert!(outcome.text.contains("archived word"), "{outcome:?}");
    outcome.lacks(&["rtf1"]).omni_loses(&["inserted documents"]);
    assert_eq!(outcome.lost.len(), 1, "{outcome:?}");
}

#[test]
fn the_pronunciation_above_a_word_is_not_joined_to_it() {
    let ruby = "<w:p><w:r><w:t>in </w:t></w:r><w:r><w:ruby><w:rt><w:r><w:t>toukyou</w:t></w:r></w:rt>\
                <w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase></w:ruby></w:r><w:r><w:t>都</w:t></w:r></w:p>";
    outcome(Format::Docx, &document(ruby)).holds(&["in 東京都"]);
}

#[test]
fn a_slide_that_the_deck_lists_and_the_file_lacks_is_named() {
    let deck = "<p:presentation><p:sldIdLst><p:sldId id=\"1\" r:id=\"r1\"/><p:sldId id=\"2\" r:id=\"r2\"/></p:sldIdLst></p:presentation>";
    let file = archive(&[
        ("ppt/presentation.xml", deck),
        (
            "ppt/_rels/presentation.xml.rels",
            &relationships(&[
                ("r1", "slide", "slides/slide1.xml"),
                ("r2", "slide", "slides/slide2.xml"),
            ]),
        ),
        (
            "ppt/slides/slide2.xml",
            "<p:sld><a:p><a:t>kept</a:t></a:p></p:sld>",
        ),
    ]);
    let outcome = outcome(Format::Pptx, &file);
    assert!(outcome.text.contains("Slide 2\nkept"), "{outcome:?}");
    assert_eq!(
        outcome.lost,
        [("slide 1".to_owned(), "it is missing".to_owned())]
    );
    outcome.omni_loses(&[]);
}
