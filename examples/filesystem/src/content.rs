//! What becomes of the bytes of a file: text as it is, known formats by extraction, and of everything else nothing.

use std::io::Read;

use crate::skip::{NO_TEXT, OTHER_ENCODING, Obstacle};

/// What a file holds for readers.
#[derive(Debug)]
pub(crate) enum Content {
    Text(String),
    /// Bytes whose text Omni extracts.
    Extract {
        data: Vec<u8>,
        mime_type: &'static str,
    },
}

/// The formats that Omni extracts text from (`protocol.md` §3.5), beside plain text.
const EXTRACTED: &[(&str, &str)] = &[
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("eml", "message/rfc822"),
    ("htm", "text/html"),
    ("html", "text/html"),
    // A saved page is a message whose parts are the page and its pictures.
    ("mht", "message/rfc822"),
    ("mhtml", "message/rfc822"),
    ("msg", "application/vnd.ms-outlook"),
    ("pdf", "application/pdf"),
    (
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    ("xhtml", "text/html"),
    ("xls", "application/vnd.ms-excel"),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
];

/// Whether a file is text shows in as many of its first bytes.
const SNIFFED: u64 = 8 << 10;

/// In the three encodings: UTF-8, where it is no text, and both orders of UTF-16.
const BYTE_ORDER_MARK: (&str, &[u8], &[u8]) = ("\u{feff}", b"\xff\xfe", b"\xfe\xff");

impl Content {
    /// Reads a file of this extension and of `size` bytes; of a file without text only the beginning.
    pub(crate) fn read(
        mut file: impl Read,
        size: u64,
        extension: Option<&str>,
    ) -> Result<Self, Obstacle> {
        let extracted = EXTRACTED.iter().find(|(of, _)| Some(*of) == extension);
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        file.by_ref().take(SNIFFED).read_to_end(&mut bytes)?;
        if extracted.is_none() {
            refuse_other_than_utf8(&bytes)?;
            if is_markup_alone(&bytes) {
                return Err(Obstacle::Unwanted(NO_TEXT));
            }
        }
        // A byte more than there should be shows that the file grows.
        file.take((size + 1).saturating_sub(SNIFFED))
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 != size {
            return Err(Obstacle::Changed);
        }
        match extracted {
            Some((_, mime_type)) => Ok(Self::Extract {
                data: bytes,
                mime_type,
            }),
            None => String::from_utf8(bytes)
                .map(|text| Self::Text(without_mark(text)))
                .map_err(|_| Obstacle::Unwanted(OTHER_ENCODING)),
        }
    }
}

fn refuse_other_than_utf8(beginning: &[u8]) -> Result<(), Obstacle> {
    let (_, little, big) = BYTE_ORDER_MARK;
    if beginning.starts_with(little) || beginning.starts_with(big) {
        return Err(Obstacle::Unwanted(OTHER_ENCODING));
    }
    if beginning.contains(&0) {
        return Err(Obstacle::Unwanted(NO_TEXT));
    }
    Ok(())
}

/// Formats whose bytes are text and whose words are between markup or encoded: RTF, mailboxes, and office files as one XML.
fn is_markup_alone(beginning: &[u8]) -> bool {
    let head = String::from_utf8_lossy(beginning);
    let head = head.trim_start_matches(BYTE_ORDER_MARK.0).trim_start();
    let is_mailbox = head.starts_with("From ")
        && head.lines().nth(1).is_some_and(|line| {
            let name = line.split_once(": ").map_or("", |(name, _)| name);
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
    let is_office = head.starts_with("<?xml")
        && [
            "<office:document",
            "progid=\"Word.Document\"",
            "<pkg:package",
        ]
        .iter()
        .any(|sign| head.contains(sign));
    head.starts_with("{\\rtf") || is_mailbox || is_office
}

fn without_mark(text: String) -> String {
    match text.strip_prefix(BYTE_ORDER_MARK.0) {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], extension: &str) -> Result<Content, Obstacle> {
        Content::read(bytes, bytes.len() as u64, Some(extension))
    }

    #[test]
    fn text_is_what_is_utf8_whatever_its_name() {
        let long = "größe ".repeat(5_000);
        let letter = "From Ada\nwith love: a poem";
        for text in ["", "plain", "\u{feff}marked", letter, &long] {
            let Ok(Content::Text(read)) = read(text.as_bytes(), "dat") else {
                panic!("{text}")
            };
            assert_eq!(read, text.trim_start_matches('\u{feff}'));
        }
    }

    #[test]
    fn what_has_no_text_says_so() {
        for (bytes, reason) in [
            (&b"\x7fELF\0\0"[..], NO_TEXT),
            (b"\xff\xfeh\0i\0", OTHER_ENCODING),
            (b"gr\xf6\xdfe", OTHER_ENCODING),
            (b"{\\rtf1\\ansi{\\fonttbl}prose}", NO_TEXT),
            (
                b"From ada@example.com Mon Jan 1\nReturn-Path: <a>\n\nx",
                NO_TEXT,
            ),
            (b"<?xml version=\"1.0\"?>\n<office:document>x", NO_TEXT),
        ] {
            match read(bytes, "txt") {
                Err(Obstacle::Unwanted(why)) => assert_eq!(why, reason, "{bytes:?}"),
                other => panic!("{bytes:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_known_format_goes_to_extraction_as_it_is() {
        let Ok(Content::Extract { data, mime_type }) = read(b"%PDF-1.7\0", "pdf") else {
            panic!()
        };
        assert_eq!(
            (&data[..], mime_type),
            (&b"%PDF-1.7\0"[..], "application/pdf")
        );
    }

    #[test]
    fn a_file_of_another_size_than_it_had_has_changed() {
        let long = "x".repeat(20_000);
        for (text, size) in [("four", 3), ("four", 5), (&long, 19_999), (&long, 20_001)] {
            let read = Content::read(text.as_bytes(), size, None);
            assert!(matches!(read, Err(Obstacle::Changed)), "{size}: {read:?}");
        }
    }
}
