//! The manager that `cargo omni dev` keeps running. Other commands find and use it through a file in the store.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    client::Client,
    failure::Failure,
    interrupts::Interrupts,
    target::{ConnectorArguments, Named},
};
use crate::store::folder::private_file;

/// The file in the store.
const FILE: &str = "manager.json";
/// The version, which both sides must share.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A running manager, as described in the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunningManager {
    url: String,
    version: String,
    pid: u32,
    /// How its connector was named.
    connector: Named,
}

/// The file of a running manager. Dropping the value removes the file.
#[derive(Debug)]
pub(super) struct ManagerFile(PathBuf);

impl Drop for ManagerFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl RunningManager {
    /// Writes the manager's address into the store.
    pub(super) fn write_file(
        store: &Path,
        url: &str,
        connector: Named,
    ) -> Result<ManagerFile, Failure> {
        let path = store.join(FILE);
        let running = Self {
            url: url.to_owned(),
            version: VERSION.to_owned(),
            pid: std::process::id(),
            connector,
        };
        let _ = fs::remove_file(&path);
        let written = private_file(&path)
            .and_then(|mut file| file.write_all(&serde_json::to_vec_pretty(&running)?));
        written.map_err(|error| {
            Failure::failed(format!("`{}` cannot be written: {error}", path.display()))
        })?;
        Ok(ManagerFile(path))
    }

    /// Finds the running manager of a store; none if the file is missing or no manager answers.
    ///
    /// # Errors
    /// Returns an error for a manager of another version.
    pub(super) async fn find(
        store: &Path,
        interrupts: &Interrupts,
    ) -> Result<Option<Self>, Failure> {
        let Ok(bytes) = fs::read(store.join(FILE)) else {
            return Ok(None);
        };
        let Ok(running) = serde_json::from_slice::<Self>(&bytes) else {
            return Ok(None);
        };
        // A killed manager leaves the file behind. Then nothing answers there, or a manager of another store.
        // One that was stopped answers late.
        let client = running.client()?;
        let about = interrupts.or_end(client.about()).await?;
        let is_alive = about.is_ok_and(|about| about.is_of(store));
        if !is_alive {
            return Ok(None);
        }
        if running.version != VERSION {
            return Err(Failure::failed(format!(
                "the store `{}` is used by a manager of version {}, and this is version {VERSION}",
                store.display(),
                running.version
            ))
            .help(format!(
                "end that one (process {}), then run this again",
                running.pid
            )));
        }
        Ok(Some(running))
    }

    /// Creates a client of the manager.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        Client::new(self.url.clone())
    }

    /// Checks that a command names the same connector. A command that names none uses this one.
    pub(super) fn check(&self, store: &Path, wanted: &Named) -> Result<(), Failure> {
        if *wanted == Named::Nothing || *wanted == self.connector {
            return Ok(());
        }
        Err(Failure::failed(format!(
            "`cargo omni dev` runs {} on the store `{}`, and this command names {wanted}",
            self.connector,
            store.display(),
        ))
        .help("end that one, or choose another folder with `--store`"))
    }
}

/// Finds the running manager and checks it against a command's arguments.
pub(super) async fn find_for(
    arguments: &ConnectorArguments,
    package: Option<&str>,
    store: &Path,
    interrupts: &Interrupts,
) -> Result<Option<RunningManager>, Failure> {
    let Some(running) = RunningManager::find(store, interrupts).await? else {
        return Ok(None);
    };
    running.check(store, &arguments.named(package).await?)?;
    Ok(Some(running))
}
