//! Tests messages in the forms that mail programs write.

use encoding_rs::Encoding;
use omni_connector_readers::Format;

use super::{Outcome, outcome};

fn message(lines: &str) -> Outcome {
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
    ] {
        let encoding = Encoding::for_label(charset.as_bytes()).unwrap();
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
        .omni_loses(&["text in UTF-8 that says it is ASCII"]);
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
        "text/html; charset=x-user-defined-by-nobody",
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
