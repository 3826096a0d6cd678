//! Reads PDF files page by page, with Omni's reader.

use std::collections::HashSet;

use pdf_oxide::{PdfDocument, object::Object};

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
    let pages = match leaves(&document) {
        Some(pages @ 1..) => pages,
        _ => document.page_count().map_err(|error| error.to_string())?,
    };
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

/// Counts the pages in the tree of pages. The number that a file declares may be wrong, and the reader believes it.
/// Counts a page that cannot be loaded, so that it is reported.
fn leaves(document: &PdfDocument) -> Option<usize> {
    let catalog = document.catalog().ok()?;
    let mut open = vec![catalog.as_dict()?.get("Pages")?.as_reference()?];
    let mut seen = HashSet::new();
    let mut leaves = 0;
    while let Some(node) = open.pop() {
        if !seen.insert(node) {
            continue;
        }
        let node = document.load_object(node).ok();
        let kids = node.as_ref().and_then(|node| node.as_dict()?.get("Kids"));
        match kids.and_then(|kids| kids.as_array()) {
            Some(kids) => open.extend(kids.iter().filter_map(Object::as_reference)),
            None => leaves += 1,
        }
    }
    Some(leaves)
}
