//! What the macros expand to, as files to read: one per feature. `EXPAND=overwrite cargo test -p ui-tests` writes them.

use std::{env, fs, path::Path};

#[test]
fn every_feature_expands_to_the_code_beside_it() {
    let overwrite = env::var("EXPAND").is_ok_and(|value| value == "overwrite");
    let mut fixtures: Vec<_> = fs::read_dir("expand")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| is_fixture(path))
        .collect();
    fixtures.sort();
    assert!(!fixtures.is_empty());
    for fixture in fixtures {
        let file = ui_tests::expand(&fs::read_to_string(&fixture).unwrap()).unwrap();
        let found = prettyplease::unparse(&file);
        let golden = fixture.with_extension("expanded.rs");
        if overwrite {
            fs::write(&golden, &found).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(
            found,
            expected,
            "{} differs; `EXPAND=overwrite cargo test -p ui-tests` writes it anew",
            golden.display()
        );
    }
}

/// The lines that the macros add to a connector of ordinary size: what a person could have written.
const MOST_LINES: usize = 80;

#[test]
fn a_connector_of_the_readme_expands_to_at_most_80_lines() {
    let readme = fs::read_to_string("../README.md").unwrap();
    let connectors: Vec<_> = readme
        .split("```rust")
        .skip(1)
        .map(|rest| rest.split_once('\n').unwrap().1)
        .map(|rest| rest.split("```").next().unwrap())
        .filter(|block| block.contains("#[connector("))
        .collect();
    assert!(!connectors.is_empty(), "README shows no connector");
    for connector in connectors {
        let mut file = ui_tests::expand(connector).unwrap();
        file.items
            .retain(|item| matches!(item, syn::Item::Const(item) if item.ident == "_"));
        let generated = prettyplease::unparse(&file);
        let lines = generated.lines().count();
        assert!(lines <= MOST_LINES, "{lines} lines:\n{generated}");
    }
}

fn is_fixture(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.ends_with(".rs") && !name.ends_with(".expanded.rs")
}
