//! One file of the tree: read without being fooled by what happens to it meanwhile, and shown as a document.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use omni_connector::prelude::*;

use crate::{
    content::Content,
    known::{self, Stamp},
    settings::{Settings, extension},
    skip::{Obstacle, Skip, TOO_LARGE},
};

/// A file, as it was when it was last looked at.
#[derive(Debug)]
pub(crate) struct FileItem {
    /// Its path below the base, with `/` between the names. It is also the id of its document.
    pub(crate) id: String,
    pub(crate) extension: Option<String>,
    pub(crate) stamp: Stamp,
    created: Option<OffsetDateTime>,
    path: PathBuf,
}

impl FileItem {
    pub(crate) fn new(id: String, path: &Path, metadata: &Metadata) -> Self {
        Self {
            id,
            extension: extension(path),
            stamp: Stamp::of(metadata),
            created: known::created(metadata),
            path: path.to_owned(),
        }
    }

    /// Reads the file; a second time if it changed meanwhile. What is read is one state of it, with that state's stamp.
    pub(crate) fn read(mut self, settings: &Settings) -> Result<(Self, Content), Skip> {
        let content = match self.read_once(settings) {
            Err(Obstacle::Changed) => self.read_once(settings),
            read => read,
        };
        match content {
            Ok(content) => Ok((self, content)),
            Err(obstacle) => Err(Skip::unread(self.id, obstacle)),
        }
    }

    fn read_once(&mut self, settings: &Settings) -> Result<Content, Obstacle> {
        let file = open(&self.path)?;
        let metadata = file.metadata()?;
        self.stamp = Stamp::of(&metadata);
        if !metadata.is_file() {
            return Err(Obstacle::Changed);
        }
        if self.stamp.bytes() > settings.max_file_size() {
            return Err(Obstacle::Unwanted(TOO_LARGE));
        }
        let content = Content::read(file, self.stamp.bytes(), self.extension.as_deref())?;
        if Stamp::of(&fs::symlink_metadata(&self.path)?) != self.stamp {
            return Err(Obstacle::Changed);
        }
        Ok(content)
    }

    /// The names of the folders it is in.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &str> {
        let (folders, _) = self.id.rsplit_once('/').unwrap_or_default();
        folders.split('/')
    }

    pub(crate) fn document(&self, content: Content) -> Document<'_> {
        let (_, name) = self.id.rsplit_once('/').unwrap_or(("", &self.id));
        let document = Document::new(&self.id, DocumentPermissions::public())
            .title(name)
            .path(&self.id)
            .size(self.stamp.bytes())
            .created_at(self.created)
            .updated_at(self.stamp.modified())
            .attributes_of(self);
        let document = match Url::from_file_path(&self.path) {
            Ok(url) => document.url(url),
            Err(()) => document,
        };
        match content {
            Content::Text(text) => document.text(text).mime_type("text/plain"),
            Content::Extract { data, mime_type } => document.extract(data, mime_type, name),
        }
    }
}

/// Opens what was a file a moment ago. Whatever has taken its place is neither followed nor waited for.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    options.read(true).open(path)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{os::unix::fs::symlink, process::Command};

    use super::*;

    fn settings() -> Settings {
        omni_connector::decode("config", json!({ "base_path": "/" })).unwrap()
    }

    /// What is said of a file that was `found` at a path and has since become something else.
    fn skip_of(path: &Path, becomes: impl FnOnce(&Path)) -> Skip {
        fs::write(path, "found").unwrap();
        let file = FileItem::new("f".to_owned(), path, &fs::metadata(path).unwrap());
        fs::remove_file(path).unwrap();
        becomes(path);
        file.read(&settings()).unwrap_err()
    }

    #[test]
    fn whatever_a_file_becomes_before_it_is_read_is_a_skip_that_deletes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");

        let vanished = skip_of(&path, |_| {});
        assert_eq!(
            (vanished.reason, vanished.keeps_documents),
            ("vanished while it was read", true)
        );

        let link = skip_of(&path, |path| symlink("/etc/passwd", path).unwrap());
        assert_eq!(
            (link.reason, link.keeps_documents),
            ("cannot be read", true)
        );
        fs::remove_file(&path).unwrap();

        // Opening a pipe waits for a writer, unless one asks not to.
        let pipe = skip_of(&path, |path| {
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        });
        assert_eq!(
            (pipe.reason, pipe.keeps_documents),
            ("changed while it was read", true)
        );
        fs::remove_file(&path).unwrap();

        let folder = skip_of(&path, |path| fs::create_dir(path).unwrap());
        assert_eq!(
            (folder.reason, folder.keeps_documents),
            ("changed while it was read", true)
        );
    }

    #[test]
    fn a_file_that_changed_since_it_was_found_is_read_as_it_is_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "old").unwrap();
        let file = FileItem::new("f".to_owned(), &path, &fs::metadata(&path).unwrap());
        fs::write(&path, "newer").unwrap();
        let (file, content) = file.read(&settings()).unwrap();
        assert!(matches!(content, Content::Text(text) if text == "newer"));
        assert_eq!(file.stamp, Stamp::of(&fs::metadata(&path).unwrap()));
    }

    #[test]
    fn a_file_that_holds_more_than_it_says_is_never_read_half() {
        let path = Path::new("/proc/self/status");
        let file = FileItem::new("status".to_owned(), path, &fs::metadata(path).unwrap());
        let skip = file.read(&settings()).unwrap_err();
        assert_eq!(
            (skip.reason, skip.keeps_documents),
            ("changed while it was read", true)
        );
    }
}
