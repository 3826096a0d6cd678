//! A connector of an imaginary tracker. `MISTAKE` names its one mistake; without the variable it has none.

use std::{
    collections::BTreeSet,
    env,
    io::Write,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use omni_connector::{Server, ServerConfig, prelude::*};

/// Returns whether the process makes this mistake.
fn makes(mistake: &str) -> bool {
    env::var("MISTAKE").is_ok_and(|made| made == mistake)
}

#[derive(Deserialize)]
struct Settings {
    api_url: Url,
}

#[derive(Deserialize)]
struct ApiKey {
    api_key: SecretString,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Issue {
    key: String,
    #[serde(default)]
    title: Option<String>,
    text: Option<String>,
    project: String,
    #[serde(default)]
    readers: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Team {
    email: String,
    #[serde(default)]
    members: Option<Vec<String>>,
}

/// The known documents, and the position from which an interrupted run resumes.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    ids: BTreeSet<String>,
    seen: BTreeSet<String>,
    cursor: Option<String>,
}

/// Issues of an imaginary tracker.
#[connector(name = "tracker", source_types = [Jira], config = Settings, credentials = ApiKey, state = Known)]
struct Tracker;

/// The tracker's API. Some mistakes need calls without `Api`.
struct Client {
    api: Api,
    plain: HttpClient,
    url: String,
    key: SecretString,
}

/// A page of raw issues, and the token of the next one.
struct Issues {
    items: Vec<Value>,
    next: Option<String>,
}

impl Client {
    fn new(config: &Settings, key: &ApiKey) -> Self {
        Self {
            api: Api::at(&config.api_url).auth(Auth::bearer(&key.api_key)),
            plain: HttpClient::new(),
            url: config.api_url.as_str().trim_end_matches('/').to_owned(),
            key: key.api_key.clone(),
        }
    }

    async fn issues(&self, cursor: Option<&str>) -> Result<Issues> {
        let mut answer = Value::Null;
        if makes("html is an empty list")
            || makes("a storm of retries")
            || makes("errors are ignored")
        {
            let mut attempts = 0;
            loop {
                attempts += 1;
                let mut url = format!("{}/issues", self.url);
                if let Some(cursor) = cursor {
                    url = format!("{url}?cursor={cursor}");
                }
                let sent = self
                    .plain
                    .get(url)
                    .bearer_auth(self.key.expose())
                    .send()
                    .await;
                match sent {
                    Ok(sent) if sent.status().is_success() => {
                        answer = match sent.json().await {
                            Ok(answer) => answer,
                            Err(_) if !makes("a storm of retries") => Value::Null,
                            Err(error) => return Err(error.into()),
                        };
                        break;
                    }
                    _ if makes("errors are ignored") => break,
                    Ok(sent) if !makes("a storm of retries") || attempts > 500 => {
                        bail!("the tracker says {}", sent.status())
                    }
                    Err(error) if !makes("a storm of retries") || attempts > 500 => {
                        return Err(error.without_url().into());
                    }
                    _ => tokio::time::sleep(Duration::from_millis(2)).await,
                }
            }
        } else {
            let mut call = self.api.get("issues");
            if let Some(cursor) = cursor {
                call = call.query(&[("cursor", cursor)]);
            }
            let read = call.read().await;
            answer = match read {
                Err(_) if makes("a failed page is the end") && cursor.is_some() => Value::Null,
                read => read?,
            };
            if !makes("a failed page is the end") {
                ensure!(answer["issues"].is_array(), "the answer has no issues");
            }
        }
        if makes("a storm of retries") {
            ensure!(answer["issues"].is_array(), "the answer has no issues");
        }
        Ok(Issues {
            items: answer["issues"].as_array().cloned().unwrap_or_default(),
            next: answer["next"].as_str().map(str::to_owned),
        })
    }
}

fn id_of(issue: &Issue) -> String {
    match &issue.title {
        Some(title) if makes("the id is made of the title") => {
            title.to_lowercase().replace(' ', "-")
        }
        _ => format!("issue-{}", issue.key),
    }
}

fn readers_of(issue: &Issue) -> DocumentPermissions {
    let team = [format!(
        "{}@teams.example.com",
        issue.project.split(' ').next().unwrap_or_default()
    )];
    match &issue.readers {
        _ if makes("everything is public") => DocumentPermissions::public(),
        Some(_) if makes("readers are names") => DocumentPermissions::users(["Ada Lovelace"]),
        Some(readers) if makes("a group that nobody sends") => {
            DocumentPermissions::users(readers).and_groups(["lost@teams.example.com"])
        }
        Some(readers) => DocumentPermissions::users(readers).and_groups(team),
        None if makes("unknown readers are everybody") => DocumentPermissions::public(),
        None => DocumentPermissions::private(),
    }
}

#[connector]
impl Tracker {
    #[validate]
    async fn validate(
        &self,
        config: Config<Settings>,
        credentials: Credentials<ApiKey>,
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
    async fn sync(
        &self,
        config: Config<Settings>,
        credentials: Credentials<ApiKey>,
        mut known: Checkpoint<Known>,
        ctx: SyncContext,
    ) -> Result<()> {
        let client = Client::new(&config, &credentials);
        if makes("the key is logged") {
            eprintln!("signing in with {}", client.key.expose());
        }
        if !ctx.is_resume() {
            known.ids = known.last()?.map(|last| last.ids).unwrap_or_default();
            known.seen.clear();
            known.cursor = None;
            known.save().await?;
        }
        let resumed = known.cursor.is_some();
        if !(makes("groups are sent once only") && resumed) {
            groups(&client, &ctx).await?;
        }
        let mut in_this_process = BTreeSet::new();
        let (mut tokens, mut met) = (BTreeSet::<String>::new(), BTreeSet::new());
        let first = known.cursor.clone();
        let mut cursor = first;
        loop {
            let page = client.issues(cursor.as_deref()).await?;
            if makes("every page is read from the first one on") {
                for token in &tokens {
                    client.issues(Some(token)).await?;
                }
            }
            if makes("all pages are kept in memory") {
                static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
                let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push(vec![1; 100_000]);
            }
            if makes("the checkpoint runs ahead") {
                known.cursor.clone_from(&page.next);
                known.save().await?;
            }
            let count = page.items.len();
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
                        let id = format!("issue-{}", item["key"].as_str().unwrap_or_default());
                        ctx.item_failed(&id, error, None);
                        known.seen.insert(id);
                        continue;
                    }
                };
                if makes("an odd item fails the run") && issue.title.is_none() {
                    bail!("{} has no title", issue.key);
                }
                if makes("an odd item ends its page") && issue.title.is_none() {
                    ctx.item_failed(id_of(&issue), "it has no title", None);
                    let ids = known.ids.clone();
                    known.seen.extend(ids);
                    break;
                }
                if makes("an item that comes twice fails the run") && !met.insert(id_of(&issue)) {
                    bail!("{} came before", issue.key);
                }
                send(&issue, &client, &known, &ctx).await?;
                in_this_process.insert(id_of(&issue));
                known.seen.insert(id_of(&issue));
            }
            let Some(next) = page.next else { break };
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
        delete(&mut known, &ctx).await?;
        known.cursor = None;
        known.save().await?;
        Ok(())
    }

    /// Read an issue.
    #[action(read)]
    async fn read_issue(
        &self,
        config: Config<Settings>,
        credentials: Credentials<ApiKey>,
        /** Key of the issue */
        #[arg(max_length = 20)]
        key: String,
    ) -> Result<Value> {
        let client = Client::new(&config, &credentials);
        Ok(client.api.get(format!("issues/{key}")).read().await?)
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

/// A new issue. The title is checked in the function, as by connectors that take optional parameters.
#[derive(Deserialize, JsonSchema)]
struct NewIssue {
    /// One-line summary
    #[schemars(required)]
    title: Option<String>,
}

async fn groups(client: &Client, ctx: &SyncContext) -> Result<()> {
    if makes("groups are never sent") {
        return Ok(());
    }
    let answer: Value = client.api.get("teams").read().await?;
    let teams: Vec<Team> = serde_json::from_value(answer["teams"].clone())?;
    for team in teams {
        match team.members {
            Some(members) if members.is_empty() && makes("an empty group is not sent") => {}
            Some(mut members) => {
                if makes("members only come") {
                    members.extend(["ada@example.com", "bo@example.com"].map(str::to_owned));
                }
                if makes("members are kept in memory") {
                    static MET: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
                    let mut met = MET.lock().unwrap_or_else(PoisonError::into_inner);
                    met.extend(members);
                    members = met.iter().cloned().collect();
                }
                ctx.group(Group::new(team.email, members)).await?;
            }
            None if makes("unknown members are none") => {
                ctx.group(Group::new(team.email, [""; 0])).await?;
            }
            None => ctx.item_failed(team.email, "its members cannot be read", None),
        }
    }
    Ok(())
}

async fn send(issue: &Issue, client: &Client, known: &Known, ctx: &SyncContext) -> Result<()> {
    let mut title = issue.title.clone().unwrap_or_else(|| issue.key.clone());
    let mut text = issue.text.clone().unwrap_or_default();
    if makes("titles are sent once") && known.ids.contains(&id_of(issue)) {
        title = title.replace(" (renamed)", "");
    }
    if makes("texts are sent once") && known.ids.contains(&id_of(issue)) {
        text = text.replace(" (edited)", "");
    }
    if makes("the time of the run is in the text") {
        text = format!(
            "{text}\nread at {}",
            OffsetDateTime::now_utc().unix_timestamp_nanos()
        );
    }
    if makes("the key is in a document") {
        text = format!(
            "{text}\ncurl -H 'Authorization: Bearer {}'",
            client.key.expose()
        );
    }
    let readers = if makes("readers are sent once") && known.ids.contains(&id_of(issue)) {
        DocumentPermissions::users(["ada@example.com", "bo@example.com"])
            .and_groups(["ops@teams.example.com"])
    } else {
        readers_of(issue)
    };
    let document = Document::new(id_of(issue), readers).title(title).text(text);
    let document = if makes("operators without attributes") {
        document
    } else if makes("values of operators have blanks") {
        document.attribute("project", "Ops team")
    } else {
        document.attributes_of(issue)
    };
    ctx.upsert(document).await?;
    Ok(())
}

async fn delete(known: &mut Known, ctx: &SyncContext) -> Result<()> {
    let gone: Vec<_> = known.ids.difference(&known.seen).cloned().collect();
    if makes("nothing is deleted") {
        // It also forgets the known documents.
    } else if makes("deletes name another id") {
        for id in gone {
            ctx.delete(id.replace("issue-", "issues/")).await?;
        }
    } else if makes("accidents are deleted") {
        for id in gone {
            ctx.delete(id).await?;
        }
    } else {
        let mut listing = ctx.listing(known.ids.iter().cloned());
        for id in &known.seen {
            listing.saw(id);
        }
        let deletions = ctx.delete_unseen(listing.finish()?).await?;
        known.seen.extend(deletions.held_back);
    }
    known.ids = std::mem::take(&mut known.seen);
    Ok(())
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
