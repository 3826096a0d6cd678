//! The manager that `cargo omni dev` keeps running: other commands find it by a file in the store, and use it.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    client::Client,
    failure::Failure,
    target::{ConnectorArguments, Named},
};
use crate::store::folder::private_file;

/// The file in the store.
const FILE: &str = "manager.json";
/// The version that must be the same on both sides.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A manager that runs, as the file says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Warm {
    url: String,
    version: String,
    pid: u32,
    /// What its connector is started from.
    connector: Named,
}

/// The file of a manager that runs. It is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Note(PathBuf);

impl Drop for Note {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl Warm {
    /// Says in the store where its manager is.
    pub(super) fn note(store: &Path, url: &str, connector: Named) -> Result<Note, Failure> {
        let path = store.join(FILE);
        let warm = Self {
            url: url.to_owned(),
            version: VERSION.to_owned(),
            pid: std::process::id(),
            connector,
        };
        let _ = fs::remove_file(&path);
        let written = private_file(&path)
            .and_then(|mut file| file.write_all(&serde_json::to_vec_pretty(&warm)?));
        written.map_err(|error| {
            Failure::failed(format!("`{}` cannot be written: {error}", path.display()))
        })?;
        Ok(Note(path))
    }

    /// The manager that runs on a store; none where there is no such file, or nobody answers at its address.
    ///
    /// # Errors
    /// A manager of another version.
    pub(super) async fn find(store: &Path) -> Result<Option<Self>, Failure> {
        let Ok(bytes) = fs::read(store.join(FILE)) else {
            return Ok(None);
        };
        let Ok(warm) = serde_json::from_slice::<Self>(&bytes) else {
            return Ok(None);
        };
        // A file that a killed manager left behind: nobody answers there, or somebody who serves another store.
        let is_alive = match warm.client()?.about().await {
            Ok(about) => about.is_of(store),
            Err(_) => false,
        };
        if !is_alive {
            return Ok(None);
        }
        if warm.version != VERSION {
            return Err(Failure::failed(format!(
                "the store `{}` is used by a manager of version {}, and this is version {VERSION}",
                store.display(),
                warm.version
            ))
            .help(format!(
                "end that one (process {}), then run this again",
                warm.pid
            )));
        }
        Ok(Some(warm))
    }

    /// A client of it.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        Client::new(self.url.clone())
    }

    /// Whether its connector is the one that a command names. A command that names none means this one.
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

/// The same for a command with its arguments.
pub(super) async fn find_for(
    arguments: &ConnectorArguments,
    package: Option<&str>,
    store: &Path,
) -> Result<Option<Warm>, Failure> {
    let Some(warm) = Warm::find(store).await? else {
        return Ok(None);
    };
    warm.check(store, &arguments.named(package).await?)?;
    Ok(Some(warm))
}
