//! Completes a sign-in from the provider's callback (`protocol.md` §8.3).

use omni_connector::{AuthType, ServiceCredential, SyncType, wire::SourceScope};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{
    Flow, Outcome, SignInError, SignIns, notify, pending::Pending, token::Granted,
    userinfo::email_of,
};
use crate::{
    lookup, runs,
    shared::Shared,
    state::check_actions,
    store::{
        StoreError, credentials,
        runs::TriggerType,
        sources::{self, SourceRecord},
    },
};

/// `GET /api/oauth/callback`.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// The account and the tokens of a completed sign-in.
struct Grant {
    token: Granted,
    email: String,
    scopes: Vec<String>,
}

/// Completes a sign-in. Returns the address of the connected account.
pub(crate) async fn finish(
    shared: &Shared,
    sign_ins: &SignIns,
    answer: Answer,
) -> Result<String, SignInError> {
    let pending = sign_ins.take(&answer.state).ok_or_else(|| {
        SignInError::BadRequest(
            "this sign-in is unknown, over or too old\nhelp: begin again".to_owned(),
        )
    })?;
    let ended = connect(shared, pending, answer).await;
    sign_ins.end(match &ended {
        Ok(email) => Ok(email.clone()),
        Err(error) => Err(error.to_string()),
    });
    ended
}

async fn connect(
    shared: &Shared,
    mut pending: Pending,
    answer: Answer,
) -> Result<String, SignInError> {
    if let Some(error) = answer.error {
        let why = answer.error_description.unwrap_or_default();
        let text = format!("{error} {why}");
        return Err(SignInError::Refused(text.trim_end().to_owned()));
    }
    let code = answer
        .code
        .ok_or_else(|| SignInError::BadRequest("the provider sent no code".to_owned()))?;
    let grant = grant(shared, &mut pending, code).await?;
    if pending.flow == Flow::UserWrite {
        let missing: Vec<_> = pending
            .required
            .iter()
            .filter(|scope| !grant.scopes.contains(scope))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(SignInError::Refused(format!("it did not grant {missing}")));
        }
    }
    let sources = sources_of(shared, &pending).await?;
    for source in &sources {
        let credential = credential(shared, &pending, &grant, source).await?;
        announce(shared, &pending, source, credential.user_id.as_deref()).await?;
    }
    // Without a scheduler, the client that signed in starts the runs.
    let starts_runs = shared.options.runs.tick.is_some();
    if starts_runs && matches!(pending.flow, Flow::Connect | Flow::OrgSource) {
        for source in &sources {
            let run = runs::trigger(shared, &source.id, SyncType::Full, TriggerType::Manual).await;
            if let Err(error) = run {
                tracing::warn!(source = source.id, %error, "signed in, and no sync starts");
            }
        }
    }
    Ok(grant.email)
}

async fn grant(shared: &Shared, pending: &mut Pending, code: String) -> Result<Grant, SignInError> {
    let mut request = pending.client.token_request();
    request.form.extend([
        ("grant_type", "authorization_code".to_owned()),
        ("code", code),
        ("redirect_uri", pending.client.redirect_uri.clone()),
    ]);
    if let Some(verifier) = pending.verifier.take() {
        request.form.push(("code_verifier", verifier));
    }
    if let Some(resource) = &pending.oauth.resource {
        request.form.push(("resource", resource.clone()));
    }
    let token = request
        .send(shared.connectors.http())
        .await
        .map_err(|error| SignInError::Provider(format!("the code was not exchanged: {error}")))?;
    let email = email(shared, pending, &token.access_token).await?;
    Ok(Grant {
        email,
        // A provider that sends no scopes granted all of them.
        scopes: token
            .scopes
            .clone()
            .unwrap_or_else(|| pending.scopes.clone()),
        token,
    })
}

async fn email(shared: &Shared, pending: &Pending, token: &str) -> Result<String, SignInError> {
    // ClickUp's token answer contains no e-mail address.
    if pending.oauth.provider == "clickup" {
        return Ok(pending.user_email.clone());
    }
    let failed =
        |reason: String| SignInError::Provider(format!("the account is not known: {reason}"));
    let request = shared
        .connectors
        .http()
        .get(&pending.oauth.userinfo_endpoint)
        .header("accept", "application/json")
        .bearer_auth(token);
    let answer = request
        .send()
        .await
        .and_then(reqwest::Response::error_for_status);
    let answer = answer.map_err(|error| failed(error.to_string()))?;
    let answer: Value = answer
        .json()
        .await
        .map_err(|error| failed(error.to_string()))?;
    let path = &pending.oauth.userinfo_email_field;
    email_of(&answer, path).ok_or_else(|| failed(format!("there is no address at `{path}`")))
}

