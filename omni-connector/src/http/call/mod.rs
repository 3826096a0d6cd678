//! Builds one request and sends it.

mod missing;
mod request;

pub use missing::MayBeMissing;
pub(super) use request::Body;

use std::{borrow::Cow, fmt, sync::LazyLock, time::Duration};

use reqwest::{Method, Url, header::HeaderMap};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Answer, Api, At, Download, Fresh, Paging, Saved, SourceError, StoppedRequest, Validators, Walk,
    api::Unresolved,
    dry_run,
    path::{shown, template},
    send::{self, Made, Reply, ReplyForm},
    validators,
};

/// One request to a source, built step by step. The method that reads the answer sends it.
///
/// Every call waits for its turn, is retried where that is safe, and renews its credential at most once. `GET`, `HEAD`,
/// `OPTIONS`, `PUT` and `DELETE` are safe to retry. A `POST` or `PATCH` is retried in three cases: the source did not
/// receive it, it is marked [`repeatable`](Self::repeatable), or it has an [`idempotency_key`](Self::idempotency_key).
#[must_use = "a call is made by the method that ends it, such as `read`"]
#[derive(Clone)]
pub struct Call {
    pub(super) api: Api,
    pub(super) method: Method,
    pub(super) url: Result<Url, Unresolved>,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) is_repeatable: bool,
    pub(super) within: Duration,
    pub(super) page: Option<u32>,
    /// The number of the walk in the log of the run's requests.
    pub(super) walk: Option<u64>,
    pub(super) may_be_unchanged: bool,
    /// Whether errors in the answer are refusals.
    pub(super) is_graphql: bool,
    name: Option<Cow<'static, str>>,
    invalid: Option<String>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.operation())
            .finish_non_exhaustive()
    }
}

impl Call {
    pub(super) fn new(api: Api, method: Method, path: &str, within: Duration) -> Self {
        let url = api.resolve(path);
        let is_repeatable = matches!(
            method,
            Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE
        );
        Self {
            url,
            api,
            method,
            headers: HeaderMap::new(),
            body: Body::Empty,
            is_repeatable,
            within,
            page: None,
            walk: None,
            may_be_unchanged: false,
            is_graphql: false,
            name: None,
            invalid: None,
        }
    }

    /// Decodes the answer as JSON. An answer without a body is `null`, which `()` and `Option` accept.
    ///
    /// # Errors
    /// As [`SourceError`] lists for every call.
    pub async fn read<T: DeserializeOwned>(self) -> Result<T, SourceError> {
        let (answer, made) = self.made().await?;
        decode(&answer, &made)
    }

    /// Decodes the answer as JSON, unless it is unchanged since the last time.
    ///
    /// ```
    /// use omni_connector::http::{Api, Fresh, SourceError, Validators};
    ///
    /// async fn refresh(api: &Api, seen: &mut Validators) -> Result<(), SourceError> {
    ///     if let Fresh::New(rooms) = api.get("rooms").read_if_changed::<Vec<String>>(seen).await? {
    ///         println!("{rooms:?}");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// As every call.
    pub async fn read_if_changed<T: DeserializeOwned>(
        mut self,
        validators: &mut Validators,
    ) -> Result<Fresh<T>, SourceError> {
        let key = validators::key(&self);
        self.may_be_unchanged = validators.ask(&key, &mut self.headers);
        let (answer, made) = self.made().await?;
        if answer.status() == reqwest::StatusCode::NOT_MODIFIED {
            return Ok(Fresh::Same);
        }
        let value = decode(&answer, &made)?;
        validators.keep(key, answer.headers());
        Ok(Fresh::New(value))
    }

    /// Reads the answer as a string of at most this many bytes: see [`Answer::text`].
    ///
    /// # Errors
    /// As every call.
    pub async fn text(self, limit: u64) -> Result<String, SourceError> {
        Ok(self.answer(limit).await?.0.text())
    }

    /// Reads the complete answer: status, headers and body.
    ///
    /// # Errors
    /// As every call. An answer that is a refusal is an error as well.
    pub async fn send(self) -> Result<Answer, SourceError> {
        Ok(self.made().await?.0)
    }

    /// Reads the complete answer, and gives back the call.
    pub(super) async fn made(self) -> Result<(Answer, Made), SourceError> {
        let limit = self.api.settings().limit;
        self.answer(limit).await
    }

    async fn answer(self, limit: u64) -> Result<(Answer, Made), SourceError> {
        match send::send(self, ReplyForm::Answer(limit)).await? {
            (Reply::Answer(answer), made) => Ok((answer, made)),
            (Reply::Download(_) | Reply::Saved(_), _) => unreachable!("an answer was asked for"),
        }
    }

    /// Streams the answer up to this limit. The call is not retried once the answer has begun.
    ///
    /// # Errors
    /// As every call. If the answer breaks off later, the stream returns an error.
    pub async fn download(self, limit: u64) -> Result<Download, SourceError> {
        match send::send(self, ReplyForm::Download(limit)).await? {
            (Reply::Download(download), _) => Ok(download),
            (Reply::Answer(_) | Reply::Saved(_), _) => unreachable!("a download was asked for"),
        }
    }

    /// Saves the answer, up to this limit, in a temporary file. The file is removed when the value is dropped. A
    /// download that breaks off is restarted.
    ///
    /// # Errors
    /// As every call, and a full disk.
    pub async fn save(self, limit: u64) -> Result<Saved, SourceError> {
        match send::send(self, ReplyForm::Saved(limit)).await? {
            (Reply::Saved(saved), _) => Ok(saved),
            (Reply::Answer(_) | Reply::Download(_), _) => unreachable!("a file was asked for"),
        }
    }

