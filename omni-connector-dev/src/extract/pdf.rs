//! Text of PDF files. A PDF never fails: one without readable text says so in its text.

use std::{io::Read, time::Instant};

use flate2::read::ZlibDecoder;
use memchr::memmem;
use pdf_extract::{Document, OutputError, PlainTextOutput, output_doc_page};

use super::LONGEST_PART;

/// What stands in place of a text that could not be read.
pub(super) const FAILURE: &str = "[Text extraction failed for this PDF. The document was skipped for extracted-text indexing because no text could be extracted.]";

pub(super) fn text(data: &[u8], until: Instant) -> String {
    if !is_bounded(data, until) {
        tracing::debug!("a PDF inflates without end");
        return FAILURE.to_owned();
    }
    match pages(data, until) {
        Ok(pages) if pages.iter().any(|page| !page.trim().is_empty()) => pages.join("\n\n"),
        Ok(_) => FAILURE.to_owned(),
        Err(error) => {
            tracing::debug!(%error, "a PDF cannot be read");
            FAILURE.to_owned()
        }
    }
}

/// The texts of its pages, as far as they can be read in time.
fn pages(data: &[u8], until: Instant) -> Result<Vec<String>, OutputError> {
    let mut document = Document::load_mem(data)?;
    if document.is_encrypted() {
        document.decrypt("")?;
    }
    let mut pages = Vec::new();
    for number in 1.. {
        let mut page = String::new();
        let read = output_doc_page(&document, &mut PlainTextOutput::new(&mut page), number);
        if read.is_err() || Instant::now() > until {
            break;
        }
        pages.push(page);
    }
    Ok(pages)
}

/// Whether what its reader takes into memory is of a size for it.
fn is_bounded(data: &[u8], until: Instant) -> bool {
    let mut left = LONGEST_PART;
    memmem::find_iter(data, b"stream").all(|at| {
        let stream = data[at + b"stream".len()..].trim_ascii_start();
        if !is_zlib(stream) {
            return true;
        }
        let inflated = ZlibDecoder::new(stream).take(left + 1);
        let read = inflated_length(inflated);
        left.checked_sub(read).map(|rest| left = rest).is_some() && Instant::now() < until
    })
}

/// As far as it can be inflated.
fn inflated_length(mut inflated: impl Read) -> u64 {
    let (mut buffer, mut length) = (vec![0; 64 << 10], 0);
    while let Ok(read @ 1..) = inflated.read(&mut buffer) {
        length += read as u64;
    }
    length
}

/// The first two bytes of what can be inflated.
fn is_zlib(data: &[u8]) -> bool {
    matches!(data, [method, flags, ..]
        if method & 0x0F == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31))
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        time::{Duration, Instant},
    };

    use flate2::{Compression, write::ZlibEncoder};
    use pdf_extract::{Document, Object, ObjectId, Stream, dictionary};

    use super::*;
    use crate::extract::File;

    fn in_time() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    /// A document of one page, whose content may name the form `F`.
    fn document(content: &[u8], forms: impl FnOnce(&mut Document) -> Option<ObjectId>) -> Vec<u8> {
        let mut document = Document::with_version("1.5");
        let font = document.add_object(
            dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Courier" },
        );
        let form = forms(&mut document).map_or(Object::Null, Object::Reference);
        let resources = document.add_object(dictionary! {
            "Font" => dictionary! { "T" => font }, "XObject" => dictionary! { "F" => form },
        });
        let content = Stream::new(dictionary! { "Filter" => "FlateDecode" }, zlib(content));
        let content = document.add_object(content);
        let pages = document.new_object_id();
        let page = document.add_object(dictionary! {
            "Type" => "Page", "Parent" => pages, "Contents" => content, "Resources" => resources,
            "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
        });
        let kids = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
        document.objects.insert(pages, Object::Dictionary(kids));
        let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages });
        document.trailer.set("Root", catalog);
        let mut file = Vec::new();
        document.save_to(&mut file).unwrap();
        file
    }

    const WORDS: &[u8] = b"BT /T 12 Tf 72 700 Td (some words) Tj ET";

    #[test]
    fn a_document_is_read_and_one_that_inflates_without_end_is_not() {
        let fine = document(WORDS, |_| None);
        assert_eq!(text(&fine, in_time()).trim(), "some words");
        let blanks = vec![b' '; usize::try_from(LONGEST_PART).unwrap()];
        let flood = document(&[WORDS, &blanks].concat(), |_| None);
        assert_eq!(text(&flood, in_time()), FAILURE);
    }

    #[tokio::test]
    async fn a_document_that_takes_too_long_has_no_readable_text() {
        // Forms that each draw the next one ten times.
        let forms = |document: &mut Document| {
            let mut inner = None;
            for _ in 0..12 {
                let mut form = dictionary! { "Type" => "XObject", "Subtype" => "Form" };
                form.set("BBox", vec![0.into(), 0.into(), 1.into(), 1.into()]);
                if let Some(inner) = inner {
                    let drawn = dictionary! { "F" => Object::Reference(inner) };
                    form.set("Resources", dictionary! { "XObject" => drawn });
                }
                let content = if inner.is_some() {
                    b"/F Do ".repeat(10)
                } else {
                    Vec::new()
                };
                inner = Some(document.add_object(Stream::new(form, content)));
            }
            inner
        };
        let data = document(&[WORDS, b" /F Do"].concat(), forms);
        let begun = Instant::now();
        let file = File {
            mime_type: "application/pdf".to_owned(),
            name: None,
            data: data.into(),
            max_rows: 1,
            max_text_bytes: 1000,
            until: begun + Duration::from_millis(500),
        };
        assert_eq!(file.text(()).await.unwrap(), FAILURE);
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            begun.elapsed()
        );
    }
}
