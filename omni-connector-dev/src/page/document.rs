//! One document: the item of the source, the connector's data, the text in Omni, and its readers with the reasons.

use maud::{Markup, html};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::Value;

use super::{
    diff::{self, Change},
    frame::{Frame, Pane},
    show::{ago, bytes, count, cut, foreign, json, outward},
    tree,
};
use crate::{
    json::below,
    rules::{Access, ReadingGroup, SourceItem},
    store::{
        StoreError, contents,
        documents::{self, StoredDocument},
        review,
        run_documents::{self, Version},
    },
};

/// The most characters of a text that are shown.
const LONGEST: usize = 20_000;

/// A document with its related data.
#[derive(Serialize)]
pub(super) struct Shown {
    pub(super) document: StoredDocument,
    text: String,
    text_bytes: u64,
    access: Access,
    /// What it was probably made of; none if no kept answer has it.
    source_item: Option<SourceItem>,
    /// Earlier versions, newest first.
    versions: Vec<Earlier>,
}

/// An earlier version of a document.
#[derive(Serialize)]
struct Earlier {
    #[serde(flatten)]
    version: Version,
    /// The differences of the version that replaced it.
    changes: Vec<Change>,
}

impl Shown {
    /// A document by Omni's id, the connector's id or the address.
    pub(super) fn read(
        db: &Connection,
        id: &str,
        viewer: Option<&str>,
    ) -> Result<Option<Self>, StoreError> {
        let found = match documents::find_by_id(db, id)? {
            Some(document) => Some(document),
            None => review::named(db, id, 1)?.pop(),
        };
        let Some(document) = found else {
            return Ok(None);
        };
        let text = contents::find(db, &document.content_id)?.unwrap_or_default();
        let access = Access::read(db, &document, viewer)?;
        let versions = earlier(db, &document, &text)?;
        Ok(Some(Self {
            source_item: SourceItem::find(db, &document)?,
            versions,
            text_bytes: text.len() as u64,
            text: cut(&text, LONGEST),
            document,
            access,
        }))
    }
}

/// Returns the earlier versions of a document, each compared with the one that replaced it.
fn earlier(
    db: &Connection,
    document: &StoredDocument,
    text: &str,
) -> Result<Vec<Earlier>, StoreError> {
    let mut newer = serde_json::json!({
        "title": document.title, "metadata": document.metadata, "permissions": document.permissions,
        "attributes": document.attributes,
    });
    let mut newer_text = Some(text.to_owned());
    let versions = run_documents::versions(db, &document.source_id, &document.document_id)?;
    let mut all = Vec::with_capacity(versions.len());
    for version in versions {
        let mut changes = diff::changes(&version.record, &newer);
        let text = contents::find(db, &version.content_id)?;
        if let (Some(before), Some(after)) = (&text, &newer_text) {
            changes.extend(diff::text_change(before, after));
        }
        newer = version.record.clone();
        newer_text = text;
        all.push(Earlier { version, changes });
    }
    Ok(all)
}