    /// Treats a missing object as `None` instead of an error.
    pub const fn missing_is_none(self) -> MayBeMissing {
        MayBeMissing(self)
    }

    /// Reads a paged list: see [`Walk::items`].
    pub fn pages(self, paging: Paging) -> Walk {
        Walk::new(self, paging)
    }

    /// Returns the name of the operation.
    pub(super) fn operation(&self) -> String {
        let operation = match (&self.name, &self.url) {
            (Some(name), _) => name.to_string(),
            (None, Ok(url)) => {
                let base = self.api.settings().base.as_ref();
                let base = base.map_or("", |base| base.path().trim_end_matches('/'));
                let path = url.path();
                let path = path.strip_prefix(base).unwrap_or(path);
                format!("{} {}", self.method, template(path))
            }
            (None, Err(_)) => self.method.to_string(),
        };
        self.without_secrets(operation)
    }

    fn without_secrets(&self, text: String) -> String {
        match &self.api.scope().account {
            Some(account) => account.hide(&text),
            None => text,
        }
    }

    /// Returns the location for an error of this call. `attempts` is the number of requests that were sent.
    pub(super) fn at(&self, attempts: u32) -> Box<At> {
        let url = self.url.as_ref().map(shown).unwrap_or_default();
        let url = self.without_secrets(url);
        Box::new(At {
            operation: self.operation(),
            method: self.method.clone(),
            url,
            page: self.page,
            attempts,
            request_id: None,
            gave_up: None,
        })
    }

    /// Returns why the call cannot be sent, if it cannot.
    pub(super) fn problem(&self) -> Option<SourceError> {
        match (&self.invalid, &self.url) {
            (Some(why), _) => Some(SourceError::Invalid { why: why.clone() }),
            (None, Err(Unresolved::Foreign(origin))) => Some(SourceError::Foreign {
                origin: origin.clone(),
                at: self.at(0),
            }),
            (None, Err(Unresolved::Invalid(why))) => {
                Some(SourceError::Invalid { why: why.clone() })
            }
            (None, Ok(_)) if *READ_ONLY && self.may_change() => Some(SourceError::Invalid {
                why: format!(
                    "`{}` may change something in the source, and `OMNI_HTTP_READ_ONLY=1` allows reading only",
                    self.operation()
                ),
            }),
            (None, Ok(_)) if dry_run::is_dry() && self.may_change() => {
                dry_run::stopped(|| self.stopped());
                Some(SourceError::Invalid {
                    why: format!(
                        "`{}` was stopped, since this is a dry run",
                        self.operation()
                    ),
                })
            }
            (None, Ok(_)) => None,
        }
    }

    /// Describes the call for people who let it be stopped.
    fn stopped(&self) -> StoppedRequest {
        let url = self.url.as_ref().map(ToString::to_string);
        let body = match &self.body {
            Body::Empty => Value::Null,
            Body::Json(value) => {
                let text = self.without_secrets(value.to_string());
                serde_json::from_str(&text).unwrap_or(Value::String(text))
            }
            Body::Bytes(bytes) => Value::String(format!("{} bytes", bytes.len())),
            Body::Once(_) => Value::String("a form".to_owned()),
        };
        StoppedRequest {
            operation: self.operation(),
            method: self.method.to_string(),
            url: self.without_secrets(url.unwrap_or_default()),
            body,
        }
    }

    /// Whether the source may be another one after this call.
    fn may_change(&self) -> bool {
        let is_search = self.method == Method::POST
            && self.is_repeatable
            && !self.headers.contains_key("idempotency-key");
        !is_search && !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }
}

/// Whether calls that may change something are refused: `cargo omni check --live` sets this.
static READ_ONLY: LazyLock<bool> =
    LazyLock::new(|| std::env::var("OMNI_HTTP_READ_ONLY").is_ok_and(|value| value == "1"));

fn decode<T: DeserializeOwned>(answer: &Answer, made: &Made) -> Result<T, SourceError> {
    answer.decode().map_err(|why| {
        let at = made.at(answer);
        SourceError::Unreadable { why, at }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_one_kind_have_one_name() {
        let api = Api::at("https://acme.example/rest");
        let name = |path: &str| api.get(path).query(&[("token", "s3cret")]).operation();
        assert_eq!(name("v2/issues/OPS-7/text"), "GET v2/issues/{id}/text");
        assert_eq!(name("users/ann@example.com"), "GET users/{id}");
        assert_eq!(
            api.post("x").named("create issue").operation(),
            "create issue"
        );
    }

    #[test]
    fn parameters_that_are_none_are_left_out() {
        let api = Api::at("https://acme.example");
        let since: Option<&str> = None;
        let call = api
            .get("issues?a=1")
            .query(&[("updated_since", since), ("q", Some("x y"))]);
        assert_eq!(
            call.url.unwrap().as_str(),
            "https://acme.example/issues?a=1&q=x+y"
        );
    }

    #[test]
    fn only_calls_that_read_leave_the_source_as_it_is() {
        let api = Api::at("https://acme.example");
        for (call, may_change) in [
            (api.get("a"), false),
            (api.post("search").repeatable(), false),
            (api.post("a"), true),
            (api.post("a").idempotency_key("k"), true),
            (api.put("a"), true),
            (api.patch("a"), true),
            (api.delete("a"), true),
        ] {
            assert_eq!(call.may_change(), may_change, "{call:?}");
        }
    }
}
