//! Tests office files in spellings that only some programs write.

use std::io::{Cursor, Write};

use omni_connector_readers::Format;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    archive,
    documents::{document, paragraph},
    outcome, relationships,
};

#[test]
fn the_main_part_is_found_by_its_content_type_and_behind_escapes() {
    let main = format!(
        "<w:document><w:body>{}</w:body></w:document>",
        paragraph("tamarind")
    );
    let types = "<Types><Override PartName=\"/word/document3.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";
    let missing = relationships(&[("r1", "officeDocument", "word/document.xml")]);
    for root in ["<Relationships/>", &missing] {
        let file = archive(&[
            ("_rels/.rels", root),
            ("[Content_Types].xml", types),
            ("word/document3.xml", &main),
        ]);
        outcome(Format::Docx, &file).holds(&["tamarind"]);
    }
    for (target, name) in [
        ("word/my%20document.xml", "word/my document.xml"),
        ("word/d%C3%B6c.xml", "word/döc.xml"),
        ("word/d%C3%B6c.xml", "word/d%C3%B6c.xml"),
        ("word/100%.xml", "word/100%.xml"),
    ] {
        let root = relationships(&[("r1", "officeDocument", target)]);
        let file = archive(&[("_rels/.rels", &root), (name, &main)]);
        outcome(Format::Docx, &file).holds(&["tamarind"]);
    }
}

#[test]
fn rows_that_were_deleted_or_moved_appear_at_their_new_place_alone() {
    let row = |properties: &str, text: &str| {
        format!(
            "<w:tr><w:trPr>{properties}</w:trPr><w:tc>{}</w:tc></w:tr>",
            paragraph(text)
        )
    };
    let table = [
        row("<w:del w:id=\"1\"/>", "deletedrow"),
        row("<w:moveFrom w:id=\"2\"></w:moveFrom>", "movedrow"),
        row("<w:ins w:id=\"3\"/>", "newrow"),
        row("<w:moveTo w:id=\"4\"/>", "movedrow"),
    ];
    let body = format!("<w:tbl>{}</w:tbl>{}", table.concat(), paragraph("after"));
    let read = outcome(Format::Docx, &document(&body));
    read.holds(&["newrow", "movedrow", "after"])
        .lacks(&["deletedrow"]);
    assert_eq!(read.text.matches("movedrow").count(), 1, "{read:?}");
}

#[test]
fn characters_that_are_written_as_tags_join_no_words() {
    let run = |inner: &str| document(&format!("<w:p><w:r>{inner}</w:r></w:p>"));
    for (inner, text) in [
        (
            "<w:t>A</w:t><w:sym w:font=\"Wingdings\" w:char=\"F0E0\"/><w:t>B</w:t>",
            "A B",
        ),
        (
            "<w:t>A</w:t><w:sym w:font=\"Arial\" w:char=\"2013\"/><w:t>B</w:t>",
            "A–B",
        ),
        ("<w:t>A</w:t><w:sym/><w:t>B</w:t>", "A B"),
        ("<w:t>A&nbsp;B</w:t>", "A B"),
        (
            "<w:pict><v:shape><v:textpath string=\"Draft\"/></v:shape></w:pict>",
            "Draft",
        ),
    ] {
        assert_eq!(
            outcome(Format::Docx, &run(inner)).text.trim(),
            text,
            "{inner}"
        );
    }
}

#[test]
fn a_fallback_is_read_where_it_is_the_only_text() {
    let both = |choice: &str, fallback: &str| {
        format!(
            "<mc:AlternateContent><mc:Choice>{choice}</mc:Choice><mc:Fallback>{fallback}</mc:Fallback></mc:AlternateContent>"
        )
    };
    let word = |word: &str| paragraph(word);
    for (body, count) in [
        (both("", &word("boxword")), 1),
        (both(&word("boxword"), &word("boxword")), 1),
        (both(&both("", &word("boxword")), &word("boxword")), 1),
        (both("", &both(&word("boxword"), &word("boxword"))), 1),
        (word("boxword") + &both("", &word("boxword")), 2),
    ] {
        let read = outcome(Format::Docx, &document(&body));
        assert_eq!(read.text.matches("boxword").count(), count, "{body}");
    }
    let slide = both("", "<a:p><a:r><a:t>slideword</a:t></a:r></a:p>");
    let deck = archive(&[("ppt/slides/slide1.xml", &format!("<p:sld>{slide}</p:sld>"))]);
    outcome(Format::Pptx, &deck).holds(&["slideword"]);
}

