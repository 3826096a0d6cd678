//! Saves a large field of a checkpoint compressed, in place of one JSON value for each of its parts.

use std::{
    io::{self, BufReader, BufWriter, Read},
    ops,
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
    ser::Error as _,
};
use serde_json::Value;

use super::{finite::Finite, keeper::without_pieces};

/// The largest unpacked field, in bytes. A string that unpacks to more is refused.
const LARGEST: u64 = 1 << 30;
/// Serializers write a few bytes at a time, which would slow the compression down.
const BUFFER: usize = 64 << 10;

/// A large field of the checkpoint, such as a map of folders or a graph of links. It is saved as one compressed string.
///
/// A plain field of a million numbers takes far more memory and time at every save than its JSON.
///
/// ```
/// use omni_connector::{Packed, prelude::*};
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Cursor {
///     #[serde(default)]
///     folders: Packed<std::collections::BTreeMap<String, Vec<u64>>>,
///     files: Inventory<String>,
/// }
///
/// let mut cursor = Cursor::default();
/// cursor.folders.insert("/notes".to_owned(), vec![48_213, 48_214]);
/// ```
///
/// A field of an earlier checkpoint that was not packed is also read, unless it was a string. An [`Inventory`],
/// [`Partitions`] or [`Watermark`] cannot be inside, since the runtime saves these itself.
///
/// [`Inventory`]: super::Inventory
/// [`Partitions`]: super::Partitions
/// [`Watermark`]: super::Watermark
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Packed<T>(pub T);

impl<T> ops::Deref for Packed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> ops::DerefMut for Packed<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Serialize> Serialize for Packed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let packed = without_pieces(|| pack(&self.0)).ok_or_else(|| {
            S::Error::custom(
                "a `Packed` field cannot contain an `Inventory`, `Partitions` or `Watermark`; make it a field beside it",
            )
        })?;
        serializer.serialize_str(&packed.map_err(S::Error::custom)?)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Packed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unpacked = match Value::deserialize(deserializer)? {
            Value::String(text) => unpack(&text).map_err(D::Error::custom)?,
            value => serde_json::from_value(value).map_err(D::Error::custom)?,
        };
        Ok(Self(unpacked))
    }
}

fn pack(value: &impl Serialize) -> io::Result<String> {
    let deflate = DeflateEncoder::new(Vec::new(), Compression::new(6));
    let mut buffer = BufWriter::with_capacity(BUFFER, deflate);
    serde_json::to_writer(&mut buffer, &Finite(value))?;
    let packed = buffer.into_inner().map_err(io::Error::from)?.finish()?;
    Ok(STANDARD_NO_PAD.encode(packed))
}

fn unpack<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let packed = STANDARD_NO_PAD
        .decode(text)
        .map_err(|_| "the packed field is damaged".to_owned())?;
    let unpacked = DeflateDecoder::new(&packed[..]).take(LARGEST);
    let unpacked = BufReader::with_capacity(BUFFER, unpacked);
    serde_json::from_reader(unpacked).map_err(|error| format!("the packed field: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::{Inventory, Snapshot};
    use super::*;

    type Folders = Packed<BTreeMap<String, Vec<u64>>>;

    #[test]
    fn a_packed_field_is_saved_small_and_read_as_it_was() {
        let folder = |n: u64| (format!("/folder {n}"), (n * 100..n * 100 + 100).collect());
        let folders: Folders = Packed((0..100).map(folder).collect());
        let saved = serde_json::to_value(&folders).unwrap();
        assert!(saved.is_string(), "{saved}");
        let (size, plain) = (saved.to_string().len(), json!(folders.0).to_string().len());
        assert!(size < plain * 2 / 3, "{size} of {plain} bytes");
        assert_eq!(serde_json::from_value::<Folders>(saved).unwrap(), folders);
    }

    #[test]
    fn a_field_that_was_not_packed_is_read() {
        let folders: Folders = serde_json::from_value(json!({ "/": [1, 2] })).unwrap();
        assert_eq!(folders["/"], [1, 2]);
    }

    #[test]
    fn a_damaged_field_is_an_error_and_no_empty_one() {
        let folders: Folders = Packed([("/".to_owned(), vec![1, 2, 3])].into());
        let saved = serde_json::to_value(&folders).unwrap();
        let half = &saved.as_str().unwrap()[..saved.as_str().unwrap().len() / 2];
        for damaged in [half, "", "a word", "{}"] {
            assert!(
                serde_json::from_value::<Folders>(json!(damaged)).is_err(),
                "{damaged}"
            );
        }
    }

    #[test]
    fn an_inventory_in_a_packed_field_is_refused_when_it_is_saved() {
        let inside = json!([["a"]]);
        let inside: Packed<Vec<Inventory<u64>>> = serde_json::from_value(inside).unwrap();
        let error = Snapshot::of(&inside).unwrap_err().to_string();
        assert!(error.contains("`Inventory`"), "{error}");
    }

    #[test]
    fn a_number_that_json_does_not_have_is_refused() {
        let error = serde_json::to_value(Packed(vec![1.0, f64::NAN])).unwrap_err();
        assert!(error.to_string().contains("NaN"), "{error}");
    }
}
