//! What a person fills in for a source: which folder, and what to leave out of it.

use std::path::{Path, PathBuf};

use globset::{Glob, GlobMatcher};
use omni_connector::prelude::*;

/// As much as Omni extracts text from in one file.
const MAX_FILE_SIZE: u64 = 50 << 20;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Settings {
    /// Folder whose files become documents, as the machine of the connector sees it
    pub(crate) base_path: PathBuf,
    /// Only files with these extensions, such as `md` or `.PDF`; all files when there are none
    #[serde(default)]
    file_extensions: Option<Vec<Extension>>,
    /// Files and folders to leave out: globs such as `*.log`, `node_modules` or `archive/20*`, compared with the name and
    /// with the path below the base
    #[serde(default)]
    exclude_patterns: Option<Vec<Pattern>>,
    /// Larger files are left out; 50 MiB unless given
    #[serde(default)]
    max_file_size_bytes: Option<u64>,
}

impl Settings {
    pub(crate) fn max_file_size(&self) -> u64 {
        self.max_file_size_bytes.unwrap_or(MAX_FILE_SIZE)
    }

    pub(crate) fn has_wanted_extension(&self, path: &Path) -> bool {
        let wanted = self.file_extensions.as_deref().unwrap_or_default();
        wanted.is_empty()
            || extension(path).is_some_and(|extension| wanted.iter().any(|it| it.0 == extension))
    }

    /// Whether the file or folder at `path`, below the base, is left out by itself.
    pub(crate) fn excludes(&self, path: &Path) -> bool {
        let patterns = self.exclude_patterns.as_deref().unwrap_or_default();
        patterns.iter().any(|pattern| pattern.matches(path))
    }
}

/// The extension of a file as it is compared: in lower case.
pub(crate) fn extension(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_lowercase())
}

/// An extension in lower case and without its dot.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(from = "String")]
struct Extension(String);

impl From<String> for Extension {
    fn from(text: String) -> Self {
        Self(text.trim().trim_start_matches('.').to_lowercase())
    }
}

/// A glob. One that cannot be read makes the config invalid, before anything runs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
struct Pattern(#[schemars(with = "String")] GlobMatcher);

impl TryFrom<String> for Pattern {
    type Error = globset::Error;

    fn try_from(text: String) -> Result<Self, globset::Error> {
        let glob = Glob::new(text.trim().trim_end_matches('/'))?;
        Ok(Self(glob.compile_matcher()))
    }
}

impl Pattern {
    fn matches(&self, path: &Path) -> bool {
        self.0.is_match(path)
            || path.file_name().is_some_and(|name| self.0.is_match(name))
            // `build/**` is what lies in the folder: then the folder need not be entered.
            || self.0.is_match(path.join(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(value: Value) -> Settings {
        omni_connector::decode("config", value).unwrap()
    }

    #[test]
    fn extensions_are_compared_without_dot_and_case() {
        let settings =
            settings(json!({ "base_path": "/srv", "file_extensions": [".PDF", "md", " .Tar "] }));
        for (path, wanted) in [
            ("a.pdf", true),
            ("b.MD", true),
            ("c.txt", false),
            ("md", false),
        ] {
            assert_eq!(
                settings.has_wanted_extension(Path::new(path)),
                wanted,
                "{path}"
            );
        }
    }

    #[test]
    fn a_pattern_means_a_name_anywhere_or_a_path_below_the_base() {
        let patterns = ["*.log", "node_modules/", "build/**", "docs/old"];
        let settings = settings(json!({ "base_path": "/srv", "exclude_patterns": patterns }));
        for path in [
            "a/b.log",
            "node_modules",
            "a/node_modules",
            "build",
            "build/x",
            "docs/old",
        ] {
            assert!(settings.excludes(Path::new(path)), "{path}");
        }
        for path in ["a.logs", "a/build", "old", "docs/older", "a/docs/old"] {
            assert!(!settings.excludes(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn what_the_form_leaves_empty_leaves_nothing_out() {
        let settings = settings(json!({
            "base_path": "/srv", "file_extensions": [], "exclude_patterns": null, "max_file_size_bytes": null
        }));
        assert!(settings.has_wanted_extension(Path::new("any")));
        assert!(!settings.excludes(Path::new("any")));
        assert_eq!(settings.max_file_size(), MAX_FILE_SIZE);
    }

    #[test]
    fn a_glob_that_cannot_be_read_is_named() {
        let config = json!({ "base_path": "/srv", "exclude_patterns": ["*.log", "[a"] });
        let error = omni_connector::decode::<Settings>("config", config).unwrap_err();
        assert!(
            error.to_string().contains("`exclude_patterns[1]`"),
            "{error}"
        );
    }
}
