//! Tests the compiler's message for each mistake, and that correct code compiles.

use std::{fs, path::Path};

/// Each fixture in `fail` has one mistake, with the expected message in its `.stderr`.
#[test]
fn each_mistake_gives_the_message_of_its_fixture() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail("fail/*.rs");
}

#[test]
fn one_mistake_is_one_error_with_the_way_out() {
    let mut without_help = Vec::new();
    for fixture in fixtures(Path::new("fail"), "stderr") {
        let text = fs::read_to_string(&fixture).unwrap();
        let errors = text
            .lines()
            .filter(|line| line.starts_with("error"))
            .count();
        assert_eq!(
            errors,
            1,
            "{} prints {errors} errors:\n{text}",
            fixture.display()
        );
        if !text.contains("help: ") {
            without_help.push(fixture.file_stem().unwrap().to_string_lossy().into_owned());
        }
    }
    // rustc reports these before any of our types can: a name that is not a type, mistakes in a body, and the warning
    // about an unlisted function.
    assert_eq!(
        without_help,
        [
            "09_listed_function_is_no_action",
            "12_never_listed",
            "39_syntax_error_in_a_body",
            "39_type_error_in_a_body",
        ]
    );
}

#[test]
fn every_fixture_has_its_message() {
    for fixture in fixtures(Path::new("fail"), "rs") {
        assert!(
            fixture.with_extension("stderr").exists(),
            "{}",
            fixture.display()
        );
    }
}

fn fixtures(folder: &Path, extension: &str) -> Vec<std::path::PathBuf> {
    let mut fixtures: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    fixtures.sort();
    assert!(!fixtures.is_empty());
    fixtures
}
