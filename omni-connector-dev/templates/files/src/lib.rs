//! Files of Archetype in Omni.
//> template
#![allow(
    unused_variables,
    reason = "a template holds all its variants, one after the other"
)]
//<

mod file;
mod tree;

use std::path::PathBuf;

use omni_connector::prelude::*;

use file::{FileItem, Stamp};
use tree::{Entry, Tree};

/// The settings of a source, which an admin fills in.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// Folder whose files become documents, as the machine of the connector sees it
    folder: PathBuf,
    //> access=settings
    /// Addresses of the people who may read the files
    readers: Vec<Email>,
    //<
}

/// The state that one run leaves to the next.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    files: Inventory<Stamp>,
}

/// Files of Archetype.
#[connector(
    name = "archetype_id",
    display_name = "Archetype",
    source_types = [Jira],
    sync_modes = [full, incremental],
    config = Settings,
    state = Cursor,
    read_only,
)]
pub struct Archetype;

#[connector]
impl Archetype {
    #[sync]
    async fn sync(
        &self,
        config: Config<Settings>,
        mut checkpoint: Checkpoint<Cursor>,
        ctx: SyncContext,
    ) -> Result<()> {
        let tree = Tree::at(&config.folder);
        //> access=public
        let access = Access::public();
        //<
        //> access=settings
        let access = Access::users(config.readers.iter().cloned());
        //<
        let mut walk = checkpoint.files.walk(&ctx);
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let entries = match tree.list(&folder).await {
                Ok(entries) => entries,
                // Without the folder itself nothing is known.
                Err(error) if folder.is_empty() => return Err(error),
                // What is below it stays in Omni.
                Err(error) => {
                    walk.part_failed(&Part::path(&folder), error, None);
                    continue;
                }
            };
            for entry in entries {
                match entry {
                    Entry::Folder(path) => folders.push(path),
                    Entry::Other(path, reason) => ctx.skip(path, reason),
                    Entry::File(file) if walk.is_current(file.id(), file.stamp()) => {}
                    Entry::File(file) => match tree.read(&file).await {
                        Ok(Some(content)) => {
                            let document = file.document(content, access.clone());
                            walk.upsert(document, file.stamp()).await?;
                        }
                        // It was deleted a moment ago.
                        Ok(None) => {}
                        Err(error) => walk.failed(file.id(), error, None),
                    },
                }
            }
            checkpoint.save_now_and_then().await?;
        }
        walk.finish(Walked::declared("the last folder was listed"))
            .await?;
        Ok(checkpoint.save().await?)
    }

    /// Read a text file of Archetype as it is now.
    #[action(read)]
    async fn read_file(
        &self,
        config: Config<Settings>,
        //> access=settings
        actor: Option<Actor>,
        //<
        /// The path of the file below the folder of the source
        #[arg(min_length = 1, max_length = 1_000, example = "ops/disks.md")]
        path: String,
    ) -> Result<FileText> {
        //> access=settings
        // Whoever cannot find the files cannot read them here.
        let is_reader = |actor: &Actor| {
            let mut readers = config.readers.iter();
            readers.any(|reader| reader.as_str() == actor.email)
        };
        if !actor.as_ref().is_some_and(is_reader) {
            let message = "only a reader of the source can read its files";
            return Err(ActionError::forbidden(message).into());
        }
        //<
        let text = Tree::at(&config.folder).text(&path).await?;
        Ok(FileText { path, text })
    }

    /// `ext:md` finds files by their extension.
    #[search_operator]
    fn ext(file: &FileItem) -> Option<String> {
        file.extension()
    }
}

/// A file with its text.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileText {
    path: String,
    text: String,
}
