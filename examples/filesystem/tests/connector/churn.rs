//! A checkout of a git repository that goes through its tags: after each, Omni holds what `git ls-tree` says, text by text.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use omni_connector::SyncType::{Full, Incremental, Realtime};
use omni_connector_dev::testing::Documents;
use serde_json::json;

use crate::support::Setup;

const TAGS: u32 = 6;

fn git(setup: &Setup, args: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.com",
            "-c",
            "core.quotePath=false",
        ])
        .args(args)
        .current_dir(setup.path(""))
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Makes a repository whose tags add, edit, move and delete files and folders; each is decided by numbers that look random.
fn grow(setup: &Setup) {
    git(setup, &["init", "--quiet", "--initial-branch=main"]);
    let mut seed = 7_u32;
    let mut next = move |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) % below
    };
    for tag in 0..TAGS {
        // The first tag is the largest, so that none of the others looks like an accident.
        let pages = if tag == 0 { 150 } else { 40 };
        for n in 0..pages {
            let path = format!("part-{}/chapter-{}/page {n}.md", next(4), next(5));
            match if tag == 0 { 9 } else { next(8) } {
                0 => drop(fs::remove_file(setup.path(&path))),
                1 => drop(fs::remove_dir_all(setup.path(&format!(
                    "part-{}/chapter-{}",
                    next(4),
                    next(5)
                )))),
                2 => {
                    let (from, to) = (
                        setup.path(&format!("part-{}", next(4))),
                        setup.path(&format!("moved-{tag}-{n}")),
                    );
                    drop(fs::rename(from, to));
                }
                // Where a file was there is a folder, and the other way round.
                3 if next(2) == 0 => {
                    drop(fs::remove_dir_all(setup.path("either")));
                    drop(fs::remove_file(setup.path("either")));
                    setup.write(
                        if n % 2 == 0 {
                            "either"
                        } else {
                            "either/way.md"
                        },
                        "one or the other",
                    );
                }
                _ => setup.write(
                    &path,
                    format!(
                        "Page {n} of tag {tag}: {}",
                        "word ".repeat(next(50) as usize)
                    ),
                ),
            }
        }
        setup.write("always.md", format!("tag {tag}"));
        git(setup, &["add", "--all"]);
        git(setup, &["commit", "--quiet", "--message", "churn"]);
        git(setup, &["tag", &format!("t{tag}")]);
    }
}

/// The files of a tag with their texts, by git's account.
fn truth(setup: &Setup, tag: &str) -> BTreeMap<String, String> {
    let names = git(setup, &["ls-tree", "-r", "-z", "--name-only", tag]);
    let names = names.split('\0').filter(|name| !name.is_empty());
    names
        .map(|name| {
            (
                name.to_owned(),
                git(setup, &["show", &format!("{tag}:{name}")])
                    .trim()
                    .to_owned(),
            )
        })
        .collect()
}

async fn held(setup: &Setup) -> BTreeMap<String, String> {
    let documents = setup.documents().await.into_iter();
    documents
        .map(|(id, document)| (id, document.text))
        .collect()
}

/// A source with such a repository; none where there is no git.
async fn repository() -> Option<Setup> {
    if Command::new("git").arg("--version").output().is_err() {
        eprintln!("skipped: there is no git on this machine");
        return None;
    }
    let setup = Setup::with_config(json!({ "exclude_patterns": ["/.git/"] })).await;
    grow(&setup);
    Some(setup)
}

/// Each tag, there and back, so that what grew also shrinks.
fn tags() -> impl Iterator<Item = String> {
    (0..TAGS)
        .chain((0..TAGS).rev())
        .map(|tag| format!("t{tag}"))
}

#[tokio::test]
async fn runs_over_a_checkout_hold_what_git_says() {
    let Some(setup) = repository().await else {
        return;
    };
    for (n, tag) in tags().enumerate() {
        git(&setup, &["checkout", "--quiet", &tag]);
        let mode = if n % 5 == 0 { Full } else { Incremental };
        let ended = setup.sync(mode).await;
        assert_eq!(ended.report().held_back, 0, "{tag}");
        assert_eq!(held(&setup).await, truth(&setup, &tag), "{tag}");
    }
}

#[tokio::test]
async fn a_watch_over_a_checkout_ends_in_what_git_says() {
    let Some(setup) = repository().await else {
        return;
    };
    git(&setup, &["checkout", "--quiet", "t0"]);
    setup.sync(Full).await;
    setup.begin(Realtime).await;
    for tag in tags() {
        git(&setup, &["checkout", "--quiet", &tag]);
        let truth = truth(&setup, &tag);
        let base = setup.path("");
        let held = |documents: &Documents| {
            let found = documents.iter().map(|document| {
                let path = Path::new(&document.id).strip_prefix(&base).unwrap();
                (path.to_str().unwrap().to_owned(), document.text.clone())
            });
            found.eq(truth.clone())
        };
        setup.until(held).await;
    }
}
