//! A connector of an imaginary wiki. Two numbers determine its documents, deletes, groups and
//! checkpoints.

use std::{thread, time::Duration};

use anyhow::Result;
use omni_connector::{
    Connector, Document, DocumentPermissions, Group, ServiceCredential, Source, SourceType,
    SyncContext, SyncType, async_trait,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{sync::oneshot, task::spawn_blocking};

/// Reads the pages in order and saves a checkpoint after each.
#[derive(Debug, Default)]
pub struct Crawler;

/// The size of the wiki.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Wiki {
    /// Pages; a checkpoint follows each.
    pub pages: usize,
    /// Documents on each page.
    pub per_page: usize,
    /// What the second page blocks for an hour, like careless code.
    #[serde(default)]
    pub blocks: Blocks,
}

/// What blocking code blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Blocks {
    /// Nothing.
    #[default]
    Nothing,
    /// The run's thread. The runtime's other threads continue.
    Thread,
    /// A blocking-pool thread: the run can end, the runtime cannot.
    Pool,
    /// The thread that drives the runtime's timers and sockets, so no other task wakes up.
    Runtime,
}

impl Blocks {
    /// Blocks, once the counters had time to be reported.
    async fn block(self) {
        const HOUR: Duration = Duration::from_hours(1);
        const FIRST: Duration = Duration::from_millis(1_500);
        match self {
            Self::Nothing => return,
            Self::Thread => {
                // Woken from outside the runtime, which selects a thread that does not drive
                // timers.
                let (wake, woken) = oneshot::channel();
                thread::spawn(move || {
                    thread::sleep(FIRST);
                    wake.send(())
                });
                let _ = woken.await;
            }
            Self::Pool => {
                let _ = spawn_blocking(|| thread::sleep(HOUR)).await;
            }
            // Woken by a timer, on the thread that drives timers.
            Self::Runtime => tokio::time::sleep(FIRST).await,
        }
        thread::sleep(HOUR);
    }
}

/// The checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Pages before this one are done.
    pub page: usize,
}

impl Wiki {
    /// Returns the number of emitted documents, including those that a later page deletes.
    pub const fn documents(&self) -> usize {
        self.pages * self.per_page
    }

    /// Creates a wiki that blocks before its end.
    pub const fn deaf(blocks: Blocks) -> Self {
        Self {
            pages: 2,
            per_page: 40,
            blocks,
        }
    }

    /// Returns the address of a page's group.
    pub fn group(page: usize) -> String {
        format!("readers-{page}@example.com")
    }
}

/// Returns whether the next page deletes the document: one of nine.
const fn is_short_lived(number: usize) -> bool {
    number % 9 == 4
}

fn id(page: usize, number: usize) -> String {
    format!("p{page:04}-{number:04}")
}

fn document(page: usize, number: usize) -> Document<'static> {
    let permissions = DocumentPermissions::users([format!("author-{number}@example.com")])
        .and_groups([Wiki::group(page)]);
    let document =
        Document::new(id(page, number), permissions).title(format!("Page {page}, part {number}"));
    match number % 50 {
        // Several documents with the same text.
        1 => document.text("This page is left empty on purpose."),
        // A text that the manager extracts from bytes.
        2 => document.extract(
            format!("Attachment {number} of page {page}"),
            "text/plain",
            "note.txt",
        ),
        _ => document.text(format!(
            "What there is to say about part {number} of page {page}."
        )),
    }
}

async fn crawl(wiki: Wiki, from: usize, ctx: &SyncContext) -> Result<()> {
    for page in from..wiki.pages {
        for number in 0..wiki.per_page {
            ctx.upsert(document(page, number)).await?;
            if let Some(before) = page.checked_sub(1)
                && is_short_lived(number)
            {
                ctx.delete(id(before, number)).await?;
            }
        }
        let members = (0..=page % 3).map(|member| format!("Member-{member}@example.com"));
        ctx.group(Group::new(Wiki::group(page), members)).await?;
        if page % 4 == 3 {
            ctx.group(Group::new(Wiki::group(page - 1), [""; 0]))
                .await?;
            ctx.heartbeat().await?;
        }
        ctx.save_checkpoint(Cursor { page: page + 1 }).await?;
        if ctx.is_cancelled() {
            break;
        }
        wiki.blocks.block().await;
    }
    Ok(())
}

#[async_trait]
impl Connector for Crawler {
    type Config = Wiki;
    type Credentials = Value;
    type State = Cursor;

    fn name(&self) -> &'static str {
        "crawler"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Web]
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        vec![SyncType::Full, SyncType::Incremental]
    }

    fn requires_credentials(&self) -> bool {
        false
    }

    async fn sync(
        &self,
        source: Source,
        _: Option<ServiceCredential>,
        checkpoint: Option<Cursor>,
        ctx: SyncContext,
    ) -> Result<()> {
        let wiki: Wiki = serde_json::from_value(source.config)?;
        crawl(wiki, checkpoint.unwrap_or_default().page, &ctx).await
    }
}
