//! The documents that all candidates send.

use std::fmt::Write as _;

use omni_connector::{ConnectorEvent, Document, DocumentMetadata, DocumentPermissions};
use serde_json::json;

/// The run of the null manager, which ignores it.
pub(crate) const NULL_RUN: Run<'static> = Run {
    id: "01K3B7T6JQ3W5R8Z1Y2X4V6N9M",
    source: "01K39ZC2M4E8T0QY7H5N3R6WAB",
};
/// The content id in the null manager's answers.
pub(crate) const CONTENT: &str = "01K3B7T6JQ0000000000000000";
/// The number of events in a batch.
pub(crate) const BATCH: usize = 500;
/// The number of contents stored at once.
pub(crate) const STORES: usize = 16;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) id: &'a str,
    pub(crate) source: &'a str,
}

/// Returns 2 KB of text that differ for each run and document.
pub(crate) fn text(run: &str, number: usize) -> String {
    const FILLER: &str =
        "Every word of this text is here so that it is as long as a page of a wiki usually is. ";
    // A text that was read from a source is in one allocation.
    let mut text = String::with_capacity(2_000 + FILLER.len());
    let _ = writeln!(text, "Document {number} of run {run}");
    while text.len() < 2_000 {
        text.push_str(FILLER);
    }
    text.truncate(2_000);
    text
}

/// Makes the document that an author writes.
pub(crate) fn document(number: usize) -> Document<'static> {
    Document::new(id(number), permissions())
        .title(title(number))
        .url(url(number))
}

/// Makes the same document as an event.
pub(crate) fn event(run: Run<'_>, number: usize, content_id: &str) -> ConnectorEvent {
    ConnectorEvent::DocumentCreated {
        sync_run_id: run.id.to_owned(),
        source_id: run.source.to_owned(),
        document_id: id(number),
        content_id: content_id.to_owned(),
        metadata: DocumentMetadata {
            title: Some(title(number)),
            url: Some(url(number)),
            ..DocumentMetadata::default()
        },
        permissions: permissions(),
        attributes: Some(omni_connector::Attributes::new()),
    }
}

/// Returns the bytes of a batch.
pub(crate) fn batch(run: Run<'_>, events: &[ConnectorEvent]) -> Vec<u8> {
    let body = json!({ "sync_run_id": run.id, "source_id": run.source, "events": events });
    body.to_string().into_bytes()
}

/// Returns the bytes of a request that stores a content.
pub(crate) fn content(run: Run<'_>, text: &str) -> Vec<u8> {
    json!({ "sync_run_id": run.id, "content": text })
        .to_string()
        .into_bytes()
}

fn id(number: usize) -> String {
    format!("page-{number:08}")
}

fn title(number: usize) -> String {
    format!("Page {number} about something")
}

fn url(number: usize) -> String {
    format!("https://wiki.example.com/pages/{number}")
}

fn permissions() -> DocumentPermissions {
    DocumentPermissions::users(["ann@example.com", "bob@example.com"])
}
