//! Tests of the forms in which programs write a secret, and of the places where a credential has one.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::*;

/// A secret with a sign of each kind.
const ODD: &str = "p@ss\"wörd_1'$x/+=é&<%{}";

fn each(write: impl Fn(char) -> String) -> String {
    ODD.chars().map(write).collect::<Vec<_>>().concat()
}

fn each_byte(write: impl Fn(u8) -> String) -> String {
    ODD.bytes().map(write).collect::<Vec<_>>().concat()
}

#[track_caller]
fn is_hidden(written: &str) {
    let secrets = Secrets::of(Some(&json!({ "token": ODD })), []);
    let clean = secrets.redact(&format!("| {written} | is refused"));
    let rest = clean.replace("[redacted]", "");
    let shown = rest.trim_end_matches("is refused").chars();
    let shown = shown.filter(|c| c.is_alphanumeric()).count();
    assert!(shown < 8, "{written}: {clean}");
}

#[test]
fn no_form_in_which_programs_print_bytes_shows_a_secret() {
    let bytes = ODD.as_bytes();
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    for separator in ["", ":", " ", ", ", "-", ":\n    "] {
        is_hidden(&digits.join(separator));
        is_hidden(&digits.join(separator).to_uppercase());
    }
    let base64 = STANDARD.encode(format!("user:{ODD}"));
    let lines = base64.as_bytes().chunks(16).map(String::from_utf8_lossy);
    let lines: Vec<_> = lines.collect();
    for written in [
        format!("{bytes:?}"),
        format!("{bytes:#?}"),
        format!("{bytes:02x?}"),
        json!(bytes).to_string(),
        json!(format!("{bytes:?}")).to_string(),
        bytes.escape_ascii().to_string(),
        lines.join("\n"),
        lines.join("\r\n "),
        json!(lines.join("\n")).to_string(),
        json!(json!(lines.join("\r\n")).to_string()).to_string(),
    ] {
        is_hidden(&written);
    }
}

#[test]
fn no_escape_of_signs_and_letters_shows_a_secret() {
    let printable = each_byte(|byte| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
        _ => format!("={byte:02X}"),
    });
    let units: Vec<_> = ODD
        .encode_utf16()
        .map(|unit| format!("%u{unit:04x}"))
        .collect();
    let entities = [
        ("&", "amp"),
        ("ö", "ouml"),
        ("é", "eacute"),
        ("@", "commat"),
        ("/", "sol"),
        ("+", "plus"),
    ];
    let entities = entities.iter().fold(ODD.to_owned(), |text, (sign, name)| {
        text.replace(sign, &format!("&{name};"))
    });
    for written in [
        each_byte(|byte| match byte {
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\{byte:03o}"),
        }),
        each(|c| match u8::try_from(c) {
            Ok(byte) if !c.is_ascii_alphanumeric() => format!("%{byte:02X}"),
            _ => c.to_string(),
        }),
        each(|c| match c {
            _ if c.is_ascii_punctuation() => format!("\\{c}"),
            _ => c.to_string(),
        }),
        each(|c| format!("\\x{{{:x}}}", u32::from(c))),
        each(|c| format!("\\U{:08X}", u32::from(c))),
        each_byte(|byte| char::from(byte).to_string()),
        units.concat(),
        entities,
        format!("{}=\r\n{}", &printable[..13], &printable[13..]),
        printable,
        ODD.replace('ö', "o\u{308}").replace('é', "e\u{301}"),
        ODD.replace('\'', "''"),
        ODD.replace('"', "\"\""),
        ODD.replace('\'', "'\\''"),
        ODD.replace('\'', r#"'"'"'"#),
        ODD.replace('%', "%%"),
        ODD.replace('{', "{{").replace('}', "}}"),
    ] {
        is_hidden(&written);
    }
}

#[test]
fn a_secret_within_the_name_of_a_host_has_no_capital_letters() {
    for (secret, plain) in [("Tok3nABCdefGHI", "tok3n"), ("schlüssel-Nr1", "nr1")] {
        let secrets = Secrets::of(Some(&json!({ "token": secret })), []);
        let host = Url::parse(&format!("https://{secret}.hooks.example")).unwrap();
        assert!(host.as_str().contains(plain), "{host}");
        let clean = secrets.redact(host.as_str());
        assert_eq!(clean, "https://[redacted].hooks.example/");
    }
}

#[test]
fn secrets_within_addresses_and_numbers_are_known_by_their_value() {
    let credential = json!({
        "database_url": "postgres://ann:p%40ssw0rd@db/x?sslkey=k3y-k3y", "pin": 123_456, "token": { "id": 4711, "value": 9_876_543_210_u64 },
    });
    let config = json!({ "proxy": "http://bob:pr0xy-pass@proxy:3128" });
    let secrets = Secrets::of(Some(&credential), [&config]);
    assert_eq!(
        secrets.redact("ann: p@ssw0rd, k3y-k3y, 123456, 4711, 9876543210; bob: pr0xy-pass"),
        "ann: [redacted], [redacted], [redacted], 4711, [redacted]; bob: [redacted]"
    );
}
