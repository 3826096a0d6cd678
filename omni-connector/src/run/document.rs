//! Documents and groups, as authors emit them. Their constructors require every field that has no safe default.

use std::any::Any;

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::{Access, Operator, content::Body, groups::Groups, parts};
use crate::{
    manager::{Data, Extract},
    wire::{Attributes, ConnectorEvent, DocumentMetadata},
};

/// A document to create or update.
///
/// An id and permissions are required. Everything else is optional: the text is then empty, and search shows the
/// document as `Untitled`.
///
/// ```
/// use omni_connector::{Document, DocumentPermissions};
///
/// let document = Document::new("page-9", DocumentPermissions::users(["ann@example.com"]))
///     .title("Runbook")
///     .text("Turn it off and on again.")
///     .url("https://wiki.example.com/p/9")
///     .attribute("status", "published");
/// ```
///
/// Search operators can read its attributes from an item: see [`Document::attributes_of`].
#[must_use = "a document reaches Omni by `ctx.upsert(document)`"]
#[derive(Debug)]
pub struct Document<'item> {
    id: String,
    access: Access,
    metadata: DocumentMetadata,
    attributes: Attributes,
    parent: Option<String>,
    item: Option<&'item (dyn Any + Send + Sync)>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Given(Body),
    Stored(String),
    Parts { parts: Vec<String>, limit: usize },
}

/// The longest id that Omni's database can index. It leaves room for the source's id in the same index.
const LONGEST_ID: usize = 2_600;

impl<'item> Document<'item> {
    /// Makes a document with the connector's own id and its readers. The readers are
    /// [`DocumentPermissions`](crate::DocumentPermissions), or an [`Access`] that may be unknown.
    pub fn new(id: impl Into<String>, access: impl Into<Access>) -> Self {
        Self {
            id: id.into(),
            access: access.into(),
            metadata: DocumentMetadata::default(),
            attributes: Attributes::new(),
            parent: None,
            item: None,
            content: Content::Given(Body::Text(String::new())),
        }
    }

