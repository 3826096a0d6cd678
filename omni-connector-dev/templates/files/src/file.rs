//! One file: its version, its text, and its document.

use omni_connector::{manager::is_extractable, prelude::*};

/// A file below the folder of a source.
#[derive(Debug)]
pub struct FileItem {
    id: String,
    stamp: Stamp,
}

/// The version of a file: a change of its content changes one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stamp {
    pub(crate) modified: Option<Timestamp>,
    pub(crate) bytes: u64,
}

impl FileItem {
    pub(crate) fn new(id: String, stamp: Stamp) -> Self {
        Self { id, stamp }
    }

    /// The path of the file below the folder, which is the id of its document.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    fn name(&self) -> &str {
        let name = self.id.rsplit_once('/');
        name.map_or(&self.id, |(_, name)| name)
    }

    /// The end of its name, in lower case. A name that only begins with a dot has none.
    pub(crate) fn extension(&self) -> Option<String> {
        let (stem, end) = self.name().rsplit_once('.')?;
        let is_word = !end.is_empty() && !end.contains(char::is_whitespace);
        (!stem.is_empty() && is_word).then(|| end.to_lowercase())
    }

    /// The document that Omni finds. A file without text is found by its name.
    pub(crate) fn document(&self, content: Vec<u8>, access: Access) -> Document<'_> {
        let document = Document::new(&self.id, access)
            .title(self.name())
            .path(&self.id)
            .size(self.stamp.bytes)
            .updated_at(self.stamp.modified.map(|at| at.0))
            .attributes_of(self);
        if self.is_extracted() && !content.is_empty() {
            return document.extract(content, self.format(), self.name());
        }
        match text(content) {
            Some(text) => document.text(text),
            None => document,
        }
    }

    /// Its MIME type, as its name says.
    fn format(&self) -> &'static str {
        let format = mime_guess::from_path(self.name()).first_raw();
        format.unwrap_or("application/octet-stream")
    }

    /// Whether Omni extracts its text. Text without markup is sent as it is.
    fn is_extracted(&self) -> bool {
        let format = self.format();
        let is_plain = format.starts_with("text/") && format != "text/html";
        !is_plain && is_extractable(format, self.name())
    }
}

/// Returns the text of a file, or `None` if it is not a text file.
pub(crate) fn text(content: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(content).ok()?;
    (!text.contains('\0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: &str) -> FileItem {
        let stamp = Stamp {
            modified: None,
            bytes: 0,
        };
        FileItem::new(id.to_owned(), stamp)
    }

    #[test]
    fn omni_extracts_the_text_of_formats_with_markup() {
        for name in ["page.html", "ops/Plan.PDF", "old.xls", "mail.eml", "a.msg"] {
            assert!(file(name).is_extracted(), "{name}");
        }
        for name in ["notes.md", "table.csv", "readme", "photo.png", "a.txt"] {
            assert!(!file(name).is_extracted(), "{name}");
        }
    }

    #[test]
    fn an_extension_is_the_end_of_a_name_and_not_of_a_folder() {
        let extension = |id: &str| file(id).extension();
        assert_eq!(extension("ops/Disks.MD").unwrap(), "md");
        assert_eq!(extension("a.tar.gz").unwrap(), "gz");
        for without in ["readme", "ops.d/readme", ".profile", "odd.", "a. b"] {
            assert_eq!(extension(without), None, "{without}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_have_none() {
        assert_eq!(text(b"disks".to_vec()).unwrap(), "disks");
        assert_eq!(text(b"a\xff".to_vec()), None);
        assert_eq!(text(b"a\0b".to_vec()), None);
    }
}
