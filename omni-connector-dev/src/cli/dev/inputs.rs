//! The source files of a program, as cargo lists them, and whether one has changed. They are polled several times a
//! second, so nothing depends on how a system reports changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tokio::time::sleep;

use super::super::package::Package;

/// The time between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The time and the size of each file; none for a missing file.
type Stamps = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

/// The inputs of one program.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Folders of packages. Their manifests and sources count, also files that no build has read yet.
    packages: BTreeSet<PathBuf>,
    /// Files that cargo listed.
    files: BTreeSet<PathBuf>,
    seen: Stamps,
}

impl Inputs {
    /// Returns the inputs of a package that was not built yet.
    pub(super) fn of(package: Option<&Package>) -> Self {
        let folder = package.and_then(|package| package.manifest_path.parent());
        Self {
            packages: folder.into_iter().map(Path::to_owned).collect(),
            ..Self::default()
        }
    }

    /// Takes the inputs that cargo wrote down beside a program, whose build began at that time.
    pub(super) fn found(&mut self, program: &Path, began: SystemTime) {
        let Ok(text) = fs::read_to_string(program.with_extension("d")) else {
            return;
        };
        self.files = dependencies(&text).collect();
        for file in &self.files {
            let package = file
                .ancestors()
                .skip(1)
                .find(|folder| folder.join("Cargo.toml").is_file());
            self.packages.extend(package.map(Path::to_owned));
        }
        let now = self.stamps();
        // A file that is not an input any more is not missed.
        self.seen.retain(|path, _| now.contains_key(path));
        for (path, stamp) in now {
            // The build has read a file that is new to this look, unless the file was written after the build began.
            let is_read = stamp.is_none_or(|(written, _)| written < began);
            self.seen
                .entry(path)
                .or_insert(if is_read { stamp } else { None });
        }
    }

    /// Records the current state of the files.
    pub(super) fn look(&mut self) {
        self.seen = self.stamps();
    }

    /// Waits until a file differs from the recorded state and writing has ended.
    pub(super) async fn changed(&self) {
        let mut before = None;
        loop {
            sleep(POLL_INTERVAL).await;
            let now = self.stamps();
            if now == self.seen {
                before = None;
            } else if before.as_ref() == Some(&now) {
                return;
            } else {
                before = Some(now);
            }
        }
    }

    fn stamps(&self) -> Stamps {
        let mut paths = self.files.clone();
        for folder in &self.packages {
            paths.insert(folder.join("Cargo.toml"));
            let lock = folder.ancestors().map(|folder| folder.join("Cargo.lock"));
            paths.extend(lock.into_iter().find(|lock| lock.is_file()));
            sources(&folder.join("src"), &mut paths);
        }
        paths
            .into_iter()
            .map(|path| {
                let stamp = fs::metadata(&path).ok();
                let stamp = stamp.and_then(|stamp| Some((stamp.modified().ok()?, stamp.len())));
                (path, stamp)
            })
            .collect()
    }
}

/// Collects the Rust files below a folder.
fn sources(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(path);
        }
    }
}

/// Returns the files after the colon of a `make` rule. A blank in a name has a backslash before it.
fn dependencies(text: &str) -> impl Iterator<Item = PathBuf> + '_ {
    let rule = text.lines().next().unwrap_or_default();
    let files = rule.split_once(": ").map_or("", |(_, files)| files);
    let mut rest = files;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        let mut name = String::new();
        let mut letters = rest.char_indices();
        let mut end = rest.len();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' if rest[at + 1..].starts_with(' ') => {
                    letters.next();
                    name.push(' ');
                }
                ' ' => {
                    end = at;
                    break;
                }
                letter => name.push(letter),
            }
        }
        rest = &rest[end..];
        Some(PathBuf::from(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A package with a program whose inputs lie in another folder as well.
    fn package() -> (tempfile::TempDir, PathBuf, Inputs) {
        let folder = tempfile::TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["a/src", "b/src"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        for name in [
            "a/Cargo.toml",
            "a/src/main.rs",
            "b/Cargo.toml",
            "b/src/lib.rs",
        ] {
            fs::write(path(name), name).unwrap();
        }
        let (main, lib) = (path("a/src/main.rs"), path("b/src/lib.rs"));
        let rule = format!(
            "{}: {} {}\n",
            path("a.out").display(),
            main.display(),
            lib.display()
        );
        fs::write(path("a.d"), rule).unwrap();
        let inputs = Inputs {
            packages: [path("a")].into(),
            ..Inputs::default()
        };
        let program = path("a.out");
        (folder, program, inputs)
    }

    fn has_changed(inputs: &Inputs) -> bool {
        inputs.stamps() != inputs.seen
    }

    #[test]
    fn a_file_that_is_saved_while_the_first_build_reads_it_has_changed() {
        for name in ["a/src/main.rs", "b/src/lib.rs"] {
            let (_folder, program, mut inputs) = package();
            let now = SystemTime::now();
            let (before, after) = (now - POLL_INTERVAL, now + POLL_INTERVAL);
            inputs.look();
            inputs.found(&program, after);
            assert!(!has_changed(&inputs), "{name}: nothing was saved");

            let (other, program, mut inputs) = package();
            inputs.look();
            fs::write(other.path().join(name), "longer than it was").unwrap();
            inputs.found(&program, before);
            assert!(has_changed(&inputs), "{name}");
        }
    }

    #[test]
    fn a_file_that_is_not_an_input_any_more_is_not_missed() {
        let (folder, program, mut inputs) = package();
        let later = SystemTime::now() + POLL_INTERVAL;
        inputs.look();
        inputs.found(&program, later);
        inputs.look();
        fs::write(folder.path().join("a.d"), "a.out: \n").unwrap();
        fs::remove_dir_all(folder.path().join("b/src")).unwrap();
        inputs.packages.retain(|package| package.ends_with("a"));
        inputs.found(&program, later);
        assert!(!has_changed(&inputs));
    }

    #[test]
    fn file_names_are_parsed_as_cargo_writes_them() {
        let text = "/t/debug/acme: /w/acme/src/lib.rs /w/my\\ notes/a.md /w/acme/src/main.rs\n\n/other: /no\n";
        let names: Vec<_> = dependencies(text).collect();
        let expected = [
            "/w/acme/src/lib.rs",
            "/w/my notes/a.md",
            "/w/acme/src/main.rs",
        ];
        assert_eq!(names, expected.map(PathBuf::from));
    }

    #[tokio::test]
    async fn a_save_is_noticed_but_polling_alone_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        let mut inputs = Inputs {
            packages: [folder.path().to_owned()].into(),
            ..Inputs::default()
        };
        inputs.look();
        let quiet = tokio::time::timeout(POLL_INTERVAL * 5, inputs.changed()).await;
        assert!(quiet.is_err(), "nothing has changed");
        fs::write(folder.path().join("src/new.rs"), "mod x;").unwrap();
        tokio::time::timeout(POLL_INTERVAL * 20, inputs.changed())
            .await
            .unwrap();
    }
}
