//! Text of PDF files. A PDF never fails: one without readable text says so in its text.

/// What stands in place of a text that could not be read.
pub(super) const FAILURE: &str = "[Text extraction failed for this PDF. The document was skipped for extracted-text indexing because no text could be extracted.]";

pub(super) fn text(data: &[u8]) -> String {
    match pdf_extract::extract_text_from_mem(data) {
        Ok(text) if !text.trim().is_empty() => text,
        Ok(_) => FAILURE.to_owned(),
        Err(error) => {
            tracing::debug!(%error, "a PDF cannot be read");
            FAILURE.to_owned()
        }
    }
}
