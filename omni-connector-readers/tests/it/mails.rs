//! Tests messages in the forms that mail programs write.

use encoding_rs::Encoding;
use omni_connector_readers::Format;

use super::{Outcome, outcome};

pub(super) fn message(lines: &str) -> Outcome {
    outcome(Format::Eml, lines.replace('\n', "\r\n").as_bytes())
}

#[test]
fn every_charset_is_decoded_in_body_and_subject() {
    use base64::{Engine, engine::general_purpose::STANDARD};

    for (charset, subject, text) in [
        (
            "iso-2022-jp",
            "報告書",
            "四半期報告書には請求書が含まれています",
        ),
        ("gb18030", "报告", "季度报告包含北方仓库供应商的发票"),
        ("gb2312", "报告", "季度报告包含北方仓库"),
        ("big5", "報告", "季度報告包含發票"),
        (
            "ks_c_5601-1987",
            "보고서",
            "분기보고서에는 송장이 포함되어 있습니다",
        ),
        ("shift_jis", "報告書", "四半期報告書"),
        ("windows-874", "รายงาน", "รายงานประจำไตรมาส"),
        ("koi8-r", "Отчёт", "Квартальный отчёт"),
        // Names that programs give them and browsers do not know.
        ("cp949", "보고서", "분기보고서에는 송장이"),
        ("x-windows-949", "보고서", "분기보고서에는 송장이"),
        ("cp932", "報告書", "四半期報告書"),
        ("cp950", "報告", "季度報告包含發票"),
        ("gb_2312-80", "报告", "季度报告包含北方仓库"),
        ("cp874", "รายงาน", "รายงานประจำไตรมาส"),
        ("iso-2022-jp-ms", "報告書", "四半期報告書"),
        ("cp50220", "報告書", "四半期報告書"),
    ] {
        let encoding = Encoding::for_label(match charset {
            "cp949" | "x-windows-949" => b"euc-kr",
            "cp932" => b"shift_jis",
            "cp950" => b"big5",
            "cp874" => b"windows-874",
            "iso-2022-jp-ms" | "cp50220" => b"iso-2022-jp",
            known => known.as_bytes(),
        })
        .unwrap();
        let encode = |text: &str| encoding.encode(text).0.into_owned();
        let head = format!(
            "Subject: =?{charset}?B?{}?=\r\nFrom: ada@example.com\r\nContent-Type: text/plain; charset=\"{charset}\"\r\n\r\n",
            STANDARD.encode(encode(subject))
        );
        let outcome = outcome(Format::Eml, &[head.into_bytes(), encode(text)].concat());
        outcome.holds(&[&format!("# {subject}\n"), text]);
        let is_known_to_omni = charset == "koi8-r";
        assert_eq!(outcome.omni_loses.is_empty(), is_known_to_omni, "{charset}");
    }
}

#[test]
fn html_is_read_where_the_text_is_blank() {
    let outcome = message(
        "Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n  \n\
         --b\nContent-Type: text/html\n\n<p>realcontentword</p>\n--b--\n",
    );
    outcome
        .holds(&["realcontentword"])
        .omni_loses(&["HTML beside a blank text"]);
}

#[test]
fn a_message_without_its_last_boundary_is_read_to_its_end() {
    for end in ["", "\n"] {
        let outcome = message(&format!(
            "Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"outer\"\n\n--outer\n\
             Content-Type: multipart/alternative; boundary=inner\n\n--inner\nContent-Type: text/plain\n\nunclosedword{end}"
        ));
        outcome
            .holds(&["unclosedword"])
            .omni_loses(&["parts that are not closed"]);
    }
}

#[test]
fn a_boundary_within_a_line_is_text() {
    let outcome = message(
        "Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"bound\"\n\n--bound\nContent-Type: text/plain\n\n\
         see --bound afterword\n--boundless\nlastword\n--bound--\n",
    );
    outcome.holds(&["see --bound afterword", "lastword"]);
}

