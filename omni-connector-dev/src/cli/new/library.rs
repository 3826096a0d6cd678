//! Where a new crate gets the framework from.

use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;

/// Where the framework comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Library {
    /// A checkout: the folder of the workspace.
    Path(PathBuf),
    Git(String),
    Version(String),
}

impl Library {
    /// What was asked for, or where this command was built from.
    pub(super) fn find(asked: Option<&str>) -> Result<Self, Failure> {
        match asked {
            Some(asked) => Self::asked(asked),
            None => Ok(Self::built_from(Path::new(env!("CARGO_MANIFEST_DIR")))),
        }
    }

    fn asked(asked: &str) -> Result<Self, Failure> {
        let is_version = asked
            .trim_start_matches(['=', '^', '~'])
            .starts_with(|c: char| c.is_ascii_digit());
        let folder = Path::new(asked);
        if is_version && !folder.exists() {
            return Ok(Self::Version(asked.to_owned()));
        }
        if asked.contains("://") {
            return Ok(Self::Git(asked.to_owned()));
        }
        if !is_checkout(folder) {
            let failure = Failure::usage(format!("`{asked}` is no checkout of omni-connector"));
            return Err(failure.help(
                "`--lib` takes the folder that holds `omni-connector` and `omni-connector-dev`, a git URL, or a version such as `0.1`",
            ));
        }
        let folder = folder.canonicalize().map_err(Failure::failed)?;
        Ok(Self::Path(folder))
    }

    /// Cargo keeps packages of crates.io below `registry/src` and those of git below `git/checkouts`.
    fn built_from(folder: &Path) -> Self {
        let is_below = |one: &str, other: &str| {
            let parts: Vec<_> = folder.iter().collect();
            parts.windows(2).any(|pair| pair == [one, other])
        };
        let checkout = folder.parent().filter(|parent| is_checkout(parent));
        match checkout {
            _ if is_below("git", "checkouts") => Self::Git(env!("CARGO_PKG_REPOSITORY").to_owned()),
            Some(checkout) if !is_below("registry", "src") => Self::Path(checkout.to_owned()),
            _ => Self::Version(env!("CARGO_PKG_VERSION").to_owned()),
        }
    }

    /// Puts it into the manifest of a template, for a crate in this folder.
    pub(super) fn in_manifest(&self, manifest: &str, folder: &Path) -> String {
        let mut written = String::new();
        for line in manifest.lines() {
            let name = line.split(' ').next().unwrap_or_default();
            let is_ours = name.starts_with("omni-connector");
            match (line.split_once("version = \"0.1.0\""), is_ours) {
                (Some((before, after)), true) => {
                    let from = self.of(name, folder);
                    let plain = matches!(self, Self::Version(_)) && after == " }";
                    match from.strip_prefix("version = ").filter(|_| plain) {
                        Some(version) => written.extend([name, " = ", version]),
                        None => written.extend([before, &from, after]),
                    }
                }
                _ => written.push_str(line),
            }
            written.push('\n');
        }
        written
    }

    fn of(&self, name: &str, folder: &Path) -> String {
        match self {
            Self::Path(checkout) => {
                let path = relative(folder, checkout).unwrap_or_else(|| checkout.clone());
                format!("path = '{}'", path.join(name).display())
            }
            Self::Git(url) => format!("git = \"{url}\""),
            Self::Version(version) => format!("version = \"{version}\""),
        }
    }
}

fn is_checkout(folder: &Path) -> bool {
    ["omni-connector", "omni-connector-dev"]
        .iter()
        .all(|name| folder.join(name).join("Cargo.toml").is_file())
}

/// The way to the checkout from a folder within it.
fn relative(folder: &Path, checkout: &Path) -> Option<PathBuf> {
    let below = folder.strip_prefix(checkout).ok()?;
    Some(below.iter().map(|_| "..").collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "version = \"0.1.0\"\nomni-connector = { version = \"0.1.0\" }\n\
        omni-connector-dev = { version = \"0.1.0\", features = [\"testing\"] }\n";

    #[test]
    fn a_manifest_names_the_checkout_the_repository_or_the_version() {
        let written =
            |library: Library| library.in_manifest(MANIFEST, Path::new("/src/omni/examples/acme"));
        assert_eq!(
            written(Library::Path("/src/omni".into())),
            "version = \"0.1.0\"\nomni-connector = { path = '../../omni-connector' }\n\
             omni-connector-dev = { path = '../../omni-connector-dev', features = [\"testing\"] }\n"
        );
        assert!(
            written(Library::Path("/other".into())).contains("{ path = '/other/omni-connector' }")
        );
        assert!(
            written(Library::Git("https://a/b".into())).contains("= { git = \"https://a/b\" }")
        );
        assert_eq!(
            written(Library::Version("0.3".into())),
            "version = \"0.1.0\"\nomni-connector = \"0.3\"\n\
             omni-connector-dev = { version = \"0.3\", features = [\"testing\"] }\n"
        );
    }

    #[test]
    fn a_command_of_crates_io_names_its_version_and_one_of_git_its_repository() {
        let built = |folder: &str| Library::built_from(Path::new(folder));
        assert_eq!(
            built("/home/ann/.cargo/registry/src/index/omni-connector-dev-0.1.0"),
            Library::Version(env!("CARGO_PKG_VERSION").into())
        );
        assert_eq!(
            built("/home/ann/.cargo/git/checkouts/omni/1/omni-connector-dev"),
            Library::Git(env!("CARGO_PKG_REPOSITORY").into())
        );
        assert!(matches!(
            built(env!("CARGO_MANIFEST_DIR")),
            Library::Path(_)
        ));
    }

    #[test]
    fn what_is_asked_for_is_a_version_a_url_or_a_checkout() {
        assert_eq!(
            Library::asked("=0.2.1").unwrap(),
            Library::Version("=0.2.1".into())
        );
        assert_eq!(
            Library::asked("ssh://git@example.com/omni").unwrap(),
            Library::Git("ssh://git@example.com/omni".into())
        );
        let failure = Library::asked("/nowhere").unwrap_err();
        assert_eq!(
            failure.message,
            "`/nowhere` is no checkout of omni-connector"
        );
        assert!(failure.help.unwrap().contains("git URL"));
    }
}
