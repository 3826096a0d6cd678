//! Syncs GitHub one repository after the other: everything, or the changes since the last run.

use std::collections::{BTreeMap, BTreeSet};

use omni_connector::{http::segment, prelude::*};

use crate::{api::Client, documents::Repository, reading::Reading, settings::or_default};

/// The prefix of the ids of repositories' documents.
const REPO: &str = "github:repo:";

/// The checkpoint. It can also be read from that of Omni's own connector, whose keys are the repositories' names.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    #[serde(deserialize_with = "or_default")]
    repos: BTreeMap<String, Option<Progress>>,
    documents: Inventory<Value>,
}

/// The state of a repository. Its key is its number at GitHub, which does not change with its name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    /// The values on which all its documents depend: its name, its readers and the settings.
    pub(crate) read_as: Value,
    pub(crate) since: Watermark<Timestamp>,
}

impl Progress {
    fn name(&self) -> Option<&str> {
        self.read_as[0].as_str()
    }
}

/// Returns whether an error of one call ends the run.
pub(crate) const fn is_fatal(error: &SourceError) -> bool {
    matches!(
        error,
        SourceError::Cancelled | SourceError::Unauthorized { .. }
    )
}

/// Reads the source, or its changes.
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
    // A repository that vanishes while a list is read can hide another one. So a repository is deleted only if it is
    // missing in two lists.
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
            // It has a new name. So most of a source may be unseen without an accident.
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

/// Returns the issues, pull requests and discussions of a repository.
pub(crate) fn items(name: &str) -> Part {
    Part::several(
        ["issue", "pr", "discussion"].map(|kind| Part::prefix(format!("github:{kind}:{name}#"))),
    )
}

/// Returns everything of a repository.
fn whole(name: &str) -> Part {
    Part::several([Part::path(format!("{REPO}{name}")), items(name)])
}

/// Returns the number at the end of a document's id.
pub(crate) fn number(id: &str) -> Option<u64> {
    id.rsplit_once('#')?.1.parse().ok()
}

/// Returns all possible document ids of a number.
pub(crate) fn ids(name: &str, number: u64) -> [String; 3] {
    ["issue", "pr", "discussion"].map(|kind| format!("github:{kind}:{name}#{number}"))
}

/// Deletes documents that Omni's own connector left of a repository that is no longer read under this name. That
/// connector stored no numbers, but none is higher than GitHub's highest.
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

/// The repositories of the source.
#[derive(Default)]
struct Listed {
    repositories: BTreeMap<u64, Repository>,
    /// The reason why the list is incomplete.
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
