//! Sign-in routes: `GET /api/oauth/start` and `GET /api/oauth/callback`, which belong to the web
//! app in Omni (`protocol.md` §8.2, §8.3), and `POST /oauth/credential-ready` (§8.6).

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header::HOST},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, body::JsonBody, local::CALLBACK};
use crate::{
    oauth::{self, Answer, Ask, SignInError, SignIns},
    rules::{self, Notified, Refusal},
    shared::Shared,
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/oauth/start", get(start))
        .route(CALLBACK, get(callback))
        .route("/oauth/credential-ready", post(credential_ready))
}

/// Redirects the browser to the provider.
async fn start(
    State(shared): State<Shared>,
    State(sign_ins): State<SignIns>,
    headers: HeaderMap,
    Query(ask): Query<Ask>,
) -> Result<Response, SignInError> {
    // The provider must redirect to the host name under which the browser reached this manager.
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let url = oauth::start(&shared, &sign_ins, ask, &format!("http://{host}")).await?;
    Ok(Redirect::to(url.as_str()).into_response())
}

/// Completes a sign-in and answers with a page for people.
async fn callback(
    State(shared): State<Shared>,
    State(sign_ins): State<SignIns>,
    Query(answer): Query<Answer>,
) -> (StatusCode, Html<String>) {
    match oauth::finish(&shared, &sign_ins, answer).await {
        Ok(email) => {
            let text = format!("Connected as {email}. You can close this page.");
            (StatusCode::OK, page("Connected", &text))
        }
        Err(error) => (
            error.status(),
            page("Not connected", &format!("Not connected: {error}")),
        ),
    }
}

#[derive(Debug, Deserialize)]
struct Notice {
    source_id: String,
    user_id: Option<String>,
    provider: String,
    flow: String,
}

/// Answers 200, whatever the result of the notice.
async fn credential_ready(
    State(shared): State<Shared>,
    JsonBody(notice): JsonBody<Notice>,
) -> Result<Json<Value>, Refusal> {
    let notified = rules::credential_ready(
        &shared,
        &notice.source_id,
        notice.user_id.as_deref(),
        &notice.provider,
        &notice.flow,
    )
    .await?;
    Ok(Json(match notified {
        Notified::NoCredentials => json!({ "status": "no_credentials" }),
        Notified::MissingCredentials => json!({ "status": "missing_credentials" }),
        Notified::Failed => json!({ "status": "delivery_failed" }),
        Notified::Delivered => json!({ "status": "delivered", "catalog_updated": false }),
        Notified::InvalidManifest => json!({ "status": "invalid_manifest" }),
        Notified::Updated => json!({ "status": "completed", "catalog_updated": true }),
    }))
}

fn page(title: &str, text: &str) -> Html<String> {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let text = text.replace('\n', "<br>");
    Html(format!(
        "<!doctype html><title>{title}</title><p>{text}</p>"
    ))
}

impl SignInError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::NoClient(_) => StatusCode::PRECONDITION_FAILED,
            Self::NoOAuth(_) => StatusCode::NOT_IMPLEMENTED,
            Self::Refused(_) => StatusCode::FORBIDDEN,
            Self::Provider(_) => StatusCode::BAD_GATEWAY,
            Self::Store(_) | Self::Credential(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for SignInError {
    fn into_response(self) -> Response {
        let error = self.to_string();
        (self.status(), Json(json!({ "error": error }))).into_response()
    }
}
