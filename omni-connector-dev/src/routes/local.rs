//! Protects the manager from web pages. The real manager trusts its private network and answers
//! every page; this one shares a machine with a browser and holds secrets. No page except its own
//! may send a request, whether or not it could read the answer.

use std::net::IpAddr;

use axum::{
    Json,
    extract::Request,
    http::{HeaderMap, HeaderName, Method, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

/// The provider's redirect target: the only route that other sites may lead to.
pub(super) const CALLBACK: &str = "/api/oauth/callback";

/// The header in which browsers classify the page that made a request.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Answers CORS preflight requests like the real manager, but allows no origin.
pub(super) fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(|_, _| false))
        .allow_methods(Any)
        .allow_headers(Any)
        .expose_headers(Any)
}

/// Refuses requests for another host name, since such a name could resolve to loopback (DNS
/// rebinding). Refuses requests made by other sites' pages. Programs send neither header and pass.
pub(super) async fn refuse_other_sites(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = text(headers, &header::HOST);
    if let Some(host) = host
        && !is_local(host)
    {
        return refusal(&format!(
            "the development manager does not answer as `{host}`\nhelp: ask it as http://127.0.0.1, with its port"
        ));
    }
    // A preflight request has no effect; the CORS layer answers it.
    let asks = request.method() == Method::OPTIONS;
    let is_of_another_page = match (text(headers, &header::ORIGIN), text(headers, &FETCH_SITE)) {
        (Some(origin), _) => !is_own(origin, host.unwrap_or_default()),
        (None, None | Some("same-origin" | "none")) => false,
        (None, Some(_)) => request.uri().path() != CALLBACK,
    };
    if is_of_another_page && !asks {
        return refusal(
            "the development manager answers no page but its own\nhelp: ask it with a program, or type the address into the browser",
        );
    }
    next.run(request).await
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    // An unreadable value never matches our own.
    headers.get(name).map(|value| value.to_str().unwrap_or(""))
}

fn refusal(error: &str) -> Response {
    (StatusCode::FORBIDDEN, Json(json!({ "error": error }))).into_response()
}

/// Returns whether a page of that origin came from the manager at `host`.
fn is_own(origin: &str, host: &str) -> bool {
    let authority = origin.strip_prefix("http://");
    !host.is_empty() && authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

/// Returns whether `host[:port]` is `localhost` or a loopback address.
fn is_local(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else {
        return false;
    };
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}
