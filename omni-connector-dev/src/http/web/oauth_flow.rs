//! `GET /api/oauth/start` and `GET /api/oauth/callback`: in Omni these are the web app's (`protocol.md` §8.2, §8.3).

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header::HOST},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde_json::json;

use crate::{
    manager::Shared,
    oauth::{Answer, Ask, SignInError, finish, start as begin},
};

/// Sends the browser to the provider.
pub(super) async fn start(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Query(ask): Query<Ask>,
) -> Result<Response, SignInError> {
    // The name under which the browser reached this manager is the one that the provider sends it back to.
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let url = begin(&shared, ask, &format!("http://{host}")).await?;
    Ok(Redirect::to(url.as_str()).into_response())
}

/// Ends what was begun, with a page that a person reads.
pub(super) async fn callback(
    State(shared): State<Shared>,
    Query(answer): Query<Answer>,
) -> (StatusCode, Html<String>) {
    match finish(&shared, answer).await {
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
