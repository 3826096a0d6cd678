//! Lists the tree: every entry becomes a document, or is skipped with a reason.

use std::{
    fmt::Display,
    fs, io,
    path::{Path, PathBuf},
};

use omni_connector::prelude::*;
use walkdir::{DirEntry, WalkDir};

use crate::{file::FileItem, settings::Settings};

/// The longest id that Omni stores, in characters.
const LONGEST_ID: usize = 500;

pub(crate) type Found = Result<FileItem, Skip>;

/// A folder, with the settings of its source.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The real path of the base, which notices use. Ids begin with the base as it is configured.
    pub(crate) root: PathBuf,
    pub(crate) settings: Settings,
}

/// A file or folder that has no document now.
#[derive(Debug)]
pub(crate) struct Skip {
    pub(crate) item: String,
    pub(crate) reason: &'static str,
    pub(crate) detail: Option<String>,
    /// Whether documents of it and below it stay: it exists, but could not be read.
    pub(crate) keeps_documents: bool,
}

impl Skip {
    /// Makes the skip of an item that does not belong to the source. An existing document of it is deleted.
    pub(crate) fn unwanted(item: impl Into<String>, reason: &'static str) -> Self {
        let (item, detail) = (item.into(), None);
        Self {
            item,
            reason,
            detail,
            keeps_documents: false,
        }
    }

    /// Makes the skip of an item that could not be read now, and possibly later.
    pub(crate) fn unread(item: impl Into<String>, error: &io::Error) -> Self {
        let (reason, detail) = match error.kind() {
            io::ErrorKind::NotFound => ("vanished while it was read", None),
            io::ErrorKind::Interrupted => ("changed while it was read", None),
            _ => ("cannot be read", Some(error.to_string())),
        };
        Self {
            item: item.into(),
            reason,
            detail,
            keeps_documents: true,
        }
    }

    fn detail(self, detail: impl Display) -> Self {
        Self {
            detail: Some(detail.to_string()),
            ..self
        }
    }
}

/// Returns the real path of a folder, and checks that it can be listed.
///
/// # Errors
/// The folder does not exist or cannot be listed.
pub(crate) fn real_folder(path: &Path) -> Result<PathBuf> {
    let listed = fs::canonicalize(path).and_then(|real| fs::read_dir(&real).map(|_| real));
    listed.with_context(|| not_listed(path))
}

fn not_listed(folder: &Path) -> String {
    format!(
        "the folder `{}` of `base_path` cannot be listed by the connector",
        folder.display()
    )
}

/// Returns the id of a path, which is the path itself.
fn id(path: &Path) -> Result<&str, Skip> {
    let refused = || Skip::unwanted(path.to_string_lossy(), "the name is not UTF-8");
    path.to_str().ok_or_else(refused)
}

impl Tree {
    /// Opens the tree of a source.
    pub(crate) fn open(settings: Settings) -> Result<Self> {
        Ok(Self {
            root: real_folder(settings.base())?,
            settings,
        })
    }

    /// Converts a real path to one that begins with the base.
    pub(crate) fn at_base(&self, real: &Path) -> PathBuf {
        match real.strip_prefix(&self.root) {
            Ok(below) if below != Path::new("") => self.settings.base().join(below),
            _ => self.settings.base().to_owned(),
        }
    }

