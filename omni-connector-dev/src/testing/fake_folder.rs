//! A folder of [`FakeItems`](super::FakeItems): each item is a file.

use std::{
    collections::BTreeSet,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    changes::NOT_UTF8,
    source::{Change, Oddity},
};

/// The member of an item with the path of its file below the folder.
pub(super) const PATH: &str = "path";
/// The member of an item with the time of its last change.
pub(super) const MODIFIED: &str = "modified";
/// The time of a file that nobody changed.
const UNCHANGED: &str = "2026-01-01T00:00:00Z";

pub(super) fn file(path: String, text: String) -> Value {
    json!({ PATH: path, "text": text, MODIFIED: UNCHANGED })
}

/// Returns why a folder cannot change in a way.
pub(super) fn refused(change: &Change) -> Option<&'static str> {
    match change {
        Change::Rename(_) | Change::Move(_) => Some("a file with another path is another file"),
        Change::Odd(_, Oddity::NoTitle | Oddity::NullText | Oddity::WrongType) => {
            Some("every file has a name and bytes")
        }
        Change::Odd(_, Oddity::UnknownValue) => Some("a file has no fields"),
        Change::Narrow(_) | Change::HideReaders(_) => {
            Some("a file names no readers that Omni knows")
        }
        _ => None,
    }
}

/// Makes a folder hold exactly these files. A file that is as it should be is left alone.
pub(super) fn write(
    folder: &Path,
    lists: &[Vec<Value>],
) -> Result<(), Box<dyn Error + Send + Sync>> {
    fs::create_dir_all(folder)?;
    let files = lists.first().map_or(&[][..], Vec::as_slice);
    let text = |item: &Value, member: &str| item[member].as_str().unwrap_or_default().to_owned();
    let wanted: BTreeSet<_> = files
        .iter()
        .map(|file| folder.join(text(file, PATH)))
        .collect();
    remove_others(folder, &wanted)?;
    for file in files {
        let path = folder.join(text(file, PATH));
        let time = OffsetDateTime::parse(&text(file, MODIFIED), &Rfc3339)?;
        let bytes = bytes(&text(file, "text"));
        let is_same = fs::read(&path).is_ok_and(|there| there == bytes)
            && fs::metadata(&path)?.modified()? == SystemTime::from(time);
        if !is_same {
            put(folder, &path, &bytes, time.into())?;
        }
    }
    Ok(())
}

/// Counts the files below a folder.
pub(super) fn count(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of = |path: PathBuf| if path.is_dir() { count(&path) } else { 1 };
    entries.map(|entry| of(entry.path())).sum()
}

/// Writes a file in one step: a reader never sees a part of it.
fn put(folder: &Path, path: &Path, bytes: &[u8], time: SystemTime) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(folder))?;
    // Beside the folder, where nobody looks for files.
    let mut new = NamedTempFile::new_in(folder.parent().unwrap_or(folder))?;
    io::Write::write_all(&mut new, bytes)?;
    new.as_file().set_modified(time)?;
    new.persist(path)?;
    Ok(())
}

/// Deletes the files below a folder that are not wanted, and folders that hold none.
fn remove_others(folder: &Path, wanted: &BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(&path, wanted)?;
            if fs::read_dir(&path)?.next().is_none() {
                fs::remove_dir(&path)?;
            }
        } else if !wanted.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// The bytes of a text, with one that is not UTF-8 in place of the character that stands for it.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, part) in text.split(NOT_UTF8).enumerate() {
        if number > 0 {
            bytes.push(0xff);
        }
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}
