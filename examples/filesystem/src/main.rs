//! Files of a directory tree, as documents: the connector to read first.

mod content;
mod file;
mod known;
mod mirror;
mod settings;
mod shim;
mod skip;
mod tree;
mod watch;

use omni_connector::{
    declare::{Checkpoint, Config},
    prelude::*,
};
use tokio::task::spawn_blocking;

use crate::{file::FileItem, known::Known, mirror::Mirror, settings::Settings, watch::Watch};

struct Filesystem;

impl Filesystem {
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
                batch = watch.changes() => match batch.topmost() {
                    Some(paths) => mirror.refresh_below(paths).await?,
                    None => mirror.refresh().await?,
                },
                () = mirror.save_due() => mirror.save().await?,
            }
        }
    }

    async fn validate_path(&self, path: String) -> Result<Validation> {
        let listed = spawn_blocking(move || tree::real_folder(path.as_ref())).await?;
        Ok(Validation {
            valid: listed.is_ok(),
            problem: listed.err().map(|error| format!("{error:#}")),
        })
    }

    fn ext(file: &FileItem) -> Option<&str> {
        file.extension.as_deref()
    }

    fn folder(file: &FileItem) -> Vec<&str> {
        file.folders().collect()
    }
}

/// Whether a path can be the base of a source.
#[derive(Debug, Serialize)]
struct Validation {
    valid: bool,
    problem: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    omni_connector::run(Filesystem).await
}
