//! The connector to read first: a directory tree becomes documents.
//!
//! This file declares the connector. [`tree`] finds files, [`mod@file`] reads them, [`text`] decodes them, [`mirror`] makes a
//! run of these, and [`mod@notices`] reports changes. It replaces Omni's own connector, with the same ids and settings.

mod file;
mod mirror;
mod notices;
mod settings;
mod text;
mod tree;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use omni_connector::prelude::*;
use tokio::task::spawn_blocking;

use crate::{
    file::FileItem,
    mirror::{Known, Mirror},
    notices::notices,
    settings::Settings,
    tree::real_folder,
};

/// Files of a directory tree, as documents that everybody in the company may see: a file on the connector's machine has
/// no people that Omni knows.
#[connector(
    name = "filesystem",
    display_name = "File System",
    source_types = [LocalFiles, FileSystem],
    sync_modes = [full, incremental, realtime],
    config = Settings,
    state = Known,
    read_only,
)]
struct Filesystem;

#[connector]
impl Filesystem {
    #[validate]
    async fn check(&self, config: Config<Settings>) -> Result<()> {
        config.check()
    }

    #[sync]
    async fn sync(
        &self,
        config: Config<Settings>,
        known: Checkpoint<Known>,
        ctx: SyncContext,
    ) -> Result<()> {
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
        let (base, took) = (mirror.base().to_owned(), Arc::new(AtomicU64::new(0)));
        let (looks, run) = (Arc::clone(&took), ctx.clone());
        let mut watching = Watch::default().start(&ctx, move || {
            notices(base.clone(), run.clone(), Arc::clone(&looks))
        });
        while let Some(news) = watching.next().await? {
            let begun = Instant::now();
            match news {
                News::Connected => mirror.refresh().await?,
                News::Changed(paths) => {
                    let tree = mirror.tree();
                    mirror
                        .refresh_at(paths.iter().map(|path| tree.at_base(path)).collect())
                        .await?;
                }
            }
            let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            took.store(millis, Ordering::Relaxed);
        }
        mirror.save().await
    }

    /// Check that a path can be the base of a source.
    #[action(read, admin_only, hidden)]
    async fn validate_path(
        &self,
        /// The path, as the machine of the connector sees it
        #[arg]
        base_path: PathBuf,
    ) -> Result<Validation> {
        spawn_blocking(move || {
            let problem = match real_folder(&base_path) {
                Ok(_) if base_path.is_absolute() => None,
                Ok(_) => Some("the path must begin with `/`".to_owned()),
                Err(error) => Some(format!("{error:#}")),
            };
            Ok(Validation {
                exists: base_path.exists(),
                is_directory: base_path.is_dir(),
                valid: problem.is_none(),
                problem,
            })
        })
        .await?
    }

    /// `ext:md` finds files by their extension.
    #[search_operator]
    fn ext(file: &FileItem) -> Option<String> {
        file.extension()
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
    exists: bool,
    is_directory: bool,
    valid: bool,
    problem: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    omni_connector::run(Filesystem).await
}