#[test]
fn headings_are_whole_whatever_is_before_them() {
    let outcome = outcome(
        Format::Eml,
        b"\xef\xbb\xbfFrom: Ada <ada@example.com>\r\nSubject: =?utf-8?q?Gr=C3?=\r\n =?utf-8?q?=B6=C3=9Fenwahn?=\r\n\r\nx",
    );
    outcome.holds(&["# Größenwahn", "**From:** Ada <ada@example.com>"]);
}

#[test]
fn text_that_says_it_is_ascii_and_is_utf_8_is_utf_8() {
    let outcome = message("Subject: s\nContent-Type: text/plain; charset=\"us-ascii\"\n\nGröße\n");
    outcome
        .holds(&["Größe"])
        .omni_loses(&["text in UTF-8 that says it is in another charset"]);
}

#[test]
fn texts_calendars_and_messages_that_are_attached_are_read() {
    let outcome = message(
        "Subject: outer\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nbody\n\
         --b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nattachedword\n\
         --b\nContent-Type: text/calendar\nContent-Disposition: attachment\n\nSUMMARY:calendarword\n\
         --b\nContent-Type: message/rfc822\n\nSubject: innersubject\n\ninnerbody\n\
         --b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0=\n--b--\n",
    );
    for word in [
        "body",
        "attachedword",
        "calendarword",
        "innersubject",
        "innerbody",
    ] {
        assert!(outcome.text.contains(word), "{word}: {outcome:?}");
    }
    outcome.omni_loses(&["attached texts", "attached messages"]);
    assert_eq!(outcome.lost.len(), 1, "{:?}", outcome.lost);
    assert_eq!(outcome.lost[0].0, "attachment `a.pdf`");
}

#[test]
fn a_message_shows_its_people_and_its_best_body() {
    let outcome = message(
        "From: Ada <ada@example.com>\nCc: eve@example.com\nSubject: Plan\nContent-Type: text/html\n\n<p>Hi <b>all</b></p>",
    );
    assert_eq!(
        outcome.text,
        "# Plan\n\n**From:** Ada <ada@example.com>\n**Cc:** eve@example.com\n\n---\n\nHi **all**"
    );
}

