//! The typed client of the manager: every SDK route (`protocol.md` §3.2), with timeouts and retries.

mod attempts;

use std::{fmt, sync::Arc, time::Duration};

use reqwest::multipart;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Semaphore};
use url::Url;

use super::{
    Extract, ManagerError, Patience,
    buffers::Buffers,
    call::{Call, encode, segment},
    extract::plain,
    retry::Repeat,
    text,
};
use crate::{
    redact::redact,
    telemetry::Metrics,
    transport::HttpClient,
    wire::{
        ContentId, EventBatch, Manifest, RunId, ServiceCredential, Source, SourceType, SyncType,
    },
};

/// Concurrent extractions: the manager runs two and answers 429 to more (`protocol.md` §1.3).
const EXTRACTIONS: usize = 2;
/// Concurrent content uploads of the whole process. One run uploads sixteen at once; fifty runs would need more sockets
/// than many systems allow a process.
const STORES: usize = 64;
/// The largest body buffer kept for reuse, which limits the pool to 4 MB.
const LONGEST_BODY: usize = 64 << 10;

/// The client of the manager. Cheap to clone; one process uses one.
///
/// Calls are retried when the failure may be temporary and a retry is safe: no connection, a broken one, 408, 429, 5xx, and
/// a 2xx whose body is not JSON. The manager answers every call in JSON. An HTML page with status 200 comes
/// from a proxy in between, and accepting it would lose the request's data.
#[derive(Clone)]
pub struct ManagerClient {
    http: HttpClient,
    base: Arc<str>,
    /// `base`, parsed once; none if it is not a URL, which every call then reports.
    url: Option<Arc<Url>>,
    patience: Patience,
    extractions: Arc<Semaphore>,
    stores: Arc<Semaphore>,
    /// Buffers for content uploads.
    bodies: Arc<Buffers>,
    /// Held while notes about a source are changed.
    notes: Arc<Mutex<()>>,
    metrics: Arc<Metrics>,
}

