//! Keeps a failed run for people: its store with an undisturbed run beside it, and the list of its calls.

use std::{fmt::Write, fs, path::PathBuf, time::Duration};

use anyhow::Result;
use omni_connector::SyncType;
use tokio::time::timeout;

use super::{Check, world::World};
use crate::{
    store::{StoreError, runs},
    testing::{journal::Side, setup::client},
};

/// How long an undisturbed run may take. Without it the store has the failed run only.
const PATIENCE: Duration = Duration::from_secs(10);
/// The runs whose requests are kept.
const RUNS: usize = 10;

impl World {
    /// Keeps the store of a failed run. It also has the source `undisturbed`, with a run without faults.
    pub(super) async fn keep(&self, check: Check, name: &str) -> Option<PathBuf> {
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let folder = self.folder.join(format!("{}-{name}", check.name()));
        fs::create_dir_all(&folder).ok()?;
        fs::write(folder.join("calls.txt"), self.calls_as_text()).ok()?;
        self.arm(false);
        let _ = timeout(PATIENCE, self.undisturbed()).await;
        let _ = timeout(PATIENCE, self.keep_requests()).await;
        let path = folder.join("manager.sqlite3");
        let _ = fs::remove_file(&path);
        let target = path.to_string_lossy().into_owned();
        let kept = self.setup.manager.store().read(move |db| {
            db.execute("VACUUM INTO ?1", [target])?;
            Ok::<_, StoreError>(())
        });
        kept.await.ok()?;
        Some(folder)
    }

    /// Lists the calls to the source and to the manager, in the order of their answers.
    fn calls_as_text(&self) -> String {
        let mut text = String::new();
        for call in self.journal.entries() {
            let whose = match call.side {
                Side::Source => "source ",
                Side::Manager => "manager",
            };
            let status = match call.status {
                0 => "broken off".to_owned(),
                status => status.to_string(),
            };
            let _ = writeln!(text, "{whose} {} {status}", call.path);
        }
        text
    }

    /// Runs a sync of another source with the same settings.
    async fn undisturbed(&self) -> Result<()> {
        let (manager, source) = (&self.setup.manager, &self.setup.source);
        self.setup.answers().await?;
        let (source_type, config) = (&source.source_type, source.config.clone());
        let other = manager.source("undisturbed", source_type, config).await?;
        let (auth_type, secret) = self.credential.clone();
        manager
            .put_credential(&other.id, None, source_type, auth_type, secret)
            .await?;
        let run = manager.sync(&other.id, SyncType::Full).await?;
        manager.wait(&run.id, |_| {}).await?;
        Ok(())
    }

    /// Has the manager keep the requests of the runs, which would be gone with the process.
    async fn keep_requests(&self) -> Result<()> {
        let manager = &self.setup.manager;
        let latest = manager.store().read(|db| runs::latest(db, None, RUNS));
        for run in latest.await? {
            let url = format!("{}/dev/api/runs/{}/keep", manager.url(), run.id);
            client().post(url).send().await?;
        }
        Ok(())
    }
}
