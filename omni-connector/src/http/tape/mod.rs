//! Records what an [`Api`](super::Api) and its source exchange, above TLS, and has a tape answer in place of the source.
//!
//! `OMNI_HTTP_RECORD=1` turns recording on, and `GET /dev/tape` returns the tape. With `OMNI_HTTP_RECORD=pseudonyms` its
//! addresses, names and texts are made up. With `OMNI_HTTP_REPLAY=http://…` all
//! requests go to that server, which `cargo omni` or a test starts. The network is not used. A tape never contains a
//! secret: requests and answers are redacted before they are kept.

mod kept;
mod pseudonyms;
mod recorder;

use std::sync::LazyLock;

use axum::http;
use bytes::{Bytes, BytesMut};
use reqwest::{Client, Request, Response, ResponseBuilderExt, Url, header::HeaderValue};

use super::{Call, HttpClient, coding};
use crate::redact;
pub use crate::run::{Answered, Asked, Exchange, Recorded, TapeHead};
pub(super) use kept::exchange;
use recorder::Recorder;

/// The environment variable with the URL of a server that replays a tape.
const REPLAY: &str = "OMNI_HTTP_REPLAY";

/// What happens to all requests of the process.
enum Mode {
    Send,
    Record(Recorder),
    /// The client, which uses no proxy, and the URL.
    Replay(Client, String),
}

static MODE: LazyLock<Mode> = LazyLock::new(|| match std::env::var(REPLAY) {
    Ok(url) if !url.is_empty() => {
        let client = HttpClient::builder().no_proxy();
        let client = client.redirect(reqwest::redirect::Policy::none()).build();
        let client = client.expect("a client of this machine needs nothing");
        Mode::Replay(client, url.trim_end_matches('/').to_owned())
    }
    _ if redact::are_secrets_kept() => Mode::Record(Recorder::default()),
    _ => Mode::Send,
});

/// Returns the tape of what was recorded so far; none if the process does not record.
///
/// # Errors
/// Returns an error if a secret would be on the tape.
pub(crate) fn recorded(connector: &str) -> Option<Result<String, String>> {
    match &*MODE {
        Mode::Record(recorder) => Some(recorder.tape(connector, redact::are_names_made_up())),
        Mode::Send | Mode::Replay(..) => None,
    }
}

/// Sends a request of a call, or has it answered by a tape. A recorded answer is read until it exceeds `limit`.
pub(super) async fn execute(
    client: &Client,
    mut request: Request,
    call: &Call,
    limit: u64,
) -> reqwest::Result<Response> {
    if matches!(*MODE, Mode::Send) {
        return sent(client, request).await;
    }
    let url = request.url().clone();
    let (at, path) = place(call, &url);
    match &*MODE {
        Mode::Send => sent(client, request).await,
        Mode::Record(recorder) => {
            if let Some(secret) = call.api.settings().auth.secret() {
                redact::note_secret(secret.expose());
            }
            let asked = recorder.asked(&request, call.operation(), at, path);
            let response = whole(sent(client, request).await?, url, limit).await?;
            recorder.answered(asked, &response);
            Ok(response.into())
        }
        Mode::Replay(client, replay) => {
            let query = url.query().map(|query| format!("?{query}"));
            let target = format!("{replay}{path}{}", query.unwrap_or_default());
            if let (Ok(target), Ok(at)) = (Url::parse(&target), HeaderValue::from_str(&at)) {
                *request.url_mut() = target;
                request.headers_mut().insert(Asked::AT, at);
            }
            let response = whole(sent(client, request).await?, url, limit).await?;
            Ok(response.into())
        }
    }
}

/// Sends a request, and returns the answer without its coding.
async fn sent(client: &Client, request: Request) -> reqwest::Result<Response> {
    client.execute(request).await.map(coding::decoded)
}

/// Returns the URL of the API, and the path of a request below it.
fn place(call: &Call, url: &Url) -> (String, String) {
    let origin = url.origin().ascii_serialization();
    let base = call.api.settings().base.as_ref();
    let base = base.ok().filter(|base| base.origin() == url.origin());
    let base = base.map_or("", |base| base.path().trim_end_matches('/'));
    match url.path().strip_prefix(base) {
        Some(path) if path.is_empty() || path.starts_with('/') => (
            format!("{origin}{base}"),
            format!("/{}", path.trim_start_matches('/')),
        ),
        _ => (origin, url.path().to_owned()),
    }
}

/// Reads an answer, and returns it as if it came from `url`.
async fn whole(
    mut response: Response,
    url: Url,
    limit: u64,
) -> reqwest::Result<http::Response<Bytes>> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() as u64 > limit {
            break;
        }
    }
    let mut answer = http::Response::builder().url(url);
    if let Some(headers) = answer.headers_mut() {
        headers.clone_from(response.headers());
    }
    let answer = answer.status(response.status()).body(body.freeze());
    Ok(answer.expect("the parts of an answer make an answer"))
}
