//! Reads PDF files page by page, with Omni's reader.

use pdf_oxide::PdfDocument;

use super::{Refusal, parts::Parts};

/// Start of a PDF. Bytes before it, such as HTTP headers of a download, are skipped.
const MAGIC: &[u8] = b"%PDF-";
/// Bytes searched for the start, as in PDF viewers.
const HEAD: usize = 1024;

pub(super) fn read(data: &[u8], parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let head = &data[..data.len().min(HEAD)];
    let start = head.windows(MAGIC.len()).position(|at| at == MAGIC);
    let start = start.ok_or("it is no PDF: `%PDF-` is missing at its beginning")?;
    let document = PdfDocument::from_bytes(data[start..].to_vec()).map_err(|e| e.to_string())?;
    if document.is_encrypted() && !document.authenticate(b"").map_err(|e| e.to_string())? {
        return Err("it is protected by a password".to_owned());
    }
    let pages = document.page_count().map_err(|error| error.to_string())?;
    for page in 0..pages {
        if parts.is_full() {
            break;
        }
        parts.part(format!("page {}", page + 1), |parts| {
            let text = document.extract_text(page).map_err(|e| e.to_string())?;
            if !text.trim().is_empty() {
                parts.text(&text);
                parts.text("\n\n");
            }
            Ok(())
        });
    }
    Ok(())
}