impl fmt::Debug for ManagerClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagerClient")
            .field("url", &redact(&self.base))
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl ManagerClient {
    /// Creates a client for the manager at `base`, such as `http://connector-manager:3004`.
    pub fn new(base: &str) -> Self {
        // A redirect would turn a POST into a GET at another place; the manager sends none.
        let mut http = HttpClient::builder()
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .no_proxy();
        if base.starts_with("http://") {
            // A call without TLS needs none of the system's certificates, and to read them takes milliseconds.
            http = http.tls_certs_only([]);
        }
        let http = http.build().map(HttpClient::from);
        let base = base.trim_end_matches('/');
        Self {
            http: http.unwrap_or_default(),
            base: base.into(),
            url: base.parse().ok().map(Arc::new),
            patience: Patience::default(),
            extractions: Arc::new(Semaphore::new(EXTRACTIONS)),
            stores: Arc::new(Semaphore::new(STORES)),
            bodies: Arc::new(Buffers::new(STORES, LONGEST_BODY)),
            notes: Arc::default(),
            metrics: Arc::default(),
        }
    }

    /// Returns a client for the same manager with other time limits.
    #[must_use]
    pub fn with_patience(&self, patience: Patience) -> Self {
        Self {
            patience,
            ..self.clone()
        }
    }

    /// Returns the metrics of the process, which include this client's calls.
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    pub(super) fn notes(&self) -> &Mutex<()> {
        &self.notes
    }

    pub(crate) const fn patience(&self) -> Patience {
        self.patience
    }

    /// Returns a client whose calls fail before `within` passes, so that the waiting caller still receives the error.
    pub(crate) fn before_giving_up(&self, within: Duration) -> Self {
        let calls = self.patience.call.min(within / 2);
        self.with_patience(Patience {
            call: calls,
            in_all: self.patience.in_all.min(within / 4),
            longest_asked_pause: self.patience.longest_asked_pause.min(within / 4),
            ..self.patience
        })
    }

    /// Returns the manager's URL.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Registers the connector. Does not retry: the caller registers again after 30 s.
    pub async fn register(&self, manifest: &Manifest) -> Result<(), ManagerError> {
        let call = Call::post("/sdk/register")
            .timeout(self.patience.register)
            .repeat(Repeat::Never);
        self.done(call, Some(encode(manifest))).await
    }

    /// Returns a source, active or not.
    pub async fn source(&self, source_id: &str) -> Result<Source, ManagerError> {
        self.fetch(
            Call::get(format!("/sdk/source/{}", segment(source_id))),
            None,
        )
        .await
    }

    /// Returns the credential of a source's owner. The manager refreshes it if it is about to expire.
    pub async fn credentials(&self, source_id: &str) -> Result<ServiceCredential, ManagerError> {
        self.fetch(
            Call::get(format!("/sdk/credentials/{}", segment(source_id))),
            None,
        )
        .await
    }

    /// Returns the address of the person who created a source.
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

    /// Replaces the connector's durable state for a source.
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

    /// Returns all active sources of a type, newest first.
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

    /// Returns the admin's settings for a provider, such as the OAuth client; none if there are no settings.
    pub async fn connector_config(&self, provider: &str) -> Result<Option<Value>, ManagerError> {
        let call = Call::get(format!("/sdk/connector-configs/{}", segment(provider)));
        match self.fetch(call, None).await {
            Err(error) if error.is_not_found() => Ok(None),
            other => other.map(Some),
        }
    }

    /// Creates a run that this process executes, without a call of `/sync`.
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

    /// Requests an incremental run of a source. The manager calls `/sync` before it answers.
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

    /// Stores a string and returns its content id. Control characters become blanks, except for line ends and tabs.
    pub async fn store_content(&self, run: &str, content: String) -> Result<String, ManagerError> {
        // The semaphores are never closed, so `acquire` always succeeds.
        let _permit = self.stores.acquire().await.ok();
        let content = text::with_blanks(content);
        // The body is a `ContentRequest`. Escaping lengthens line ends and quotes.
        let mut body = self.bodies.take();
        body.reserve(content.len() + content.len() / 8 + 128);
        body.extend(br#"{"sync_run_id":"#);
        text::write(&mut body, run);
        body.extend(br#","content":"#);
        text::write(&mut body, &content);
        body.push(b'}');
        drop(content);
        let (answer, body) = self.written(Call::post("/sdk/content"), body).await;
        self.bodies.give(body);
        answer.map(|answer: ContentId| answer.content_id)
    }

    /// Extracts text from a file, stores it and returns its content id.
    pub async fn extract_content(
        &self,
        run: &str,
        extract: &Extract,
    ) -> Result<String, ManagerError> {
        let answer: ContentId = self.extract("/sdk/extract-content", run, extract).await?;
        Ok(answer.content_id)
    }

    /// Extracts text from a file and returns it.
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
        let mime_type = plain(&extract.mime_type);
        let _permit = self.extractions.acquire().await.ok();
        let call = Call::post(path)
            .timeout(self.patience.extract)
            .repeat(Repeat::Conversion);
        self.attempts(&call, |request| {
            let data = multipart::Part::stream_with_length(extract.data.body(), extract.data.len())
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
        .await
    }

    /// Sends events of one run, in order. The manager accepts all or none.
    pub async fn send_events(&self, batch: &EventBatch) -> Result<(), ManagerError> {
        self.send_encoded_events(encode(batch)).await.0
    }

    /// Sends already encoded events and returns the buffer.
    pub(crate) async fn send_encoded_events(
        &self,
        batch: Vec<u8>,
    ) -> (Result<(), ManagerError>, Vec<u8>) {
        let (answer, batch) = self.written(Call::post("/sdk/events/batch"), batch).await;
        (answer.map(|_: IgnoredAny| ()), batch)
    }

    /// Adds to the run's number of scanned documents.
    pub async fn add_scanned(&self, run: &str, count: i32) -> Result<(), ManagerError> {
        self.add(run, "scanned", count).await
    }

    /// Adds to the run's number of updated documents.
    pub async fn add_updated(&self, run: &str, count: i32) -> Result<(), ManagerError> {
        self.add(run, "updated", count).await
    }

    async fn add(&self, run: &str, counter: &str, count: i32) -> Result<(), ManagerError> {
        // Double counting is worse than a missing count, so only calls that certainly did not arrive are retried.
        let call =
            Call::post(format!("/sdk/sync/{}/{counter}", segment(run))).repeat(Repeat::IfUnheard);
        self.done(call, Some(encode(&json!({ "count": count }))))
            .await
    }

    /// Reports that the run is alive.
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

    /// Fails the run with a message for people.
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
}
