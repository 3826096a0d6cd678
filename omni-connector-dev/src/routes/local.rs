//! Who reaches the manager. The real one trusts its private network and lets every page ask; this one shares a machine with a
//! browser, and no page of another site may read the secrets that it holds.

use std::net::IpAddr;

use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header, request::Parts, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

/// Lets pages of this machine ask and read.
pub(super) fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_local_origin))
        .allow_methods(Any)
        .allow_headers(Any)
        .expose_headers(Any)
}

/// Refuses requests to a name of another site: one that resolves to loopback would make its pages ours. No client elsewhere is
/// lost by that, as the manager listens on loopback alone.
pub(super) async fn refuse_other_names(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    match host.map(|host| host.to_str().unwrap_or_default()) {
        Some(host) if !is_local(host) => {
            let error = format!(
                "the development manager does not answer as `{host}`\nhelp: ask it as http://127.0.0.1, with its port"
            );
            (StatusCode::FORBIDDEN, Json(json!({ "error": error }))).into_response()
        }
        _ => next.run(request).await,
    }
}

fn is_local_origin(origin: &HeaderValue, _: &Parts) -> bool {
    let origin = origin.to_str().unwrap_or_default();
    origin.strip_prefix("http://").is_some_and(is_local)
}

/// Whether `host[:port]` is this machine by its name or by a loopback address.
fn is_local(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else {
        return false;
    };
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}
