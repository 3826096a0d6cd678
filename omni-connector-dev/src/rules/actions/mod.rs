//! Actions (`protocol.md` §6): checks in protocol order, selects the credential, rewrites the
//! parameters, and relays the connector's answer unchanged. Permissions in the source's system are
//! left to the connector.

mod consent;
mod dry_run;
mod error;
mod params;
mod request;

use omni_connector::{
    Manifest, ServiceCredential, SourceType,
    wire::{ActionMode, ManifestAction},
};
use reqwest::{
    Method,
    header::{CONNECTION, HeaderMap, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE},
};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

pub(crate) use consent::missing_scopes;
pub(crate) use dry_run::{DryRun, dry_run};
pub use error::ActionError;
pub(crate) use request::{ActionCall, TransientCredentials};

use crate::{
    lookup::{self, CredentialRows},
    oauth,
    shared::Shared,
    state::ConnectorError,
    store::{
        checkpoints::{self, WithCheckpoint},
        sources::SourceRecord,
        users::{self, User, UserRole},
    },
};

/// Headers that apply to one connection only.
const HOP_BY_HOP: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    TRANSFER_ENCODING,
    TE,
    TRAILER,
    UPGRADE,
];

/// A connector's unchanged answer to an action.
#[derive(Debug, Clone)]
pub struct ActionAnswer {
    /// The status; 2xx is a success.
    pub status: reqwest::StatusCode,
    /// All headers except those of the connection.
    pub headers: HeaderMap,
    /// The undecoded body. JSON is an `ActionResponse`, anything else is a text or a file.
    pub body: bytes::Bytes,
}

/// The body sent to the connector.
#[derive(Serialize)]
struct Dispatch<'a> {
    action: &'a str,
    params: Value,
    credentials: &'a ServiceCredential,
    source: Option<WithCheckpoint<&'a SourceRecord>>,
    actor_email: Option<String>,
}

/// Calls an action of a stored source, or with transient credentials.
pub(crate) async fn call(shared: &Shared, call: ActionCall) -> Result<ActionAnswer, ActionError> {
    let ActionCall {
        source_id,
        source_type,
        user_id,
        action,
        params,
        transient_credentials,
    } = call;
    let params = match params {
        Value::Null => Value::Object(serde_json::Map::new()),
        params => params,
    };
    match (transient_credentials, source_type) {
        (Some(_), None) => Err(ActionError::NoSourceType),
        (Some(_), Some(_)) if source_id.is_some() => Err(ActionError::SourceWithTransient),
        (Some(credentials), Some(source_type)) => {
            transient(shared, source_type, user_id, &action, params, credentials).await
        }
        (None, Some(_)) => Err(ActionError::SourceTypeWithoutTransient),
        (None, None) => {
            let source_id = source_id.filter(|id| !id.is_empty());
            let source_id = source_id.ok_or(ActionError::NoSourceId)?;
            persisted(shared, source_id, user_id, &action, params).await
        }
    }
}

async fn persisted(
    shared: &Shared,
    source_id: String,
    user_id: Option<String>,
    action: &str,
    params: Value,
) -> Result<ActionAnswer, ActionError> {
    let prepared = prepare(shared, source_id, user_id, action, params).await?;
    prepared.send(shared, "action").await
}

/// A checked call of a stored source's action.
struct Prepared {
    connector_url: String,
    definition: ManifestAction,
    params: Value,
    credential: ServiceCredential,
    source: SourceRecord,
    checkpoint: Option<Value>,
    actor: Option<User>,
}

impl Prepared {
    /// Sends the call to a route of the connector.
    async fn send(&self, shared: &Shared, route: &str) -> Result<ActionAnswer, ActionError> {
        let dispatch = Dispatch {
            action: &self.definition.name,
            params: self.params.clone(),
            credentials: &self.credential,
            source: Some(WithCheckpoint {
                record: &self.source,
                checkpoint: self.checkpoint.clone(),
            }),
            actor_email: self.actor.as_ref().map(|actor| actor.email.clone()),
        };
        send(shared, &self.connector_url, route, &dispatch).await
    }
}

