//! The client of the manager: every SDK route (`protocol.md` §3.2), typed, with timeouts and retries.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, multipart};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    HttpClient, ManagerError,
    retry::{Backoff, Repeat, is_passing, retry_after},
};
use crate::contract::{
    Manifest, ServiceCredential, Source, SourceType, SyncType,
    wire::{ContentId, ContentRequest, ErrorBody, EventBatch, RunId},
};

/// What a path segment may hold unencoded (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How long one attempt of an ordinary call may take.
const CALL: Duration = Duration::from_secs(30);
/// The manager calls back and may refresh a catalog before it answers a registration (`protocol.md` §3.3).
const REGISTER: Duration = Duration::from_secs(75);
/// A conversion may run for two hours (`protocol.md` §3.5).
const EXTRACT: Duration = Duration::from_mins(130);
/// A manager that restarts is waited for.
const PATIENCE: Duration = Duration::from_mins(2);

/// The manager, as a connector sees it. Cheap to clone; one process uses one.
#[derive(Debug, Clone)]
pub struct ManagerClient {
    http: HttpClient,
    base: Arc<str>,
    patience: Duration,
}

/// Bytes whose text the manager extracts.
#[derive(Debug, Clone)]
pub struct Extract {
    /// The bytes, at most 50 MB unless the manager is configured otherwise.
    pub data: Bytes,
    /// Their MIME type; parameters such as `; charset=utf-8` are stripped, since the manager compares exactly.
    pub mime_type: String,
    /// The file's name, whose extension decides for `application/octet-stream`.
    pub filename: Option<String>,
}

/// One call: where, and how it may be repeated.
struct Call {
    method: Method,
    path: String,
    timeout: Duration,
    repeat: Repeat,
}

