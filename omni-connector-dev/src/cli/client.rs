//! An HTTP client of the manager. The command line has no other access to it, so the manager may run in another
//! process.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use omni_connector::{HttpClient, Manifest, RunReport};
use reqwest::{Method, RequestBuilder, Response, StatusCode, redirect::Policy};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{failure::Failure, output::with_cause};
use crate::{
    extract::FileNote,
    rules::{Changes, Described, Description, DryRun, Listed, ManualRun, Progress, StartedRun},
    store::{
        runs::{RefusedEvent, Run},
        search::{Hits, Query},
        sources::SourceRecord,
        textless::Textless,
        users::User,
    },
};

/// A client of one manager. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: HttpClient,
    url: String,
}

/// The identity of a manager.
#[derive(Debug, Deserialize)]
pub(super) struct About {
    store: Option<PathBuf>,
}

impl About {
    /// Returns whether it uses that store.
    pub(super) fn is_of(&self, store: &Path) -> bool {
        let whole = |path: &Path| path.canonicalize().ok();
        self.store
            .as_deref()
            .and_then(whole)
            .is_some_and(|kept| Some(kept) == whole(store))
    }
}

/// The result of a sign-in.
#[derive(Debug, Deserialize)]
struct SignedIn {
    email: Option<String>,
    error: Option<String>,
}

impl Client {
    /// Creates a client of the manager at `url`. It sets no time limit on answers.
    pub(super) fn new(url: String) -> Result<Self, Failure> {
        // The page answers with a cookie and a redirect.
        let builder = HttpClient::builder().no_proxy();
        let http = builder.redirect(Policy::none()).build();
        let http = http.map_err(|error| Failure::failed(format!("no HTTP client: {error}")))?;
        Ok(Self {
            http: http.into(),
            url,
        })
    }