/// Checks a call in protocol order, and selects its credential.
async fn prepare(
    shared: &Shared,
    source_id: String,
    user_id: Option<String>,
    action: &str,
    params: Value,
) -> Result<Prepared, ActionError> {
    let source = lookup::source(shared, &source_id)
        .await?
        .ok_or(ActionError::SourceNotFound(source_id))?;
    let source_type: SourceType = source
        .source_type
        .parse()
        .map_err(|_| ActionError::NotNative(source.source_type.clone()))?;
    let manifest = serving(shared, source_type)?;
    let definition = find(&manifest, action, source_type)?;
    if definition.mode == ActionMode::Write && (manifest.read_only || source.is_read_only()) {
        return Err(ActionError::ReadOnly(action.to_owned()));
    }
    let credential = resolve(shared, &source, user_id.as_deref(), &manifest, definition).await?;
    let actor = match user_id {
        Some(user_id) => Some(actor(shared, user_id, definition).await?),
        None => None,
    };
    let params = params::rewrite(shared, params, &source).await?;
    let id = source.id.clone();
    let checkpoint = shared.store.read(move |db| checkpoints::find(db, &id));
    let checkpoint = checkpoint.await?;
    Ok(Prepared {
        definition: definition.clone(),
        connector_url: manifest.connector_url,
        params,
        credential,
        source,
        checkpoint,
        actor,
    })
}

async fn transient(
    shared: &Shared,
    source_type: SourceType,
    user_id: Option<String>,
    action: &str,
    params: Value,
    credentials: TransientCredentials,
) -> Result<ActionAnswer, ActionError> {
    let manifest = serving(shared, source_type)?;
    let definition = find(&manifest, action, source_type)?;
    if definition.mode != ActionMode::Read {
        return Err(ActionError::TransientWrite(action.to_owned()));
    }
    let user_id = user_id.ok_or(ActionError::NoUserId)?;
    let actor = actor(shared, user_id, definition).await?;
    let now = OffsetDateTime::now_utc();
    let mut credential = ServiceCredential::new(
        "transient",
        "transient",
        credentials.provider.name(),
        credentials.auth_type,
        credentials.credentials,
        now,
    );
    credential.user_id = Some(actor.id);
    credential.principal_email = credentials.principal_email;
    credential.config = credentials.config;
    let dispatch = Dispatch {
        action,
        params,
        credentials: &credential,
        source: None,
        actor_email: Some(actor.email),
    };
    send(shared, &manifest.connector_url, "action", &dispatch).await
}

fn serving(shared: &Shared, source_type: SourceType) -> Result<Manifest, ActionError> {
    shared
        .registry
        .serving(source_type.as_str())
        .ok_or(ActionError::NotRegistered(source_type))
}

/// Finds an action by name. An empty list of source types is documented as "all" but refused here,
/// as in the real manager.
fn find<'a>(
    manifest: &'a Manifest,
    action: &str,
    source_type: SourceType,
) -> Result<&'a ManifestAction, ActionError> {
    let definition = manifest
        .actions
        .iter()
        .find(|definition| definition.name == action)
        .ok_or_else(|| ActionError::Unknown(action.to_owned(), source_type))?;
    if definition.source_types.contains(&source_type) {
        Ok(definition)
    } else {
        Err(ActionError::OtherType(action.to_owned(), source_type))
    }
}

async fn resolve(
    shared: &Shared,
    source: &SourceRecord,
    user_id: Option<&str>,
    manifest: &Manifest,
    definition: &ManifestAction,
) -> Result<ServiceCredential, ActionError> {
    let person = user_id.filter(|_| !definition.admin_only);
    let rows = CredentialRows::read(shared, &source.id, person).await?;
    match (rows.of_user, rows.of_organisation) {
        (Some(row), organisation) => Ok(oauth::of_person(shared, row, organisation).await?),
        (None, Some(row)) if person.is_some() && manifest.oauth.is_some() => {
            Err(ActionError::NeedsUserAuth {
                source_id: source.id.clone(),
                source_type: source.source_type.clone(),
                provider: row.provider,
            })
        }
        (None, Some(row)) => Ok(oauth::refreshed(shared, row).await?),
        (None, None) => Err(ActionError::NoCredentials(source.id.clone())),
    }
}

async fn actor(
    shared: &Shared,
    user_id: String,
    definition: &ManifestAction,
) -> Result<User, ActionError> {
    let id = user_id.clone();
    let user = shared.store.read(move |db| users::find(db, &id)).await?;
    let user = user.ok_or(ActionError::UserNotFound(user_id))?;
    if definition.admin_only && user.role != UserRole::Admin {
        return Err(ActionError::AdminOnly(definition.name.clone()));
    }
    Ok(user)
}

async fn send(
    shared: &Shared,
    connector_url: &str,
    route: &str,
    dispatch: &Dispatch<'_>,
) -> Result<ActionAnswer, ActionError> {
    let url = format!("{connector_url}/{route}");
    let response = shared
        .connectors
        .send(Method::POST, &url, Some(dispatch))
        .await?;
    let status = response.status();
    let mut headers = response.headers().clone();
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    let body = response.bytes().await.map_err(ConnectorError::Response)?;
    Ok(ActionAnswer {
        status,
        headers,
        body,
    })
}
