//! How GitHub comes to Omni: a repository after the other, all of it or what changed since the last run.

use std::collections::{BTreeMap, BTreeSet};

use omni_connector::{http::segment, prelude::*};

use crate::{api::Client, documents::Repository, reading::Reading, settings::or_default};

/// How the id of a repository's document begins.
const REPO: &str = "github:repo:";

/// The checkpoint. That of Omni's own connector is read as well: its repositories have their names as keys.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    #[serde(deserialize_with = "or_default")]
    repos: BTreeMap<String, Option<Progress>>,
    documents: Inventory<Value>,
}

/// How far a repository was read. Its key is its number at GitHub, which it keeps under another name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    /// What every document of the repository depends on: its name, its readers, and what is read of it.
    pub(crate) read_as: Value,
    pub(crate) since: Watermark<Timestamp>,
}

impl Progress {
    fn name(&self) -> Option<&str> {
        self.read_as[0].as_str()
    }
}

/// Whether an error of one call ends the run.
pub(crate) const fn is_fatal(error: &SourceError) -> bool {
    matches!(
        error,
        SourceError::Cancelled | SourceError::Unauthorized { .. }
    )
}

/// Reads the source, or what changed of it.
pub(crate) async fn run(
    client: Client,
    mut checkpoint: Checkpoint<Cursor>,
    ctx: SyncContext,
) -> Result<()> {
    let now = client.now().await?;
    let last = checkpoint.last().ok().flatten().unwrap_or_default();
    let omnis: BTreeSet<_> = last.repos.keys().filter(|key| key.contains('/')).collect();
    let mut walk = checkpoint.documents.walk(&ctx);
    let mut listed = Listed::default();
    listed.read(&client, &ctx).await?;
    // A repository that vanishes while a list is read hides another one: only what two lists lack is gone.
    let known = checkpoint.documents.ids_in(&Part::prefix(REPO));
    if known.iter().any(|id| !listed.has_name(&id[REPO.len()..])) {
        listed.read(&client, &ctx).await?;
    }
    checkpoint.repos.retain(|key, _| listed.has(key));
    for repository in listed.repositories.values() {
        let name = &repository.full_name;
        ctx.working_on(name);
        let known = checkpoint.documents.ids_in(&items(name)).len();
        let key = repository.id.to_string();
        let before =
            [&checkpoint.repos, &last.repos].map(|repos| repos.get(&key)?.as_ref()?.name());
        let before = before
            .into_iter()
            .flatten()
            .next()
            .unwrap_or(name)
            .to_owned();
        let progress = checkpoint.repos.entry(key).or_default();
        let progress = progress.get_or_insert_default();
        let mut reading = Reading::of(&client, &ctx, &mut walk, repository);
        reading.is_omnis = omnis.contains(name);
        if let Err(error) = reading.read(progress, known, now).await {
            let error: SourceError = error.downcast()?;
            if is_fatal(&error) {
                return Err(error.into());
            }
            walk.keep_part(&Part::several([whole(name), whole(&before)]));
            ctx.lost(name, error)?;
        } else if !listed.has_name(&before) {
            // It has another name now, so that most of a source may be unseen by no accident.
            walk.delete_part(&whole(&before)).await?;
        }
        checkpoint.save_now_and_then().await?;
    }
    for name in omnis.iter().filter(|name| !listed.has_name(name)) {
        forget(&client, &ctx, &listed, &checkpoint.documents, name).await?;
    }
    if listed.failure.is_none() {
        let all = Walked::declared("all lists of repositories were read");
        walk.finish(all).await?;
    }
    Ok(checkpoint.save().await?)
}

/// Issues, pull requests and discussions of a repository.
pub(crate) fn items(name: &str) -> Part {
    Part::several(
        ["issue", "pr", "discussion"].map(|kind| Part::prefix(format!("github:{kind}:{name}#"))),
    )
}

/// Everything of a repository.
fn whole(name: &str) -> Part {
    Part::several([Part::path(format!("{REPO}{name}")), items(name)])
}

/// The number at the end of a document's id.
pub(crate) fn number(id: &str) -> Option<u64> {
    id.rsplit_once('#')?.1.parse().ok()
}

/// Everything that can be the document of a number.
pub(crate) fn ids(name: &str, number: u64) -> [String; 3] {
    ["issue", "pr", "discussion"].map(|kind| format!("github:{kind}:{name}#{number}"))
}

/// Deletes what Omni's own connector left of a repository that is not read under this name any more. It knew no numbers, but no
/// number is higher than the highest at GitHub.
async fn forget(
    client: &Client,
    ctx: &SyncContext,
    listed: &Listed,
    documents: &Inventory<Value>,
    name: &str,
) -> Result<()> {
    let found = client.repository(name).await?;
    let new = found
        .as_ref()
        .and_then(|it| listed.repositories.get(&it.id));
    let highest = match (new, found.is_some()) {
        (Some(new), _) => {
            let ids = documents.ids_in(&items(&new.full_name));
            let numbers = ids.iter().filter_map(|id| number(id));
            numbers.max().unwrap_or_default()
        }
        (None, true) => client.highest(name).await?,
        (None, false) => {
            let reason = "it is gone from GitHub, so what an earlier connector sent of it is not known and may stay";
            ctx.skip(name, reason);
            0
        }
    };
    for id in (1..=highest).flat_map(|number| ids(name, number)) {
        ctx.delete(id).await?;
    }
    Ok(ctx.delete(format!("{REPO}{name}")).await?)
}

/// The repositories that the source is about.
#[derive(Default)]
struct Listed {
    repositories: BTreeMap<u64, Repository>,
    /// Why the list is not whole.
    failure: Option<SourceError>,
}

impl Listed {
    fn has(&self, key: &str) -> bool {
        self.failure.is_some()
            || key
                .parse()
                .is_ok_and(|id| self.repositories.contains_key(&id))
    }

    fn has_name(&self, name: &str) -> bool {
        self.repositories.values().any(|it| it.full_name == name)
    }

    async fn read(&mut self, client: &Client, ctx: &SyncContext) -> Result<()> {
        let settings = &client.settings;
        let orgs = settings
            .orgs
            .iter()
            .map(|it| format!("orgs/{}/repos", segment(it)));
        let users = settings
            .users
            .iter()
            .map(|it| format!("users/{}/repos", segment(it)));
        let everything = settings.is_everything().then(|| "user/repos".to_owned());
        for path in orgs.chain(users).chain(everything) {
            self.add(client, ctx, &path, client.list(&path).await)?;
        }
        for name in &settings.repos {
            let found = client.repository(name).await;
            let found =
                found.and_then(|found| found.map(|it| vec![it]).ok_or_else(|| missing(name)));
            self.add(client, ctx, name, found)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        client: &Client,
        ctx: &SyncContext,
        list: &str,
        found: Result<Vec<Repository>, SourceError>,
    ) -> Result<()> {
        match found {
            Ok(found) => {
                let wanted = found
                    .into_iter()
                    .filter(|it| !it.fork || client.settings.include_forks.unwrap_or_default());
                self.repositories.extend(wanted.map(|it| (it.id, it)));
            }
            Err(error) if is_fatal(&error) => return Err(error.into()),
            Err(error) => {
                if self.failure.is_none() {
                    ctx.lost(list, error.clone())?;
                }
                self.failure = Some(error);
            }
        }
        Ok(())
    }
}

fn missing(name: &str) -> SourceError {
    let why = format!(
        "GitHub shows the token no repository `{name}`; correct `repos` of the source, or let the token see it"
    );
    SourceError::Invalid { why }
}
