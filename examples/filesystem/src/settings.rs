//! The settings of a source: its folder, and the files to exclude. The keys are those of Omni's form.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use icu_normalizer::ComposingNormalizerBorrowed;
use omni_connector::prelude::*;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Settings {
    /// Folder whose files become documents, as the machine of the connector sees it
    base_path: PathBuf,
    /// Only files with these extensions, such as `md` or `.PDF`; all files when there are none
    #[schemars(with = "Option<Vec<String>>")]
    #[serde(default)]
    file_extensions: Option<Vec<Extension>>,
    /// Files and folders to leave out: part of a path below the base, such as `secret` or `/private/`, or a glob such as `*.log`
    #[schemars(with = "Option<Vec<String>>")]
    #[serde(default)]
    exclude_patterns: Option<Vec<Pattern>>,
    /// Larger files are left out. The form multiplies megabytes, so this may be a fraction
    #[serde(default)]
    max_file_size_bytes: Option<f64>,
}

impl Settings {
    /// Refuses settings that cannot be intended.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(
            self.base_path.is_absolute(),
            "the setting `base_path` is `{}`; it must begin with `/`",
            self.base_path.display()
        );
        let mut patterns = self.exclude_patterns.iter().flatten();
        ensure!(
            patterns.all(|pattern| !pattern.text.trim_matches('/').is_empty()),
            "an empty text in the setting `exclude_patterns` would leave out every file; remove it"
        );
        for pattern in self.exclude_patterns.iter().flatten() {
            ensure!(
                !pattern.text.starts_with('!'),
                "`{}` in the setting `exclude_patterns` would take files in again, which no pattern does here; remove it",
                pattern.text
            );
            ensure!(
                !pattern.text.split('/').any(|step| step == ".."),
                "`{}` in the setting `exclude_patterns` matches nothing, since it goes up by `..`; name the folder from the base",
                pattern.text
            );
        }
        Ok(())
    }

    pub(crate) fn base(&self) -> &Path {
        &self.base_path
    }

    /// Returns the base as the prefix of ids, without a slash at its end.
    pub(crate) fn prefix(&self) -> &str {
        let base = self.base().to_str().unwrap_or_default();
        base.strip_suffix('/').unwrap_or(base)
    }

    pub(crate) fn is_too_large(&self, bytes: u64) -> bool {
        #[allow(
            clippy::cast_precision_loss,
            reason = "no file is that large, and no limit that exact"
        )]
        let bytes = bytes as f64;
        self.max_file_size_bytes.is_some_and(|most| bytes > most)
    }

    pub(crate) fn has_wanted_extension(&self, path: &str) -> bool {
        let wanted = self.file_extensions.as_deref().unwrap_or_default();
        wanted.is_empty()
            || extension(path).is_some_and(|extension| wanted.iter().any(|it| it.0 == extension))
    }

    /// Returns whether a pattern excludes the file or folder at `path` itself, which is below `base`.
    pub(crate) fn excludes(&self, base: &str, path: &str, is_folder: bool) -> bool {
        let patterns = self.exclude_patterns.as_deref().unwrap_or_default();
        let (path, prefix) = (folded(path), folded(base));
        let path = if is_folder { path + "/" } else { path };
        path.len() > prefix.len() + 1 && patterns.iter().any(|it| it.matches(&path, prefix.len()))
    }
}

/// Returns the extension of a file in lower case, for comparison.
pub(crate) fn extension(path: &str) -> Option<String> {
    Some(Path::new(path).extension()?.to_str()?.to_lowercase())
}

/// Writes a path for comparison: in lower case, and with composed letters. A Mac writes `é` as `e` and an accent.
fn folded(path: &str) -> String {
    let path = path.to_lowercase();
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(&path);
    composed.into_owned()
}

/// An extension in lower case and without its dot.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "String")]
struct Extension(String);

impl From<String> for Extension {
    fn from(text: String) -> Self {
        Self(text.trim().trim_start_matches('.').to_lowercase())
    }
}

