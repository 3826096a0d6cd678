//! Sources as a person describes them: identified by name and type, so changed settings keep the
//! identity. Settings that a connector refuses can be reverted completely.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use omni_connector::{AuthType, ServiceCredential, SourceType};
use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Refusal;
use crate::{
    lookup,
    shared::Shared,
    store::{
        StoreError, credentials, documents,
        runs::{self, Run},
        sources::{self, SourceRecord},
    },
};

/// A source as a person describes it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) name: String,
    pub(crate) source_type: String,
    /// Its settings. `None` keeps the previous ones.
    pub(crate) config: Option<Value>,
    /// Its secret. `None` keeps the previous one.
    pub(crate) secret: Option<Secret>,
    /// Whether it must have a credential, even an empty one: actions need one (`protocol.md` §6.2).
    pub(crate) needs_credential: bool,
}

/// A secret and its known properties.
#[derive(Serialize, Deserialize)]
pub(crate) struct Secret {
    pub(crate) provider: Option<String>,
    pub(crate) auth_type: AuthType,
    pub(crate) credentials: Value,
}

impl Secret {
    /// No secret, as an empty row.
    pub(crate) fn none() -> Self {
        Self {
            provider: None,
            auth_type: AuthType::ApiKey,
            credentials: Value::Object(serde_json::Map::new()),
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

/// The change that a description made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// The source is new.
    Created,
    /// The settings of the source changed.
    Settings,
    /// The secret changed, the settings did not.
    Secret,
    /// Nothing changed.
    Unchanged,
}

/// A described source.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Described {
    pub(crate) source: SourceRecord,
    pub(crate) change: Change,
}

/// The state of a source before it was described.
#[derive(Debug)]
enum Before {
    Nothing,
    Known(Value, Box<Option<ServiceCredential>>),
}

/// Previous states of described sources, kept until the manager ends. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Descriptions(Arc<Mutex<HashMap<String, Before>>>);

impl Descriptions {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Before>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds or creates the source of that name and type, and applies the described settings and
/// secret.
pub(crate) async fn describe(
    shared: &Shared,
    descriptions: &Descriptions,
    description: Description,
) -> Result<Described, StoreError> {
    let owner = lookup::operator(shared).await?.id;
    let provider = provider_of(shared, &description);
    let (described, before) = shared
        .store
        .write(move |db| put(db, description, &provider, owner))
        .await?;
    let id = described.source.id.clone();
    if described.change == Change::Unchanged {
        // What an earlier command changed was accepted.
        descriptions.all().remove(&id);
    } else {
        descriptions.all().insert(id, before);
    }
    Ok(described)
}

fn put(
    db: &Transaction<'_>,
    description: Description,
    provider: &str,
    owner: String,
) -> Result<(Described, Before), StoreError> {
    let Description {
        name,
        source_type,
        config,
        secret,
        needs_credential,
    } = description;
    let known = sources::find_named(db, &name, &source_type)?;
    let (source, mut change, config_before) = match known {
        None => {
            let config = config.unwrap_or_else(|| Value::Object(Map::new()));
            let source = SourceRecord::new(name, source_type, config, owner);
            (source, Change::Created, None)
        }
        Some(mut source) => match config.filter(|config| *config != source.config) {
            None => (source.clone(), Change::Unchanged, Some(source.config)),
            Some(config) => {
                let before = std::mem::replace(&mut source.config, config);
                (source, Change::Settings, Some(before))
            }
        },
    };
    if change != Change::Unchanged {
        sources::put(db, &source)?;
    }
    let credential_before = credentials::find(db, &source.id, None)?;
    let nothing = || Secret {
        provider: None,
        auth_type: AuthType::ApiKey,
        credentials: Value::Object(Map::new()),
    };
    let is_needed = needs_credential && credential_before.is_none();
    if let Some(secret) = secret.or_else(|| is_needed.then(nothing)) {
        let provider = secret.provider.as_deref().unwrap_or(provider);
        let same = credential_before.as_ref().is_some_and(|before| {
            before.provider == provider
                && before.auth_type == secret.auth_type
                && before.credentials == secret.credentials
        });
        if !same {
            let row = credentials::new(
                &source.id,
                None,
                provider,
                secret.auth_type,
                secret.credentials,
            );
            credentials::put(db, &row)?;
            if change == Change::Unchanged {
                change = Change::Secret;
            }
        }
    }
    let before = match config_before {
        None => Before::Nothing,
        Some(config) => Before::Known(config, Box::new(credential_before)),
    };
    Ok((Described { source, change }, before))
}

/// Reverts the latest description of a source: removes a new source, restores the previous settings
/// of any other.
pub(crate) async fn take_back(
    shared: &Shared,
    descriptions: &Descriptions,
    id: String,
) -> Result<(), StoreError> {
    let Some(before) = descriptions.all().remove(&id) else {
        return Ok(());
    };
    match before {
        Before::Nothing => remove(shared, id).await,
        Before::Known(config, credential) => {
            let restore = move |db: &Transaction<'_>| {
                if let Some(mut source) = sources::find(db, &id)? {
                    source.config = config;
                    sources::put(db, &source)?;
                }
                match *credential {
                    Some(credential) => credentials::put(db, &credential),
                    None => credentials::remove(db, &id, None),
                }
            };
            shared.store.write(restore).await
        }
    }
}

/// Removes a source and all its data.
async fn remove(shared: &Shared, id: String) -> Result<(), StoreError> {
    loop {
        let source = id.clone();
        let remove = move |db: &Transaction<'_>| sources::remove_some(db, &source);
        if shared.store.write(remove).await? {
            return Ok(());
        }
    }
}

/// A source with its related data, without its secret.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) source: SourceRecord,
    pub(crate) documents: u64,
    /// Whether its secret is stored. Actions of a connector without credentials need a row, so an empty one is none.
    pub(crate) has_credential: bool,
    pub(crate) last_run: Option<Run>,
}

