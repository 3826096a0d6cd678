//! What the compiler says of each mistake, and that what is right compiles.

use std::{fs, path::Path};

/// Every fixture in `fail` holds one mistake, and its `.stderr` beside it is what people read.
#[test]
fn each_mistake_is_told_in_the_words_of_its_fixture() {
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
    // What rustc finds before any of our types can speak: a name that is no type, and what stands in a body. A function that
    // nobody lists is a warning of its own.
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
fn every_fixture_has_its_text() {
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
