//! A connector of a folder with files. `MISTAKE` names its one mistake; without the variable it has none.

use std::{env, fs, io::ErrorKind, path::PathBuf, time::Duration};

use omni_connector::{Server, prelude::*};

/// Returns whether the process makes this mistake.
fn makes(mistake: &str) -> bool {
    env::var("MISTAKE").is_ok_and(|made| made == mistake)
}

#[derive(Deserialize, JsonSchema)]
struct Settings {
    folder: PathBuf,
}

/// A file with its text.
struct File {
    name: String,
    text: String,
    modified: OffsetDateTime,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Known {
    files: Inventory<String>,
    since: Watermark,
}

impl Settings {
    fn files(&self) -> Result<Vec<File>> {
        let mut found = Vec::new();
        let entries = match fs::read_dir(&self.folder) {
            Err(error)
                if error.kind() == ErrorKind::NotFound
                    && makes("a folder that is gone is an empty one") =>
            {
                return Ok(found);
            }
            entries => entries.context("the folder cannot be listed")?,
        };
        for entry in entries {
            let entry = entry?;
            found.push(File {
                name: entry.file_name().to_string_lossy().into_owned(),
                text: String::from_utf8_lossy(&fs::read(entry.path())?).into_owned(),
                modified: entry.metadata()?.modified()?.into(),
            });
        }
        Ok(found)
    }
}

/// Files of an imaginary drawer.
#[connector(name = "drawer", source_types = [LocalFiles], sync_modes = [full, incremental], config = Settings, state = Known)]
struct Drawer;

#[connector]
impl Drawer {
    #[sync]
    async fn sync(
        &self,
        config: Config<Settings>,
        known: Checkpoint<Known>,
        ctx: SyncContext,
    ) -> Result<()> {
        let margin = if makes("the watermark is the present") {
            Duration::ZERO
        } else {
            Duration::from_mins(10)
        };
        let since = known.since.get();
        let next = known.since.take(&ctx, OffsetDateTime::now_utc() - margin);
        let mut walk = known.files.walk(&ctx);
        let files = match config.files() {
            Err(error) if makes("what a folder that is gone had is deleted") => {
                for id in known.files.ids_in(&Part::whole()) {
                    walk.delete(&id).await?;
                }
                return Err(error);
            }
            files => files?,
        };
        for file in files {
            let is_old = since.is_some_and(|since| file.modified < since);
            if is_old || walk.is_current(&file.name, &file.text) {
                continue;
            }
            let document = Document::new(&file.name, Access::public())
                .title(&file.name)
                .text(&file.text);
            walk.upsert(document, &file.text).await?;
        }
        if since.is_none() {
            walk.finish(Walked::declared("the folder was listed"))
                .await?;
        }
        next.commit();
        Ok(known.save().await?)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    Server::new(Drawer).serve().await
}
