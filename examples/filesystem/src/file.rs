//! Reads one file of the tree safely, even if it changes meanwhile, and makes its document.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use encoding_rs::Encoding;
use omni_connector::prelude::*;
use rustix::fs::OFlags;

use crate::{settings::extension, text, tree::Skip};

/// The largest file from which Omni extracts text. Search finds a larger one by its name.
const MOST_READ: u64 = 50 << 20;
/// The number of first bytes that decide whether a file is text.
const SNIFFED: u64 = 8 << 10;

/// The formats from which Omni extracts text (`protocol.md` §3.5), itself or by its converter.
const EXTRACTED: &[&str] = &[
    "bmp", "doc", "docx", "eml", "htm", "html", "jpeg", "jpg", "mht", "mhtml", "msg", "pdf", "png",
    "ppt", "pptx", "tif", "tiff", "webp", "xhtml", "xls", "xlsx",
];

/// A file, in its state at the last look.
#[derive(Debug)]
pub(crate) struct FileItem {
    /// Its path, which is also the id of its document.
    pub(crate) id: String,
    pub(crate) stamp: Stamp,
    /// The position at which the path below the base begins.
    below: usize,
    created: Option<OffsetDateTime>,
    mode: u32,
}

/// Identifies a version of a file: the times of its last modification and of its last change, and its size. A program
/// can reset the first time, but not the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Stamp {
    modified: (i64, i64),
    changed: (i64, i64),
    pub(crate) bytes: u64,
}

/// A file with its content, or the reason why it has none.
pub(crate) type Read = Result<(FileItem, Content), Skip>;

/// The searchable content of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Text(String, &'static Encoding),
    /// A file from which Omni extracts text.
    Extract(Vec<u8>),
    /// No text: search finds it by its name.
    Nothing,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            bytes: metadata.len(),
        }
    }

    fn modified(self) -> Option<OffsetDateTime> {
        let (seconds, nanos) = self.modified;
        let nanos = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()
    }
}

impl FileItem {
    pub(crate) fn new(id: &str, prefix: &str, metadata: &Metadata) -> Self {
        Self {
            id: id.to_owned(),
            stamp: Stamp::of(metadata),
            below: prefix.len() + 1,
            created: metadata.created().ok().map(OffsetDateTime::from),
            mode: metadata.mode(),
        }
    }

    /// Reads the file, and again if it changed meanwhile. The result is one consistent state, with that state's stamp.
    pub(crate) fn read(mut self) -> Read {
        let content = match self.read_once() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.read_once(),
            read => read,
        };
        match content {
            Ok(Content::Extract(bytes)) if let Some(reason) = unreadable(&bytes) => {
                Err(Skip::unwanted(self.id, reason))
            }
            Ok(content) => Ok((self, content)),
            Err(error) => Err(Skip::unread(self.id, &error)),
        }
    }

    fn read_once(&mut self) -> io::Result<Content> {
        // If the path is something else by now, do not follow it and do not block on it.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(&self.id)?;
        let metadata = file.metadata()?;
        self.stamp = Stamp::of(&metadata);
        if !metadata.is_file() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let content = self.content(file)?;
        if Stamp::of(&fs::symlink_metadata(&self.id)?) != self.stamp {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(content)
    }

    fn content(&self, mut file: File) -> io::Result<Content> {
        let size = self.stamp.bytes;
        if size > MOST_READ {
            return Ok(Content::Nothing);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        file.by_ref().take(SNIFFED).read_to_end(&mut bytes)?;
        let is_extracted = size > 0 && self.is_extracted();
        if !is_extracted && !text::may_be_text(&bytes, self.is_called_text()) {
            return Ok(Content::Nothing);
        }
        // One byte more than expected shows that the file is growing.
        file.take((size + 1).saturating_sub(SNIFFED))
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 != size {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(if is_extracted {
            Content::Extract(bytes)
        } else {
            text::decoded(bytes)
        })
    }

    pub(crate) fn extension(&self) -> Option<String> {
        extension(&self.id)
    }

    /// Returns the names of the folders that it is in, below the base.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &str> {
        let (folders, _) = self.id[self.below..].rsplit_once('/').unwrap_or_default();
        folders.split('/')
    }

    fn name(&self) -> &str {
        self.id.rsplit_once('/').map_or(&*self.id, |(_, name)| name)
    }

    /// Returns the media type that belongs to its name.
    fn media_type(&self) -> Option<&'static str> {
        mime_guess::from_path(Path::new(self.name())).first_raw()
    }

    /// Returns why it has no text, if its name promises one.
    pub(crate) fn lacks_text(&self) -> Option<&'static str> {
        let is_large = self.stamp.bytes > MOST_READ;
        match (self.is_called_text() || self.is_extracted(), is_large) {
            (false, _) => None,
            (true, true) => Some("found by its name alone, since it is larger than 50 MiB"),
            (true, false) => Some("found by its name alone, since no text can be read in it"),
        }
    }

    fn is_called_text(&self) -> bool {
        self.media_type().is_some_and(|it| it.starts_with("text/"))
    }

    fn is_extracted(&self) -> bool {
        extension(&self.id).is_some_and(|it| EXTRACTED.contains(&&*it))
    }

    pub(crate) fn document(&self, content: Content) -> Document<'_> {
        let (name, by_name) = (self.name(), self.media_type());
        let document = Document::new(&self.id, DocumentPermissions::public())
            .title(name)
            .path(&self.id)
            .size(self.stamp.bytes)
            .created_at(self.created)
            .updated_at(self.stamp.modified())
            .extra("is_directory", false)
            .extra("readable", self.mode & 0o400 != 0)
            .extra("writable", self.mode & 0o200 != 0)
            .extra("executable", self.mode & 0o100 != 0)
            .attributes_of(self);
        let (document, otherwise) = match content {
            Content::Text(text, encoding) if encoding != encoding_rs::UTF_8 => (
                document.text(text).extra("encoding", encoding.name()),
                "text/plain",
            ),
            Content::Text(text, _) => (document.text(text), "text/plain"),
            Content::Extract(data) => {
                let format = by_name
                    .filter(|it| *it != "application/xhtml+xml")
                    .unwrap_or("text/html");
                (document.extract(data, format, name), format)
            }
            Content::Nothing => (document, "application/octet-stream"),
        };
        document.mime_type(by_name.unwrap_or(otherwise))
    }
}