#[test]
fn a_document_in_utf_16_without_a_mark_is_read() {
    use std::io::Write;

    let xml = format!(
        "<?xml version=\"1.0\"?><w:document><w:body>{}</w:body></w:document>",
        paragraph("wideword")
    );
    for order in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
        let bytes: Vec<u8> = xml.encode_utf16().flat_map(order).collect();
        let mut file = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        file.start_file(
            "word/document.xml",
            zip::write::SimpleFileOptions::default(),
        )
        .unwrap();
        file.write_all(&bytes).unwrap();
        outcome(Format::Docx, &file.finish().unwrap().into_inner()).holds(&["wideword"]);
    }
}

#[test]
fn a_text_box_joins_no_words() {
    let text_box = format!(
        "<w:r><w:pict><v:textbox><w:txbxContent>{}</w:txbxContent></v:textbox></w:pict></w:r>",
        paragraph("boxed")
    );
    let around =
        format!("<w:p><w:r><w:t>before</w:t></w:r>{text_box}<w:r><w:t>after</w:t></w:r></w:p>");
    outcome(Format::Docx, &document(&around)).holds(&["before\nboxed\nafter"]);
    let cell = format!("<w:tbl><w:tr><w:tc>{around}</w:tc></w:tr></w:tbl>");
    outcome(Format::Docx, &document(&cell)).holds(&["before boxed after"]);
}

#[test]
fn the_first_of_several_spellings_with_text_is_read() {
    let text = "<w:r><w:t>once</w:t></w:r>";
    let spelled = |choices: &str| {
        let body = format!("<w:p><mc:AlternateContent>{choices}</mc:AlternateContent></w:p>");
        outcome(Format::Docx, &document(&body)).text
    };
    for choices in [
        format!(
            "<mc:Choice>{text}</mc:Choice><mc:Choice>{text}</mc:Choice><mc:Fallback>{text}</mc:Fallback>"
        ),
        format!(
            "<mc:Choice><w:drawing/></mc:Choice><mc:Choice>{text}</mc:Choice><mc:Fallback>{text}</mc:Fallback>"
        ),
        format!("<mc:Choice/><mc:Fallback>{text}</mc:Fallback>"),
    ] {
        assert_eq!(spelled(&choices).trim(), "once", "{choices}");
    }
}

#[test]
fn symbols_of_fonts_are_characters_where_they_have_one() {
    let symbol = |font: &str, code: &str| format!("<w:sym w:font=\"{font}\" w:char=\"{code}\"/>");
    let body = format!(
        "<w:p><w:r><w:t>caf</w:t>{}{}{}{}<w:t>x</w:t>{}</w:r></w:p>",
        symbol("Arial", "F0E9"),
        symbol("Wingdings", "F0FC"),
        symbol("Symbol", "F061"),
        symbol("Symbol", "F057"),
        symbol("Cambria", "00E9"),
    );
    outcome(Format::Docx, &document(&body)).holds(&["café αΩxé"]);
}

#[test]
fn an_inserted_document_is_read_with_its_notes_whatever_its_name() {
    let root = relationships(&[("r1", "officeDocument", "word/document.xml")]);
    let main = format!(
        "<w:document><w:body>{}</w:body></w:document>",
        paragraph("innerword")
    );
    let notes = format!("<w:footnotes>{}</w:footnotes>", paragraph("noteword"));
    let inner = archive(&[
        ("_rels/.rels", &root),
        ("word/document.xml", &main),
        (
            "word/_rels/document.xml.rels",
            &relationships(&[("r1", "footnotes", "footnotes.xml")]),
        ),
        ("word/footnotes.xml", &notes),
    ]);
    for (name, data) in [
        ("a.docx", &inner[..]),
        ("a.dat", &inner),
        ("a.bin", b"<html><p>innerword</p><p>noteword</p>"),
    ] {
        let mut outer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, data) in [
            ("_rels/.rels", root.as_bytes()),
            (
                "word/document.xml",
                b"<w:document><w:body><w:altChunk/></w:body></w:document>",
            ),
            (
                "word/_rels/document.xml.rels",
                relationships(&[("r1", "aFChunk", name)]).as_bytes(),
            ),
            (&format!("word/{name}"), data),
        ] {
            outer
                .start_file(name, SimpleFileOptions::default())
                .unwrap();
            outer.write_all(data).unwrap();
        }
        let file = outer.finish().unwrap().into_inner();
        outcome(Format::Docx, &file).holds(&["innerword", "noteword"]);
    }
}
