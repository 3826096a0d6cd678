//! Tests messages of Outlook.

use encoding_rs::{SHIFT_JIS, WINDOWS_1252};
use omni_connector_readers::Format;

use super::{Outcome, compound::compound, outcome};

/// Text in Unicode.
fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Reads a message with these properties: the path, the number with its type, and the bytes.
fn message(properties: &[(&str, &str, Vec<u8>)], values: &[(u32, u64)]) -> Outcome {
    let mut list = vec![0; 32];
    for (tag, value) in values {
        list.extend(tag.to_le_bytes());
        list.extend([0; 4]);
        list.extend(value.to_le_bytes());
    }
    let names: Vec<_> = properties
        .iter()
        .map(|(folder, tag, _)| format!("{folder}__substg1.0_{tag}"))
        .collect();
    let mut streams = vec![("__properties_version1.0", list)];
    streams.extend(
        names
            .iter()
            .zip(properties)
            .map(|(name, (_, _, data))| (&**name, data.clone())),
    );
    outcome(Format::Msg, &compound(&streams))
}

fn body(tag: &str, data: &[u8]) -> Outcome {
    message(
        &[("", "0037001F", wide("s")), ("", tag, data.to_vec())],
        &[],
    )
}

#[test]
fn a_message_shows_its_people_its_date_and_its_text() {
    let outcome = message(
        &[
            ("", "0037001F", wide("Größe\0")),
            ("", "1000001F", wide("bodyword 会议")),
            ("", "0C1A001F", wide("Ada")),
            ("", "5D01001F", wide("ada@example.com")),
            ("", "0C1F001F", wide("/O=EXAMPLE/CN=ADA")),
            ("__recip_version1.0_#00000000/", "3001001F", wide("Bob")),
            (
                "__recip_version1.0_#00000000/",
                "39FE001F",
                wide("bob@example.com"),
            ),
        ],
        &[(0x0039_0040, 133_485_408_000_000_000)],
    );
    assert_eq!(
        outcome.text,
        "# Größe\n\n**From:** Ada <ada@example.com>\n**To:** Bob <bob@example.com>\n**Date:** 2024-01-01T00:00:00Z\n\n---\n\nbodyword 会议"
    );
    assert_eq!((outcome.lost.len(), outcome.omni_loses.len()), (0, 0));
}

#[test]
fn text_that_is_not_in_unicode_is_decoded() {
    let german = "Größere Straßenbauarbeiten verzögern die Übergabe.";
    let japanese = "四半期報告書には請求書が含まれています。";
    for (encoding, text, values) in [
        (WINDOWS_1252, german, &[][..]),
        (WINDOWS_1252, german, &[(0x3ffd_0003, 1252)]),
        (SHIFT_JIS, japanese, &[(0x3ffd_0003, 932)]),
        (SHIFT_JIS, japanese, &[(0x3fde_0003, 932)]),
        (SHIFT_JIS, japanese, &[]),
    ] {
        let name: String = text.chars().take(3).collect();
        let encode = |text: &str| encoding.encode(text).0.into_owned();
        let subject = ("", "0037001E", encode(&name));
        let to = ("__recip_version1.0_#00000000/", "3001001E", encode(&name));
        let properties = [subject, to, ("", "1000001E", encode(text))];
        message(&properties, values)
            .holds(&[&format!("# {name}\n"), &format!("**To:** {name}\n"), text])
            .omni_loses(&[&format!("text in {}", encoding.name())]);
    }
}

#[test]
fn a_body_in_html_is_read_where_the_text_has_no_word() {
    let page = "<meta charset=windows-1252><p>Größe <b>b</b></p>";
    let page = WINDOWS_1252.encode(page).0;
    body("10130102", &page).holds(&["Größe **b**"]);
    body("1013001F", &wide("<p>Größe</p>")).holds(&["Größe"]);
    message(
        &[
            ("", "1000001F", wide(" \r\n")),
            ("", "10130102", page.to_vec()),
        ],
        &[],
    )
    .holds(&["Größe **b**"]);
}

/// Stores RTF without compression.
fn stored(rtf: &str) -> Vec<u8> {
    let length = u32::try_from(rtf.len()).unwrap();
    let head = [length + 12, length, 0x414c_454d, 0];
    let head = head.into_iter().flat_map(u32::to_le_bytes);
    head.chain(rtf.bytes()).collect()
}

#[test]
fn a_body_in_rtf_is_read_where_there_is_no_other() {
    for (rtf, text) in [
        (
            r"{\rtf1\ansi\ansicpg1252 Gr\'f6\'dfe\par next\tab cell}",
            "Größe\nnext\tcell",
        ),
        (
            r"{\rtf1{\fonttbl{\f0 Arial;}{\f1\fcharset204 Arial;}}{\colortbl;\red0;}{\*\generator x;}\f1\'cf\'f0\f0  \u20250?\u-10179?\u-8704? \{a\}\_b}",
            "Пр 会😀 {a}-b",
        ),
        (
            r"{\rtf1\uc2\u246\'3f\'3fx{\uc0\u223}y {\info{\title hidden}}\ldblquote z\rdblquote}",
            "öxßy “z”",
        ),
        (
            r"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}Gr\'f6\'dfe {\*\htmltag84 &amp;}\htmlrtf hidden\par\htmlrtf0  more{\*\htmltag72 </p>}",
            "Größe & more",
        ),
        (r"{\rtf1 unclosed {\b bold", "unclosed bold"),
        (r"{\rtf1 odd \'zz \bin3 }}}text}", "odd zz text"),
    ] {
        let outcome = body("10090102", &stored(rtf));
        let (_, read) = outcome.text.split_once("---\n\n").unwrap();
        assert_eq!(read, text, "{rtf}");
        outcome
            .holds(&[])
            .omni_loses(&["RTF of a message of Outlook"]);
    }
}

/// The example of the format's specification: one text that repeats itself.
#[test]
fn a_compressed_body_is_unpacked() {
    let packed =
        b"\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4\x4b\x51\x41\0\x04\x20WXYZ\x0d\x6e\x7d\x01\x0e\xb0";
    body("10090102", packed).holds(&["WXYZWXYZWXYZWXYZWXYZ"]);
}

#[test]
fn attached_messages_are_read_and_files_are_named() {
    let outcome = message(
        &[
            ("", "1000001F", wide("outerword")),
            (
                "__attach_version1.0_#00000000/__substg1.0_3701000D/",
                "0037001F",
                wide("innersubject"),
            ),
            (
                "__attach_version1.0_#00000000/__substg1.0_3701000D/",
                "1000001F",
                wide("innerword"),
            ),
            (
                "__attach_version1.0_#00000001/",
                "3707001F",
                wide("plan.pdf"),
            ),
        ],
        &[],
    );
    outcome.omni_loses(&["attached messages"]);
    assert!(
        outcome
            .text
            .ends_with("outerword\n\n# innersubject\n\n\n---\n\ninnerword"),
        "{outcome:?}"
    );
    assert_eq!(outcome.lost.len(), 1);
    assert_eq!(outcome.lost[0].0, "attachment `plan.pdf`");
}

#[test]
fn what_is_no_message_of_outlook_is_reported_as_such() {
    for (file, failure) in [
        (
            compound(&[("Workbook", vec![0; 10])]),
            "it is no message of Outlook",
        ),
        (
            b"text".to_vec(),
            "Error parsing file with ole: Invalid OLE File",
        ),
    ] {
        let outcome = outcome(Format::Msg, &file);
        assert_eq!(outcome.failure.as_deref(), Some(failure));
    }
}
