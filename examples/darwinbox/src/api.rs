//! The HR system's API, met once: its envelope, refusals, pages and limits. The rest of the connector sees types and errors.

use std::{marker::PhantomData, sync::LazyLock, time::Duration};

use omni_connector::{
    arguments::{Call, FromCall},
    decode,
    prelude::*,
};
use reqwest::{Response, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::{ApiKey, Settings};

/// One pool of connections for all calls of the process.
static HTTP: LazyLock<HttpClient> = LazyLock::new(HttpClient::new);

/// Items asked for at a time.
const PAGE_SIZE: usize = 200;
/// How often a patient client is told to come back before it gives up.
const PATIENCE: usize = 10;
/// When to come back, if the HR system does not say.
const PAUSE: Duration = Duration::from_secs(30);

/// A client of the HR system. Actions and syncs take it as an argument.
#[derive(Clone)]
pub(crate) struct HrClient {
    settings: Settings,
    key: ApiKey,
    patience: usize,
}

impl<C: Call> FromCall<C> for HrClient {
    const NEEDS_CREDENTIALS: bool = true;

    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        Ok(Self {
            settings: call.config()?,
            key: call.credentials()?,
            patience: 0,
        })
    }
}

/// What every answer looks like, those of failed calls included: they have HTTP status 200, too.
#[derive(Deserialize)]
struct Envelope {
    status: u8,
    #[serde(default)]
    message: String,
    #[serde(default)]
    error_code: Refusal,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    next_page_token: Option<String>,
    #[serde(default)]
    as_of: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Refusal {
    Invalid,
    NotFound,
    Conflict,
    #[default]
    #[serde(other)]
    Other,
}

impl HrClient {
    /// The same client, but one that waits when it is told to: for syncs, which nobody is waiting for.
    pub(crate) fn patient(self) -> Self {
        Self {
            patience: PATIENCE,
            ..self
        }
    }

    /// Asks for something.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        endpoint: &str,
        body: Value,
    ) -> Result<T, ActionError> {
        let answer = self.send(endpoint, &body).await?;
        typed(envelope(endpoint, answer).await?.data)
    }

    /// Asks for a list that comes in pages.
    pub(crate) fn pages<T>(&self, endpoint: &'static str, body: Value) -> Pages<'_, T> {
        Pages {
            hr: self,
            endpoint,
            body,
            token: None,
            is_done: false,
            as_of: None,
            item: PhantomData,
        }
    }

    /// Asks for a file, which is passed on as it comes.
    pub(crate) async fn file(
        &self,
        endpoint: &str,
        body: Value,
        name: impl Into<String>,
    ) -> Result<File, ActionError> {
        let answer = self.send(endpoint, &body).await?;
        let mime = answer.headers().get(header::CONTENT_TYPE);
        if mime.is_some_and(|mime| mime.as_bytes().starts_with(b"application/json")) {
            // No file, but a refusal that says why.
            envelope(endpoint, answer).await?;
            return Err(ActionError::upstream(format!("`{endpoint}` sent no file")));
        }
        Ok(File::download(answer, name)?)
    }

    async fn send(&self, endpoint: &str, body: &Value) -> Result<Response, ActionError> {
        let base = self.settings.api_url.as_str().trim_end_matches('/');
        let mut patience = self.patience;
        loop {
            let answer = HTTP
                .post(format!("{base}/{endpoint}"))
                .basic_auth(&self.key.api_key, Some(self.key.api_secret.expose()))
                .json(body)
                .send()
                .await?;
            match answer.status() {
                StatusCode::UNAUTHORIZED => {
                    return Err(ActionError::unauthorized(
                        "the HR system refused the API key; an admin has to renew it",
                    ));
                }
                StatusCode::TOO_MANY_REQUESTS if patience > 0 => {
                    patience -= 1;
                    tokio::time::sleep(retry_after(&answer).unwrap_or(PAUSE)).await;
                }
                StatusCode::TOO_MANY_REQUESTS => {
                    let message = "the HR system takes no more calls for now";
                    return Err(ActionError::rate_limited(message, retry_after(&answer)));
                }
                status if status.is_success() => return Ok(answer),
                status => {
                    let message = format!("the HR system answers `{endpoint}` with {status}");
                    return Err(ActionError::upstream(message));
                }
            }
        }
    }
}

/// A list on its way.
pub(crate) struct Pages<'a, T> {
    hr: &'a HrClient,
    endpoint: &'static str,
    body: Value,
    /// Of the next page; the first has none.
    token: Option<String>,
    is_done: bool,
    as_of: Option<String>,
    item: PhantomData<T>,
}

impl<T: DeserializeOwned> Pages<'_, T> {
    /// The next page; none after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<T>>, ActionError> {
        if self.is_done {
            return Ok(None);
        }
        self.body["page_size"] = PAGE_SIZE.into();
        self.body["page_token"] = self.token.take().into();
        let answer = self.hr.send(self.endpoint, &self.body).await?;
        let page = envelope(self.endpoint, answer).await?;
        self.is_done = page.next_page_token.is_none();
        self.token = page.next_page_token;
        if self.as_of.is_none() {
            self.as_of = page.as_of;
        }
        typed(page.data).map(Some)
    }

    /// All that is left.
    pub(crate) async fn all(mut self) -> Result<Vec<T>, ActionError> {
        let mut all = Vec::new();
        while let Some(page) = self.next().await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// When the list began to be read, in the HR system's own words: what `updated_since` takes.
    pub(crate) fn as_of(&self) -> Option<&str> {
        self.as_of.as_deref()
    }
}

async fn envelope(endpoint: &str, answer: Response) -> Result<Envelope, ActionError> {
    let envelope: Envelope = answer.json().await?;
    if envelope.status == 1 {
        return Ok(envelope);
    }
    let message = envelope.message;
    Err(match envelope.error_code {
        Refusal::Invalid => ActionError::bad_request(message),
        Refusal::NotFound => ActionError::not_found(message),
        Refusal::Conflict => ActionError::conflict(message),
        Refusal::Other => ActionError::upstream(format!("`{endpoint}` failed: {message}")),
    })
}

fn typed<T: DeserializeOwned>(data: Value) -> Result<T, ActionError> {
    decode("answer of the HR system", data).map_err(ActionError::upstream)
}

fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}