impl Call {
    fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            timeout: CALL,
            repeat: Repeat::Always,
        }
    }

    fn get(path: String) -> Self {
        Self::new(Method::GET, path)
    }

    fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path.into())
    }

    fn put(path: String) -> Self {
        Self::new(Method::PUT, path)
    }

    fn repeat(self, repeat: Repeat) -> Self {
        Self { repeat, ..self }
    }

    fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    fn route(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl ManagerClient {
    /// The manager at `base`, such as `http://connector-manager:3004`.
    pub fn new(base: &str) -> Self {
        let http = HttpClient::builder()
            .pool_max_idle_per_host(64)
            .no_proxy()
            .build()
            .map(HttpClient::from);
        Self {
            http: http.unwrap_or_default(),
            base: base.trim_end_matches('/').into(),
            patience: PATIENCE,
        }
    }

    /// The same manager, given up on after `patience` of failing attempts instead of two minutes.
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self {
            patience,
            ..self.clone()
        }
    }

    /// Where the manager is.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Registers the connector. Not repeated here: the caller registers again in 30 s anyway.
    pub async fn register(&self, manifest: &Manifest) -> Result<(), ManagerError> {
        let call = Call::post("/sdk/register")
            .timeout(REGISTER)
            .repeat(Repeat::Never);
        self.done(call, Some(encode(manifest))).await
    }

    /// A source, active or not.
    pub async fn source(&self, source_id: &str) -> Result<Source, ManagerError> {
        self.fetch(
            Call::get(format!("/sdk/source/{}", segment(source_id))),
            None,
        )
        .await
    }

    /// The credential of a source's owner, refreshed by the manager when it is about to expire.
    pub async fn credentials(&self, source_id: &str) -> Result<ServiceCredential, ManagerError> {
        self.fetch(
            Call::get(format!("/sdk/credentials/{}", segment(source_id))),
            None,
        )
        .await
    }

    /// Address of the person who made a source.
    pub async fn user_email(&self, source_id: &str) -> Result<String, ManagerError> {
        #[derive(Deserialize)]
        struct UserEmail {
            email: String,
        }
        let call = Call::get(format!("/sdk/source/{}/user-email", segment(source_id)));
        self.fetch::<UserEmail>(call, None)
            .await
            .map(|answer| answer.email)
    }

    /// Replaces the connector's durable notes about a source.
    pub async fn set_connector_state(
        &self,
        source_id: &str,
        state: &Value,
    ) -> Result<(), ManagerError> {
        let call = Call::put(format!(
            "/sdk/source/{}/connector-state",
            segment(source_id)
        ));
        self.done(call, Some(encode(state))).await
    }

    /// All active sources of a type, newest first.
    pub async fn sources_by_type(
        &self,
        source_type: SourceType,
    ) -> Result<Vec<Source>, ManagerError> {
        self.fetch(
            Call::get(format!("/sdk/sources/by-type/{source_type}")),
            None,
        )
        .await
    }

    /// The settings that an admin keeps for a provider, such as the OAuth client; none when there are none.
    pub async fn connector_config(&self, provider: &str) -> Result<Option<Value>, ManagerError> {
        let call = Call::get(format!("/sdk/connector-configs/{}", segment(provider)));
        match self.fetch(call, None).await {
            Err(error) if error.is_not_found() => Ok(None),
            other => other.map(Some),
        }
    }

    /// Creates a run that this process executes; nobody calls `/sync` for it.
    ///
    /// Prefer the framework's own call for one-off runs, which also reports the run to the manager's probes.
    pub async fn create_run(
        &self,
        source_id: &str,
        mode: SyncType,
    ) -> Result<String, ManagerError> {
        let body = json!({ "source_id": source_id, "sync_type": mode });
        let call = Call::post("/sdk/sync/create").repeat(Repeat::IfUnheard);
        self.fetch::<RunId>(call, Some(encode(&body)))
            .await
            .map(|answer| answer.sync_run_id)
    }

    /// Asks the manager for an incremental run of a source. The manager calls `/sync` before it answers.
    pub async fn notify_webhook(
        &self,
        source_id: &str,
        event_type: &str,
    ) -> Result<String, ManagerError> {
        let body = json!({ "source_id": source_id, "event_type": event_type });
        let call = Call::post("/sdk/webhook/notify")
            .timeout(Duration::from_secs(160))
            .repeat(Repeat::Never);
        self.fetch::<RunId>(call, Some(encode(&body)))
            .await
            .map(|answer| answer.sync_run_id)
    }

    /// Stores a text and returns its id. U+0000 is removed by the manager.
    pub async fn store_content(&self, run: &str, content: String) -> Result<String, ManagerError> {
        let body = ContentRequest {
            sync_run_id: run.to_owned(),
            content,
            content_type: None,
        };
        self.fetch::<ContentId>(Call::post("/sdk/content"), Some(encode(&body)))
            .await
            .map(|answer| answer.content_id)
    }

    /// Extracts a text from bytes, stores it and returns its id.
    pub async fn extract_content(
        &self,
        run: &str,
        extract: &Extract,
    ) -> Result<String, ManagerError> {
        let answer: ContentId = self.extract("/sdk/extract-content", run, extract).await?;
        Ok(answer.content_id)
    }

    /// Extracts a text from bytes and returns it.
    pub async fn extract_text(&self, run: &str, extract: &Extract) -> Result<String, ManagerError> {
        #[derive(Deserialize)]
        struct Text {
            text: String,
        }
        let answer: Text = self.extract("/sdk/extract-text", run, extract).await?;
        Ok(answer.text)
    }

    async fn extract<T: DeserializeOwned>(
        &self,
        path: &str,
        run: &str,
        extract: &Extract,
    ) -> Result<T, ManagerError> {
        let mime_type = extract
            .mime_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let call = Call::post(path).timeout(EXTRACT);
        let answer = self
            .attempts(&call, |request| {
                let length = extract.data.len() as u64;
                let data = multipart::Part::stream_with_length(extract.data.clone(), length)
                    .file_name("file")
                    .mime_str("application/octet-stream")?;
                let mut form = multipart::Form::new()
                    .text("sync_run_id", run.to_owned())
                    .text("mime_type", mime_type.clone())
                    .part("data", data);
                if let Some(name) = &extract.filename {
                    form = form.text("filename", name.clone());
                }
                Ok(request.multipart(form))
            })
            .await?;
        read(&call, &answer)
    }

    /// Sends events of one run, in order. Either all are accepted or none.
    pub async fn send_events(&self, batch: &EventBatch) -> Result<(), ManagerError> {
        self.done(Call::post("/sdk/events/batch"), Some(encode(batch)))
            .await
    }

    /// Adds to the number of documents looked at.
    pub async fn add_scanned(&self, run: &str, count: i32) -> Result<(), ManagerError> {
        self.add(run, "scanned", count).await
    }

    /// Adds to the number of documents changed.
    pub async fn add_updated(&self, run: &str, count: i32) -> Result<(), ManagerError> {
        self.add(run, "updated", count).await
    }

    async fn add(&self, run: &str, counter: &str, count: i32) -> Result<(), ManagerError> {
        // Counting twice is worse than not at all, so only calls that were certainly not heard are repeated.
        let call =
            Call::post(format!("/sdk/sync/{}/{counter}", segment(run))).repeat(Repeat::IfUnheard);
        self.done(call, Some(encode(&json!({ "count": count }))))
            .await
    }

    /// Says that the run is alive.
    pub async fn heartbeat(&self, run: &str) -> Result<(), ManagerError> {
        self.done(
            Call::post(format!("/sdk/sync/{}/heartbeat", segment(run))),
            None,
        )
        .await
    }

    /// Replaces the run's checkpoint. It reaches the source when the run completes.
    pub async fn save_checkpoint(&self, run: &str, checkpoint: &Value) -> Result<(), ManagerError> {
        let call = Call::put(format!("/sdk/sync/{}/checkpoint", segment(run)));
        self.done(call, Some(encode(checkpoint))).await
    }

    /// Completes the run and publishes its checkpoint, **also when it never saved one**.
    pub async fn complete(&self, run: &str) -> Result<(), ManagerError> {
        self.done(
            Call::post(format!("/sdk/sync/{}/complete", segment(run))),
            None,
        )
        .await
    }

    /// Fails the run with a message that people read.
    pub async fn fail(&self, run: &str, message: &str) -> Result<(), ManagerError> {
        let body = json!({ "error": message });
        self.done(
            Call::post(format!("/sdk/sync/{}/fail", segment(run))),
            Some(encode(&body)),
        )
        .await
    }

    /// Cancels the run.
    pub async fn cancel(&self, run: &str) -> Result<(), ManagerError> {
        self.done(
            Call::post("/sdk/sync/cancel"),
            Some(encode(&RunId {
                sync_run_id: run.to_owned(),
            })),
        )
        .await
    }

    async fn fetch<T: DeserializeOwned>(
        &self,
        call: Call,
        body: Option<Bytes>,
    ) -> Result<T, ManagerError> {
        let answer = self
            .attempts(&call, |request| Ok(with_body(request, body.as_ref())))
            .await?;
        read(&call, &answer)
    }

    /// A call whose answer says nothing but that it was accepted.
    async fn done(&self, call: Call, body: Option<Bytes>) -> Result<(), ManagerError> {
        self.attempts(&call, |request| Ok(with_body(request, body.as_ref())))
            .await
            .map(drop)
    }

    /// Makes the call until it is answered for good or patience ends; the body of a 2xx answer.
    async fn attempts(
        &self,
        call: &Call,
        fill: impl Fn(RequestBuilder) -> reqwest::Result<RequestBuilder>,
    ) -> Result<Bytes, ManagerError> {
        let mut backoff = Backoff::new(self.patience);
        loop {
            let url = format!("{}{}", self.base, call.path);
            let request = fill(
                self.http
                    .request(call.method.clone(), url)
                    .timeout(call.timeout),
            );
            let sent = match request {
                Ok(request) => request.send().await,
                Err(error) => Err(error),
            };
            let (error, may_repeat, asked_for) = match sent {
                Ok(answer) if answer.status().is_success() => match answer.bytes().await {
                    Ok(body) => return Ok(body),
                    Err(error) => (
                        unreachable(call, &error),
                        call.repeat == Repeat::Always,
                        None,
                    ),
                },
                Ok(answer) => {
                    let (status, asked_for) = (answer.status(), retry_after(answer.headers()));
                    let passing = match call.repeat {
                        Repeat::Always => is_passing(status),
                        Repeat::IfUnheard => status == StatusCode::TOO_MANY_REQUESTS,
                        Repeat::Never => false,
                    };
                    (
                        refused(call, status, &answer.bytes().await.unwrap_or_default()),
                        passing,
                        asked_for,
                    )
                }
                Err(error) => {
                    let may_repeat = match call.repeat {
                        Repeat::Always => !error.is_builder(),
                        Repeat::IfUnheard => error.is_connect(),
                        Repeat::Never => false,
                    };
                    (unreachable(call, &error), may_repeat, None)
                }
            };
            let Some(pause) = may_repeat.then(|| backoff.pause(asked_for)).flatten() else {
                return Err(error);
            };
            tracing::debug!(%error, ?pause, "calling the manager again");
            tokio::time::sleep(pause).await;
        }
    }
}

fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Values without a fallible `Serialize` only: the protocol's own types and plain JSON.
fn encode(value: &impl Serialize) -> Bytes {
    without_nul(serde_json::to_vec(value).unwrap_or_default()).into()
}

/// Takes every U+0000 out of a JSON text: one in an event, a checkpoint or a message is 500 for ever (`protocol.md` §3.1).
fn without_nul(mut json: Vec<u8>) -> Vec<u8> {
    const NUL: &[u8] = br"\u0000";
    let mut from = 0;
    while let Some(found) = json[from..]
        .windows(NUL.len())
        .position(|window| window == NUL)
    {
        let start = from + found;
        // An odd number of backslashes before it means that the first of ours is itself escaped: `\\u0000` is text.
        let backslashes = json[..start]
            .iter()
            .rev()
            .take_while(|&&byte| byte == b'\\')
            .count();
        if backslashes % 2 == 0 {
            json.drain(start..start + NUL.len());
            from = start;
        } else {
            from = start + 1;
        }
    }
    json
}

fn with_body(request: RequestBuilder, body: Option<&Bytes>) -> RequestBuilder {
    match body {
        Some(body) => request
            .header("content-type", "application/json")
            .body(body.clone()),
        None => request,
    }
}

fn read<T: DeserializeOwned>(call: &Call, body: &[u8]) -> Result<T, ManagerError> {
    serde_json::from_slice(body).map_err(|error| ManagerError::Unreadable {
        route: call.route(),
        cause: error.to_string(),
    })
}

