//! Admits browsers to the page. A printed address has a one-time token, for which a browser gets a cookie. Answers must never
//! run foreign scripts or load anything from elsewhere.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use maud::html;

use super::{
    Page,
    show::{Html, steers},
};
use crate::{routes::hiding, state::random_token};

/// Allows only content from this page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The most unused printed addresses.
const UNUSED: usize = 32;

/// The unused tokens of printed addresses, and the cookies of the browsers that used one. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sessions(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    port: u16,
    tokens: Mutex<Vec<String>>,
    cookies: Mutex<HashSet<String>>,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sessions {
    /// Creates the sessions of a manager on that port, none of them begun.
    pub(crate) fn new(port: u16) -> Self {
        Self(Arc::new(Parts {
            port,
            tokens: Mutex::default(),
            cookies: Mutex::default(),
        }))
    }

    /// Returns the path of a new address, which admits one browser.
    pub(crate) fn path(&self) -> String {
        let token = random_token();
        let mut tokens = open(&self.0.tokens);
        if tokens.len() == UNUSED {
            tokens.remove(0);
        }
        tokens.push(token.clone());
        format!("/dev?t={token}")
    }

    /// Returns the cookie for a browser with that token, which is then used up.
    pub(super) fn admit(&self, token: &str) -> Option<HeaderValue> {
        let mut tokens = open(&self.0.tokens);
        let index = tokens.iter().position(|known| known == token)?;
        tokens.remove(index);
        let cookie = random_token();
        let text = format!(
            "{}={cookie}; Path=/dev; HttpOnly; SameSite=Strict",
            self.name()
        );
        open(&self.0.cookies).insert(cookie);
        text.parse().ok()
    }

    /// Returns whether a request comes from an admitted browser.
    pub(super) fn includes(&self, headers: &HeaderMap) -> bool {
        let name = self.name();
        let cookies = open(&self.0.cookies);
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|(key, value)| key == name && cookies.contains(value))
    }

    /// Returns whether any browser was admitted.
    pub(super) fn have_begun(&self) -> bool {
        !open(&self.0.cookies).is_empty()
    }

    /// Returns the name of the cookie. It contains the port, since a browser sends cookies to all ports of a host.
    fn name(&self) -> String {
        format!("omni_dev_{}", self.0.port)
    }
}

/// Admits requests of known browsers. A request that changes something must come from the page itself.
pub(super) async fn guard(State(page): State<Page>, request: Request, next: Next) -> Response {
    if !page.sessions.includes(request.headers()) {
        return closed();
    }
    if request.method() != Method::GET && !is_of_the_page(request.headers()) {
        return refusal(
            "Only the page itself may change something. Open the address that `cargo omni dev` printed; a program sends that address as `Origin`.",
        );
    }
    let answer = next.run(request).await;
    let mut answer = match hiding::without_secrets(&page.shared, answer).await {
        Ok(answer) => without_steering(answer).await,
        Err(error) => refusal(&format!("The store does not answer: {error}")),
    };
    harden(&mut answer);
    answer
}

/// Returns whether the page itself sent a form, as browsers report it. `refuse_other_sites` has compared the origin
/// with the host.
fn is_of_the_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    headers.contains_key(header::ORIGIN) && site.is_none_or(|site| site == "same-origin")
}

/// Replaces marks that change the text direction in a page.
async fn without_steering(answer: Response) -> Response {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return refusal("The answer could not be made.");
    };
    let text = String::from_utf8_lossy(&bytes).replace(steers, "\u{fffd}");
    parts.headers.remove(header::CONTENT_LENGTH);
    (parts, Body::from(text)).into_response()
}

/// Sets the headers of every answer of the page.
pub(super) fn harden(answer: &mut Response) {
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Without a referrer policy, browsers would not send a form's origin.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Renders the page for a browser without a cookie.
pub(super) fn closed() -> Response {
    refusal(
        "This page opens with the address that `cargo omni dev` printed, once. Run `cargo omni dev` again in the same folder: it \
         finds the manager that runs and prints a new address.",
    )
}

pub(super) fn refusal(text: &str) -> Response {
    let page = html! {
        (maud::DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "Not open – omni dev" }
                link rel="stylesheet" href="/dev/assets/page.css";
            }
            body.closed { main { h1 { "The page is closed" } p { (text) } } }
        }
    };
    let mut answer = (StatusCode::FORBIDDEN, Html(page)).into_response();
    harden(&mut answer);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_cookie(cookie: &HeaderValue) -> HeaderMap {
        let pair = cookie
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        [(header::COOKIE, pair.parse().unwrap())]
            .into_iter()
            .collect()
    }

    #[test]
    fn a_token_lets_one_browser_in_at_one_port() {
        let sessions = Sessions::new(3004);
        let path = sessions.path();
        let token = path.strip_prefix("/dev?t=").unwrap();
        assert!(!sessions.includes(&HeaderMap::new()));
        let cookie = sessions.admit(token).unwrap();
        assert!(sessions.includes(&with_cookie(&cookie)));
        assert!(sessions.admit(token).is_none(), "the token works once");
        assert!(!Sessions::new(3005).includes(&with_cookie(&cookie)));
    }
}
