//! One file of an account, and the document that shows it.

use omni_connector::{
    http::segment, prelude::*, time::format_description::well_known::Rfc2822, wire::timestamp,
};

/// What the server says of a file or folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Properties {
    pub(crate) getetag: String,
    pub(crate) resourcetype: Kind,
    pub(crate) meta_path_for_user: String,
    getlastmodified: String,
    getcontenttype: String,
    getcontentlength: String,
    creationdate: String,
    fileid: String,
    permissions: String,
    size: String,
    owner_id: String,
    owner_display_name: String,
    favorite: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Kind {
    pub(crate) collection: Option<String>,
}

/// A file, as its folder lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// From the top folder of the account, beginning with a slash.
    pub(crate) path: String,
    pub(crate) href: String,
    pub(crate) properties: Properties,
}

/// What tells a changed document from an unchanged one: `ETag`, path, URL and reader.
pub(crate) type Version = [String; 4];

/// What a document of the source is made with.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) source: String,
    pub(crate) server: String,
    pub(crate) owner: String,
}

impl Frame {
    /// The id that Omni's own connector gives a file.
    pub(crate) fn id(&self, key: &str) -> String {
        format!("nextcloud:{}:{}", self.source, segment(key))
    }
}

impl File {
    /// The server's number of the file, which it keeps when it moves; its address on a server without numbers.
    pub(crate) fn key(&self) -> &str {
        said(&self.properties.fileid).unwrap_or(&self.href)
    }

    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The path of the folder that it is in.
    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').unwrap_or_default().0
    }

    /// The extension in lower case; empty without one.
    pub(crate) fn extension(&self) -> String {
        let (_, extension) = self.name().rsplit_once('.').unwrap_or_default();
        extension.to_lowercase()
    }

    pub(crate) fn mime_type(&self) -> &str {
        said(&self.properties.getcontenttype).unwrap_or("application/octet-stream")
    }

    pub(crate) fn size(&self) -> Option<u64> {
        let said = &self.properties;
        let length = said.getcontentlength.parse().ok();
        length.or_else(|| said.size.parse().ok())
    }

    /// The `ETag`; what else changes with the content where the server gives none.
    pub(crate) fn etag(&self) -> String {
        match etag(&self.properties.getetag) {
            "" => format!("{} {:?}", self.properties.getlastmodified, self.size()),
            etag => etag.to_owned(),
        }
    }

    pub(crate) fn version(&self, frame: &Frame) -> Version {
        let url = self.url(&frame.server);
        [self.etag(), self.path.clone(), url, frame.owner.clone()]
    }

    pub(crate) fn url(&self, server: &str) -> String {
        match said(&self.properties.fileid) {
            Some(id) => format!("{server}/f/{id}"),
            None => format!("{server}{}", self.href),
        }
    }

    fn created(&self) -> Option<OffsetDateTime> {
        let at = timestamp::parse(&self.properties.creationdate).ok()?;
        // What a server without this date says.
        (at != OffsetDateTime::UNIX_EPOCH).then_some(at)
    }

    fn text(&self, url: &str, content: &str) -> String {
        let it = &self.properties;
        let size = self.size().map(|size| format!("{size} bytes"));
        let rows = [
            ("Path", Some(self.path.as_str())),
            ("Content Type", said(&it.getcontenttype)),
            ("Size", size.as_deref()),
            ("Last Modified", said(&it.getlastmodified)),
            ("Created", self.created().and(said(&it.creationdate))),
            ("Owner", said(&it.owner_display_name).or(said(&it.owner_id))),
            ("File ID", said(&it.fileid)),
            ("ETag", said(etag(&it.getetag))),
            ("Permissions", said(&it.permissions)),
            ("Favorite", (it.favorite == "1").then_some("Yes")),
            ("URL", Some(url)),
        ];
        let rows = rows
            .iter()
            .filter_map(|(name, value)| Some((name, (*value)?)));
        let rows =
            rows.map(|(name, value)| format!("| {name} | {} |\n", value.replace('|', "\\|")));
        let rows: String = rows.collect();
        format!(
            "# {}\n\n| Property | Value |\n|---|---|\n{rows}\n## Content\n\n{content}\n",
            self.name()
        )
    }

    /// The document, which only the person who made the source may read.
    pub(crate) fn document(&self, frame: &Frame, content: &str) -> Document<'static> {
        let it = &self.properties;
        let url = self.url(&frame.server);
        let modified = OffsetDateTime::parse(&it.getlastmodified, &Rfc2822).ok();
        let mut document = Document::new(frame.id(self.key()), Access::users([&frame.owner]))
            .title(self.name())
            .text(self.text(&url, content))
            .url(url)
            .path(&self.path)
            .created_at(self.created())
            .updated_at(modified)
            .attribute("path", &self.path);
        if let Some(kind) = said(&it.getcontenttype) {
            document = document.content_type(kind).mime_type(kind);
        }
        if let Some(size) = self.size() {
            document = document.size(size);
        }
        if let Some(author) = said(&it.owner_display_name).or(said(&it.owner_id)) {
            document = document.author(author);
        }
        if let Some(extension) = said(&self.extension()) {
            document = document.attribute("file_extension", extension);
        }
        for (key, value) in [
            ("file_id", &it.fileid),
            ("owner_id", &it.owner_id),
            ("permissions", &it.permissions),
        ] {
            if let Some(value) = said(value) {
                document = document.extra(key, value);
            }
        }
        if it.favorite == "1" {
            document = document.extra("favorite", true);
        }
        document
    }
}

fn said(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// An `ETag` as it is compared: without quotes, the mark of a weak one, and what compression adds.
pub(crate) fn etag(text: &str) -> &str {
    let plain = text.trim().trim_start_matches("W/").trim_matches('"');
    plain.strip_suffix("-gzip").unwrap_or(plain)
}
