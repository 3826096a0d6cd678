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
    ("msg", "application/vnd.ms-outlook"),
    ("pdf", "application/pdf"),
    (
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
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
        for text in ["", "plain", "\u{feff}marked", &long] {
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
