//! The documents at the manager, with readable accessors, and as text.

use std::{collections::BTreeMap, fmt, ops::Index};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::store::{Store, StoreError, contents, documents};

/// Documents of one source, by the connector's ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Documents(BTreeMap<String, Found>);

/// One document at the manager.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The connector's id.
    pub id: String,
    /// The title, or `Untitled`.
    pub title: String,
    /// The complete text.
    pub text: String,
    /// `metadata` as it was sent; absent members are omitted.
    pub metadata: Value,
    /// The permissions; without them nobody can see it.
    pub permissions: Option<Value>,
    /// The values that operators match.
    pub attributes: Value,
}

impl Documents {
    pub(super) async fn of(store: &Store, source_id: &str) -> Result<Self, StoreError> {
        let source_id = source_id.to_owned();
        store
            .read(move |db| {
                let mut found = BTreeMap::new();
                for document in documents::of_source(db, &source_id)? {
                    let text = contents::find(db, &document.content_id)?.unwrap_or_default();
                    found.insert(
                        document.document_id.clone(),
                        Found {
                            id: document.document_id,
                            title: document.title,
                            text,
                            metadata: document.metadata,
                            permissions: document.permissions,
                            attributes: document.attributes,
                        },
                    );
                }
                Ok(Self(found))
            })
            .await
    }

    /// Returns the number of documents.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no documents.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns their ids, sorted.
    pub fn ids(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// Iterates over them, sorted by id.
    pub fn iter(&self) -> impl Iterator<Item = &Found> {
        self.0.values()
    }

    /// Returns the document with that id.
    pub fn get(&self, id: &str) -> Option<&Found> {
        self.0.get(id)
    }

    /// Describes the differences from the expected documents: one line for each that is missing, surplus or different.
    pub fn differences(&self, expected: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for wanted in expected.iter() {
            match self.get(&wanted.id) {
                None => found.push(format!("{} {:?} is missing", wanted.id, wanted.title)),
                Some(document) => found.extend(document.difference(wanted)),
            }
        }
        let surplus = self
            .iter()
            .filter(|document| !expected.0.contains_key(&document.id));
        found.extend(
            surplus.map(|document| format!("{} {:?} is surplus", document.id, document.title)),
        );
        found
    }

    /// Removes parts that may differ from run to run: texts, metadata and attributes.
    #[must_use]
    pub(super) fn coarse(self) -> Self {
        let coarse = self.0.into_iter().map(|(id, found)| {
            let found = Found {
                text: String::new(),
                metadata: Value::Null,
                attributes: Value::Null,
                ..found
            };
            (id, found)
        });
        Self(coarse.collect())
    }

    /// Replaces every `from` in ids, titles, texts and records. An id can also be a URL in base64.
    #[must_use]
    pub(super) fn with(self, from: &str, to: &str) -> Self {
        let renamed = self.0.into_values().map(|found| {
            let in_value = |value: Value| {
                serde_json::from_str(&value.to_string().replace(from, to)).unwrap_or(value)
            };
            let found = Found {
                id: id_with(&found.id, from, to),
                title: found.title.replace(from, to),
                text: found.text.replace(from, to),
                metadata: in_value(found.metadata),
                permissions: found.permissions,
                attributes: in_value(found.attributes),
            };
            (found.id.clone(), found)
        });
        Self(renamed.collect())
    }
}

fn id_with(id: &str, from: &str, to: &str) -> String {
    let url = URL_SAFE_NO_PAD.decode(id).ok();
    let url = url.and_then(|it| String::from_utf8(it).ok());
    match url.filter(|it| it.contains(from)) {
        Some(url) => URL_SAFE_NO_PAD.encode(url.replace(from, to)),
        None => id.replace(from, to),
    }
}

impl Index<&str> for Documents {
    type Output = Found;

    /// # Panics
    /// Panics if no document has that id. The message lists the existing ids.
    fn index(&self, id: &str) -> &Found {
        self.get(id)
            .unwrap_or_else(|| panic!("no document has the id `{id}`; there are {:?}", self.ids()))
    }
}

impl Found {
    /// Returns the URL at which people open it.
    pub fn url(&self) -> Option<&str> {
        self.metadata["url"].as_str()
    }