    /// Sets the title that search results show.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.metadata.title = Some(title.into());
        self
    }

    /// Sets the text that is searched.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.content = Content::Given(Body::Text(text.into()));
        self
    }

    /// Adds a part to the text, such as a message of a day or a section of a page. Parts are separated by an empty
    /// line.
    ///
    /// Omni keeps 5 MB of text of one document; [`parts_limit`](Self::parts_limit) sets a lower limit. A longer text
    /// continues in further documents: `{id}_p2`, `{id}_p3` and so on. They have the same readers, title and
    /// attributes. They are [children](Self::child) of the document, and an [inventory](super::Inventory) deletes those
    /// that are no longer needed.
    ///
    /// ```
    /// use omni_connector::{Access, Document};
    ///
    /// let mut day = Document::new("ops_2026-08-22", Access::groups(["ops@example.com"])).parts_limit(50_000);
    /// for message in ["ann: it is down", "bob: it is up"] {
    ///     day = day.part(message);
    /// }
    /// # let _ = day;
    /// ```
    pub fn part(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        match &mut self.content {
            Content::Parts { parts, .. } => parts.push(text),
            content => {
                let mut parts = vec![text];
                if let Content::Given(Body::Text(before)) = content
                    && !before.is_empty()
                {
                    parts.insert(0, std::mem::take(before));
                }
                *content = Content::Parts {
                    parts,
                    limit: parts::LIMIT,
                };
            }
        }
        self
    }

    /// Sets the limit of the [parts](Self::part) in one document, in bytes.
    pub fn parts_limit(mut self, bytes: usize) -> Self {
        let parts = match &mut self.content {
            Content::Parts { parts, .. } => std::mem::take(parts),
            Content::Given(Body::Text(text)) if !text.is_empty() => vec![std::mem::take(text)],
            _ => Vec::new(),
        };
        self.content = Content::Parts {
            parts,
            limit: bytes.min(parts::LIMIT),
        };
        self
    }

    /// Sets a file whose text Omni extracts. Also sets the document's MIME type and size.
    pub fn extract(
        mut self,
        data: impl Into<Data>,
        mime_type: impl Into<String>,
        filename: impl Into<String>,
    ) -> Self {
        let extract = Extract {
            data: data.into(),
            mime_type: mime_type.into(),
            filename: Some(filename.into()),
        };
        self = self
            .size(extract.data.len())
            .mime_type(extract.mime_type.clone());
        self.content = Content::Given(Body::Extract(extract));
        self
    }

    /// Uses a text that is already stored, by the id from [`store_content`](super::SyncContext::store_content).
    pub fn stored(mut self, content_id: impl Into<String>) -> Self {
        self.content = Content::Stored(content_id.into());
        self
    }

    /// Sets the link by which people open it.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.metadata.url = Some(url.into());
        self
    }

    /// Sets its place in the source, such as `Ops/Runbook`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.metadata.path = Some(path.into());
        self
    }

    /// Sets its author's e-mail address or name.
    pub fn author(mut self, author: impl Into<String>) -> Self {
        self.metadata.author = Some(author.into());
        self
    }

    /// Sets the time of its creation.
    pub fn created_at(mut self, time: impl Into<Option<OffsetDateTime>>) -> Self {
        self.metadata.created_at = time.into();
        self
    }

    /// Sets the time of its last change.
    pub fn updated_at(mut self, time: impl Into<Option<OffsetDateTime>>) -> Self {
        self.metadata.updated_at = time.into();
        self
    }

    /// Sets the kind of document, such as `page`. The search filter `type:` compares it.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.metadata.content_type = Some(content_type.into());
        self
    }

    /// Sets its MIME type in the source.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.metadata.mime_type = Some(mime_type.into());
        self
    }

    /// Sets its size in the source, in bytes.
    pub fn size(mut self, bytes: u64) -> Self {
        self.metadata.size = Some(bytes.to_string());
        self
    }

    /// Adds any other metadata. A value that JSON cannot represent is ignored.
    pub fn extra(mut self, key: impl Into<String>, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.metadata
                .extra
                .get_or_insert_default()
                .insert(key.into(), value);
        }
        self
    }

    /// Sets one attribute, for connectors that declare their search operators without annotations. A value that JSON
    /// cannot represent is ignored.
    pub fn attribute(mut self, key: impl Into<String>, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.attributes.insert(key.into(), value);
        }
        self
    }

    /// Sets the item that this document shows. When the document is emitted, every search operator for this type of
    /// item adds its attribute.
    pub fn attributes_of<T: Any + Send + Sync>(mut self, item: &'item T) -> Self {
        self.item = Some(item);
        self
    }

    /// Makes a document that belongs to this one, such as an attachment. It has the same readers, and an
    /// [inventory](super::Inventory) deletes it together with this document.
    pub fn child<'child>(&self, id: impl Into<String>) -> Document<'child> {
        Document {
            parent: Some(self.id.clone()),
            ..Document::new(id, self.access.clone())
        }
    }

    /// Returns the id of the document it belongs to.
    pub fn parent(&self) -> Option<&str> {
        self.parent.as_deref()
    }

    /// Returns the document's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the link by which people open it.
    pub(super) fn link(&self) -> Option<&str> {
        self.metadata.url.as_deref()
    }

    pub(super) const fn has_no_title(&self) -> bool {
        self.metadata.title.is_none()
    }

    /// Returns its readers.
    pub(super) const fn access(&self) -> &Access {
        &self.access
    }

    /// Returns the reason why Omni cannot take the document, if there is one.
    pub(super) fn unusable(&self) -> Option<&'static str> {
        if self.id.is_empty() {
            Some("a document needs an id that is not empty")
        } else if self.id.len() > LONGEST_ID {
            Some(
                "its id is longer than the 2,600 bytes that Omni can index\nhelp: use a hash of it as the id",
            )
        } else {
            None
        }
    }

    /// Returns the document, followed by the documents that continue its text.
    pub(super) fn split(mut self) -> impl Iterator<Item = Self> {
        let Content::Parts { parts, limit } = &mut self.content else {
            return std::iter::once(self).chain(Vec::new());
        };
        let mut pieces = parts::pack(std::mem::take(parts), *limit).into_iter();
        let first = pieces.next().unwrap_or_default();
        self.content = Content::Given(Body::Text(first));
        let others: Vec<_> = pieces
            .zip(2..)
            .map(|(text, number)| Self {
                id: parts::id(&self.id, number),
                access: self.access.clone(),
                metadata: self.metadata.clone(),
                attributes: self.attributes.clone(),
                parent: Some(self.id.clone()),
                item: self.item,
                content: Content::Given(Body::Text(text)),
            })
            .collect();
        std::iter::once(self).chain(others)
    }

    /// Resolves the readers to permissions. The error is the reason why they are unknown.
    pub(super) fn resolve(&mut self, groups: &Groups) -> Result<(), String> {
        let access = std::mem::replace(&mut self.access, Access::nobody());
        let permissions = access.resolve(groups)?;
        groups.name(&permissions.groups);
        groups.name_users(&permissions.users);
        self.access = permissions.into();
        Ok(())
    }

    /// Converts the document to its event and the content to store first. [`resolve`](Self::resolve) must have been
    /// called before.
    #[inline]
    pub(crate) fn into_event(self, operators: &[Operator]) -> (ConnectorEvent, Option<Body>) {
        let mut attributes = self.item.map_or_else(Attributes::new, |item| {
            Operator::attributes(operators, item as &dyn Any)
        });
        attributes.extend(
            self.attributes
                .into_iter()
                .filter(|(_, value)| *value != Value::Null),
        );
        let (content_id, body) = match self.content {
            Content::Given(body) => (String::new(), Some(body)),
            Content::Stored(id) => (id, None),
            Content::Parts { parts, .. } => (String::new(), Some(Body::Text(parts.join("\n\n")))),
        };
        let event = ConnectorEvent::DocumentCreated {
            sync_run_id: String::new(),
            source_id: String::new(),
            document_id: self.id,
            content_id,
            metadata: self.metadata,
            permissions: self.access.into_permissions(),
            attributes: Some(attributes),
        };
        (event, body)
    }
}

/// A group of people, with all of its members.
///
/// The list is complete: it replaces the previous one, and an empty list removes everybody's access. When the members
/// cannot be read, do not emit the group; the last known list then stays.
#[must_use = "a group reaches Omni by `ctx.group(group)`"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    pub(crate) members: Vec<String>,
}

impl Group {
    /// Makes a group from its address, as permissions name it, and the addresses of all members.
    pub fn new(
        email: impl Into<String>,
        members: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            email: email.into(),
            name: None,
            members: members.into_iter().map(Into::into).collect(),
        }
    }

    /// Sets the group's display name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}
