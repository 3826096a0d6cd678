//! Checks `FAULTS.md`: each row has a test that exists, and its commit.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The short names of the table, and the folders where the tests of each crate are.
const CRATES: [(&str, &[&str]); 8] = [
    ("core", &["omni-connector/src", "omni-connector/tests"]),
    (
        "dev",
        &["omni-connector-dev/src", "omni-connector-dev/tests"],
    ),
    (
        "readers",
        &["omni-connector-readers/src", "omni-connector-readers/tests"],
    ),
    ("mcp", &["tests/mcp/tests"]),
    ("testkit", &["tests/testkit"]),
    ("filesystem", &["examples/filesystem"]),
    ("tests", &["tests/tests"]),
    ("ui", &["ui-tests"]),
];

const STATES: [&str; 5] = ["right", "untested", "partly", "open", "decided"];

/// One row: its name, its state, its tests and its commits.
struct Row {
    name: String,
    state: String,
    tests: String,
    commits: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the rows of the lists, in their order.
fn rows() -> Vec<Row> {
    let table = fs::read_to_string(root().join("tests/FAULTS.md")).expect("the table");
    let lists = table.split_once("## ").expect("the first list").1;
    lists
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| Row "))
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [name, _, state, tests, commits] = cells[..] else {
                panic!("five cells: {line}");
            };
            Row {
                name: name.to_owned(),
                state: state.to_owned(),
                tests: tests.to_owned(),
                commits: commits.to_owned(),
            }
        })
        .collect()
}

/// Returns all Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the table") {
        let path = entry.expect("an entry of it").path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The files of each crate, with their contents.
fn files() -> BTreeMap<&'static str, Vec<(PathBuf, String)>> {
    let root = root();
    let read = |folder: &&str| {
        let files = sources(&root.join(folder));
        let read = |file: PathBuf| {
            let text = fs::read_to_string(&file).expect("a source file");
            (file, text)
        };
        files.into_iter().map(read).collect::<Vec<_>>()
    };
    CRATES
        .iter()
        .map(|(name, folders)| (*name, folders.iter().flat_map(read).collect()))
        .collect()
}

/// Returns whether one of the files has the test. A segment before its name is a module: a file, a folder or a `mod`.
fn is_there(files: &[(PathBuf, String)], test: &str) -> bool {
    let mut segments: Vec<_> = test.split("::").collect();
    let name = segments.pop().unwrap_or_default();
    files.iter().any(|(file, text)| {
        let has_name = if name == "*" {
            text.contains("fn ")
        } else {
            text.contains(&format!("fn {name}("))
        };
        let is_module = |segment: &&str| {
            file.iter().any(|part| part == *segment)
                || file.file_stem().is_some_and(|stem| stem == *segment)
                || text.contains(&format!("mod {segment} {{"))
        };
        has_name && segments.iter().all(is_module)
    })
}

/// Returns the tests that a cell names, each with the short name of its crate.
fn named(cell: &str) -> Vec<(&'static str, String)> {
    let mut crate_name = None;
    let mut found = Vec::new();
    // Names are between every other pair of backticks.
    for (index, piece) in cell.split('`').enumerate() {
        if index % 2 == 0 {
            let last = CRATES.iter().filter_map(|(name, _)| {
                let at = piece.rfind(&format!("{name}: "))?;
                let before = piece[..at].chars().next_back();
                before
                    .is_none_or(|c| !c.is_alphanumeric())
                    .then_some((at, *name))
            });
            crate_name = last.max().map(|(_, name)| name).or(crate_name);
            continue;
        }
        let Some(crate_name) = crate_name else {
            continue;
        };
        let last = piece.rsplit("::").next().unwrap_or_default();
        let is_in_module = last.len() < piece.len() && (last.contains('_') || last == "*");
        if crate_name == "ui" || is_in_module || last.matches('_').count() > 2 {
            found.push((crate_name, piece.to_owned()));
        }
    }
    found
}

#[test]
fn every_row_of_the_table_names_tests_that_exist_and_their_commits() {
    let files = files();
    let (mut faults, mut tests) = (Vec::new(), BTreeSet::new());
    for row in rows() {
        let named = named(&row.tests);
        if !STATES.contains(&&*row.state) {
            faults.push(format!("{}: no state `{}`", row.name, row.state));
        }
        // A decision may have a place where people read it in place of a test.
        if named.is_empty() && row.state != "decided" {
            faults.push(format!("{}: no test", row.name));
        }
        let is_commit =
            |commit: &str| commit.len() == 7 && commit.bytes().all(|b| b.is_ascii_hexdigit());
        if !row.commits.split(", ").all(is_commit) {
            faults.push(format!("{}: no commit `{}`", row.name, row.commits));
        }
        for (name, test) in named {
            let is_found = if name == "ui" {
                root().join("ui-tests").join(&test).is_file()
            } else {
                is_there(&files[name], &test)
            };
            if !is_found {
                faults.push(format!("{}: `{name}` has no test `{test}`", row.name));
            }
            tests.insert((name, test));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(tests.len() > 200, "only {} tests are named", tests.len());
}

#[test]
fn the_table_has_every_row_of_the_lists() {
    let numbered = |letter: &str, last: u32| {
        let all = (1..=last).map(|number| format!("{letter}{number}"));
        all.collect::<Vec<_>>()
    };
    // F18 was struck from the list.
    let files = (1..=25).filter(|number| *number != 18);
    let expected = [
        files.map(|number| format!("F{number:02}")).collect(),
        numbered("A", 10),
        numbered("M", 14),
        numbered("O", 2),
        numbered("S", 9),
        numbered("P", 6),
        numbered("A", 3),
        numbered("D", 5),
        numbered("H", 1),
        numbered("", 36),
    ]
    .concat();
    let found: Vec<_> = rows()
        .into_iter()
        .map(|row| row.name.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn tests_are_found_by_module_and_name_and_no_others_are() {
    let files = files();
    assert!(is_there(
        &files["tests"],
        "table::tests_are_found_by_module_and_name_and_no_others_are"
    ));
    for gone in [
        "table::tests_are_found",
        "other::tests_are_found_by_module_and_name_and_no_others_are",
    ] {
        assert!(!is_there(&files["tests"], gone), "{gone}");
    }
    assert_eq!(
        named("dev: `a::b_c`, `d::e_f`; mcp: `three_marks_in_it` of `tests/mcp`"),
        [
            ("dev", "a::b_c".to_owned()),
            ("dev", "d::e_f".to_owned()),
            ("mcp", "three_marks_in_it".to_owned()),
        ]
    );
}
