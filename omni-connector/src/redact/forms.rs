//! The forms in which programs write the bytes of a secret: as they are, in base64, as hexadecimal digits, or as a list.

use std::iter;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use url::Url;

/// The fewest base64 characters that certainly belong to the secret.
const SHORTEST_BASE64: usize = 4;

/// The shortest secret that is searched as the name of a host, which has no capital letters: shorter ones become words.
const SHORTEST_HOST: usize = 12;

const ALPHABETS: [&[u8; 64]; 4] = [
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,",
    b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
];

/// How the bytes of a pattern are compared with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Base64,
    /// Hexadecimal digits, in either case and with any of the usual separators.
    Hex,
    /// Decimal numbers with commas, as Rust and JavaScript print bytes.
    List,
}

impl Form {
    /// Returns whether this form reads a byte of the text as another byte of the pattern.
    pub(super) const fn reads(self, byte: u8, wanted: u8) -> bool {
        match self {
            Self::Base64 => matches!(standard(byte), Some(standard) if standard == wanted),
            Self::Hex => byte.eq_ignore_ascii_case(&wanted),
            Self::Plain | Self::List => false,
        }
    }

    /// Returns the place after a separator, which may stand between any two bytes of the pattern.
    pub(super) fn after_separator(self, text: &[u8], place: usize) -> Option<usize> {
        let rest = &text[place..];
        let is_one = |c: &u8| match self {
            Self::Plain => false,
            Self::Base64 | Self::List => c.is_ascii_whitespace(),
            Self::Hex => c.is_ascii_whitespace() || matches!(c, b':' | b'-' | b','),
        };
        let length = rest.iter().take_while(|c| is_one(c)).count();
        if length > 0 {
            return Some(place + length);
        }
        // A line of quoted-printable may end anywhere.
        let soft = [&b"=\r\n"[..], b"=\n"];
        let soft = soft.into_iter().find(|soft| rest.starts_with(soft));
        soft.map(|soft| place + soft.len())
    }
}

/// Returns a secret in each form.
pub(super) fn of(secret: &str) -> impl Iterator<Item = (Form, Vec<u8>)> {
    let quoted = quoted(secret);
    let texts = iter::once(secret).chain((quoted != secret).then_some(quoted.as_str()));
    let base64 = texts.flat_map(|text| {
        let encoded = ALPHABETS.iter();
        encoded.flat_map(move |letters| base64_of(text, letters))
    });
    let digit = |digit: u8| b"0123456789abcdef"[usize::from(digit)];
    let hex = secret
        .bytes()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    let hex = hex.collect();
    let list: Vec<_> = secret.bytes().map(|byte| byte.to_string()).collect();
    let plain = iter::once(secret.as_bytes().to_vec());
    let plain = plain.chain(beyond_ascii(secret)).chain(as_host(secret));
    let mut forms: Vec<_> = base64.map(|bytes| (Form::Base64, bytes)).collect();
    forms.push((Form::Hex, hex));
    forms.push((Form::List, list.join(",").into_bytes()));
    forms.extend(plain.map(|bytes| (Form::Plain, bytes)));
    forms.into_iter()
}

/// Returns the other ways to write characters that are not in ASCII: composed and decomposed, as Latin-1, and with a
/// character for each byte.
fn beyond_ascii(secret: &str) -> Vec<Vec<u8>> {
    if secret.is_ascii() {
        return Vec::new();
    }
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(secret);
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(secret);
    let mistaken: String = secret.bytes().map(char::from).collect();
    let mut ways = vec![
        composed.as_bytes().to_vec(),
        decomposed.as_bytes().to_vec(),
        mistaken.into_bytes(),
    ];
    let latin = composed.chars().map(|c| u8::try_from(c).ok());
    ways.extend(latin.collect::<Option<Vec<_>>>());
    ways.retain(|way| way != secret.as_bytes());
    ways
}

/// Returns a secret as it is within the name of a host: in small letters and in punycode.
fn as_host(secret: &str) -> Option<Vec<u8>> {
    const BEHIND: &str = ".example";
    if secret.len() < SHORTEST_HOST {
        return None;
    }
    let url = Url::parse(&format!("https://{secret}{BEHIND}")).ok()?;
    let host = url.host_str()?.strip_suffix(BEHIND)?;
    let is_whole = url.username().is_empty() && url.port().is_none();
    (is_whole && host != secret).then(|| host.as_bytes().to_vec())
}

/// Maps a character of the URL-safe alphabet to the standard one.
pub(super) const fn standard(url_safe: u8) -> Option<u8> {
    match url_safe {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        _ => None,
    }
}

/// Returns the base64 of a secret at each offset, without characters that depend on neighbouring bytes.
fn base64_of(secret: &str, alphabet: &[u8; 64]) -> impl Iterator<Item = Vec<u8>> {
    let certain = move |offset: usize| {
        let bit = |index: usize| {
            let byte = index / 8;
            let byte = byte.checked_sub(offset).map(|byte| secret.as_bytes()[byte]);
            byte.unwrap_or_default() >> (7 - index % 8) & 1
        };
        let from = (offset * 8).div_ceil(6);
        let to = (offset + secret.len()) * 8 / 6;
        (from..to)
            .map(|character| {
                let value = (0..6).fold(0, |value, of| value << 1 | bit(character * 6 + of));
                alphabet[usize::from(value)]
            })
            .collect::<Vec<_>>()
    };
    let found: Vec<_> = (0..3).map(certain).collect();
    found
        .into_iter()
        .filter(|found| found.len() >= SHORTEST_BASE64)
}

/// Returns a secret as it is between the quotation marks of a JSON string.
fn quoted(secret: &str) -> String {
    let quoted = serde_json::Value::from(secret).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
