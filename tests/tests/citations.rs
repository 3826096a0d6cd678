//! Checks what the documents refer to.
//!
//! Comments, docs, tests and rows of the conformance suite cite sections of `docs/protocol.md`, as
//! in "`protocol.md` §3.4". Each cited section must exist.
//!
//! A section sign before a digit is such a citation, with or without the file's name, unless it follows the name of an RFC.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

#[test]
fn every_cited_section_of_the_protocol_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let protocol = fs::read_to_string(root.join("docs/protocol.md")).expect("the protocol");
    let sections = sections(&protocol);

    let mut cited = BTreeSet::new();
    let mut broken = Vec::new();
    for file in files(&root) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let inside = file.strip_prefix(&root).expect("a file of the repository");
        for (number, line) in text.lines().enumerate() {
            for section in citations(line) {
                if !sections.contains(section) {
                    let (file, number) = (inside.display(), number + 1);
                    broken.push(format!("{file}:{number}: §{section}"));
                }
                cited.insert(section.to_owned());
            }
        }
    }
    assert!(
        broken.is_empty(),
        "`docs/protocol.md` lacks these sections:\n{}",
        broken.join("\n")
    );
    assert!(cited.len() > 50, "only {} sections found", cited.len());
}

#[test]
fn every_source_file_that_the_architecture_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = files(&root);
    let architecture = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("the architecture");
    // Code is between every other pair of backticks.
    let quoted = architecture.split('`').skip(1).step_by(2);
    let named: BTreeSet<_> = quoted
        .filter(|text| {
            Path::new(text)
                .extension()
                .is_some_and(|extension| extension == "rs")
        })
        .collect();
    let gone: Vec<_> = named
        .iter()
        .filter(|name| !files.iter().any(|file| file.ends_with(name)))
        .collect();
    assert!(gone.is_empty(), "`ARCHITECTURE.md` names {gone:?}");
    assert!(named.len() > 50, "only {} files found", named.len());
}

#[test]
fn only_sections_of_the_protocol_are_found_and_each_of_a_list_or_range() {
    let found = |line| citations(line).collect::<Vec<_>>();
    assert_eq!(found("`protocol.md` §6.2 and §6.3."), ["6.2", "6.3"]);
    assert_eq!(found("(`protocol.md` §2.3–2.5, §3)"), ["2.3", "2.5", "3"]);
    assert_eq!(found("the steps of §5.4–§5.6"), ["5.4", "5.6"]);
    assert_eq!(found(r#"{"section": "4.10", "name": "a"}"#), ["4.10"]);
    assert!(found("a sign (§) without a number").is_empty());
    assert_eq!(found("RFC 6749 §2.3.1, as in §8.3"), ["8.3"]);
}

/// Returns the numbers of all headings, such as `3` and `3.4`.
fn sections(protocol: &str) -> BTreeSet<&str> {
    protocol
        .lines()
        .filter_map(|line| line.strip_prefix("##"))
        .map(|heading| number(heading.trim_start_matches(['#', ' '])))
        .filter(|number| !number.is_empty())
        .collect()
}

/// Returns the sections that a line cites. A range cites its two ends; a row of the conformance
/// suite has a separate field.
fn citations(line: &str) -> impl Iterator<Item = &str> {
    let signs = line.match_indices('§').flat_map(|(at, sign)| {
        let rest = &line[at + sign.len()..];
        let first = if follows_an_rfc(&line[..at]) {
            ""
        } else {
            number(rest)
        };
        let end = rest[first.len()..].strip_prefix('–').map(number);
        [first, end.unwrap_or_default()]
    });
    let fields = line.split("\"section\": \"").skip(1).map(number);
    signs.chain(fields).filter(|number| !number.is_empty())
}

/// Returns whether a string ends with `RFC` and its number.
fn follows_an_rfc(text: &str) -> bool {
    let name = text.trim_end();
    let prefix = name.trim_end_matches(|character: char| character.is_ascii_digit());
    prefix.len() < name.len() && prefix.ends_with("RFC ")
}

/// Returns the number at the start of a string, without a sentence's full stop.
fn number(text: &str) -> &str {
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.');
    text[..end.unwrap_or(text.len())].trim_end_matches('.')
}

/// Returns all files that may cite sections, without build output and recordings.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("an entry of the folder").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_left_out = name.starts_with('.') || ["target", "seeds", "found"].contains(&&*name);
        if is_left_out || path.is_symlink() {
            continue;
        }
        let in_rows = path.parent().is_some_and(|parent| parent.ends_with("rows"));
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => files.extend(self::files(&path)),
            Some("md" | "rs" | "sql" | "toml") => files.push(path),
            Some("json") if in_rows => files.push(path),
            _ => {}
        }
    }
    files
}
