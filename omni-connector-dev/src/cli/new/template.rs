//! Templates: whole crates whose variants are marked blocks. The workspace builds and tests them as `tests/new`.
//!
//! A block begins with a line `//> key=value` and ends with `//<`; in other files the comments are `#` and `<!-- … -->`. It is
//! kept for the chosen values, of which `|` separates several. A block can be within another. Names are replaced as whole words.

use super::names::{Names, TITLES, words};

/// A crate with all its variants.
pub(super) struct Template {
    pub(super) files: &'static [File],
}

/// A file of a template.
pub(super) struct File {
    /// Where it is written.
    pub(super) path: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($folder:literal: $($path:literal from $file:literal),+ $(,)?) => {
        Template {
            files: &[$(File {
                path: $path,
                text: include_str!(concat!("../../../templates/", $folder, "/", $file)),
            }),+],
        }
    };
}

/// The template of an API; each has the same files.
macro_rules! api {
    ($folder:literal) => {
        files!($folder:
            "Cargo.toml" from "manifest.toml",
            "src/main.rs" from "src/main.rs",
            "src/lib.rs" from "src/lib.rs",
            "src/api.rs" from "src/api.rs",
            "src/issue.rs" from "src/issue.rs",
            "tests/conformance.rs" from "tests/conformance.rs",
            "tests/source/mod.rs" from "tests/source/mod.rs",
            "examples/source.rs" from "examples/source.rs",
            "README.md" from "README.md",
            "AGENTS.md" from "AGENTS.md",
            ".gitignore" from "gitignore",
        )
    };
}

pub(super) const REST: Template = api!("rest");

pub(super) const GRAPHQL: Template = api!("graphql");

pub(super) const MCP: Template = files!("mcp":
    "Cargo.toml" from "manifest.toml",
    "src/main.rs" from "src/main.rs",
    "tests/conformance.rs" from "tests/conformance.rs",
    "tests/tools.rs" from "tests/tools.rs",
    "tests/server/mod.rs" from "tests/server/mod.rs",
    "tests/server/tools.json" from "tests/server/tools.json",
    "examples/server.rs" from "examples/server.rs",
    "README.md" from "README.md",
    "AGENTS.md" from "AGENTS.md",
    ".gitignore" from "gitignore",
);

pub(super) const FILES: Template = files!("files":
    "Cargo.toml" from "manifest.toml",
    "src/main.rs" from "src/main.rs",
    "src/lib.rs" from "src/lib.rs",
    "src/tree.rs" from "src/tree.rs",
    "src/file.rs" from "src/file.rs",
    "tests/conformance.rs" from "tests/conformance.rs",
    "tests/reading.rs" from "tests/reading.rs",
    "tests/source/mod.rs" from "tests/source/mod.rs",
    "examples/source.rs" from "examples/source.rs",
    "README.md" from "README.md",
    "AGENTS.md" from "AGENTS.md",
    ".gitignore" from "gitignore",
);

pub(super) const OTHER: Template = files!("other":
    "Cargo.toml" from "manifest.toml",
    "src/main.rs" from "src/main.rs",
    "src/lib.rs" from "src/lib.rs",
    "src/client.rs" from "src/client.rs",
    "src/issue.rs" from "src/issue.rs",
    "tests/conformance.rs" from "tests/conformance.rs",
    "tests/database.rs" from "tests/database.rs",
    "tests/source/mod.rs" from "tests/source/mod.rs",
    "examples/source.rs" from "examples/source.rs",
    "README.md" from "README.md",
    "AGENTS.md" from "AGENTS.md",
    ".gitignore" from "gitignore",
);

/// The templates whose types have the name of an item.
pub(super) const OF_ITEMS: &[Template] = &[REST, GRAPHQL, OTHER];
pub(super) const ALL: &[Template] = &[REST, GRAPHQL, MCP, FILES, OTHER];

/// Whether the code of one of the templates has this word: a type of its own, or one that it imports.
pub(super) fn uses(word: &str, templates: &[Template]) -> bool {
    let files = templates.iter().flat_map(|template| template.files);
    let mut lines = files
        .filter(|file| file.path.starts_with("src/"))
        .flat_map(|file| file.text.lines())
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.any(|line| {
        let mut found = words(line).into_iter();
        // Not in a text, nor a name that is replaced.
        found.any(|at| {
            &line[at.clone()] == word
                && line[..at.start].matches('"').count() % 2 == 0
                && !TITLES.contains(&word)
                && !ITEMS.contains(&word)
        })
    })
}

/// The types of the templates that get the name of an item.
const ITEMS: [&str; 2] = ["Issue", "Issues"];

