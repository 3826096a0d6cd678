//! Issues of Prototype in Omni.
//> template
#![allow(
    dead_code,
    unused_variables,
    reason = "a template holds all its variants, one after the other"
)]
//<

mod client;
mod issue;

use std::path::PathBuf;
//> incremental=time
use std::time::Duration;
//<

use omni_connector::prelude::*;

use client::Client;
pub use issue::Issue;

//> incremental=time
/// How far the clock of Prototype may be from ours.
const CLOCKS_DIFFER: Duration = Duration::from_mins(10);

//<
/// The settings of a source, which an admin fills in.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// Database of Prototype, as the machine of the connector sees it
    database: PathBuf,
}

/// The state that one run leaves to the next.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    issues: Inventory<Issue>,
    //> incremental=time
    since: Watermark,
    //<
}

/// Issues of Prototype.
#[connector(
    name = "prototype_id",
    display_name = "Prototype",
    source_types = [Jira],
    //> incremental=time
    sync_modes = [full, incremental],
    //<
    config = Settings,
    state = Cursor,
)]
pub struct Prototype;

#[connector]
impl Prototype {
    #[sync]
    async fn sync(
        &self,
        config: Config<Settings>,
        mut checkpoint: Checkpoint<Cursor>,
        ctx: SyncContext,
    ) -> Result<()> {
        let client = Client::at(&config.database);
        //> access=groups
        client.send_teams(&ctx).await?;
        //<
        //> incremental=time
        let since = checkpoint.since.get();
        let now = OffsetDateTime::now_utc() - CLOCKS_DIFFER;
        let next = checkpoint.since.take(&ctx, now);
        //<
        let mut walk = checkpoint.issues.walk(&ctx);
        let mut last: Option<String> = None;
        loop {
            //> incremental=none
            let batch = client.issues(last.as_deref()).await?;
            //<
            //> incremental=time
            let batch = client.issues_since(since, last.as_deref()).await?;
            //<
            let Some((end, _)) = batch.last() else { break };
            last = Some(end.clone());
            for (id, issue) in &batch {
                match issue {
                    Ok(issue) if walk.is_current(id, issue) => {}
                    Ok(issue) => walk.upsert(issue.document(), issue).await?,
                    // It stays in Omni as it was.
                    Err(error) => walk.failed(id, error, None),
                }
            }
            checkpoint.save_now_and_then().await?;
        }
        //> incremental=time
        // A list of changes does not show what was deleted.
        if since.is_none() {
            //<
            let end = Walked::declared("no row follows the last one");
            walk.finish(end).await?;
            //> incremental=time
        }
        next.commit();
        //<
        Ok(checkpoint.save().await?)
    }

    /// Create an issue in Prototype.
    #[action(write)]
    async fn create_issue(
        &self,
        config: Config<Settings>,
        //> access=item
        actor: Option<Actor>,
        //<
        /// One-line summary
        #[arg(min_length = 1, max_length = 200, example = "Disk full")]
        title: String,
        /// The text below it
        #[arg(default, max_length = 20_000)]
        text: String,
    ) -> Result<Issue> {
        let new = Issue::new(title, text);
        //> access=item
        let new = new.read_by(actor.map(|actor| actor.email));
        //<
        Client::at(&config.database).create_issue(new).await
    }

    /// `status:open` finds the issues with one status.
    #[search_operator]
    fn status(issue: &Issue) -> Option<String> {
        issue.status.clone()
    }
}