/// A pattern with two meanings: Omni's code searches for the string in the path, and Omni's form promises globs.
/// Documents are public, so either match excludes a file. Case is ignored.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Pattern {
    text: String,
    glob: GlobMatcher,
}

impl TryFrom<String> for Pattern {
    type Error = globset::Error;

    fn try_from(text: String) -> Result<Self, globset::Error> {
        let text = plain_path(&folded(text.trim()));
        let glob = text.trim_end_matches('/');
        let anywhere = if glob.starts_with('/') { "" } else { "**/" };
        let glob = GlobBuilder::new(&format!("{anywhere}{glob}"))
            .literal_separator(true)
            .build();
        Ok(Self {
            glob: glob?.compile_matcher(),
            text,
        })
    }
}

/// Removes what means nothing in a path: `.` as a folder, and slashes that are written twice. A backslash before a letter
/// or a digit is one of Windows between folders; before other signs it takes their meaning in a pattern.
fn plain_path(text: &str) -> String {
    let mut slashed = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        let is_separator = letter == '\\' && rest.peek().is_none_or(|next| next.is_alphanumeric());
        slashed.push(if is_separator { '/' } else { letter });
    }
    let steps: Vec<_> = slashed.split('/').collect();
    let last = steps.len() - 1;
    let mut kept: Vec<_> = steps
        .iter()
        .enumerate()
        .filter(|(place, step)| {
            !(**step == "." && last > 0 || step.is_empty() && ![0, last].contains(place))
        })
        .map(|(_, step)| *step)
        .collect();
    if steps[0] == "." && last > 0 {
        // `./build` is the one in the base.
        kept.insert(0, "");
    }
    kept.join("/")
}

