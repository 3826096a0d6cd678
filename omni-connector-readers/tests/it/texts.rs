//! Tests plain text in charsets that nothing declares.

use encoding_rs::{ISO_8859_2, WINDOWS_1250};
use omni_connector_readers::Format;

use super::outcome;

#[test]
fn control_characters_between_words_change_no_charset() {
    for format in [Format::Text, Format::Html, Format::Csv] {
        for text in [
            "one\0two\0three\0four",
            "Größe\0Straße\0",
            "\u{1}one\u{1}two\u{1}",
        ] {
            let outcome = outcome(format, text.as_bytes());
            let read: Vec<_> = outcome.text.split_whitespace().collect();
            let words = text.split(char::is_control).filter(|word| !word.is_empty());
            let joined = read.join(" ").replace('\u{fffd}', " ");
            for word in words {
                assert!(
                    joined.split(' ').any(|read| read == word),
                    "{text:?}: {outcome:?}"
                );
            }
        }
    }
}

#[test]
fn text_in_pairs_of_bytes_without_a_mark_is_read_in_every_script() {
    for text in [
        "四半期報告書には請求書が含まれています。",
        "季度报告包含北方仓库供应商的发票，请查收。",
        "รายงานประจำไตรมาส",
    ] {
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let data: Vec<u8> = text.encode_utf16().flat_map(order).collect();
            outcome(Format::Text, &data).holds(&[text]);
            // The last byte may be missing.
            let start = text.chars().take(5).collect::<String>();
            outcome(Format::Text, &data[..data.len() - 1]).holds(&[&start]);
        }
    }
}

#[test]
fn hungarian_has_its_long_vowels() {
    let text = "Kérjük, ellenőrizze a számlát, és köszönjük hűséges együttműködését.";
    for encoding in [WINDOWS_1250, ISO_8859_2] {
        outcome(Format::Text, &encoding.encode(text).0).holds(&[text]);
    }
    // Portuguese and Estonian have `õ` as well.
    for text in [
        "As decisões são públicas já.",
        "Tõnu käis öösel külas, jõgi jäätus.",
    ] {
        let data = encoding_rs::WINDOWS_1252.encode(text).0;
        outcome(Format::Text, &data).holds(&[text]);
    }
}

#[test]
fn a_damaged_form_of_utf_8_costs_its_characters_alone() {
    for bad in [
        &b"\xed\xa0\xbd\xed\xb8\x80"[..],
        b"\xc0\xaf",
        b"\xf0\x9f\x98",
    ] {
        let data = [b"before ", bad, " Größe".as_bytes()].concat();
        outcome(Format::Text, &data).holds(&["before ", " Größe"]);
    }
}