/// Renders the earlier versions, each with what the next one changed.
fn history(frame: &Frame, versions: &[Earlier]) -> Markup {
    html! {
        @if !versions.is_empty() {
            section.card id="versions" {
                h2 { "Earlier versions " span.counter { (versions.len()) } }
                ol.timeline {
                    @for Earlier { version, changes } in versions {
                        li {
                            details {
                                summary { "until " (ago(version.until)) " " a href=(frame.link(Pane::Sync.path(), &[("run", &version.sync_run_id)])) { "the run that replaced it" } }
                                @if changes.is_empty() { p.quiet { "The next version has another text; this one's is not kept any more, or the document was deleted and came again." } }
                                @else { p.quiet { "What the next version changed:" } (diff::render(changes)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn render(frame: &Frame, shown: &Shown) -> Markup {
    let Shown {
        document,
        text,
        text_bytes,
        access,
        source_item,
        versions,
    } = shown;
    let url = document.metadata.get("url").and_then(Value::as_str);
    html! {
        section.card {
            h2 { (foreign(&document.title)) }
            p.quiet { code { (foreign(&document.document_id)) } " · changed here " (ago(document.updated_at)) @if let Some(url) = url { " · " (outward(url)) } }
            @if let Some(verdict) = &access.verdict {
                p.verdict.good[verdict.sees].bad[!verdict.sees] {
                    strong { (verdict.email) @if verdict.sees { " sees it" } @else { " does not see it" } } ": " (foreign(&verdict.reason)) "."
                }
            }
            (readers(frame, access))
        }
        div.columns.three[source_item.is_some()] {
            @if let Some(item) = source_item { (made_of(frame, item)) }
            section.card {
                h2 { "What the connector sent" }
                (members("Attributes", &document.attributes, "/attributes", source_item.as_ref()))
                (members("Metadata", &document.metadata, "/metadata", source_item.as_ref()))
                details { summary { "As JSON" } (json(&serde_json::to_value(document).unwrap_or_default())) }
            }
            section.card {
                h2 { "The text that Omni has" }
                p.quiet { (bytes(*text_bytes)) @if text.ends_with('…') { ", the beginning of it" } }
                @if text.trim().is_empty() { p.fault { "The text is empty: only the title is found." } }
                @else { pre.text tabindex="0" { (foreign(text)) } }
            }
        }
        (history(frame, versions))
    }
}

fn readers(frame: &Frame, access: &Access) -> Markup {
    html! {
        h3 { "Who can see it" }
        @if access.is_hidden { p.fault { "Nobody: the document names no reader." } }
        @if access.public { p { span.chip { "public" } " Everybody in the company." } }
        @if !access.users.is_empty() {
            ul.inline { @for user in access.users.iter().take(200) { li { span.chip { (foreign(user)) } } } }
            @if access.users.len() > 200 { p.quiet { "and " (count(access.users.len() as u64 - 200)) " more" } }
        }
        @for group in &access.groups { (reading_group(frame, group)) }
    }
}

fn reading_group(frame: &Frame, group: &ReadingGroup) -> Markup {
    html! {
        @match &group.members {
            Some(members) => details.group {
                summary { span.chip { "group" } " " (foreign(&group.name)) " " span.counter { (count(members.len() as u64)) } }
                ul.inline { @for member in members.iter().take(500) { li { (foreign(member)) } } }
            },
            None if group.is_domain => p { span.chip { "domain" } " " (foreign(&group.name)) span.quiet { ": everybody whose address ends with it" } },
            None => p { span.chip.bad { "unknown group" } " " (foreign(&group.name)) span.quiet { ": no source has sent it, so it lets nobody in. " } a href=(frame.link(Pane::Documents.path(), &[("tab", "groups")])) { "Groups" } },
        }
    }
}

/// Renders the item of the source that a document was probably made of.
fn made_of(frame: &Frame, item: &SourceItem) -> Markup {
    let anchors: Vec<_> = item.same.values().map(String::as_str).collect();
    let call = [("run", item.run.as_str()), ("call", item.call.as_str())];
    html! {
        section.card id="source-item" {
            h2 { "The item of the source" }
            p.quiet {
                "Probably: it has the id of the document. In the answer of "
                a href=(frame.link(Pane::Requests.path(), &call)) { code { (foreign(&item.operation)) } }
                @if !item.place.is_empty() { " at " code { (foreign(&item.place)) } }
            }
            (tree::with_anchors(&item.item, &anchors))
        }
    }
}

/// Renders the members of a part of the document, each with a link to the same value in the item of the source.
fn members(title: &str, value: &Value, part: &str, item: Option<&SourceItem>) -> Markup {
    let origin = |name: &str| {
        let place = below(part, name);
        let is_in = |found: &str| {
            found
                .strip_prefix(&place)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        item?
            .same
            .iter()
            .find(|(found, _)| is_in(found))
            .map(|(_, at)| at)
    };

    html! {
        h3 { (title) }
        @match value.as_object().filter(|members| !members.is_empty()) {
            None => p.quiet { "None." },
            Some(members) => dl.members {
                @for (name, value) in members {
                    dt { (name) }
                    dd {
                        @match value {
                            Value::String(text) => { (foreign(&cut(text, 400))) },
                            value => code { (cut(&value.to_string(), 400)) },
                        }
                        @if let Some(at) = origin(name) { " " a.from href={ "#" (tree::anchor(at)) } title="Where it is in the item of the source" { "from " (foreign(at)) } }
                    }
                }
            },
        }
    }
}
