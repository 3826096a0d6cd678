//! Tests of collecting and removing secrets.

use base64::{
    Engine, alphabet,
    engine::{
        GeneralPurpose,
        general_purpose::{NO_PAD, PAD},
    },
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// The characters that reqwest escapes in a query.
const QUERY: &AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'%');

/// Spells a secret in one of the ways in which errors quote it.
fn spelled(secret: &str, way: usize, offset: usize) -> String {
    let json = |text: &str| {
        let quoted = json!(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let debug = |text: &str| {
        let quoted = format!("{text:?}");
        quoted[1..quoted.len() - 1].to_owned()
    };
    let ascii = |text: &str| -> String {
        let units: Vec<_> = text
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04X}"))
            .collect();
        units.concat()
    };
    let html = |text: &str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        text.replace('>', "&gt;").replace('"', "&quot;")
    };
    let with = format!("{}{secret}{}", &"@:"[..offset], "tail");
    let base64 = |alphabet: &alphabet::Alphabet, padded: bool| {
        let config = if padded { PAD } else { NO_PAD };
        GeneralPurpose::new(alphabet, config).encode(&with)
    };
    match way {
        0 => secret.to_owned(),
        1 => utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        2 => utf8_percent_encode(secret, NON_ALPHANUMERIC)
            .to_string()
            .to_lowercase_escapes(),
        3 => utf8_percent_encode(secret, QUERY).to_string(),
        4 => url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        5 => json(secret),
        6 => json(&json(secret)),
        7 => debug(secret),
        8 => debug(&json(secret)),
        9 => ascii(secret),
        10 => base64(&alphabet::STANDARD, true),
        11 => base64(&alphabet::STANDARD, false),
        12 => base64(&alphabet::URL_SAFE, true),
        13 => base64(&alphabet::URL_SAFE, false),
        14 => base64(&alphabet::IMAP_MUTF7, false),
        15 => base64(&alphabet::CRYPT, false),
        16 => base64(&alphabet::BCRYPT, false),
        17 => percent_encode(
            base64(&alphabet::STANDARD, true).as_bytes(),
            NON_ALPHANUMERIC,
        )
        .to_string(),
        18 => html(secret),
        19 => html(&json(secret)),
        _ => utf8_percent_encode(
            &utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            NON_ALPHANUMERIC,
        )
        .to_string(),
    }
}

