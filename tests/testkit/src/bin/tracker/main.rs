//! A connector of an imaginary tracker. `MISTAKE` names its one mistake; without the variable it has none.

mod client;
mod records;
mod sending;

use std::{
    collections::BTreeSet,
    env,
    io::Write,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use client::Client;
use omni_connector::{Server, ServerConfig, SyncType, prelude::*};
use records::{ApiKey, GivenKey, Issue, Known, NewForm, NewIssue, Settings};
use sending::{delete, go_on, groups, id_from, id_of, link_of, send};

/// Returns whether the process makes this mistake.
fn makes(mistake: &str) -> bool {
    env::var("MISTAKE").is_ok_and(|made| made == mistake)
}

/// Issues of an imaginary tracker.
#[connector(name = "tracker", source_types = [Jira], sync_modes = [full, incremental], config = Settings, credentials = ApiKey, state = Known)]
struct Tracker;

#[connector]
impl Tracker {
    #[validate]
    async fn validate(
        &self,
        config: Config<Settings>,
        credentials: Credentials<ApiKey>,
        _form: NewForm,
    ) -> Result<()> {
        if makes("no mistake: the source is asked whether the key is known") {
            Client::new(&config, &credentials)
                .api
                .get("teams")
                .send()
                .await?;
        }
        Ok(())
    }

    #[sync]
    #[allow(
        clippy::too_many_lines,
        reason = "each mistake is where a connector makes it"
    )]
    async fn sync(
        &self,
        config: Config<Settings>,
        credentials: Credentials<ApiKey>,
        mut known: Checkpoint<Known>,
        ctx: SyncContext,
    ) -> Result<()> {
        let client = Client::new(&config, &credentials);
        if makes("a cancelled run goes on") {
            tokio::spawn(go_on(ctx.clone()));
        }
        if makes("the key is logged") {
            eprintln!("signing in with {}", client.key.expose());
        }
        if !ctx.is_resume() {
            let last = known.last()?.unwrap_or_default();
            // Version 1 kept no time.
            if makes("an old checkpoint is refused") && last.newest.is_none() {
                ensure!(last.ids.is_empty(), "missing field `newest`");
            }
            known.ids = last.ids;
            known.seen.clear();
            known.cursor = None;
            known.resumes = 0;
            known.since = None;
            if ctx.sync_mode() == SyncType::Incremental {
                known.since.clone_from(&last.newest);
            }
            if makes("the checkpoint counts the runs") {
                known.runs = last.runs + 1;
            }
            known.save().await?;
        } else if makes("a run that is resumed twice ends early")
            || makes("a resumed run leaves a mark")
        {
            known.resumes += 1;
            known.save().await?;
            if known.resumes > 1 && !makes("a resumed run leaves a mark") {
                return Ok(());
            }
        }
        let since = known.since.clone();
        let resumed = known.cursor.is_some();
        if !(makes("groups are sent once only") && resumed) {
            groups(&client, &ctx).await?;
        }
        let mut in_this_process = BTreeSet::new();
        let (mut tokens, mut met) = (BTreeSet::<String>::new(), BTreeSet::new());
        let first = known.cursor.clone();
        let mut cursor = first;
        loop {
            let page = client.issues(cursor.as_deref(), since.as_deref()).await?;
            if makes("every page is read from the first one on") {
                // Not all of them, or the check would take minutes.
                for token in tokens.iter().step_by(20) {
                    client.issues(Some(token), since.as_deref()).await?;
                }
            }
            if makes("all pages are kept in memory") {
                static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
                let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push(vec![1; 400_000]);
            }
            if makes("the checkpoint runs ahead") {
                known.cursor.clone_from(&page.next);
                known.save().await?;
            }
            let count = page.items.len();
            if makes("a single full page fails the run")
                && cursor.is_none()
                && count == 4
                && page.next.is_none()
            {
                bail!("there is no token after a full page");
            }
            for (number, item) in page.items.into_iter().enumerate() {
                if makes("the last item of a page is lost")
                    && number + 1 == count
                    && page.next.is_none()
                {
                    continue;
                }
                let issue: Issue = match serde_json::from_value(item.clone()) {
                    Ok(issue) => issue,
                    Err(error) if makes("an odd item fails the run") => return Err(error.into()),
                    Err(_) if makes("an odd item is left out silently") => {
                        let id = format!("issue-{}", item["key"].as_str().unwrap_or_default());
                        in_this_process.insert(id);
                        continue;
                    }
                    Err(error) => {
                        let key = item["key"].as_str().unwrap_or_default();
                        let id = id_from(key, item["title"].as_str());
                        let link = link_of(key);
                        if makes("a report does not name the odd item") {
                            ctx.item_failed("an issue", error, Some(&link));
                        } else if makes("a report has no link to the odd item") {
                            ctx.item_failed(&id, error, None);
                        } else {
                            ctx.item_failed(&id, error, Some(&link));
                        }
                        known.seen.insert(id);
                        continue;
                    }
                };
                if makes("an odd item fails the run") && issue.title.is_none() {
                    bail!("{} has no title", issue.key);
                }
                let is_early = |time: &String| time.starts_with("0000");
                if makes("an early time fails the run")
                    && issue.updated.as_ref().is_some_and(is_early)
                {
                    bail!("{} is too old", issue.key);
                }
                if makes("a long id fails the run") && issue.key.len() > 255 {
                    bail!("a key has {} characters", issue.key.len());
                }
                if makes("an odd item ends its page") && issue.title.is_none() {
                    let link = link_of(&issue.key);
                    ctx.item_failed(id_of(&issue), "it has no title", Some(&link));
                    let ids = known.ids.clone();
                    known.seen.extend(ids);
                    break;
                }
                if makes("an unknown project fails the run") && !issue.project.starts_with("ops") {
                    bail!("{} is of an unknown project", issue.key);
                }
                if makes("an item that is gone when it is read fails the run")
                    && issue.key.len() < 20
                    && !issue.key.contains('/')
                {
                    client
                        .api
                        .get(format!("issues/{}", issue.key))
                        .send()
                        .await?;
                }
                known.newest = known.newest.take().max(issue.updated.clone());
                if makes("an item that comes twice fails the run") && !met.insert(id_of(&issue)) {
                    bail!("{} came before", issue.key);
                }
                send(&issue, &client, &known, &ctx).await?;
                in_this_process.insert(id_of(&issue));
                known.seen.insert(id_of(&issue));
            }
            let Some(next) = page.next else { break };
            if makes("an empty page is the end") && count == 0 {
                break;
            }
            if makes("a short page is the end") && count < 4 {
                break;
            }
            if !tokens.insert(next.clone()) {
                if makes("a repeated token is the end") {
                    break;
                }
                if !makes("a repeated token is followed") {
                    bail!("the tracker gave the token {next} before");
                }
            }
            if !makes("the checkpoint runs ahead") {
                known.cursor = Some(next.clone());
                known.save().await?;
            }
            cursor = Some(next);
        }
        if makes("what a killed process saw is deleted") {
            known.seen = in_this_process;
        }
        if since.is_none() {
            delete(&mut known, &ctx).await?;
        } else {
            // A list of changes does not show what is gone.
            if makes("an incremental run forgets the known documents") {
                known.ids.clear();
            }
            let mut seen = std::mem::take(&mut known.seen);
            known.ids.append(&mut seen);
        }
        if makes("the watermark is now()") {
            let now = OffsetDateTime::now_utc();
            let (hour, minute, second) = now.to_hms();
            known.newest = Some(format!("{}T{hour:02}:{minute:02}:{second:02}Z", now.date()));
        }
        known.cursor = None;
        known.save().await?;
        Ok(())
    }

    /// Read an issue.
    #[action(read)]
    async fn read_issue(
        &self,
        config: Config<Settings>,
        credentials: GivenKey,
        actor: Option<Actor>,
        /** Key of the issue */
        #[arg(max_length = 20)]
        key: String,
    ) -> Result<Value> {
        let client = Client::new(&config, &credentials.0);
        if makes("an unknown person is 500") && actor.is_some() {
            bail!("nobody has this address");
        }
        let read = client.api.get(format!("issues/{key}")).read().await;
        match read {
            Err(_) if makes("a false hides what the source refuses") => {
                Ok(json!({ "archived": false }))
            }
            Err(_) if makes("an action hides what the source refuses") => Ok(json!({})),
            Err(error) if makes("a refusal of the source is 500") => bail!("{error}"),
            read => Ok(read?),
        }
    }

    /// Create an issue.
    #[action(write)]
    async fn create_issue(
        &self,
        config: Config<Settings>,
        credentials: Credentials<ApiKey>,
        input: Args<NewIssue>,
    ) -> Result<Value> {
        let client = Client::new(&config, &credentials);
        if makes("a write before the check") {
            client
                .api
                .post("issues")
                .json(&json!({ "title": "?" }))
                .send()
                .await?;
        }
        let title = match (&input.title, makes("a caller's mistake is 500")) {
            (Some(title), _) => title,
            (None, true) => bail!("there is no title"),
            (None, false) => {
                return Err(ActionError::BadRequest("`title` is missing".to_owned()).into());
            }
        };
        Ok(client
            .api
            .post("issues")
            .json(&json!({ "title": title }))
            .read()
            .await?)
    }

    /// `project:ops` finds the issues of one project.
    #[search_operator]
    fn project(issue: &Issue) -> String {
        issue.project.clone()
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::new(Tracker);
    if makes("a manager that is away for a moment ends the run") {
        let mut config = ServerConfig::from_env()?;
        config.patience.in_all = Duration::from_millis(100);
        return server.config(config).serve().await;
    }
    if makes("a failed call to the manager is not repeated") {
        let mut config = ServerConfig::from_env()?;
        config.patience.in_all = Duration::ZERO;
        return server.config(config).serve().await;
    }
    if makes("a signal is ignored") {
        // Signals are left to a task that forgets them.
        let config = ServerConfig::from_env()?;
        #[cfg(unix)]
        tokio::spawn(async {
            let kind = tokio::signal::unix::SignalKind::terminate();
            if let Ok(mut signals) = tokio::signal::unix::signal(kind) {
                while signals.recv().await.is_some() {
                    let _ = std::io::stderr().write_all(b"not now\n");
                }
            }
        });
        return server
            .config(config)
            .until(std::future::pending())
            .serve()
            .await;
    }
    server.serve().await
}
