//! What is kept of folders between two runs.

use std::collections::BTreeMap;

use omni_connector::prelude::*;

/// Folders by their paths.
pub(crate) type Folders = BTreeMap<String, Kept>;

/// What is kept of a folder.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    /// Empty when it must be listed again.
    #[serde(rename = "e")]
    pub(crate) etag: String,
    /// Keys of the files in it that are documents.
    #[serde(rename = "f", skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<String>,
    /// Keys of the files without a text, with their `ETag`s.
    #[serde(rename = "t", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) textless: BTreeMap<String, String>,
}

/// The folders below one.
pub(crate) fn below<'a>(
    folders: &'a Folders,
    path: &str,
) -> impl Iterator<Item = (&'a String, &'a Kept)> + use<'a> {
    let path = format!("{path}/");
    let found = folders.range(path.clone()..);
    found.take_while(move |(it, _)| it.starts_with(&path))
}