/// Escapes a text in one way. Ways can be applied one after another.
fn layer(text: &str, way: usize) -> String {
    match way {
        0 => {
            let quoted = json!(text).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
        1 => utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
        2 => utf8_percent_encode(text, QUERY).to_string(),
        3 => url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        4 => text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;"),
        // Go writes JSON so that it can be part of a page.
        5 => layer(text, 0)
            .replace('&', "\\u0026")
            .replace('<', "\\u003c"),
        _ => text
            .replace('&', "&#38;")
            .replace('"', "&#x22;")
            .replace('\'', "&#39;"),
    }
}

#[test]
fn no_order_of_escapes_shows_a_secret() {
    for secret in ["p\"ss/w\\rd+1 é&<x", "\"\\&\"\\&\n'<😀\"", "a\"b&c%d"] {
        let secrets = Secrets::of(Some(&json!({ "token": secret })), []);
        for (first, second, third) in (0..343).map(|ways| (ways % 7, ways / 7 % 7, ways / 49)) {
            let written = layer(&layer(&layer(secret, first), second), third);
            let clean = secrets.redact(&format!("| {written} | is refused"));
            assert_eq!(
                clean, "| [redacted] | is refused",
                "{first} {second} {third}: {written}"
            );
        }
    }
}

#[test]
fn no_cut_within_escapes_of_escapes_shows_the_beginning_of_a_secret() {
    for secret in ["p\"ss/w\\rd+1 é&<x", "\"\\&'<😀"] {
        let secret = format!("longBEGINNING{secret}");
        let secrets = Secrets::of(Some(&json!({ "token": secret })), []);
        for (first, second) in (0..49).map(|ways| (ways % 7, ways / 7)) {
            let written = layer(&layer(&secret, first), second);
            for cut in (13..=written.len()).filter(|cut| written.is_char_boundary(*cut)) {
                for end in ["", "…", "... (cut)"] {
                    let text = format!("| {}{end}", &written[..cut]);
                    for clean in [
                        secrets.redact(&text),
                        hide_secrets(&text, [secret.as_str()], "x"),
                    ] {
                        assert!(!clean.contains("long"), "{first} {second}: {text}: {clean}");
                    }
                }
            }
        }
    }
}

trait LowercaseEscapes {
    fn to_lowercase_escapes(self) -> String;
}

impl LowercaseEscapes for String {
    fn to_lowercase_escapes(mut self) -> String {
        let escapes: Vec<_> = self.match_indices('%').map(|(at, _)| at).collect();
        for at in escapes {
            self[at..at + 3].make_ascii_lowercase();
        }
        self
    }
}

const CANARY: &str = "CANARYcanary0123";

proptest! {
    #[test]
    fn no_spelling_of_a_secret_passes(
        before in "[ -~é]{0,3}", after in "[ -~é😀\n]{0,4}", way in 0_usize..21, offset in 0_usize..3,
        filler in 0_usize..20_000,
    ) {
        let secret = format!("{}{CANARY}{after}", before.trim_start());
        let secrets = Secrets::of(Some(&json!({ "token": secret })), []);
        let secret = secret.trim();
        let written = spelled(secret, way, offset);
        // Between characters that belong to no spelling, before and after the cut.
        let text = format!("{}{written} is refused", "| ".repeat(filler / 2));
        let clean = secrets.redact(&text);
        // A fragment in the same spelling, long enough to guess the rest.
        let middle = written.floor_char_boundary(written.len() / 2);
        let piece = &written[middle..written.ceil_char_boundary(middle + 8)];
        prop_assert!(!clean.contains(piece), "{written} in {}", &clean[clean.floor_char_boundary(clean.len().saturating_sub(200))..]);
        prop_assert!(!clean.contains(&CANARY[..8]), "{clean}");
        prop_assert!(filler < 16_000 || clean.len() < 17_000);
    }
}

#[cfg(feature = "mcp")]
#[test]
fn a_secret_that_arrives_in_two_chunks_does_not_pass() {
    let text = "starting\nwith s3cr%2Fet-s3cr%2Fet now\nno end";
    for cut in 0..=text.len() {
        let secrets = Secrets::of(Some(&json!({ "token": "s3cr/et-s3cr/et" })), []);
        let mut chunks = super::super::Chunks::new(secrets);
        let mut read = chunks.push(&text.as_bytes()[..cut]);
        read += &chunks.push(&text.as_bytes()[cut..]);
        read += &chunks.end();
        assert_eq!(read, "starting\nwith [redacted] now\nno end", "{cut}");
    }
}

#[test]
fn a_long_text_is_cut() {
    let text = Secrets::default().redact(&"é".repeat(1 << 20));
    assert!(
        text.ends_with("é… and 2080768 more bytes"),
        "{}",
        text.len()
    );
}

#[test]
fn the_secrets_of_the_call_are_known_by_their_value() {
    let credential = json!({
        "username": "ann", "password": "hunter2", "api_key": "abcd", "base_url": "https://host",
        "keys": { "private_key": ["line-1", "line-12"] }, "pin": "12",
    });
    let config = json!({ "project_key": "OPSX", "webhook": { "webhook_secret": "whsec-1" } });
    let secrets = Secrets::of(Some(&credential), [&config]);
    assert_eq!(
        secrets.redact("ann with hunter2 and line-12 at https://host: abcd 12, whsec-1 of OPSX"),
        "ann with [redacted] and [redacted] at https://host: [redacted] 12, [redacted] of OPSX"
    );
}

#[test]
fn a_secret_across_the_cut_does_not_leak_its_beginning() {
    let secrets = Secrets::of(Some(&json!({ "token": "s3cret-s3cret-s3cret" })), []);
    for before in LONGEST - 40..LONGEST + 5 {
        for spelled in ["s3cret-s3cret-s3cret", "s3cret%2ds3cret%2ds3cret"] {
            let text = "x".repeat(before) + spelled + &" y".repeat(20_000);
            let clean = secrets.redact(&text);
            assert!(!clean.contains("s3c"), "{before}");
        }
    }
}

#[test]
fn a_secret_that_somebody_else_cut_is_taken_out_as_far_as_it_goes() {
    let secrets = Secrets::of(Some(&json!({ "token": "abcdefghijklmnop" })), []);
    assert_eq!(secrets.redact("no `abcdefghijkl…"), "no `[redacted]");
    assert_eq!(secrets.redact("no abcdefghij"), "no [redacted]");
    assert_eq!(secrets.redact("no abcdefghij more"), "no abcdefghij more");
}

#[test]
fn the_lines_and_fields_of_a_key_file_are_secrets_by_themselves() {
    let file = json!({ "client_email": "ann@acme.org", "private_key": "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nshort\n" });
    let secrets = Secrets::of(
        Some(&json!({ "service_account_key": file.to_string() })),
        [],
    );
    assert_eq!(
        secrets.redact("ann@acme.org at line MIIEvQIBADANBgkqhkiG"),
        "ann@acme.org at line [redacted]"
    );
}
