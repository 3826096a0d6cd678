//! The tree as it is: every entry is a file that should become a document, or is left out with a reason.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use omni_connector::prelude::*;
use walkdir::WalkDir;

use crate::{
    file::FileItem,
    settings::Settings,
    skip::{
        EXCLUDED, LINK, LONG_PATH, NOT_A_FILE, NOT_UTF8_NAME, OTHER_EXTENSION, Skip, TOO_LARGE,
    },
};

/// Omni holds ids up to this many characters.
const LONGEST_ID: usize = 500;

pub(crate) type Found = Result<FileItem, Skip>;

/// A folder and what is wanted of it. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    root: Arc<Path>,
    settings: Arc<Settings>,
}

/// The real path of a folder that can be listed.
///
/// # Errors
/// It cannot.
pub(crate) fn real_folder(path: &Path) -> Result<PathBuf> {
    let listed = fs::canonicalize(path).and_then(|real| fs::read_dir(&real).map(|_| real));
    listed.with_context(|| not_listed(path))
}

fn not_listed(folder: &Path) -> String {
    format!(
        "the folder `{}` cannot be listed by the connector",
        folder.display()
    )
}

impl Tree {
    /// The tree of a source.
    pub(crate) fn open(settings: Settings) -> Result<Self> {
        let root = real_folder(&settings.base_path)?;
        Ok(Self {
            root: root.into(),
            settings: settings.into(),
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The path of an entry below the base, which is the id of its document. Upserts and deletes have it from here.
    pub(crate) fn id(&self, path: &Path) -> Result<String, Skip> {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        let names: Option<Vec<&str>> = below.iter().map(|name| name.to_str()).collect();
        let Some(names) = names else {
            return Err(Skip::unwanted(below.to_string_lossy(), NOT_UTF8_NAME));
        };
        Ok(names.join("/"))
    }

    /// Walks what is at `from` and below, and hands over what it finds until `found` wants no more. Nothing at `from` is
    /// nothing found, unless it is the root.
    ///
    /// Links are not followed: what they point to inside the tree is found there, and what is outside nobody chose.
    ///
    /// # Errors
    /// The root cannot be listed, or a listing broke off, so that nobody knows what is missing.
    pub(crate) fn walk(&self, from: &Path, mut found: impl FnMut(Found) -> bool) -> Result<()> {
        match self.leads_to(from) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(skip) => {
                found(Err(skip));
                return Ok(());
            }
        }
        let mut entries = WalkDir::new(from).into_iter();
        while let Some(entry) = entries.next() {
            let next = match entry {
                Ok(entry) if entry.file_type().is_dir() => match self.folder(entry.path()) {
                    Ok(()) => continue,
                    Err(skip) => {
                        entries.skip_current_dir();
                        Err(skip)
                    }
                },
                Ok(entry) => self.file(entry.path(), || Ok(entry.metadata()?)),
                Err(error) => match self.unlisted(from, error)? {
                    Some(skip) => Err(skip),
                    None => continue,
                },
            };
            if !found(next) {
                break;
            }
        }
        Ok(())
    }

    /// Whether `from` is reached through real folders of the tree, none of them left out.
    fn leads_to(&self, from: &Path) -> Result<bool, Skip> {
        let (Ok(below), Some(parent)) = (from.strip_prefix(&self.root), from.parent()) else {
            return Ok(false);
        };
        let mut folders = below
            .ancestors()
            .skip(1)
            .filter(|folder| *folder != Path::new(""));
        if folders.any(|folder| self.settings.excludes(folder)) {
            return Ok(false);
        }
        match fs::canonicalize(parent) {
            Ok(real) => Ok(real == parent || from == &*self.root),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Skip::unread(self.id(from)?, error.into())),
        }
    }

    fn folder(&self, path: &Path) -> Result<(), Skip> {
        let id = self.id(path)?;
        if !id.is_empty() && self.settings.excludes(Path::new(&id)) {
            return Err(Skip::unwanted(id, EXCLUDED));
        }
        Ok(())
    }

    fn file(&self, path: &Path, metadata: impl FnOnce() -> io::Result<fs::Metadata>) -> Found {
        let id = self.id(path)?;
        if self.settings.excludes(Path::new(&id)) {
            return Err(Skip::unwanted(id, EXCLUDED));
        }
        let metadata = match metadata() {
            Ok(metadata) => metadata,
            Err(error) => return Err(Skip::unread(id, error.into())),
        };
        if metadata.is_symlink() {
            let target = fs::read_link(path).unwrap_or_default();
            return Err(Skip::unwanted(id, LINK).detail(target.display()));
        }
        if !metadata.is_file() {
            return Err(Skip::unwanted(id, NOT_A_FILE));
        }
        if !self.settings.has_wanted_extension(path) {
            return Err(Skip::unwanted(id, OTHER_EXTENSION));
        }
        if metadata.len() > self.settings.max_file_size() {
            return Err(
                Skip::unwanted(id, TOO_LARGE).detail(format_args!("{} bytes", metadata.len()))
            );
        }
        if id.chars().count() > LONGEST_ID {
            return Err(Skip::unwanted(id, LONG_PATH));
        }
        Ok(FileItem::new(id, path, &metadata))
    }

    /// What a listing that failed means: something is not there, could not be listed, or nobody knows what is missing.
    fn unlisted(&self, from: &Path, error: walkdir::Error) -> Result<Option<Skip>> {
        let path = error.path().map(Path::to_owned);
        let error = error
            .into_io_error()
            .unwrap_or_else(|| io::ErrorKind::Other.into());
        match path.filter(|path| *path != *self.root) {
            Some(path) if path == from && error.kind() == io::ErrorKind::NotFound => Ok(None),
            Some(path) => Ok(Some(match self.id(&path) {
                Ok(id) => Skip::unread(id, error.into()),
                Err(skip) => skip,
            })),
            None => Err(error).with_context(|| not_listed(&self.root)),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// What a walk from `from` finds: ids of files, and left-out items with their reasons.
    fn walk(tree: &Tree, from: &str) -> (Vec<String>, Vec<(String, &'static str)>) {
        let (mut files, mut skips) = (Vec::new(), Vec::new());
        tree.walk(&tree.root.join(from), |found| {
            match found {
                Ok(file) => files.push(file.id),
                Err(skip) => skips.push((skip.item, skip.reason)),
            }
            true
        })
        .unwrap();
        files.sort();
        (files, skips)
    }

    fn tree(root: &Path) -> Tree {
        for path in ["a/x", "a/b/y", "build/deep/z", "top"] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        }
        let config = json!({ "base_path": root, "exclude_patterns": ["build/**"] });
        Tree::open(omni_connector::decode("config", config).unwrap()).unwrap()
    }

    #[test]
    fn a_walk_begins_anywhere_in_the_tree() {
        let root = tempfile::tempdir().unwrap();
        let tree = tree(root.path());
        let left_out = vec![("build".to_owned(), EXCLUDED)];
        let all = ["a/b/y", "a/x", "top"].map(str::to_owned).to_vec();
        assert_eq!(walk(&tree, ""), (all, left_out.clone()));
        assert_eq!(walk(&tree, "a").0, ["a/b/y", "a/x"]);
        assert_eq!(walk(&tree, "a/x").0, ["a/x"]);
        assert_eq!(walk(&tree, "gone"), (vec![], vec![]));
        assert_eq!(walk(&tree, "gone/deeper"), (vec![], vec![]));
    }

    #[test]
    fn a_walk_from_below_enters_nothing_that_one_from_the_top_would_not() {
        let root = tempfile::tempdir().unwrap();
        let tree = tree(root.path());
        symlink("a", root.path().join("link")).unwrap();
        for from in ["build/deep/z", "build/deep", "link/x", "link/b"] {
            assert_eq!(walk(&tree, from), (vec![], vec![]), "{from}");
        }
        assert_eq!(walk(&tree, "link").1, [("link".to_owned(), LINK)]);
    }

    #[test]
    fn a_root_that_cannot_be_listed_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let tree = tree(root.path());
        root.close().unwrap();
        let error = tree.walk(&tree.root, |_| true).unwrap_err();
        assert!(error.to_string().contains("cannot be listed"), "{error}");
    }
}
