//! The shared secret that closes the protocol's routes to all but the manager.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::body::BodyError;
use crate::contract::SecretString;

/// What starts or changes something, or answers with contents.
const CLOSED: [&str; 7] = [
    "/sync",
    "/cancel",
    "/action",
    "/resource",
    "/prompt",
    "/skill",
    "/oauth/credential-ready",
];

/// What stands at the door.
#[derive(Clone)]
pub(super) struct Guard {
    /// Without one the door is open.
    pub(super) token: Option<SecretString>,
    /// The one closed path that connectors name themselves.
    pub(super) enrich_path: Option<String>,
}

impl Guard {
    fn closes(&self, path: &str) -> bool {
        CLOSED.contains(&path) || self.enrich_path.as_deref() == Some(path)
    }
}

/// Lets a call to a closed route pass if it brings the token, and answers 401 before anything of its body is read.
pub(super) async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let is_closed = guard.closes(request.uri().path());
    match guard.token {
        Some(token) if is_closed && bearer(request.headers()).as_ref() != Some(&token) => {
            let reason = "this route needs the connector's token: `Authorization: Bearer …`";
            let refusal = BodyError::new(StatusCode::UNAUTHORIZED, reason);
            let challenge = HeaderValue::from_static("Bearer");
            ([(header::WWW_AUTHENTICATE, challenge)], refusal).into_response()
        }
        _ => next.run(request).await,
    }
}

fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned().into())
}
