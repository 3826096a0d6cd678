//! Tests which package a name means, and which of its programs is run.

use super::*;

fn packages(names: &[&str]) -> Vec<Package> {
    let package = |name: &&str| Package {
        name: (*name).to_owned(),
        manifest_path: PathBuf::from(format!("/nowhere/{name}/Cargo.toml")),
        default_run: None,
        metadata: None,
        targets: vec![Target {
            name: (*name).to_owned(),
            kind: vec!["bin".to_owned()],
        }],
        about: About::default(),
    };
    names.iter().map(package).collect()
}

fn chosen(names: &[&str], wanted: &str) -> Result<String, (String, String)> {
    choose(&packages(names), wanted)
        .map(|package| package.name.clone())
        .map_err(|failure| (failure.message, failure.help.unwrap_or_default()))
}

#[test]
fn the_exact_name_wins_over_an_ending() {
    let names = ["omni-example-mail", "mail", "file-mail"];
    assert_eq!(chosen(&names, "mail"), Ok("mail".into()));
}

#[test]
fn a_unique_ending_of_a_name_is_enough() {
    let names = ["omni-example-filesystem", "omni-connector"];
    assert_eq!(
        chosen(&names, "filesystem"),
        Ok("omni-example-filesystem".into())
    );
    assert_eq!(
        chosen(&names, "example-filesystem"),
        Ok("omni-example-filesystem".into())
    );
}

#[test]
fn several_names_with_that_ending_are_listed() {
    let (message, help) = chosen(&["a-mail", "b_mail"], "mail").unwrap_err();
    assert_eq!(message, "`mail` can be `a-mail` or `b_mail`");
    assert_eq!(help, "give the full name");
}

#[test]
fn an_unknown_name_is_reported_with_the_nearest() {
    let names = ["omni-example-filesystem", "omni-example-crawler"];
    let (message, help) = chosen(&names, "filesytem").unwrap_err();
    assert_eq!(message, "no package `filesytem` in this workspace");
    assert_eq!(help, "did you mean `omni-example-filesystem`?");
    let (_, help) = chosen(&names, "zzz").unwrap_err();
    assert_eq!(
        help,
        "there are `omni-example-crawler`, `omni-example-filesystem`"
    );
}

#[test]
fn of_several_programs_the_default_one_is_run() {
    let mut package = packages(&["acme"]).remove(0);
    package.targets.push(Target {
        name: "other".to_owned(),
        kind: vec!["bin".to_owned()],
    });
    assert_eq!(package.binary().ok(), Some("acme"));
    package.default_run = Some("other".to_owned());
    assert_eq!(package.binary().ok(), Some("other"));
    package.targets[0].name = "first".to_owned();
    package.default_run = None;
    assert!(package.binary().is_err());
}