impl Listed {
    fn read(db: &Connection, mut source: SourceRecord) -> Result<Self, StoreError> {
        source.connector_state = None;
        let last_run = runs::latest(db, Some(&source.id), 1)?.pop();
        Ok(Self {
            documents: documents::count(db, Some(&source.id))?,
            has_credential: lookup::owner_row(db, &source)?
                .is_some_and(|row| row.credentials != Secret::none().credentials),
            last_run,
            source,
        })
    }
}

/// Returns all sources that are not deleted, oldest first.
pub(crate) async fn listed(shared: &Shared) -> Result<Vec<Listed>, StoreError> {
    shared
        .store
        .read(|db| {
            let sources = sources::all(db)?.into_iter().rev();
            let sources = sources.filter(|source| !source.is_deleted);
            sources.map(|source| Listed::read(db, source)).collect()
        })
        .await
}

/// Finds the only source with this id or name.
pub(crate) async fn find_one(shared: &Shared, wanted: &str) -> Result<Listed, Refusal> {
    let all = listed(shared).await?;
    let names: Vec<_> = all
        .iter()
        .map(|one| format!("`{}`", one.source.name))
        .collect();
    let mut found: Vec<_> = all
        .into_iter()
        .filter(|one| one.source.id == wanted || one.source.name == wanted)
        .collect();
    match (found.pop(), found.len()) {
        (Some(one), 0) => Ok(one),
        (None, _) if names.is_empty() => Err(Refusal::NotFound(format!(
            "no source `{wanted}`\nhelp: the store has no sources; `cargo omni sync` makes one"
        ))),
        (None, _) => Err(Refusal::NotFound(format!(
            "no source `{wanted}`\nhelp: there are {}",
            names.join(", ")
        ))),
        (Some(last), _) => {
            found.push(last);
            let ids = found
                .iter()
                .map(|one| format!("{} ({})", one.source.id, one.source.source_type));
            let ids: Vec<_> = ids.collect();
            Err(Refusal::BadRequest(format!(
                "`{wanted}` names {} sources\nhelp: give the id: {}",
                ids.len(),
                ids.join(", ")
            )))
        }
    }
}

/// Changes to a source's settings.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Changes {
    /// New name.
    pub(crate) name: Option<String>,
    /// New settings, which replace all previous ones.
    pub(crate) config: Option<Value>,
    /// New secret.
    pub(crate) secret: Option<Secret>,
}

/// Changes an existing source.
pub(crate) async fn change(
    shared: &Shared,
    id: String,
    changes: Changes,
) -> Result<SourceRecord, Refusal> {
    let known = lookup::source(shared, &id).await?;
    let mut source = known.ok_or_else(|| Refusal::source_not_found(&id))?;
    let provider = provider_of_type(shared, &source.source_type);
    shared
        .store
        .write(move |db| {
            if let Some(name) = changes.name.filter(|name| *name != source.name) {
                if sources::find_named(db, &name, &source.source_type)?.is_some() {
                    return Err(Refusal::Conflict(format!(
                        "there is another source `{name}` of type `{}`",
                        source.source_type
                    )));
                }
                source.name = name;
            }
            if let Some(config) = changes.config {
                source.config = config;
            }
            sources::put(db, &source)?;
            if let Some(secret) = changes.secret {
                let provider = secret.provider.as_deref().unwrap_or(&provider);
                let (auth_type, secret) = (secret.auth_type, secret.credentials);
                let row = credentials::new(&source.id, None, provider, auth_type, secret);
                credentials::put(db, &row)?;
            }
            Ok(source)
        })
        .await
}

/// Removes a source and all its data, including an abandoned run.
pub(crate) async fn remove_source(shared: &Shared, id: String) -> Result<(), Refusal> {
    let wanted = id.clone();
    shared
        .store
        .write(move |db| {
            let mut source =
                sources::find(db, &wanted)?.ok_or_else(|| Refusal::source_not_found(&wanted))?;
            // Hidden at once; its data is removed in steps.
            source.is_deleted = true;
            source.is_active = false;
            Ok::<_, Refusal>(sources::put(db, &source)?)
        })
        .await?;
    Ok(remove(shared, id).await?)
}

fn provider_of(shared: &Shared, description: &Description) -> String {
    provider_of_type(shared, &description.source_type)
}

/// Returns the provider of a source type's credentials: from its connector, else from the list of
/// `protocol.md` §4.9.
fn provider_of_type(shared: &Shared, source_type: &str) -> String {
    let manifest = shared.registry.serving(source_type);
    let oauth = manifest
        .as_ref()
        .and_then(|manifest| manifest.oauth.as_ref());
    if let Some(provider) = oauth.and_then(|oauth| oauth.get("provider")?.as_str()) {
        return provider.to_owned();
    }
    let known = source_type.parse().map(usual_provider);
    known.unwrap_or(source_type).to_owned()
}

/// Returns the provider of a source type's credentials in Omni's web app.
pub(crate) fn usual_provider(source_type: SourceType) -> &'static str {
    use SourceType::{
        Confluence, Gmail, GoogleChat, GoogleDrive, Jira, MsTeams, OneDrive, Outlook,
        OutlookCalendar, SharePoint,
    };

    match source_type {
        GoogleDrive | Gmail | GoogleChat => "google",
        Confluence | Jira => "atlassian",
        OneDrive | SharePoint | Outlook | OutlookCalendar | MsTeams => "microsoft",
        other => other.as_str(),
    }
}