impl Pattern {
    /// Returns whether it matches a path in lower case, whose first `base` bytes are the base.
    fn matches(&self, path: &str, base: usize) -> bool {
        // A match inside the base itself does not count.
        let first = (base + 2).saturating_sub(self.text.len());
        let first = (first..=path.len()).find(|at| path.is_char_boundary(*at));
        if first.is_some_and(|first| path[first..].contains(&self.text)) {
            return true;
        }
        let is_absolute = self.text.starts_with('/') && self.text.len() > base + 1;
        // `build/**` matches the contents of the folder, so the folder need not be entered.
        [path, path.trim_end_matches('/')].iter().any(|path| {
            self.glob.is_match(&path[base..]) || (is_absolute && self.glob.is_match(path))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(value: Value) -> Settings {
        omni_connector::decode("config", value).unwrap()
    }

    fn excludes(pattern: &str, below: &str) -> bool {
        let settings =
            settings(json!({ "base_path": "/tmp/Files/", "exclude_patterns": [pattern] }));
        settings.excludes(
            settings.prefix(),
            &format!("/tmp/Files/{}", below.trim_end_matches('/')),
            below.ends_with('/'),
        )
    }

    #[test]
    fn extensions_are_compared_without_dot_and_case() {
        let settings =
            settings(json!({ "base_path": "/srv", "file_extensions": [".PDF", "md", " .Tar "] }));
        for (path, wanted) in [
            ("/srv/a.pdf", true),
            ("b.MD", true),
            ("c.txt", false),
            ("/srv/md", false),
        ] {
            assert_eq!(settings.has_wanted_extension(path), wanted, "{path}");
        }
    }

    #[test]
    fn what_either_reading_of_a_pattern_excludes_is_left_out() {
        for (pattern, below) in [
            ("*.log", "a/b.log"),
            ("node_modules/", "a/node_modules/"),
            ("build/**", "build/"),
            ("build/**", "a/build/x"),
            ("docs/old", "docs/old/"),
            ("draft*.md", "a/draft1.md"),
            // Omni's meaning: a part of the path.
            ("secret", "plans/secret-2026.md"),
            ("/private/", "a/private/x.txt"),
            ("/private/", "private/"),
            ("[a]", "odd[a]name"),
            // The meaning for users of .gitignore, and absolute paths.
            ("/build", "build/"),
            ("./build", "build/"),
            ("BUILD", "build/secret.md"),
            ("/tmp/Files/build", "build/x"),
            ("/tmp/files/b*/", "build/"),
            ("files/bu", "build/x"),
            ("größe", "GRÖẞE.md"),
            // Other spellings of the same.
            ("build\\old", "a/build/old/"),
            (".\\build", "build/"),
            ("build\\", "a/build/x"),
            ("//build", "build/"),
            ("docs//old", "docs/old/x"),
            ("docs/./old", "docs/old/"),
            ("././build", "build/x"),
            ("caf\u{e9}", "cafe\u{301}/menu.md"),
            ("cafe\u{301}/*.md", "caf\u{e9}/menu.md"),
            ("/Cafe\u{301}", "CAF\u{c9}/menu.md"),
            ("*.{log,tmp}", "a/b.TMP"),
            ("**/build", "a/b/build/"),
            ("build/*", "a/build/x"),
            ("/tmp//Files/./build", "build/x"),
            ("/tmp/files/**/*.key", "a/b/c.key"),
            ("file\\[1\\].md", "a/file[1].md"),
        ] {
            assert!(excludes(pattern, below), "{pattern}: {below}");
        }
    }

    #[test]
    fn a_pattern_excludes_nothing_else() {
        for (pattern, below) in [
            ("*.log", "a.logs"),
            ("draft*.md", "draft-archive/final/report.md"),
            ("foo*.py", "foo/bar/baz.py"),
            ("/a*", "b/a1"),
            // Only the base contains the pattern.
            ("tmp", "a.md"),
            ("tmp/files/", "a/b.md"),
            ("/tmp/files/", "a/b.md"),
            ("*tmp*", "a.md"),
            ("/docs/*.md", "docs/a/b.md"),
            (".", "a/b"),
            ("*.{log,tmp}", "a.log.md"),
            ("?.md", "ab.md"),
        ] {
            assert!(!excludes(pattern, below), "{pattern}: {below}");
        }
    }

    #[test]
    fn every_config_of_the_form_is_accepted_including_older_ones() {
        for config in [
            json!({ "base_path": "/srv" }),
            json!({ "base_path": "/srv", "file_extensions": [], "exclude_patterns": null, "max_file_size_bytes": null }),
            json!({ "base_path": "/srv/", "file_extensions": null, "max_file_size_bytes": 10_485_760, "scan_interval": 3 }),
            json!({ "base_path": "/srv", "exclude_patterns": [], "max_file_size_bytes": 1_363_148.8, "unknown": {} }),
        ] {
            let settings = settings(config);
            assert!(settings.has_wanted_extension("/srv/any"));
            assert!(!settings.excludes("/srv", "/srv/any", false));
            assert_eq!(settings.prefix(), "/srv");
        }
    }

    #[test]
    fn a_wrong_setting_is_named_with_the_way_out() {
        for (key, value, message) in [
            (
                "exclude_patterns",
                json!(["*.log", "[a"]),
                "`exclude_patterns[1]`",
            ),
            (
                "exclude_patterns",
                json!(["a", " "]),
                "`exclude_patterns` would leave out every file; remove it",
            ),
            ("exclude_patterns", json!(["./"]), "remove it"),
            ("exclude_patterns", json!(["//"]), "remove it"),
            (
                "exclude_patterns",
                json!(["*.md", "!README.md"]),
                "`!readme.md` in the setting `exclude_patterns` would take files in again",
            ),
            (
                "exclude_patterns",
                json!(["a/../b"]),
                "`a/../b` in the setting `exclude_patterns` matches nothing",
            ),
            (
                "base_path",
                json!(""),
                "`base_path` is ``; it must begin with `/`",
            ),
            ("base_path", json!("docs"), "must begin with `/`"),
            ("base_path", json!(null), "`base_path`"),
            (
                "max_file_size_bytes",
                json!("many"),
                "`max_file_size_bytes`",
            ),
        ] {
            let mut config = json!({ "base_path": "/srv" });
            config[key] = value;
            let error = match omni_connector::decode::<Settings>("config", config) {
                Ok(settings) => settings.check().unwrap_err().to_string(),
                Err(error) => error.to_string(),
            };
            assert!(error.contains(message), "{error}");
        }
    }
}