/// Returns why nobody can read a file, so that it is left out instead of failing at every run.
fn unreadable(bytes: &[u8]) -> Option<&'static str> {
    const COMPOUND_FILE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
    /// The size of an entry in the directory of such a file. Entries are aligned.
    const ENTRY: usize = 128;
    // The stream in which Office keeps an encrypted document. Its name is in UTF-16.
    let encrypted: Vec<u8> = "EncryptedPackage"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    if bytes.starts_with(COMPOUND_FILE)
        && bytes
            .chunks(ENTRY)
            .any(|entry| entry.starts_with(&encrypted))
    {
        return Some("protected by a password");
    }
    if bytes.starts_with(b"\0\x05\x16\x07") {
        return Some("a Mac's notes about another file");
    }
    // A drive in the cloud reserves the space of a file before it fetches it.
    let is_reserved = bytes.iter().all(|byte| *byte == 0);
    is_reserved.then_some("a placeholder without content")
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::symlink, process::Command};

    use super::*;

    fn item(path: &Path) -> FileItem {
        let folder = path.parent().unwrap().to_str().unwrap();
        FileItem::new(path.to_str().unwrap(), folder, &fs::metadata(path).unwrap())
    }

    fn content_of(name: &str, bytes: &[u8]) -> Content {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        item(&path).read().unwrap().1
    }

    #[test]
    fn text_is_read_in_its_encoding_whatever_its_name() {
        let long = "größe ".repeat(5_000);
        let letter = "From Ada\nwith love: a poem";
        for text in ["", "plain", "\u{feff}marked", letter, &long] {
            let expected = text.trim_start_matches('\u{feff}').to_owned();
            assert_eq!(
                content_of("f.dat", text.as_bytes()),
                Content::Text(expected, encoding_rs::UTF_8)
            );
        }
        for (bytes, text, encoding) in [
            (&b"\xff\xfeh\0\xe9\0"[..], "hé", "UTF-16LE"),
            (b"\xfe\xff\0h\0\xe9", "hé", "UTF-16BE"),
            (b"gr\xf6\xdfe", "größe", "windows-1252"),
            (
                b"\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0?",
                "Привет, как дела?",
                "windows-1251",
            ),
            (
                b"\x82\xb1\x82\xf1\x82\xc9\x82\xbf\x82\xcd\x90\xa2\x8aE",
                "こんにちは世界",
                "Shift_JIS",
            ),
            (b"\x1b$BJs9p=q\x1b(B", "報告書", "ISO-2022-JP"),
            (b"gr\xc3\xb6\xc3\x9fe, \xff", "größe, \u{fffd}", "UTF-8"),
            (b"gr\xc3\xb6\xc3\x9fe\xc3", "größe\u{fffd}", "UTF-8"),
            (
                b"gr\xc3\xb6\xc3\x9fe \xff\xfe",
                "größe \u{fffd}\u{fffd}",
                "UTF-8",
            ),
            (
                b"f\xfcr die gr\xf6\xdfte Stra\xdfe \xc3\xbc",
                "für die größte Straße Ã¼",
                "windows-1252",
            ),
            // Without a mark.
            (b"g\0r\0\xf6\0\xdf\0e\0", "größe", "UTF-16LE"),
            (
                b"\x04\x14\x04\x30\0,\0 \x04\x47\x04\x30\x04\x41",
                "Да, час",
                "UTF-16BE",
            ),
        ] {
            let Content::Text(read, found) = content_of("f.txt", bytes) else {
                panic!("{text}")
            };
            assert_eq!((&*read, found.name()), (text, encoding));
        }
    }

    #[test]
    fn what_has_no_text_is_found_by_its_name() {
        for bytes in [
            &b"\x7fELF\0\0"[..],
            b"{\\rtf1\\ansi{\\fonttbl}prose}",
            b"From ada@example.com Mon Jan 1\nReturn-Path: <a>\n\nx",
            b"<?xml version=\"1.0\"?>\n<office:document>x",
            b"<?xml version=\"1.0\"?>\n<w:wordDocument>x",
            b"<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?><Workbook>x",
            b"<?xml version=\"1.0\"?>\n<VisioDocument>x",
            b"%PDF-1.4\n1 0 obj\n<<>>",
            b"%!PS-Adobe-3.0\n(prose) show",
            b"MIME-Version: 1.0\nContent-Type: multipart/related\n\nx",
            b"\0\x05\x01\x40\0\x02\0\x1f\0\x03",
            b"\x89\x01\x02\xff\x07",
        ] {
            assert_eq!(content_of("f.txt", bytes), Content::Nothing, "{bytes:?}");
        }
    }

    #[test]
    fn a_known_format_goes_to_extraction_as_it_is_unless_it_is_empty() {
        assert_eq!(
            content_of("f.PDF", b"%PDF-1.7\0"),
            Content::Extract(b"%PDF-1.7\0".to_vec())
        );
        assert!(matches!(content_of("f.docx", b""), Content::Text(text, _) if text.is_empty()));
    }

    #[test]
    fn what_nobody_can_read_is_left_out_with_its_reason() {
        let encrypted: Vec<u8> = "EncryptedPackage"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let encrypted = [
            &b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..],
            &[0; 632],
            &encrypted,
        ]
        .concat();
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes, reason) in [
            ("a.docx", &encrypted, "protected by a password"),
            ("a.xlsx", &encrypted, "protected by a password"),
            ("b.pptx", &vec![0; 4096], "a placeholder without content"),
            ("b.pdf", &vec![0; 4096], "a placeholder without content"),
            (
                "._b.pdf",
                &b"\0\x05\x16\x07\0\x02".to_vec(),
                "a Mac's notes about another file",
            ),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            let skip = item(&path).read().unwrap_err();
            assert_eq!((skip.reason, skip.keeps_documents), (reason, false));
        }
        // A workbook of the old format is in such a file as well.
        let old = [&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], &[0; 600]].concat();
        assert!(matches!(content_of("c.xls", &old), Content::Extract(_)));
    }

    #[test]
    fn a_file_too_large_for_extraction_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.pdf");
        File::create(&path).unwrap().set_len(MOST_READ + 1).unwrap();
        assert_eq!(item(&path).read().unwrap().1, Content::Nothing);
    }

    /// Returns the skip of a file that was `found` at a path and then replaced.
    fn skip_of(path: &Path, becomes: impl FnOnce(&Path)) -> Skip {
        fs::write(path, "found").unwrap();
        let file = item(path);
        fs::remove_file(path).unwrap();
        becomes(path);
        file.read().unwrap_err()
    }

    #[test]
    fn a_file_replaced_before_it_is_read_is_skipped_and_deletes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let said = |skip: Skip| (skip.reason, skip.keeps_documents);

        assert_eq!(
            said(skip_of(&path, |_| {})),
            ("vanished while it was read", true)
        );
        let link = skip_of(&path, |path| symlink("/etc/passwd", path).unwrap());
        assert_eq!(said(link), ("cannot be read", true));
        fs::remove_file(&path).unwrap();
        // Opening a pipe normally waits for a writer.
        let pipe = skip_of(&path, |path| {
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        });
        assert_eq!(said(pipe), ("changed while it was read", true));
        fs::remove_file(&path).unwrap();
        let folder = skip_of(&path, |path| fs::create_dir(path).unwrap());
        assert_eq!(said(folder), ("changed while it was read", true));
    }

    #[test]
    fn a_file_that_changed_since_it_was_found_is_read_as_it_is_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "old").unwrap();
        let file = item(&path);
        fs::write(&path, "newer").unwrap();
        let (file, content) = file.read().unwrap();
        assert!(matches!(content, Content::Text(text, _) if text == "newer"));
        assert_eq!(file.stamp, Stamp::of(&fs::metadata(&path).unwrap()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_longer_than_its_stated_size_is_never_read_partially() {
        let skip = item(Path::new("/proc/self/status")).read().unwrap_err();
        assert_eq!(
            (skip.reason, skip.keeps_documents),
            ("changed while it was read", true)
        );
    }
}
