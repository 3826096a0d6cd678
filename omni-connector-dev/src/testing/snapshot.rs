//! Compares documents and other texts with files of the package, line by line.

use std::{fmt::Write, fs, path::Path};

use super::documents::Documents;

/// Compares documents with a file; see [`assert_documents!`](crate::assert_documents).
///
/// # Panics
/// Panics if they differ, or if the file is missing.
#[doc(hidden)]
#[track_caller]
pub fn assert_documents(found: &Documents, folder: &str, file: &str) {
    let path = Path::new(folder).join(file);
    if let Err(message) = compared(found, &path, std::env::var_os("UPDATE").is_some()) {
        panic!("{message}");
    }
}

fn compared(found: &Documents, path: &Path, update: bool) -> Result<(), String> {
    let text = found.to_string();
    if update {
        return fs::write(path, text)
            .map_err(|error| format!("`{}` cannot be written: {error}", path.display()));
    }
    let kept = fs::read_to_string(path).map_err(|error| {
        format!(
            "`{}` cannot be read: {error}\nhelp: write it with `UPDATE=1 cargo test`",
            path.display()
        )
    })?;
    let changes = changed_lines(&kept, &text);
    if changes.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the documents differ from `{}`:\n{changes}help: accept them with `UPDATE=1 cargo test`",
        path.display()
    ))
}

/// Returns the lines that only one of two texts has, marked with `-` and `+`, between two common lines.
pub(super) fn changed_lines(before: &str, after: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let mut changes = String::new();
    let (mut i, mut j) = (0, 0);
    while i < before.len() || j < after.len() {
        if i < before.len() && j < after.len() && before[i] == after[j] {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        // The nearest common line.
        let rest = (before.len() - i) + (after.len() - j);
        let (skipped, added) = (0..=rest)
            .flat_map(|distance| (0..=distance).map(move |skipped| (skipped, distance - skipped)))
            .find(
                |(skipped, added)| match (before.get(i + skipped), after.get(j + added)) {
                    (Some(one), Some(other)) => one == other,
                    (None, None) => true,
                    _ => false,
                },
            )
            .unwrap_or((before.len() - i, after.len() - j));
        for line in &before[i..(i + skipped).min(before.len())] {
            let _ = writeln!(changes, "- {line}");
        }
        for line in &after[j..(j + added).min(after.len())] {
            let _ = writeln!(changes, "+ {line}");
        }
        (i, j) = (i + skipped, j + added);
    }
    changes
}

/// Asserts that documents equal those in a file below the package's folder: `assert_documents!(found,
/// "tests/full.snap")`. `UPDATE=1 cargo test` writes the file.
#[macro_export]
macro_rules! assert_documents {
    ($found:expr, $file:expr) => {
        $crate::testing::assert_documents(&$found, env!("CARGO_MANIFEST_DIR"), $file)
    };
}

#[cfg(test)]
mod tests {
    use super::{super::documents::tests::one, *};

    #[test]
    fn a_file_of_documents_is_written_on_request_and_compared_line_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full.snap");
        assert!(
            compared(&one("T"), &path, false)
                .unwrap_err()
                .contains("UPDATE=1")
        );
        compared(&one("T"), &path, true).unwrap();
        assert_eq!(compared(&one("T"), &path, false), Ok(()));
        let error = compared(&one("Other"), &path, false).unwrap_err();
        assert!(
            error.contains("-   title: T\n+   title: Other\n"),
            "{error}"
        );
        assert!(!error.contains("project"), "{error}");
    }

    #[test]
    fn lines_that_both_texts_have_are_omitted() {
        assert_eq!(changed_lines("a\nb\nc", "a\nc\nd"), "- b\n+ d\n");
        assert_eq!(changed_lines("a", "a"), "");
    }
}
