//! `/oauth/credential-ready` and the enrich endpoint, called after a sign-in (`protocol.md` §8.5, §8.6).

use std::sync::Arc;

use anyhow::{Result, anyhow};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use tokio::time::timeout;

use super::{App, PATIENCE, body::Body};
use crate::{
    connector::{ActionError, ErasedConnector, actions::Failed},
    panic,
    redact::Secrets,
    wire::{CredentialReady, ErrorBody, OAuthTokens},
};

/// Answers 200 with the manifest if it changed and was registered; otherwise 204.
pub(super) async fn credential_ready(
    State(app): State<Arc<App>>,
    Body(ready): Body<CredentialReady>,
) -> Response {
    let secrets = Secrets::of_secret(&ready.credentials.credentials);
    let called = Arc::clone(&app);
    let ended = within_patience(&app, "credential_ready", async move {
        make_ready(&called, ready).await
    });
    match ended.await {
        Ok(Some(manifest)) => Json(manifest).into_response(),
        Ok(None) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => failed(&error, secrets),
    }
}

async fn make_ready(app: &App, ready: CredentialReady) -> Result<Option<crate::wire::Manifest>> {
    let before = app.manifest();
    let source = ready.source_id.clone();
    app.connector.credential_ready(ready, &app.manager).await?;
    let manifest = app.manifest();
    if manifest == before {
        return Ok(None);
    }
    tracing::info!(source, "somebody signed in, and the manifest changed");
    if let Err(error) = app.manager.register(&manifest).await {
        tracing::warn!(%error, "the changed manifest is not registered yet");
    }
    Ok(Some(manifest))
}

/// Returns the enrich path from the manifest's OAuth part, if it names one.
pub(super) fn enrich_path(connector: &dyn ErasedConnector) -> Option<String> {
    connector.oauth_config()?.enrich_endpoint
}

/// Builds the route at that path; the manifest check has ensured that the path is free.
pub(super) fn enrich(path: Option<&str>) -> Router<Arc<App>> {
    match path {
        Some(path) => Router::new().route(path, post(add)),
        None => Router::new(),
    }
}

async fn add(State(app): State<Arc<App>>, Body(tokens): Body<OAuthTokens>) -> Response {
    let both = [Some(&tokens.access_token), tokens.refresh_token.as_ref()];
    let both = both
        .into_iter()
        .flatten()
        .map(|token| token.expose().into());
    let secrets = Secrets::of_secret(
        &serde_json::json!({ "token": both.collect::<Vec<serde_json::Value>>() }),
    );
    let connector = Arc::clone(&app.connector);
    let extra = within_patience(
        &app,
        "enrich",
        async move { connector.enrich(tokens).await },
    );
    match extra.await {
        Ok(extra) => Json(extra).into_response(),
        Err(error) => failed(&error, secrets),
    }
}

/// Calls a hook in a task of its own: it goes on when the manager disconnects, or waits no longer.
async fn within_patience<T: Send + 'static>(
    app: &App,
    hook: &'static str,
    call: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let task = app.runs.spawn(async move { panic::catch(call).await });
    match timeout(PATIENCE, task).await {
        Ok(Ok(Ok(ended))) => ended,
        Ok(Ok(Err(panic))) => Err(anyhow!("the connector panicked {panic}")),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(ActionError::timeout(format!(
            "`{hook}` of the connector did not end within {} s, which is as long as Omni waits",
            PATIENCE.as_secs()
        ))
        .into()),
    }
}

fn failed(error: &anyhow::Error, secrets: Secrets) -> Response {
    let status =
        ActionError::of(error).map_or(StatusCode::INTERNAL_SERVER_ERROR, |error| error.status());
    let failed = Failed {
        secrets,
        source: None,
        provider: None,
    };
    let error = failed.message(error);
    tracing::warn!("{error}");
    (status, Json(ErrorBody { error })).into_response()
}
