//! The connector to read first: a directory tree becomes documents.
//!
//! What it is stands in this file. [`tree`] finds, [`mod@file`] and [`content`] read, [`known`] remembers, [`mirror`] puts them
//! together into a run, and [`watch`] hears what happens meanwhile.

mod content;
mod file;
mod known;
mod mirror;
mod settings;
mod skip;
mod tree;
mod watch;

use omni_connector::prelude::*;
use tokio::task::spawn_blocking;

use crate::{
    file::FileItem, known::Known, mirror::Mirror, settings::Settings, tree::real_folder,
    watch::Watch,
};

/// Files of a directory tree, as documents that everybody in the company may see: a file on the connector's machine has
/// no people that Omni knows.
#[connector(
    name = "filesystem",
    display_name = "Filesystem",
    source_types = [LocalFiles, FileSystem],
    sync_modes = [full, incremental, realtime],
    config = Settings,
    state = Known,
)]
struct Filesystem;

#[connector]
impl Filesystem {
    #[sync]
    async fn sync(
        &self,
        config: Config<Settings>,
        mut known: Checkpoint<Known>,
        ctx: SyncContext,
    ) -> Result<()> {
        if ctx.sync_mode() == SyncType::Full && !ctx.is_resume() {
            *known = known.last()?.unwrap_or_default();
            known.forget_what_was_read();
            known.save().await?;
        }
        let mut mirror = Mirror::open(config.0, known, ctx).await?;
        mirror.refresh().await?;
        mirror.save().await
    }

    #[sync(realtime)]
    async fn watch(
        &self,
        config: Config<Settings>,
        known: Checkpoint<Known>,
        ctx: SyncContext,
    ) -> Result<()> {
        let mut mirror = Mirror::open(config.0, known, ctx.clone()).await?;
        // Watched before the first look, so that nothing falls between the two.
        let watch = Watch::start(mirror.root()).await?;
        mirror.refresh().await?;
        loop {
            tokio::select! {
                () = ctx.cancelled() => return mirror.save().await,
                changes = watch.changes() => match changes.topmost() {
                    Some(paths) => mirror.refresh_below(paths).await?,
                    None => mirror.refresh().await?,
                },
                () = mirror.save_due() => mirror.save().await?,
            }
        }
    }

    /// Check that a path can be the base of a source.
    #[action(read, admin_only, hidden)]
    async fn validate_path(
        &self,
        /// The path, as the machine of the connector sees it
        #[arg]
        base_path: String,
    ) -> Result<Validation> {
        let listed = spawn_blocking(move || real_folder(base_path.as_ref())).await?;
        let problem = listed.err().map(|error| format!("{error:#}"));
        Ok(Validation {
            valid: problem.is_none(),
            problem,
        })
    }

    /// `ext:md` finds files by their extension.
    #[search_operator]
    fn ext(file: &FileItem) -> Option<&str> {
        file.extension.as_deref()
    }

    /// `folder:ops` finds the files in a folder of this name, however deep below it.
    #[search_operator]
    fn folder(file: &FileItem) -> Vec<&str> {
        file.folders().collect()
    }
}

/// Whether a path can be the base of a source, and why not.
#[derive(Debug, Serialize)]
struct Validation {
    valid: bool,
    problem: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    omni_connector::run(Filesystem).await
}