/// Returns the sources that the credential is for. Creates personal sources.
async fn sources_of(shared: &Shared, pending: &Pending) -> Result<Vec<SourceRecord>, SignInError> {
    let (ids, types) = (pending.sources.clone(), pending.source_types.clone());
    let (owner, flow) = (pending.user_id.clone(), pending.flow);
    shared
        .store
        .write(move |db| {
            if flow != Flow::Connect {
                let found = ids.iter().map(|id| sources::find(db, id));
                let found: Result<Vec<_>, StoreError> = found.collect();
                return Ok(found?.into_iter().flatten().collect());
            }
            let all = sources::all(db)?;
            let mut own = Vec::new();
            for source_type in types {
                let same = all.iter().find(|source| {
                    source.scope == SourceScope::User
                        && source.created_by == owner
                        && source.source_type == source_type
                        && !source.is_deleted
                });
                let source = match same {
                    Some(source) => source.clone(),
                    None => SourceRecord {
                        scope: SourceScope::User,
                        ..SourceRecord::new(&source_type, &source_type, json!({}), &owner)
                    },
                };
                sources::put(db, &source)?;
                own.push(source);
            }
            Ok(own)
        })
        .await
}

/// Stores the credential. Values of the previous row without a new value are kept.
async fn credential(
    shared: &Shared,
    pending: &Pending,
    grant: &Grant,
    source: &SourceRecord,
) -> Result<ServiceCredential, SignInError> {
    let owner = (pending.flow != Flow::OrgSource).then(|| pending.user_id.clone());
    let (id, user) = (source.id.clone(), owner.clone());
    let before = shared
        .store
        .read(move |db| credentials::find(db, &id, user.as_deref()))
        .await?;
    let provider = &pending.oauth.provider;
    let new = credentials::new(&source.id, owner, provider, AuthType::Oauth, json!({}));
    let mut row = before.unwrap_or(new);
    row.provider.clone_from(provider);
    row.auth_type = AuthType::Oauth;
    row.principal_email = Some(grant.email.clone());
    row.updated_at = OffsetDateTime::now_utc();
    row.expires_at = grant.token.life.map(|life| {
        let life = time::Duration::try_from(life).unwrap_or(time::Duration::MAX);
        row.updated_at.saturating_add(life)
    });
    let mut secret = entries(&row.credentials);
    for (key, value) in [
        (
            "access_token",
            Some(grant.token.access_token.clone().into()),
        ),
        (
            "refresh_token",
            grant.token.refresh_token.clone().map(Value::from),
        ),
        ("token_type", Some("Bearer".into())),
        ("client_id", Some(pending.client.id.clone().into())),
        (
            "client_secret",
            pending.client.secret.clone().map(Value::from),
        ),
        (
            "token_uri",
            Some(pending.client.token_endpoint.clone().into()),
        ),
        (
            "token_endpoint_auth_method",
            Some(pending.client.method_name()),
        ),
        ("resource", pending.oauth.resource.clone().map(Value::from)),
    ] {
        if let Some(value) = value {
            secret.insert(key.to_owned(), value);
        }
    }
    row.credentials = Value::Object(secret);
    if row.user_id.is_some() {
        let mut config = entries(&row.config);
        config.insert("granted_scopes".to_owned(), json!(grant.scopes));
        row.config = Value::Object(config);
    }
    let stored = row.clone();
    shared
        .store
        .write(move |db| credentials::put(db, &stored))
        .await?;
    Ok(row)
}

fn entries(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// Notifies the connector. If it answers with a manifest, that one replaces the registered one.
async fn announce(
    shared: &Shared,
    pending: &Pending,
    source: &SourceRecord,
    user: Option<&str>,
) -> Result<(), SignInError> {
    let Some(manifest) = lookup::connector(shared, source) else {
        return Ok(());
    };
    let (url, flow) = (&manifest.connector_url, pending.flow.as_notice());
    let told = notify(shared, url, &source.id, user, &pending.oauth.provider, flow).await?;
    match told {
        Outcome::Manifest(manifest) if check_actions(&manifest).is_ok() => {
            shared.registry.put(*manifest);
        }
        Outcome::Failed => tracing::warn!(
            source = source.id,
            "the connector does not know of the sign-in"
        ),
        _ => {}
    }
    Ok(())
}
