//! Text of PDF files, page by page, with the reader that Omni uses.

use pdf_oxide::PdfDocument;

use super::{Refusal, parts::Parts};

/// Where a PDF begins: bytes before it, such as the headers of a download, are nobody's.
const MAGIC: &[u8] = b"%PDF-";
/// Where to look for the beginning, as viewers do.
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
