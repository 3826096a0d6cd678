//! Tests of the forms in which programs write a secret, and of the places where a credential has one.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::*;

#[test]
fn no_form_that_programs_give_bytes_and_signs_shows_a_secret() {
    let odd = "p@ss\"wörd_1'$x/+=é&<%{}";
    let bytes = odd.as_bytes();
    let hex = |separator: &str| {
        let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.join(separator)
    };
    let octal = |c: u8| match c {
        b' '..=b'~' => char::from(c).to_string(),
        _ => format!("\\{c:03o}"),
    };
    let sql = odd.replace('\'', "''");
    let csv = odd.replace('"', "\"\"");
    let shell = odd.replace('\'', "'\\''");
    let python = odd.replace('\'', r#"'"'"'"#);
    let markdown: String = odd
        .chars()
        .map(|c| {
            if c.is_ascii_punctuation() {
                format!("\\{c}")
            } else {
                c.to_string()
            }
        })
        .collect();
    let entities = odd
        .replace('&', "&amp;")
        .replace('ö', "&ouml;")
        .replace('é', "&eacute;")
        .replace('@', "&commat;")
        .replace('/', "&sol;")
        .replace('+', "&plus;")
        .replace('=', "&equals;")
        .replace('\'', "&apos;");
    let script: String = odd
        .encode_utf16()
        .map(|unit| format!("%u{unit:04x}"))
        .collect();
    let braces: String = odd
        .chars()
        .map(|c| format!("\\x{{{:x}}}", u32::from(c)))
        .collect();
    let wide: String = odd
        .chars()
        .map(|c| format!("\\U{:08X}", u32::from(c)))
        .collect();
    let printable: String = bytes
        .iter()
        .map(|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(*byte).to_string(),
            _ => format!("={byte:02X}"),
        })
        .collect();
    let soft = format!("{}=\r\n{}", &printable[..13], &printable[13..]);
    let latin = odd
        .chars()
        .map(|c| match u8::try_from(c) {
            Ok(byte) if !c.is_ascii_alphanumeric() => format!("%{byte:02X}"),
            _ => c.to_string(),
        })
        .collect::<String>();
    let mistaken: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let apart = odd.replace('ö', "o\u{308}").replace('é', "e\u{301}");
    let base64 = STANDARD.encode(format!("user:{odd}"));
    let lines = |end: &str| {
        let lines: Vec<_> = base64
            .as_bytes()
            .chunks(16)
            .map(String::from_utf8_lossy)
            .collect();
        lines.join(end)
    };
    for written in [
        hex(""),
        hex(":"),
        hex(" "),
        hex(", "),
        hex("").to_uppercase(),
        format!("{bytes:?}"),
        format!("{bytes:#?}"),
        format!("{bytes:02x?}"),
        json!(bytes).to_string(),
        bytes.iter().copied().map(octal).collect(),
        bytes.escape_ascii().to_string(),
        sql,
        csv,
        shell,
        python,
        markdown,
        entities,
        script,
        braces,
        wide,
        printable,
        soft,
        latin,
        mistaken,
        apart,
        lines("\n"),
        lines("\r\n"),
        lines("\r\n "),
        json!(lines("\n")).to_string(),
        json!(json!(lines("\r\n")).to_string()).to_string(),
        odd.replace('%', "%%"),
        odd.replace('{', "{{").replace('}', "}}"),
        json!(format!("{bytes:?}")).to_string(),
        hex("%").to_lowercase().replacen("70", "%70", 1),
    ] {
        let secrets = Secrets::of(Some(&json!({ "token": odd })), []);
        let clean = secrets.redact(&format!("| {written} | is refused"));
        let rest = clean.replace("[redacted]", "");
        let letters = rest.trim_end_matches("is refused").chars();
        assert!(
            letters.filter(|c| c.is_alphanumeric()).count() < 8,
            "{written}: {clean}"
        );
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
        "database_url": "postgres://ann:p%40ssw0rd@db/x?sslkey=k3y-k3y", "pin": 123456, "token": { "id": 4711, "value": 9_876_543_210_u64 },
    });
    let config = json!({ "proxy": "http://bob:pr0xy-pass@proxy:3128" });
    let secrets = Secrets::of(Some(&credential), [&config]);
    assert_eq!(
        secrets.redact("ann: p@ssw0rd, k3y-k3y, 123456, 4711, 9876543210; bob: pr0xy-pass"),
        "ann: [redacted], [redacted], [redacted], 4711, [redacted]; bob: [redacted]"
    );
}