    /// Returns its type, as the manager reads it: `content_type` of the metadata, otherwise `mime_type`.
    pub fn content_type(&self) -> Option<&str> {
        let of = |key: &str| self.metadata.get(key).and_then(Value::as_str);
        of("content_type").or_else(|| of("mime_type"))
    }

    /// Returns its size in the source, in bytes.
    pub fn size(&self) -> Option<u64> {
        self.metadata.get("size")?.as_str()?.parse().ok()
    }

    /// Returns the value that an operator matches.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        self.attributes.get(key)
    }

    /// Returns whether everybody in the company may see it.
    pub fn is_public(&self) -> bool {
        self.permission("public") == Some(&Value::Bool(true))
    }

    /// Returns the people who may see it, sorted.
    pub fn readers(&self) -> Vec<&str> {
        self.addresses("users")
    }

    /// Returns the groups whose members may see it, sorted.
    pub fn groups(&self) -> Vec<&str> {
        self.addresses("groups")
    }

    fn permission(&self, key: &str) -> Option<&Value> {
        self.permissions.as_ref()?.get(key)
    }

    fn addresses(&self, key: &str) -> Vec<&str> {
        let all = self.permission(key).and_then(Value::as_array);
        let mut all: Vec<_> = all
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        all.sort_unstable();
        all
    }

    fn difference(&self, wanted: &Self) -> Option<String> {
        let id = &self.id;
        let parts = [
            ("title", self.title != wanted.title),
            ("text", self.text != wanted.text),
            ("readers", self.permissions != wanted.permissions),
            ("attributes", self.attributes != wanted.attributes),
            ("metadata", self.metadata != wanted.metadata),
        ];
        let different: Vec<_> = parts
            .iter()
            .filter(|part| part.1)
            .map(|part| part.0)
            .collect();
        (!different.is_empty()).then(|| {
            format!(
                "{id} {:?} has another {}",
                wanted.title,
                different.join(", ")
            )
        })
    }
}

/// Writes each document as lines, sorted by id, without the times that each run sets.
impl fmt::Display for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for document in self.iter() {
            writeln!(f, "{}", document.id)?;
            writeln!(f, "  title: {}", document.title)?;
            let readers = if document.is_public() {
                "everybody".to_owned()
            } else {
                let all = [document.readers(), document.groups()].concat();
                if all.is_empty() {
                    "nobody".to_owned()
                } else {
                    all.join(", ")
                }
            };
            writeln!(f, "  readers: {readers}")?;
            for (key, value) in document.attributes.as_object().into_iter().flatten() {
                writeln!(f, "  attribute {key}: {value}")?;
            }
            for (key, value) in document.metadata.as_object().into_iter().flatten() {
                if key != "title" {
                    writeln!(f, "  {key}: {value}")?;
                }
            }
            for line in document.text.lines() {
                writeln!(f, "  | {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in super::super) fn one(title: &str) -> Documents {
        let found = Found {
            id: "a".to_owned(),
            title: title.to_owned(),
            text: "one\ntwo".to_owned(),
            metadata: json!({ "url": "https://a.example" }),
            permissions: Some(
                json!({ "public": false, "users": ["b@x.org", "a@x.org"], "groups": [] }),
            ),
            attributes: json!({ "project": "ops" }),
        };
        Documents([("a".to_owned(), found)].into())
    }

    #[test]
    fn a_difference_names_the_document_and_its_part() {
        assert_eq!(
            one("T").differences(&one("U")),
            ["a \"U\" has another title"]
        );
        assert_eq!(
            Documents::default().differences(&one("U")),
            ["a \"U\" is missing"]
        );
        assert_eq!(one("T")["a"].readers(), ["a@x.org", "b@x.org"]);
    }

    #[test]
    fn an_address_is_replaced_in_ids_also_in_base64() {
        let (from, to) = ("http://127.0.0.1:4000", "http://source");
        let encoded = URL_SAFE_NO_PAD.encode("http://127.0.0.1:4000/page");
        let renamed = URL_SAFE_NO_PAD.encode("http://source/page");
        assert_eq!(id_with(&encoded, from, to), renamed);
        assert_eq!(
            id_with("http://127.0.0.1:4000/a", from, to),
            "http://source/a"
        );
        assert_eq!(id_with("OPS7", from, to), "OPS7");
    }
}