/// Old programs do not name the charset of their mails. Others name one that does not exist.
#[test]
fn text_whose_charset_is_unknown_missing_or_wrong_is_detected() {
    let text = "Größere Straßenbauarbeiten verzögern die Übergabe der Schlüssel.";
    let latin = encoding_rs::WINDOWS_1252.encode(text).0;
    for kind in [
        "text/plain",
        "text/plain; charset=unknown-8bit",
        "text/plain; charset=utf-8",
        "text/html",
        "text/html; charset=x-unknown",
    ] {
        let head = format!(
            "Subject: s\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        );
        outcome(Format::Eml, &[head.as_bytes(), &latin].concat()).holds(&[text]);
    }
    // A page says it itself.
    let russian = "Квартальный отчёт";
    let page = format!("<meta charset=koi8-r><p>{russian}</p>");
    let body = encoding_rs::KOI8_R.encode(&page).0;
    let head = b"Subject: s\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    outcome(Format::Eml, &[&head[..], &body].concat()).holds(&[russian]);
}

/// No decoder knows these, so their letters are lost or guessed. The words in ASCII are found, and the report names the
/// charset.
#[test]
fn a_charset_that_nothing_decodes_costs_its_letters_and_is_named() {
    let johab = b"before \x88\x61\x8b\x69 after";
    let latin = b"before Gr\xf6\xdfe after";
    for (charset, body, text) in [
        ("johab", &johab[..], "before \u{fffd} after"),
        ("x-johab", johab, "before \u{fffd} after"),
        ("CP1361", johab, "before \u{fffd} after"),
        ("viscii", latin, "before Gr\u{fffd}e after"),
        ("x-klingon-8", latin, "before Größe after"),
        ("\"latin-1000\"", latin, "before Größe after"),
    ] {
        let label = charset.trim_matches('"').to_lowercase();
        let is_named = |outcome: &Outcome| {
            let lost: Vec<_> = outcome.lost.iter().collect();
            assert!(
                outcome.failure.is_none() && outcome.text.contains(text),
                "{charset}: {outcome:?}"
            );
            assert!(
                lost.iter().any(|(what, why)| what == "letters beyond ASCII"
                    && why.to_lowercase().contains(&format!("`{label}`"))),
                "{charset}: {outcome:?}"
            );
        };
        for kind in ["text/plain", "text/html"] {
            let head = format!(
                "Subject: s\r\nMIME-Version: 1.0\r\nContent-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            );
            is_named(&outcome(Format::Eml, &[head.as_bytes(), body].concat()));
        }
        let page = format!("<meta charset={charset}><p>");
        is_named(&outcome(Format::Html, &[page.as_bytes(), body].concat()));
        if charset.starts_with('"') {
            // An encoded word has no quotes.
            continue;
        }
        let word: Vec<_> = body.iter().map(|byte| format!("={byte:02X}")).collect();
        let word = word.concat();
        let mail = format!("Subject: =?{charset}?Q?{word}?=\n\nbody");
        is_named(&message(&mail));
    }
    // What is ASCII needs no decoder.
    message("Subject: s\nContent-Type: text/plain; charset=johab\n\nplainword")
        .holds(&["plainword"]);
}

#[test]
fn headings_that_are_not_encoded_are_detected() {
    let russian = "Квартальный отчёт содержит счета поставщиков";
    let head = format!("From: ada@example.com\r\nSubject: {russian}\r\n\r\nbodyword");
    let head = encoding_rs::WINDOWS_1251.encode(&head).0;
    outcome(Format::Eml, &head)
        .holds(&[&format!("# {russian}"), "bodyword"])
        .omni_loses(&["headings that are not encoded"]);
}

/// Programs write these in place of an empty text.
#[test]
fn html_is_read_where_the_text_has_no_word() {
    for blank in [
        "\u{200b}",
        "\u{a0}\u{a0}",
        "\u{feff}",
        "--",
        "\u{ad}\u{34f}",
        "* * *",
    ] {
        let outcome = message(&format!(
            "Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n{blank}\n\
             --b\nContent-Type: text/html; charset=utf-8\n\n<p>realcontentword</p>\n--b--\n",
        ));
        outcome
            .holds(&["realcontentword"])
            .omni_loses(&["HTML beside a blank text"]);
    }
}

/// Browsers gave these up, and mail programs did not.
#[test]
fn charsets_that_only_mail_programs_know_are_decoded() {
    for (charset, bytes, text) in [
        ("hz-gb-2312", &b"~{<>6H1(8f~}"[..], "季度报告"),
        ("iso-2022-kr", b"\x1b$)C\x0e:P1b:80m<-\x0f", "분기보고서"),
        ("cp437", b"Gr\x94\xe1e", "Größe"),
        ("ibm850", b"Gr\x94\xe1e", "Größe"),
        ("cp852", b"\xb5lut\xec k\xe7\xe5", "Álutý kšň"),
        ("ibm857", b"\xa6\x8d\x98", "Ğıİ"),
        ("cp737", b"\x80\x98", "Αα"),
    ] {
        let encoded: Vec<_> = bytes.iter().map(|byte| format!("={byte:02X}")).collect();
        let encoded = encoded.concat();
        let head = format!(
            "Subject: =?{charset}?Q?{encoded}?=\r\nContent-Type: text/plain; charset={charset}\r\n\r\n"
        );
        outcome(Format::Eml, &[head.as_bytes(), bytes].concat())
            .holds(&[&format!("# {text}\n"), &format!("\n\n{text}")]);
    }
}

/// Programs name a charset by default, whatever the text is.
#[test]
fn text_in_utf_8_that_says_another_charset_is_utf_8_in_every_transfer() {
    for charset in ["us-ascii", "ASCII", "iso-8859-1", "windows-1252"] {
        for (transfer, body) in [
            ("8bit", "Größe"),
            ("base64", "R3LDtsOfZQ=="),
            ("quoted-printable", "Gr=C3=B6=C3=9Fe"),
        ] {
            message(&format!(
                "Subject: =?{charset}?Q?Gr=C3=B6=C3=9Fe?=\nContent-Type: text/plain; charset={charset}\n\
                 Content-Transfer-Encoding: {transfer}\n\n{body}\n"
            ))
            .holds(&["# Größe\n", "\n\nGröße"]);
        }
    }
    let latin = encoding_rs::WINDOWS_1252.encode("Größe").0;
    let head = b"Subject: s\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n";
    outcome(Format::Eml, &[&head[..], &latin].concat()).holds(&["Größe"]);
}

/// List servers write their footer behind whatever the sender wrote.
#[test]
fn plain_lines_behind_base64_are_read_with_it() {
    let text = "Ym9keXdvcmQgR3LDtsOfZQ==\n-- \nlist footerword\nhttps://lists.example/\n";
    let head = "Subject: s\nMIME-Version: 1.0\n";
    let kind = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n";
    for mail in [
        format!("{head}{kind}{text}"),
        format!("{head}Content-Type: multipart/mixed; boundary=b\n\n--b\n{kind}{text}--b--\n"),
    ] {
        message(&mail)
            .holds(&["bodyword Größe", "list footerword"])
            .lacks(&["Ym9keXdvcmQ"]);
    }
}

/// Each text of a message has its own HTML.
#[test]
fn html_is_read_in_place_of_a_blank_text_beside_other_texts() {
    let alternative = |plain: &str| {
        format!(
            "Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\n\n--o\n\
             Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n{plain}\n\
             --b\nContent-Type: text/html\n\n<p>realcontentword{}</p>\n--b--\n\
             --o\nContent-Type: text/plain\n\nlist footerword\n--o--\n",
            " and more".repeat(40)
        )
    };
    for plain in [
        " ",
        "[cid:image001.png@01DB]",
        "[image: logo]",
        "&nbsp;",
        "This message is in HTML.",
    ] {
        message(&alternative(plain)).holds(&["realcontentword", "list footerword"]);
    }
    message(&alternative(&"plainword ".repeat(20)))
        .holds(&["plainword"])
        .lacks(&["realcontentword"]);
}

#[test]
fn a_message_is_read_however_its_lines_and_boundaries_are_written() {
    let mixed = "Subject: subjectword\nMIME-Version: 1.0\nContent-Type: multipart/mixed;\n boundary = \"b\"\n\n--b\n\
                 Content-Type: text/plain\n\nsee --b afterword\nunclosedword";
    message(mixed).holds(&["# subjectword", "afterword", "unclosedword"]);
    message(&format!("\n\n{mixed}")).holds(&["# subjectword", "afterword"]);
    outcome(Format::Eml, mixed.replace('\n', "\r").as_bytes())
        .holds(&["# subjectword", "afterword"]);
}

/// RFC 2231 allows a boundary in pieces, in any order, escaped, and with a language.
#[test]
fn a_boundary_in_pieces_or_escaped_is_repaired_as_any_other() {
    for declared in [
        "boundary*0=\"long\";\n boundary*1=\"name\"",
        "boundary*1=name; charset=utf-8;\n\tboundary*0=long",
        "boundary*=us-ascii'en'long%6Eame",
        "BOUNDARY*0*=''long%6e;\n boundary*1=ame",
        "boundary*0*=utf-8'';boundary*1*=%6c%6Fng;boundary*2=\"name\"",
        "name=\"a;boundary*0=b\";boundary*0=long;boundary*1=name",
    ] {
        // The last part is not closed, and a line mentions the boundary.
        message(&format!(
            "Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; {declared}\n\n--longname\n\
             Content-Type: text/plain\n\nsee --longname afterword\n--longname\n\
             Content-Type: text/plain\n\nunclosedword"
        ))
        .holds(&["see --longname afterword", "unclosedword"])
        .lacks(&["Content-Type"]);
    }
}

#[test]
fn a_file_of_outlook_in_a_message_is_named() {
    let outcome = message(
        "Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nbodyword\n\
         --b\nContent-Type: application/ms-tnef; name=\"winmail.dat\"\nContent-Transfer-Encoding: base64\n\neJ8+IgAAAAA=\n--b--\n",
    );
    assert!(outcome.text.contains("bodyword"));
    assert_eq!(outcome.lost[0].0, "attachment `winmail.dat`");
}
