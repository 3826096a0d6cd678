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

fn is_fixture(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.ends_with(".rs") && !name.ends_with(".expanded.rs")
}
