//! Tests messages that are damaged, or that a program wrote against the rules.

use encoding_rs::WINDOWS_1252;
use omni_connector_readers::Format;

use super::{mails::message, outcome};

const HEAD: &str = "Subject: s\nMIME-Version: 1.0\n";

#[test]
fn parts_are_read_however_their_boundaries_are_broken() {
    let text = "Content-Type: text/plain\n\n";
    let attached = "Content-Type: text/plain\nContent-Disposition: attachment\n\nattachedword\n";
    for (lines, omni_loses) in [
        // An inner boundary ends where the outer one goes on.
        (
            format!(
                "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n\
                 --i\n{text}plainword\n--o\n{attached}--o--\n"
            ),
            "parts that are not closed",
        ),
        (
            format!(
                "Content-Type: multipart/mixed; boundary=b\n\n--b\n{text}plainword\n--b--\n\n--b\n{attached}--b--\n"
            ),
            "parts behind the end of all parts",
        ),
        (
            format!(
                "Content-Type: multipart/mixed\n\n--b\n{text}plainword\n--b\n{attached}--b--\n"
            ),
            "parts whose boundary is not declared",
        ),
        (
            format!(
                "Content-Type: multipart/mixed;\n boundary=\"other\"\n\n--b\n{text}plainword\n--b\n{attached}--b--\n"
            ),
            "parts whose boundary is not declared",
        ),
    ] {
        let outcome = message(&format!("{HEAD}{lines}"));
        outcome
            .holds(&["plainword", "attachedword"])
            .lacks(&["--b", "--o", "Content-Type"])
            .omni_loses(&[omni_loses, "attached texts"]);
    }
}

/// Each of two messages may have the same boundary.
#[test]
fn messages_with_the_same_boundary_stay_apart() {
    let inner = "Content-Type: message/rfc822\n\nSubject: inner\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\
                 Content-Type: text/plain\n\ninnerword\n--b--\n";
    let outcome = message(&format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=o\n\n--o\n{inner}\n--o\n{inner}\n--o--\n"
    ));
    outcome
        .holds(&["innerword"])
        .omni_loses(&["attached messages"]);
    assert_eq!(outcome.text.matches("innerword").count(), 2);
    assert_eq!(outcome.text.matches("# inner\n").count(), 2);
}

#[test]
fn an_error_of_a_transfer_encoding_costs_nothing_else() {
    for (transfer, body, text) in [
        (
            "quoted-printable",
            "a=ZZ c== x 100% =C3=B6\n",
            "a=ZZ c== x 100% ö",
        ),
        ("quoted-printable", "Gr=C3=B6=\n=C3=9Fe b=3 =", "Größe b=3"),
        ("\"quoted-printable\"", "Gr=C3=B6=C3=9Fe\n", "Größe"),
        (
            "quoted-printable (as in RFC 2045)",
            "Gr=C3=B6=C3=9Fe\n",
            "Größe",
        ),
        ("Quoted-Printable;", "Gr=C3=B6=C3=9Fe\n", "Größe"),
        ("base64", "! R3LD\n\n tsOfZQ==***\n", "Größe"),
        ("base64", "R3LDtsOfZSDDv8O_\n", "Größe ÿÿ"),
        (
            "base64",
            "Plain words that are not encoded.\n",
            "Plain words that are not encoded.",
        ),
    ] {
        let lines = format!(
            "{HEAD}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {transfer}\n\n{body}"
        );
        message(&lines).holds(&[&format!("\n\n{text}")]);
    }
    // An error hides no other charset.
    message(&format!(
        "{HEAD}Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=F6=DFe =ZZ\n"
    ))
    .holds(&["Größe =ZZ"]);
}

#[test]
fn a_damaged_word_of_a_heading_costs_nothing_else() {
    for (word, text) in [
        ("=?utf-8?B?R3LDtsOfZQ?=", "Größe"),
        ("=?iso-8859-1?B?R3L232U?=", "Größe"),
        ("=?utf-8?Q?=ZZ_Gr=C3=B6=C3=9Fe?=", "=ZZ Größe"),
    ] {
        message(&format!("Subject: {word}\n\nx"))
            .holds(&[&format!("# {text}\n")])
            .omni_loses(&["headings that are damaged"]);
    }
}

#[test]
fn headings_are_read_in_any_form() {
    // Two programs wrote them.
    let latin = WINDOWS_1252.encode("From: Jürgen <j@example.com>\r\n").0;
    let mail = [&latin[..], "Subject: Größe\r\n\r\nbody".as_bytes()].concat();
    outcome(Format::Eml, &mail).holds(&["# Größe", "Jürgen <j@example.com>"]);

    message("Subject: s\nFrom: a@example.com\nbodyword without a blank line\n\nsecond paragraph")
        .holds(&["# s", "a@example.com", "bodyword", "second paragraph"]);

    let wide: Vec<u8> = "\u{feff}Subject: wideword\n\nbody"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    outcome(Format::Eml, &wide).holds(&["# wideword", "body"]);

    message("Date: Montag, 1. Januar 2024\nSubject: s\n\nx")
        .holds(&["**Date:** Montag, 1. Januar 2024"])
        .omni_loses(&["dates in a form of their own"]);
}

#[test]
fn a_flowed_text_is_joined_within_words() {
    let flowed = |parameters: &str| {
        message(&format!(
            "{HEAD}Content-Type: text/plain; charset=utf-8; format=flowed{parameters}\n\nThis is a flo \nwed text.\n> quoted \n-- \nAda"
        ))
    };
    flowed("; delsp=yes").holds(&["This is a flowed text.\n> quoted", "\n-- \nAda"]);
    flowed("").holds(&["This is a flo "]);
}

#[test]
fn utf_7_is_decoded_under_each_of_its_names() {
    for charset in [
        "utf-7",
        "UTF-7",
        "unicode-1-1-utf-7",
        "x-unicode-2-0-utf-7",
        "cp65000",
    ] {
        message(&format!(
            "Subject: =?{charset}?Q?Gr+APYA3w-e?=\nContent-Type: text/plain; charset={charset}\n\nGr+APYA3w-e 1+-1 +Jjo.\n"
        ))
        .holds(&["# Größe\n", "Größe 1+1 ☺."]);
    }
}

#[test]
fn reports_of_delivery_are_read() {
    let lines = format!(
        "{HEAD}Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: text/plain\n\nbounced\n\
         --b\nContent-Type: message/delivery-status\n\nDiagnostic-Code: smtp; 550 unknownuser\n--b--\n"
    );
    message(&lines)
        .holds(&["bounced", "550 unknownuser"])
        .omni_loses(&["attached texts"]);
}

/// Each takes a fraction of a second, and minutes when a message is searched again for each of its lines.
#[test]
fn a_message_of_nothing_but_boundaries_or_errors_is_read_in_time() {
    use std::fmt::Write as _;

    let start = std::time::Instant::now();
    let mut boundaries = HEAD.to_owned();
    for number in 0..20_000 {
        let _ = write!(
            boundaries,
            "Content-Type: multipart/mixed; boundary=b{number}\n\n--b{number}\n"
        );
    }
    message(&boundaries);
    let errors = "=ZZ=".repeat(1_000_000);
    let transfer = "Content-Transfer-Encoding: quoted-printable";
    message(&format!("{HEAD}{transfer}\n\n{errors}"));
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}
