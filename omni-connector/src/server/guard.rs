//! Restricts the protocol's routes to the manager: by a shared secret, and by what browsers say of the pages that call.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::body::Refused;
use crate::wire::SecretString;

/// Routes that start or change something, or answer with content.
const CLOSED: [&str; 10] = [
    "/sync",
    "/cancel",
    "/action",
    "/resource",
    "/prompt",
    "/skill",
    "/oauth/credential-ready",
    "/dev/faults",
    "/dev/repeat",
    "/dev/dry-run",
];

/// Checks each request to the closed routes.
pub(super) struct Guard {
    /// The token; none allows every request.
    pub(super) token: Option<SecretString>,
    /// The path of the enrich endpoint, which the connector chooses.
    pub(super) enrich_path: Option<String>,
}

impl Guard {
    /// Returns the refusal if a closed route is called by a page or without the token. The body stays unread.
    pub(super) fn refusal(&self, request: &Request) -> Option<Response> {
        if !self.closes(request.uri().path()) {
            return None;
        }
        if is_of_page(request.headers()) {
            let reason = "this route is for the manager, and no page in a browser may call it";
            return Some(Refused::new(StatusCode::FORBIDDEN, reason).into_response());
        }
        let token = self.token.as_ref()?;
        if bearer(request.headers()).as_ref() == Some(token) {
            return None;
        }
        let reason = "this route needs the connector's token: `Authorization: Bearer …`";
        let refusal = Refused::new(StatusCode::UNAUTHORIZED, reason);
        let challenge = HeaderValue::from_static("Bearer");
        Some(([(header::WWW_AUTHENTICATE, challenge)], refusal).into_response())
    }

    fn closes(&self, path: &str) -> bool {
        let is_report = path.starts_with("/sync/")
            && (path.ends_with("/report") || path.contains("/requests/"));
        CLOSED.contains(&path) || is_report || self.enrich_path.as_deref() == Some(path)
    }
}

/// Returns whether a page in a browser makes the request. Pages reach this machine, and send simple forms unasked.
fn is_of_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    // `none` is an address that a person typed.
    headers.contains_key(header::ORIGIN) || site.is_some_and(|site| site != "none")
}

fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned().into())
}