/// The values that were chosen, by their keys.
pub(super) type Choice<'a> = [(&'a str, &'a str)];

/// A file as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) path: String,
    pub(super) text: String,
}

impl Template {
    /// Makes the files for a choice. A file of which nothing is left is not written.
    pub(super) fn render(&self, choice: &Choice<'_>, names: &Names) -> Vec<Written> {
        let render = |file: &File| Written {
            path: names.in_path(file.path),
            text: names.in_text(&chosen(file.text, choice)),
        };
        let files = self.files.iter().map(render);
        files.filter(|file| !file.text.is_empty()).collect()
    }
}

/// The marker of a line: what a block is for, or the empty string at its end.
fn marker(line: &str) -> Option<&str> {
    let line = line.trim();
    let inner = [("//", ""), ("<!-- ", " -->"), ("#", "")]
        .iter()
        .find_map(|(before, after)| line.strip_prefix(before)?.strip_suffix(after))?;
    if inner == "<" {
        return Some("");
    }
    inner.strip_prefix("> ")
}

/// The text without the blocks that were not chosen, and without the markers.
fn chosen(text: &str, choice: &Choice<'_>) -> String {
    let mut kept = String::new();
    // The blocks around a line, from outside to inside.
    let mut blocks = Vec::new();
    for line in text.lines() {
        match marker(line) {
            Some("") => {
                blocks.pop();
            }
            Some(condition) => blocks.push(condition.split(' ').all(|one| holds(one, choice))),
            None if !blocks.contains(&false) => {
                kept.push_str(line);
                kept.push('\n');
            }
            None => {}
        }
    }
    kept
}

/// Whether a condition such as `paging=page|offset` holds. One without a value is for the workspace alone.
fn holds(condition: &str, choice: &Choice<'_>) -> bool {
    condition.split_once('=').is_some_and(|(key, values)| {
        choice
            .iter()
            .any(|(chosen, value)| *chosen == key && values.split('|').any(|one| one == *value))
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn a_block_is_kept_for_its_values_alone() {
        let text =
            "a\n//> k=x|y\nb\n//<\n    # c\n#> k=z\nd\n#<\n<!-- > template -->\ne\n<!-- < -->\nf\n";
        assert_eq!(chosen(text, &[("k", "y")]), "a\nb\n    # c\nf\n");
        assert_eq!(chosen(text, &[("k", "z")]), "a\n    # c\nd\nf\n");
        let within = "//> k=x|y\na\n//> l=x\nb\n//<\nc\n//<\nd\n";
        assert_eq!(chosen(within, &[("k", "y")]), "a\nc\nd\n");
        assert_eq!(chosen(within, &[("l", "x")]), "d\n");
        assert_eq!(chosen(within, &[("k", "x"), ("l", "x")]), "a\nb\nc\nd\n");
    }

    /// A file that is not in the list would be in the workspace's tests, and in no new crate.
    #[test]
    fn every_file_of_a_template_is_written() {
        fn count(folder: &Path) -> usize {
            let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
            entries
                .map(|entry| {
                    if entry.file_type().unwrap().is_dir() {
                        count(&entry.path())
                    } else {
                        1
                    }
                })
                .sum()
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        assert_eq!(count(&folder.join("rest")), REST.files.len());
        assert_eq!(count(&folder.join("graphql")), GRAPHQL.files.len());
        assert_eq!(count(&folder.join("mcp")), MCP.files.len());
        assert_eq!(count(&folder.join("files")), FILES.files.len());
        assert_eq!(count(&folder.join("other")), OTHER.files.len());
    }

    #[test]
    fn every_block_of_a_template_is_closed_and_known() {
        let known = super::super::answers::ANSWERS;
        for file in [REST, GRAPHQL, MCP, FILES, OTHER]
            .iter()
            .flat_map(|it| it.files)
        {
            let mut open = Vec::new();
            for line in file.text.lines() {
                match marker(line) {
                    Some("") => {
                        let closed = open.pop();
                        assert!(
                            closed.is_some(),
                            "{}: nothing is open at `{line}`",
                            file.path
                        );
                    }
                    Some(condition) => open.push(condition),
                    None => {}
                }
                for one in open.iter().flat_map(|open| open.split(' ')) {
                    let Some((key, values)) = one.split_once('=') else {
                        assert_eq!(one, "template");
                        continue;
                    };
                    for value in values.split('|') {
                        let is_known = known
                            .iter()
                            .any(|(name, all)| *name == key && all.contains(&value));
                        assert!(is_known, "{}: `{key}={value}` is not known", file.path);
                    }
                }
            }
            assert!(open.is_empty(), "{}: {open:?}", file.path);
        }
    }
}