fn unreachable(call: &Call, error: &reqwest::Error) -> ManagerError {
    // reqwest keeps the reason (`connection refused`) in the chain and the URL in the message.
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    ManagerError::Unreachable {
        route: call.route(),
        cause: cause.to_string(),
    }
}

fn refused(call: &Call, status: StatusCode, body: &[u8]) -> ManagerError {
    let message = match serde_json::from_slice::<ErrorBody>(body) {
        Ok(body) => body.error,
        Err(_) => String::from_utf8_lossy(body).chars().take(500).collect(),
    };
    // Only the two event routes tell that a run is over, and only in words (protocol.md §3.4).
    let over = message.contains("running sync run") || message.contains("Unknown sync run");
    if status == StatusCode::BAD_REQUEST && call.path.starts_with("/sdk/events") && over {
        return ManagerError::RunOver { message };
    }
    ManagerError::Refused {
        route: call.route(),
        status,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_nul_leaves_the_process() {
        for (text, expected) in [
            ("a\0b\0", "ab"),
            ("\0", ""),
            (r"\u0000", r"\u0000"),
            ("\\\0x", "\\x"),
            ("plain", "plain"),
        ] {
            let sent: String = serde_json::from_slice(&encode(&text)).unwrap();
            assert_eq!(sent, expected, "{text:?}");
        }
    }

    #[test]
    fn ids_cannot_leave_their_path_segment() {
        assert_eq!(segment("../a b/é"), "..%2Fa%20b%2F%C3%A9");
    }
}
