//! The folder of a source: lists it, and reads the files in it. Links are not followed, since they lead out of it.

use std::{
    fs::{self, DirEntry},
    io::{self, ErrorKind},
    path::{Component, Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use omni_connector::{manager::EXTRACT_LIMIT, prelude::*};
use tokio::task::spawn_blocking;

use crate::file::{FileItem, Stamp, text};

/// The folder of a source.
pub(crate) struct Tree {
    folder: PathBuf,
}

/// What is in a folder, by its path below that of the source.
pub(crate) enum Entry {
    File(FileItem),
    Folder(String),
    /// Something that has no document, and why.
    Other(String, &'static str),
}

impl Tree {
    pub(crate) fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Lists what is directly in a folder below. One that was deleted a moment ago is empty.
    pub(crate) async fn list(&self, below: &str) -> Result<Vec<Entry>> {
        let (folder, below) = (self.folder.join(below), below.to_owned());
        spawn_blocking(move || {
            let failed = || format!("the folder `{}` cannot be listed", folder.display());
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == ErrorKind::NotFound && !below.is_empty() => {
                    return Ok(Vec::new());
                }
                entries => entries.with_context(failed)?,
            };
            let mut found = Vec::new();
            for entry in entries {
                found.extend(looked_at(&entry.with_context(failed)?, &below).with_context(failed)?);
            }
            Ok(found)
        })
        .await?
    }

    /// Reads a file. One that is too large for Omni has no content, so search finds it by its name. Returns `None` if it was deleted
    /// meanwhile.
    pub(crate) async fn read(&self, file: &FileItem) -> Result<Option<Vec<u8>>> {
        if file.stamp().bytes > EXTRACT_LIMIT {
            return Ok(Some(Vec::new()));
        }
        let path = self.folder.join(file.id());
        spawn_blocking(move || match fs::read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context("the file cannot be read"),
        })
        .await?
    }

    /// Reads the text of a file for a person, by a path that nobody has looked at.
    pub(crate) async fn text(&self, below: &str) -> Result<String> {
        let (folder, below) = (self.folder.clone(), below.to_owned());
        spawn_blocking(move || {
            let mut steps = Path::new(&below).components();
            if !steps.all(|step| matches!(step, Component::Normal(_))) {
                let message = "`path` must lead from the folder of the source down to a file";
                return Err(ActionError::bad_request(message).into());
            }
            let no_file = || ActionError::not_found(format!("there is no file `{below}`"));
            let folder = folder.canonicalize()?;
            let path = folder.join(&below);
            // A link on the way would lead elsewhere.
            if !path.canonicalize().is_ok_and(|real| real == path) || !path.is_file() {
                return Err(no_file().into());
            }
            if fs::metadata(&path)?.len() > EXTRACT_LIMIT {
                let message = format!("`{below}` is larger than {} MB", EXTRACT_LIMIT >> 20);
                return Err(ActionError::bad_request(message).into());
            }
            let no_text = || ActionError::bad_request(format!("`{below}` is no text file"));
            Ok(text(fs::read(&path)?).ok_or_else(no_text)?)
        })
        .await?
    }
}

/// What an entry is; none if it was deleted a moment ago.
fn looked_at(entry: &DirEntry, below: &str) -> io::Result<Option<Entry>> {
    let Ok(name) = entry.file_name().into_string() else {
        let odd = entry.path().display().to_string();
        return Ok(Some(Entry::Other(odd, "its name is not UTF-8")));
    };
    let path = match below {
        "" => name,
        _ => format!("{below}/{name}"),
    };
    // Not that of what a link leads to.
    let metadata = match entry.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        metadata => metadata?,
    };
    Ok(Some(if metadata.is_dir() {
        Entry::Folder(path)
    } else if metadata.is_file() {
        let stamp = Stamp {
            modified: time_of(metadata.modified()?),
            bytes: metadata.len(),
        };
        Entry::File(FileItem::new(path, stamp))
    } else {
        Entry::Other(path, "a link, which is not followed, or no file")
    }))
}

/// A time as it is in Omni; none if no calendar has it.
fn time_of(time: SystemTime) -> Option<Timestamp> {
    let nanos = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i128::try_from(after.as_nanos()).ok()?,
        Err(before) => -i128::try_from(before.duration().as_nanos()).ok()?,
    };
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
    Some(Timestamp(time))
}
