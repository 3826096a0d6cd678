//! Issues of Exemplar in Omni.
//> template
#![allow(
    clippy::let_and_return,
    unreachable_patterns,
    unused_mut,
    unused_variables,
    reason = "a template holds all its variants, one after the other"
)]
//<

pub mod api;
mod issue;

//> incremental=time
use std::time::Duration;

//<
use omni_connector::{http::Incomplete, prelude::*};

pub use api::Client;
pub use issue::Issue;

//> incremental=time
/// How far the clock of Exemplar may be from ours.
const CLOCKS_DIFFER: Duration = Duration::from_mins(10);

//<
/// The settings of a source, which an admin fills in.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// Address of the API, such as `https://exemplar.example.com/api`
    api_url: Url,
}

//> auth=key|bearer|basic|oauth
/// The secret of a source.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Login {
    //> auth=oauth
    access_token: SecretString,
    //<
    //> auth=basic
    user: String,
    password: SecretString,
    //<
    //> auth=bearer
    token: SecretString,
    //<
    //> auth=key
    api_key: SecretString,
    //<
}

//<

/// The state that one run leaves to the next.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    issues: Inventory<Issue>,
    //> incremental=token
    changes: Watermark<String>,
    //<
    //> incremental=time
    since: Watermark,
    //<
}

/// Issues of Exemplar.
#[connector(
    name = "exemplar_id",
    display_name = "Exemplar",
    source_types = [Jira],
    //> incremental=time|token
    sync_modes = [full, incremental],
    //<
    config = Settings,
    //> auth=key|bearer|basic|oauth
    credentials = Login,
    //<
    state = Cursor,
)]
pub struct Exemplar;

#[connector]
impl Exemplar {
    #[sync]
    async fn sync(
        &self,
        client: Client,
        mut checkpoint: Checkpoint<Cursor>,
        ctx: SyncContext,
    ) -> Result<()> {
        //> access=groups
        client.send_teams(&ctx).await?;
        //<
        //> incremental=token
        let since = checkpoint.changes.get();
        // Taken before the list is read, so that a change meanwhile comes with the next run.
        let next = checkpoint.changes.take(&ctx, client.changes_token().await?);
        let mut pages = client.issues_changed(since.as_ref());
        //<
        //> incremental=time
        let since = checkpoint.since.get();
        let now = OffsetDateTime::now_utc() - CLOCKS_DIFFER;
        let next = checkpoint.since.take(&ctx, now);
        //<
        let mut walk = checkpoint.issues.walk(&ctx);
        //> incremental=none
        let mut pages = client.issues();
        //<
        //> incremental=time
        let mut pages = client.issues_since(since);
        //<
        while let Some(batch) = pages.next().await? {
            for issue in &batch {
                let id = issue.id();
                if !walk.is_current(&id, issue) {
                    walk.upsert(issue.document(), issue).await?;
                }
            }
            checkpoint.save_now_and_then().await?;
        }
        match pages.finish() {
            //> incremental=time|token
            // A list of changes does not show what was deleted.
            Ok(_) if since.is_some() => {}
            //<
            Ok(all) => {
                walk.finish(all).await?;
            }
            // An issue that could not be decoded is already a failed item of the run. Nothing is deleted.
            Err(Incomplete::OddItems { .. }) => {}
            Err(incomplete) => return Err(incomplete.into()),
        }
        //> incremental=time|token
        next.commit();
        //<
        Ok(checkpoint.save().await?)
    }
    //> action=create

    /// Create an issue in Exemplar.
    #[action(write)]
    async fn create_issue(
        &self,
        client: Client,
        /// One-line summary
        #[arg(min_length = 1, max_length = 200, example = "Disk full")]
        title: String,
        /// The text below it
        #[arg(default, max_length = 20_000)]
        text: String,
    ) -> Result<Issue> {
        client.create_issue(&title, &text).await
    }
    //<
    //> auth=oauth

    /// How people sign in at Exemplar.
    #[oauth]
    fn oauth(&self) -> OAuthConfig {
        OAuthConfig::new(
            "atlassian",
            "https://exemplar.example.com/oauth/authorize",
            "https://exemplar.example.com/oauth/token",
            "https://exemplar.example.com/api/me",
        )
        .read_scopes(SourceType::Jira, ["read"])
        .write_scopes(SourceType::Jira, ["write"])
    }
    //<
    //> field=status

    /// `status:open` finds the issues with one status.
    #[search_operator]
    fn status(issue: &Issue) -> Option<String> {
        issue.status.clone()
    }
    //<
}
