//! The files of a Nextcloud account. It takes the place of Omni's own connector, whose ids and settings it has.
//!
//! [`cloud`] asks the server, [`steps`] lists folders and reads files, [`mod@file`] makes documents, and [`mirror`] puts them together
//! into a run. [`kept`] is what it knows of folders.

mod cloud;
mod file;
mod kept;
mod mirror;
mod settings;
mod steps;

use omni_connector::prelude::*;

use crate::{
    cloud::{Cloud, source_error},
    mirror::{Known, refresh},
    settings::{Login, Settings},
};

/// Files and documents of a Nextcloud account, which only the person who made the source may read.
#[connector(
    name = "nextcloud",
    display_name = "Nextcloud",
    source_types = [Nextcloud],
    sync_modes = [full, incremental],
    config = Settings,
    credentials = Login,
    state = Known,
    read_only,
)]
struct Nextcloud;

#[connector]
impl Nextcloud {
    #[validate]
    async fn check(&self, config: Config<Settings>, cloud: Cloud, source: Source) -> Result<()> {
        config.check()?;
        if !config.is_on() {
            return Ok(());
        }
        let checked = cloud.check(source.checkpoint.as_ref()).await;
        match checked.as_ref().map_err(source_error) {
            // A run waits until the server is back.
            Err(Some(SourceError::Busy { .. } | SourceError::Unavailable { .. })) => Ok(()),
            _ => checked,
        }
    }

    #[sync]
    async fn sync(
        &self,
        config: Config<Settings>,
        cloud: Cloud,
        known: Checkpoint<Known>,
        ctx: SyncContext,
    ) -> Result<()> {
        if config.is_on() {
            refresh(cloud, config.0, known, ctx).await?;
        }
        Ok(())
    }

    /// Verify that the provided Nextcloud credentials are valid
    #[action(read)]
    async fn validate_credentials(
        &self,
        login: Credentials<Login>,
        /// Address of the server
        #[arg]
        server_url: Option<String>,
        /// Folder that is to be read
        #[arg]
        base_path: Option<String>,
    ) -> Result<Value> {
        let settings = json!({ "server_url": server_url, "base_path": base_path });
        let settings: Settings =
            omni_connector::decode("config", settings).map_err(ActionError::bad_request)?;
        settings.check().map_err(ActionError::bad_request)?;
        let checked = Cloud::connect(&settings, &login)?.check(None).await;
        match checked.as_ref().map_err(source_error) {
            Err(Some(SourceError::Unauthorized { .. })) => Ok(json!({ "authenticated": false })),
            _ => checked.map(|()| json!({ "authenticated": true })),
        }
    }

    /// Download a file from Nextcloud by its document ID
    #[action(read, admin_only, hidden)]
    async fn fetch_file(
        &self,
        cloud: Cloud,
        source: Source,
        /// External file ID (nextcloud:{source_id}:{key})
        #[arg]
        file_id: String,
    ) -> Result<File> {
        let key = file_id.strip_prefix("nextcloud:");
        let key = key.and_then(|it| it.split_once(':')).map(|(_, key)| key);
        let key = key.ok_or_else(|| {
            ActionError::bad_request(format!("`{file_id}` is not the id of a Nextcloud document"))
        })?;
        let key = percent_encoding::percent_decode_str(key).decode_utf8_lossy();
        cloud.log_in(source.checkpoint.as_ref()).await?;
        let path = cloud.path_of_key(&key).await?;
        let path =
            path.ok_or_else(|| ActionError::NotFound(format!("no file has the id `{key}`")))?;
        let name = path.rsplit('/').next().unwrap_or_default();
        let download = cloud.file(&path).download(u64::MAX).await?;
        let media_type = download.media_type();
        Ok(File::stream(download, media_type, name))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    omni_connector::run(Nextcloud).await
}
