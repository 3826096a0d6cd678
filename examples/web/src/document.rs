//! Makes a document of a page.

use omni_connector::prelude::*;

use crate::{
    fetch::{Body, etag},
    page::{Page, file_name, is_document},
};

/// Returns the document of a page, which everybody in the company may see.
pub(crate) fn document(id: String, url: &Url, page: Page, body: Body) -> Document<'static> {
    let document = Document::new(id, DocumentPermissions::public())
        .title(if page.title.is_empty() {
            url.to_string()
        } else {
            page.title
        })
        .url(url.as_str())
        .path(url.path())
        .content_type("webpage")
        .extra("domain", url.host_str())
        .extra("etag", etag(&body.version))
        .extra("content_hash", page.hash);
    if is_document(&body.media_type) {
        document.extract(body.bytes, body.media_type, file_name(url))
    } else {
        let is_word = |it: &&str| it.contains(char::is_alphanumeric);
        let words = page.text.split_whitespace().filter(is_word).count();
        document
            .extra("word_count", words)
            .mime_type(body.media_type)
            .size(body.size as u64)
            .text(page.text)
    }
}
