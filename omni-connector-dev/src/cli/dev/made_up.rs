//! Made-up items for `--with-fake`: the example `source` of a package, which serves them and prints how they are read.

use std::{path::Path, process::Stdio};

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::cli::{
    Failure, Interrupts,
    output::note,
    package::{Package, cargo, no_cargo},
    watchdog::Watchdog,
};

/// The running example. Dropping it ends it.
pub(super) struct MadeUp {
    /// The arguments that it printed.
    pub(super) set: Vec<String>,
    pub(super) credentials: Option<String>,
    _end: Option<Watchdog>,
}

impl MadeUp {
    /// Builds and starts the example, and waits until it prints its arguments.
    pub(super) async fn start(package: &Package, interrupts: &Interrupts) -> Result<Self, Failure> {
        note(format!(
            "starting the example `source` of `{}`",
            package.name
        ));
        let mut command = cargo();
        command
            .args(["run", "--quiet", "--example", "source", "--package"])
            .arg(&package.name)
            .current_dir(package.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(no_cargo)?;
        let end = child.id().and_then(Watchdog::start);
        let mut lines = child.stdout.take().map(|it| BufReader::new(it).lines());
        loop {
            let next = async {
                let line = lines.as_mut()?.next_line().await;
                line.unwrap_or_default()
            };
            let line = tokio::select! {
                line = next => line,
                () = interrupts.first() => return Err(Failure::interrupted()),
            };
            let Some(line) = line else {
                let failure = Failure::not_started(format!(
                    "the example `source` of `{}` ended without the line that reads it",
                    package.name
                ));
                return Err(failure.help(
                    "`--with-fake` is for packages that `cargo omni new` made; give others their settings with `--set`",
                ));
            };
            if let Some((set, credentials)) = arguments(&line, package.folder()) {
                return Ok(Self {
                    set,
                    credentials,
                    _end: end,
                });
            }
        }
    }
}

/// Reads the settings and the file with the secret from a line with a command.
fn arguments(line: &str, folder: &Path) -> Option<(Vec<String>, Option<String>)> {
    let mut words = line.trim().strip_prefix("cargo omni sync ")?.split(' ');
    let (mut set, mut credentials) = (Vec::new(), None);
    while let Some(word) = words.next() {
        match word {
            "--set" => set.push(words.next()?.to_owned()),
            "--credentials" => {
                credentials = Some(folder.join(words.next()?).display().to_string());
            }
            _ => {}
        }
    }
    (!set.is_empty()).then_some((set, credentials))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_command_is_read() {
        let line = "  cargo omni sync acme --set api_url=http://127.0.0.1:1 --credentials target/login.json";
        let (set, credentials) = arguments(line, Path::new("/desk/acme")).unwrap();
        assert_eq!(set, ["api_url=http://127.0.0.1:1"]);
        assert_eq!(credentials.unwrap(), "/desk/acme/target/login.json");
        assert_eq!(arguments("13 issues are served", Path::new("/")), None);
    }
}
