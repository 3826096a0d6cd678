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
    #[serde(rename = "f", with = "differences")]
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

/// Saves keys that are numbers as differences to the one before. Files of a folder often have numbers that follow each other.
mod differences {
    use omni_connector::prelude::{Deserialize, Value, serde::*};

    pub(super) fn serialize<S: Serializer>(keys: &[String], to: S) -> Result<S::Ok, S::Error> {
        let mut last = 0;
        to.collect_seq(keys.iter().map(|key| {
            let number = key.parse::<u64>().ok();
            let number = number.filter(|it| *it >= last && it.to_string() == *key);
            let Some(number) = number else {
                return Value::from(key.as_str());
            };
            let difference = number - last;
            last = number;
            Value::from(difference)
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
        let mut last = 0_u64;
        let saved = Vec::<Value>::deserialize(from)?.into_iter();
        let keys = saved.map(|it| match it.as_u64() {
            Some(difference) => {
                last = last.wrapping_add(difference);
                last.to_string()
            }
            None => it.as_str().unwrap_or_default().to_owned(),
        });
        Ok(keys.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_saved_small_and_read_as_they_were() {
        let keys = [
            "48213",
            "48214",
            "48220",
            "7",
            "007",
            "",
            "/remote.php/x",
            "48221",
        ];
        let kept = Kept {
            files: keys.map(str::to_owned).to_vec(),
            ..Kept::default()
        };
        let saved = serde_json::to_string(&kept).unwrap();
        assert!(saved.contains("[48213,1,6,\"7\",\"007\""), "{saved}");
        let read: Kept = serde_json::from_str(&saved).unwrap();
        assert_eq!(read.files, keys);
    }
}