    /// Returns the manager's URL, without a slash at the end.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// A request to a path of the manager.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// The answer, whatever its status.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = request.send().await;
        answer.map_err(|error| {
            let error = error.without_url();
            Failure::failed(format!(
                "the manager does not answer: {}",
                with_cause(&error)
            ))
        })
    }

    /// Returns the answer, or an error if the manager refuses.
    async fn accepted(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = self.send(request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(refusal(answer).await)
    }

    /// The answer decoded, unless the manager refuses.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, Failure> {
        decoded(self.accepted(request).await?).await
    }

    /// The answer as it is, unless the manager refuses.
    pub(super) async fn text(&self, request: RequestBuilder) -> Result<String, Failure> {
        let text = self.accepted(request).await?.text().await;
        text.map_err(|error| {
            Failure::failed(format!(
                "the manager's answer broke off: {}",
                error.without_url()
            ))
        })
    }

    /// Repeats a waiting request until the route answers.
    async fn awaited<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        loop {
            let answer = self.accepted(self.request(Method::GET, path)).await?;
            if answer.status() != StatusCode::NO_CONTENT {
                return decoded(answer).await;
            }
        }
    }

    /// Waits for the first registration.
    pub(super) async fn registration(&self) -> Result<Manifest, Failure> {
        self.awaited("/dev/api/registration").await
    }

    /// Waits for the registration of the connector on that port.
    pub(super) async fn registration_at(&self, port: u16) -> Result<Manifest, Failure> {
        self.awaited(&format!("/dev/api/registration?port={port}"))
            .await
    }

    /// Resumes interrupted runs and returns them.
    pub(super) async fn resume(&self) -> Result<Vec<Run>, Failure> {
        self.read(self.request(Method::POST, "/dev/api/resume"))
            .await
    }

    /// Returns the identity of the manager.
    pub(super) async fn about(&self) -> Result<About, Failure> {
        self.read(self.request(Method::GET, "/dev/api/about")).await
    }

    /// Returns a new address of the page.
    pub(super) async fn page(&self) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct Page {
            path: String,
        }
        let page: Page = self
            .read(self.request(Method::GET, "/dev/api/page"))
            .await?;
        Ok(format!("{}{}", self.url, page.path))
    }

    /// Registers a connector on its behalf.
    pub(super) async fn register(&self, manifest: &Manifest) -> Result<(), Failure> {
        let request = self.request(Method::POST, "/sdk/register").json(manifest);
        self.accepted(request).await.map(drop)
    }

    /// Returns all sources.
    pub(super) async fn sources(&self) -> Result<Vec<Listed>, Failure> {
        self.read(self.request(Method::GET, "/dev/api/sources"))
            .await
    }

    /// Returns the source with that id or name.
    pub(super) async fn source(&self, wanted: &str) -> Result<Listed, Failure> {
        let path = format!("/dev/api/sources/{}", escaped(wanted));
        self.read(self.request(Method::GET, &path)).await
    }

    /// Returns the settings of a source as they are stored. Never printed: other answers hide secrets.
    pub(super) async fn settings(&self, id: &str) -> Result<Value, Failure> {
        let path = format!("/dev/api/sources/{id}/settings");
        self.read(self.request(Method::GET, &path)).await
    }

    /// Finds or creates a source.
    pub(super) async fn describe(&self, description: &Description) -> Result<Described, Failure> {
        let request = self.request(Method::PUT, "/dev/api/sources");
        self.read(request.json(description)).await
    }

    /// Changes a source.
    pub(super) async fn change(
        &self,
        id: &str,
        changes: &Changes,
    ) -> Result<SourceRecord, Failure> {
        let request = self.request(Method::PATCH, &format!("/dev/api/sources/{id}"));
        self.read(request.json(changes)).await
    }

    /// Removes a source and all its documents.
    pub(super) async fn remove(&self, id: &str) -> Result<(), Failure> {
        let request = self.request(Method::DELETE, &format!("/dev/api/sources/{id}"));
        self.accepted(request).await.map(drop)
    }

    /// Reverts the change by [`describe`](Self::describe).
    pub(super) async fn take_back(&self, id: &str) -> Result<(), Failure> {
        let path = format!("/dev/api/sources/{id}/take-back");
        let request = self.request(Method::POST, &path);
        self.accepted(request).await.map(drop)
    }

    /// Starts or resumes a run.
    pub(super) async fn begin(
        &self,
        source_id: &str,
        request: &ManualRun,
    ) -> Result<StartedRun, Failure> {
        let path = format!("/dev/api/sources/{source_id}/run");
        self.read(self.request(Method::POST, &path).json(request))
            .await
    }

    /// Returns the progress of a run.
    pub(super) async fn progress(&self, run: &str) -> Result<Progress, Failure> {
        let path = format!("/dev/api/runs/{run}");
        self.read(self.request(Method::GET, &path)).await
    }

    /// Returns the first accepted events of a run that could not be applied.
    pub(super) async fn refusals(
        &self,
        run: &str,
        limit: usize,
    ) -> Result<Vec<RefusedEvent>, Failure> {
        let path = format!("/dev/api/runs/{run}/refusals?limit={limit}");
        self.read(self.request(Method::GET, &path)).await
    }

    /// Returns files of a run whose text could not be read.
    pub(super) async fn textless(&self, run: &str, limit: usize) -> Result<Textless, Failure> {
        let path = format!("/dev/api/runs/{run}/textless?limit={limit}");
        self.read(self.request(Method::GET, &path)).await
    }

    /// Returns notes for people about the files of a run.
    pub(super) async fn file_notes(&self, run: &str) -> Result<Vec<FileNote>, Failure> {
        let path = format!("/dev/api/runs/{run}/file-notes");
        self.read(self.request(Method::GET, &path)).await
    }

    /// Has the manager keep what the connector says of a run, which is gone with its process. Returns the report on the
    /// run, of all its processes; none from a connector without reports, such as one of another SDK.
    pub(super) async fn keep(&self, run: &str) -> Result<Option<RunReport>, Failure> {
        let path = format!("/dev/api/runs/{run}/keep");
        self.read(self.request(Method::POST, &path)).await
    }

    /// Fails a run that its connector will never end.
    pub(super) async fn give_up(&self, run: &str, reason: &str) -> Result<(), Failure> {
        let path = format!("/dev/api/runs/{run}/give-up");
        let request = self.request(Method::POST, &path);
        let request = request.json(&json!({ "reason": reason }));
        self.accepted(request).await.map(drop)
    }

    /// Cancels a run. Ignores a run that has ended meanwhile.
    pub(super) async fn cancel(&self, run: &str) {
        let path = format!("/sync/{run}/cancel");
        let _ = self.send(self.request(Method::POST, &path)).await;
    }

    /// Returns the user with that address.
    pub(super) async fn user(&self, email: &str) -> Result<User, Failure> {
        let request = self.request(Method::PUT, "/dev/api/users");
        self.read(request.json(&json!({ "email": email }))).await
    }

    /// Returns the scopes that an action requires and that this person has not granted.
    pub(super) async fn missing_scopes(
        &self,
        source_id: &str,
        user_id: &str,
        action: &str,
    ) -> Result<Vec<String>, Failure> {
        let request = self.request(Method::GET, "/dev/api/missing-scopes");
        let call = [
            ("source_id", source_id),
            ("user_id", user_id),
            ("action", action),
        ];
        self.read(request.query(&call)).await
    }

    /// Calls an action. Returns the connector's answer or the manager's refusal, whatever its status.
    pub(super) async fn call(&self, call: &impl Serialize) -> Result<Response, Failure> {
        self.send(self.request(Method::POST, "/action").json(call))
            .await
    }

    /// Tries an action without changing anything in the source.
    pub(super) async fn dry_run(&self, call: &impl Serialize) -> Result<DryRun, Failure> {
        let request = self.request(Method::POST, "/dev/api/dry-run").json(call);
        self.read(request).await
    }

    /// Returns the number of ended sign-ins.
    pub(super) async fn ended_sign_ins(&self) -> Result<u64, Failure> {
        #[derive(Deserialize)]
        struct Ended {
            ended: u64,
        }
        let request = self.request(Method::GET, "/dev/api/sign-ins");
        Ok(self.read::<Ended>(request).await?.ended)
    }

    /// Waits until more than `after` sign-ins have ended. Returns the account of the latest, or why it failed.
    pub(super) async fn signed_in(&self, after: u64) -> Result<Result<String, String>, Failure> {
        let path = format!("/dev/api/sign-ins/next?after={after}");
        let SignedIn { email, error } = self.awaited(&path).await?;
        Ok(match error {
            Some(error) => Err(error),
            None => Ok(email.unwrap_or_default()),
        })
    }

    /// Stores our client at a provider.
    pub(super) async fn keep_oauth_client(
        &self,
        provider: &str,
        id: &str,
        secret: Option<&str>,
    ) -> Result<(), Failure> {
        let path = format!("/dev/api/oauth-clients/{}", escaped(provider));
        let request = self.request(Method::PUT, &path);
        let request = request.json(&json!({ "id": id, "secret": secret }));
        self.accepted(request).await.map(drop)
    }

    /// Searches the synced documents.
    pub(super) async fn search(&self, query: &Query) -> Result<Hits, Failure> {
        let limit = query.limit.to_string();
        let mut asked = vec![("text", query.text.as_str()), ("limit", &limit)];
        asked.extend(query.viewer.as_deref().map(|viewer| ("as", viewer)));
        let request = self.request(Method::GET, "/dev/api/search");
        self.read(request.query(&asked)).await
    }
}

async fn decoded<T: DeserializeOwned>(answer: Response) -> Result<T, Failure> {
    answer.json().await.map_err(|error| {
        let error = error.without_url();
        Failure::failed(format!(
            "the manager's answer is not as expected: {}",
            with_cause(&error)
        ))
    })
}

async fn refusal(answer: Response) -> Failure {
    let status = answer.status();
    let body = answer.bytes().await.unwrap_or_default();
    let json: Option<Value> = serde_json::from_slice(&body).ok();
    match json.as_ref().and_then(|json| json["error"].as_str()) {
        Some(error) => manager_failure(error),
        None => failure_of(status, String::from_utf8_lossy(&body)),
    }
}

fn failure_of(status: StatusCode, body: impl fmt::Display) -> Failure {
    Failure::failed(format!("the manager answered {status}: {body}"))
}

/// Converts the manager's message to a failure, with its help in a separate line.
pub(super) fn manager_failure(text: &str) -> Failure {
    match text.split_once("\nhelp: ") {
        Some((message, help)) => Failure::failed(message).help(help),
        None => Failure::failed(text),
    }
}

/// Encodes a string as one segment of a path.
fn escaped(text: &str) -> String {
    use std::fmt::Write;

    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