    /// Walks over `from` and its contents, and passes entries to `found` until it refuses more. If `from` does not
    /// exist, there are no entries, unless it is the base. With `names_all`, files in excluded folders are included as
    /// skips.
    ///
    /// Links are not followed. Their targets inside the tree are found there; targets outside were not chosen by
    /// anybody.
    ///
    /// # Errors
    /// The base cannot be listed, or a listing broke off, so that missing entries are unknown.
    pub(crate) fn walk(
        &self,
        from: &Path,
        names_all: bool,
        mut found: impl FnMut(Found) -> bool,
    ) -> Result<()> {
        let is_base = from == self.settings.base();
        if !is_base {
            match self.leads_to(from) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(skip) => {
                    found(Err(skip));
                    return Ok(());
                }
            }
        }
        let mut entries = WalkDir::new(from).follow_root_links(is_base).into_iter();
        // The depth of the excluded folder that is being listed for `names_all`.
        let mut left_out = None;
        while let Some(entry) = entries.next() {
            let next = match entry {
                // The base may be a link.
                Ok(entry) if is_base && entry.depth() == 0 => continue,
                Err(error) => match self.unlisted(from, error)? {
                    Some(skip) => Err(skip),
                    None => continue,
                },
                Ok(entry) => {
                    left_out = left_out.filter(|depth| *depth < entry.depth());
                    let is_folder = entry.file_type().is_dir();
                    let is_excluded = left_out.is_some() || self.excludes(entry.path(), is_folder);
                    match (is_folder, is_excluded) {
                        (true, false) => continue,
                        (false, false) => self.file(&entry),
                        (is_folder, true) => {
                            if is_folder && names_all {
                                left_out = left_out.or(Some(entry.depth()));
                            } else if is_folder {
                                entries.skip_current_dir();
                            }
                            id(entry.path()).and_then(|id| {
                                Err(Skip::unwanted(id, "left out by `exclude_patterns`"))
                            })
                        }
                    }
                }
            };
            if !found(next) {
                break;
            }
        }
        Ok(())
    }

    fn excludes(&self, path: &Path, is_folder: bool) -> bool {
        let excludes = |base: &str, path: &Path| {
            self.settings
                .excludes(base, &path.to_string_lossy(), is_folder)
        };
        let base = self.settings.base();
        // A pattern may name the place to which a link at the base leads.
        let below = path.strip_prefix(base).ok();
        let below = below.filter(|below| base != self.root && *below != Path::new(""));
        excludes(self.settings.prefix(), path)
            || below.is_some_and(|it| excludes(&self.root.to_string_lossy(), &self.root.join(it)))
    }

    /// Returns whether `from` is reached through real folders of the tree, none of them excluded.
    fn leads_to(&self, from: &Path) -> Result<bool, Skip> {
        let base = self.settings.base();
        let (Ok(below), Some(parent)) = (from.strip_prefix(base), from.parent()) else {
            return Ok(false);
        };
        let mut folders = from
            .ancestors()
            .skip(1)
            .take_while(|folder| *folder != base);
        if folders.any(|folder| self.excludes(folder, true)) {
            return Ok(false);
        }
        match fs::canonicalize(parent) {
            Ok(real) => Ok(Some(&*real) == self.root.join(below).parent()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Skip::unread(id(from)?, &error)),
        }
    }

    fn file(&self, entry: &DirEntry) -> Found {
        let id = id(entry.path())?;
        let unwanted = |reason| Skip::unwanted(id, reason);
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) => return Err(Skip::unread(id, &error.into())),
        };
        if metadata.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            return Err(unwanted("a link, which is not followed").detail(target.display()));
        }
        if !metadata.is_file() {
            return Err(unwanted("a pipe, socket or device"));
        }
        let name = entry.file_name().as_encoded_bytes();
        if name.starts_with(b"~$") || name.starts_with(b".~lock.") && name.ends_with(b"#") {
            return Err(unwanted("the mark of a document that somebody has open"));
        }
        if name.starts_with(b".") && name.ends_with(b".icloud") {
            return Err(unwanted("a placeholder without content"));
        }
        if !self.settings.has_wanted_extension(id) {
            return Err(unwanted("left out by `file_extensions`"));
        }
        if self.settings.is_too_large(metadata.len()) {
            let bytes = metadata.len();
            return Err(
                unwanted("larger than `max_file_size_bytes`").detail(format_args!("{bytes} bytes"))
            );
        }
        if id.chars().count() > LONGEST_ID {
            return Err(unwanted("the path is longer than an id of Omni"));
        }
        Ok(FileItem::new(id, self.settings.prefix(), &metadata))
    }

    /// Interprets the error of a listing: an entry is missing, an entry could not be listed, or missing entries are
    /// unknown.
    fn unlisted(&self, from: &Path, error: walkdir::Error) -> Result<Option<Skip>> {
        let path = error.path().map(Path::to_owned);
        let error = io::Error::from(error);
        match path.filter(|path| path != self.settings.base()) {
            Some(path) if path == from && error.kind() == io::ErrorKind::NotFound => Ok(None),
            Some(path) => Ok(Some(
                id(&path).map_or_else(|skip| skip, |id| Skip::unread(id, &error)),
            )),
            None => Err(error).with_context(|| not_listed(self.settings.base())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Returns the files and skips of a walk from `from`, by their paths below the base.
    fn walk(
        tree: &Tree,
        from: &str,
        names_all: bool,
    ) -> (Vec<String>, Vec<(String, &'static str)>) {
        let (mut files, mut skips) = (Vec::new(), Vec::new());
        let below = |id: &str| id.strip_prefix(tree.settings.prefix()).unwrap()[1..].to_owned();
        tree.walk(&tree.at_base(&tree.root.join(from)), names_all, |found| {
            match found {
                Ok(file) => files.push(below(&file.id)),
                Err(skip) => skips.push((below(&skip.item), skip.reason)),
            }
            true
        })
        .unwrap();
        files.sort();
        skips.sort();
        (files, skips)
    }

    fn tree(root: &Path) -> Tree {
        for path in ["a/x", "a/b/y", "build1/deep/z", "top"] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        }
        let config = json!({ "base_path": root, "exclude_patterns": ["build?"] });
        Tree::open(omni_connector::decode("config", config).unwrap()).unwrap()
    }

    #[test]
    fn a_pattern_may_name_the_place_to_which_the_base_leads() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("data"), folder.path().join("files"));
        tree(&real);
        symlink(&real, &link).unwrap();
        let patterns = [real.join("a/b"), link.join("top")];
        let config = json!({ "base_path": link, "exclude_patterns": patterns });
        let tree = Tree::open(omni_connector::decode("config", config).unwrap()).unwrap();
        assert_eq!(walk(&tree, "", false).0, ["a/x", "build1/deep/z"]);
    }

    const EXCLUDED: &str = "left out by `exclude_patterns`";

    #[test]
    fn a_walk_begins_anywhere_in_the_tree() {
        let root = tempfile::tempdir().unwrap();
        let tree = tree(root.path());
        let left_out = vec![("build1".to_owned(), EXCLUDED)];
        let all = ["a/b/y", "a/x", "top"].map(str::to_owned).to_vec();
        assert_eq!(walk(&tree, "", false), (all, left_out.clone()));
        assert_eq!(walk(&tree, "a", false).0, ["a/b/y", "a/x"]);
        assert_eq!(walk(&tree, "a/x", false).0, ["a/x"]);
        assert_eq!(walk(&tree, "gone", false), (vec![], vec![]));
        assert_eq!(walk(&tree, "gone/deeper", false), (vec![], vec![]));
        let named = ["build1", "build1/deep", "build1/deep/z"];
        assert_eq!(
            walk(&tree, "", true).1,
            named.map(|path| (path.to_owned(), EXCLUDED))
        );
    }

    #[test]
    fn a_walk_from_below_enters_only_folders_that_one_from_the_top_enters() {
        let root = tempfile::tempdir().unwrap();
        let tree = tree(root.path());
        symlink("a", root.path().join("link")).unwrap();
        for from in ["build1/deep/z", "build1/deep", "link/x", "link/b"] {
            assert_eq!(walk(&tree, from, false), (vec![], vec![]), "{from}");
        }
        assert_eq!(walk(&tree, "link", false).1[0].0, "link");
    }

    #[test]
    fn ids_begin_with_the_base_as_it_is_configured() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("real")).unwrap();
        drop(tree(&root.path().join("real")));
        let base = root.path().join("link");
        symlink("real", &base).unwrap();
        for base in [
            format!("{}/", base.display()),
            format!("{}//link", root.path().display()),
        ] {
            let config = json!({ "base_path": base });
            let tree = Tree::open(omni_connector::decode("config", config).unwrap()).unwrap();
            let mut ids = Vec::new();
            tree.walk(&tree.at_base(&tree.root.join("a/x")), false, |found| {
                ids.push(found.unwrap().id);
                true
            })
            .unwrap();
            assert_eq!(ids, [format!("{}/a/x", base.trim_end_matches('/'))]);
        }
    }

    #[test]
    fn the_root_directory_can_be_a_base() {
        let config = json!({ "base_path": "/" });
        let tree = Tree::open(omni_connector::decode("config", config).unwrap()).unwrap();
        let mut first = None;
        tree.walk(Path::new("/"), false, |found| {
            first = Some(found);
            false
        })
        .unwrap();
        assert!(first.is_some());
        assert!(tree.at_base(Path::new("/etc")).ends_with("/etc"));
    }

    #[test]
    fn a_base_that_cannot_be_listed_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let tree = tree(root.path());
        root.close().unwrap();
        let error = tree
            .walk(tree.settings.base(), false, |_| true)
            .unwrap_err();
        assert!(error.to_string().contains("cannot be listed"), "{error}");
    }
}
