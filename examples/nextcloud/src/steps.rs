//! Lists folders and reads files: what takes time, and changes nothing yet.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use omni_connector::{
    BoxFuture, ManagerError, RunError, anyhow, http::Saved, manager::EXTRACT_LIMIT, prelude::*,
};
use tokio::{sync::mpsc, time::timeout};

use crate::{
    cloud::{Cloud, Folder, source_error},
    file::{File, etag},
};

/// What a single folder or file may take, with all attempts.
const PATIENCE: Duration = Duration::from_mins(5);

/// What comes out of the listing, in this order: a folder follows everything that is in it.
pub(crate) enum Step {
    File(Box<File>),
    Same(String),
    Failed(String, anyhow::Error),
    Listed(String, String, BTreeSet<String>),
    Read(Box<File>, Content),
}

pub(crate) enum Content {
    Text(String),
    /// It is left out, for this reason.
    None(&'static str),
    Textless,
    /// Another walk finds out what became of it.
    Changed(&'static str),
    Failed(anyhow::Error),
}

pub(crate) fn is_same(known: &str, now: &str) -> bool {
    !known.is_empty() && known == now
}

pub(crate) const VANISHED: &str = "it vanished while the tree was read";

/// Lists folders, some ahead of the reading.
pub(crate) struct Lister {
    pub(crate) cloud: Cloud,
    /// The `ETag`s of known folders.
    pub(crate) known: HashMap<String, String>,
    pub(crate) to: mpsc::Sender<Step>,
}

impl Lister {
    /// Gives out what is in a folder, then the folder.
    pub(crate) fn below(&self, path: String, folder: Folder) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            for file in folder.files {
                self.to.send(Step::File(Box::new(file))).await?;
            }
            let paths = folder.folders.iter().map(|it| it.0.clone()).collect();
            let mut listed = self
                .cloud
                .api()
                .in_order(folder.folders, move |(path, etag)| {
                    let is_same = self.known.get(&path).is_some_and(|it| is_same(it, &etag));
                    async move {
                        let listed = if is_same {
                            None
                        } else {
                            Some(in_time(self.cloud.list(&path)).await)
                        };
                        (path, listed)
                    }
                });
            while let Some((path, listed)) = listed.next().await {
                let step = match listed {
                    None => Step::Same(path),
                    Some(Ok(folder)) => {
                        self.below(path, folder).await?;
                        continue;
                    }
                    Some(Err(error)) => Step::Failed(path, self.cloud.single(error).await?),
                };
                self.to.send(step).await?;
            }
            Ok(self.to.send(Step::Listed(path, folder.etag, paths)).await?)
        })
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let late = || anyhow!("the server does not answer within {PATIENCE:?}");
    timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| Err(late()))
}

/// Reads the text of a file. An error ends the run.
pub(crate) async fn read(cloud: Cloud, ctx: SyncContext, file: Box<File>) -> Result<Step> {
    let saved = in_time(async { Ok(cloud.file(&file.path).save(EXTRACT_LIMIT).await?) }).await;
    let content = match saved {
        Ok(saved) => extract(saved, &ctx, &file).await?,
        Err(error) if source_error(&error).is_some_and(SourceError::is_missing) => {
            Content::Changed(VANISHED)
        }
        Err(error) => Content::Failed(cloud.single(error).await?),
    };
    Ok(Step::Read(file, content))
}

async fn extract(saved: Saved, ctx: &SyncContext, file: &File) -> Result<Content> {
    let listed = etag(&file.properties.getetag);
    let now = saved.headers().get("etag").and_then(|it| it.to_str().ok());
    if now.is_some_and(|now| !listed.is_empty() && etag(now) != listed) {
        return Ok(Content::Changed("it changed while the tree was read"));
    }
    if now.is_none() && saved.media_type() == "text/html" && !file.mime_type().contains("html") {
        return Ok(Content::Failed(anyhow!("the server sent a page of HTML")));
    }
    if let Some(size) = file.size().filter(|size| *size != saved.len()) {
        let error = anyhow!("the server sent {} bytes instead of {size}", saved.len());
        return Ok(Content::Failed(error));
    }
    if saved.is_empty() {
        return Ok(Content::Textless);
    }
    let text = ctx.extract_text(saved.into_data(), file.mime_type(), Some(file.name()));
    match text.await {
        Ok(text) if text.trim().is_empty() => Ok(Content::Textless),
        Ok(text) => Ok(Content::Text(text)),
        Err(RunError::Manager(error @ ManagerError::Refused { .. })) => {
            Ok(Content::Failed(error.into()))
        }
        Err(error) => Err(error.into()),
    }
}
