//! One attempt of a call: the request with its redirects, the bounded answer, and the verdict.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use reqwest::{
    Client, Method, Request, Response, StatusCode, Url,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, LOCATION, RANGE, USER_AGENT},
};
use tokio::time::{Instant, timeout_at};

use super::{
    Answer, At, Call, Download, Saved, SourceError, Verdict,
    answer::short,
    call::{Body, shown},
    download::length,
    faults::{self, Fault},
    quota,
    send::{Ready, Reply, ReplyForm},
    tape, transport,
};
use crate::{clock, manager::retry_after, wire::SecretString};

/// The most redirects followed per call.
const HOPS: u32 = 5;
/// The most bytes read of a refusal.
const REFUSAL: u64 = 64 << 10;
/// The longest JSON download that is checked for a refusal.
const PEEK: u64 = 1 << 20;

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: SourceError,
    pub(super) again: Again,
    /// The pause that the source requested.
    pub(super) asked: Option<Duration>,
    /// The status of the answer, if one came.
    pub(super) status: Option<StatusCode>,
}

/// Whether another attempt can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    /// The source may have acted on the request.
    IfRepeatable,
    /// The source certainly did not receive the request.
    Unheard,
    /// The source accepts no calls for now.
    Busy,
    /// The source refused the credential.
    WithNewKey,
}

impl Failure {
    const fn new(error: SourceError, again: Again) -> Self {
        Self {
            error,
            again,
            asked: None,
            status: None,
        }
    }
}

/// Sends the request and reads the answer.
pub(super) async fn attempt(
    call: &Call,
    at: At,
    ready: Ready,
    form: ReplyForm,
) -> Result<Reply, Failure> {
    let ends = Instant::now() + clock::limit(call.within);
    let Ready { slot, ticket, key } = ready;
    let fault = faults::take(&at.operation);
    let mut reader = Reader {
        call,
        at,
        ends,
        fault,
        limit: form.limit().max(REFUSAL),
    };
    let response = match fault.and_then(Fault::answer) {
        Some(answer) => answer,
        None => {
            let sent = timeout_at(ends, reader.send(&key.auth)).await;
            sent.unwrap_or_else(|_| Err(reader.late()))?
        }
    };
    let (status, headers) = (response.status(), response.headers().clone());
    tracing::Span::current().record("status", status.as_u16());
    reader.at.request_id = request_id(&headers);
    let said = quota::read(&call.api.settings().quotas, &headers);
    ticket.answered(
        status != StatusCode::TOO_MANY_REQUESTS && !status.is_server_error(),
        &said,
    );
    let got = reader.read(response, form).await;
    drop(slot);
    got.map_err(|mut failure| {
        failure.status = Some(status);
        if failure.again == Again::Busy || failure.again == Again::IfRepeatable {
            failure.asked = retry_after(&headers)
                .or_else(|| quota::asked(&call.api.settings().quotas, &headers));
        }
        failure
    })
}

struct Reader<'a> {
    call: &'a Call,
    at: At,
    ends: Instant,
    /// What a person has planned for this attempt.
    fault: Option<Fault>,
    /// The most bytes of the answer that a tape reads.
    limit: u64,
}

impl Reader<'_> {
    #[allow(
        clippy::unnecessary_box_returns,
        reason = "every error keeps it in a box"
    )]
    fn at(&self) -> Box<At> {
        Box::new(self.at.clone())
    }

    fn late(&self) -> Failure {
        Failure::new(SourceError::TimedOut { at: self.at() }, Again::IfRepeatable)
    }

    fn unreadable(&self, why: impl Into<String>) -> Failure {
        let why = why.into();
        Failure::new(SourceError::Unreadable { why, at: self.at() }, Again::Never)
    }

    fn broken(&self, error: reqwest::Error) -> Failure {
        let again = if error.is_connect() {
            Again::Unheard
        } else if error.is_builder() {
            Again::Never
        } else {
            Again::IfRepeatable
        };
        if error.is_timeout() {
            return Failure::new(SourceError::TimedOut { at: self.at() }, again);
        }
        if error.is_decode() {
            return self.unreadable("it cannot be decompressed");
        }
        // The URL's query may contain a secret.
        let cause = format!("{:#}", anyhow::Error::from(error.without_url()));
        let cause = short(&cause);
        Failure::new(
            SourceError::Unreachable {
                cause,
                at: self.at(),
            },
            again,
        )
    }

    /// Sends the request, and follows redirects.
    async fn send(&mut self, auth: &super::Auth) -> Result<Response, Failure> {
        let call = self.call;
        let client = transport::client();
        let mut url = match &call.url {
            Ok(url) => url.clone(),
            Err(_) => return Err(self.unreadable("the call leads nowhere")),
        };
        let (mut method, mut body) = (call.method.clone(), Some(&call.body));
        for hop in 0.. {
            let is_own = call.api.is_own(&url);
            let request = self.request(client, &method, &url, body, is_own, auth)?;
            let response = tape::execute(client, request, call, self.limit)
                .await
                .map_err(|error| self.broken(error))?;
            let Some(next) = self.redirect(&response, &url, hop)? else {
                return Ok(response);
            };
            let status = response.status().as_u16();
            if status == 303 || (matches!(status, 301 | 302) && method == Method::POST) {
                if method != Method::HEAD {
                    method = Method::GET;
                }
                body = None;
            }
            let sends_body = body.is_some_and(|body| !matches!(body, Body::Empty));
            if sends_body && !call.api.is_own(&next) {
                // The redirected request may contain secrets meant for the API.
                let origin = next.origin().ascii_serialization();
                let error = SourceError::Foreign {
                    origin,
                    at: self.at(),
                };
                return Err(Failure::new(error, Again::Never));
            }
            url = next;
        }
        unreachable!("hops are counted")
    }

    fn request(
        &self,
        client: &Client,
        method: &Method,
        url: &Url,
        body: Option<&Body>,
        is_own: bool,
        auth: &super::Auth,
    ) -> Result<Request, Failure> {
        let call = self.call;
        let mut request = Request::new(method.clone(), url.clone());
        for headers in [&call.api.settings().headers, &call.headers] {
            for (name, value) in headers {
                // An author may put credentials into custom headers.
                let is_harmless = [ACCEPT, RANGE, USER_AGENT].contains(name);
                let is_of_body = *name == CONTENT_TYPE && body.is_none();
                if (is_own || is_harmless) && !is_of_body {
                    request.headers_mut().insert(name, value.clone());
                }
            }
        }
        match body {
            None | Some(Body::Empty) => {}
            Some(Body::Json(value)) => *request.body_mut() = Some(value.to_string().into()),
            Some(Body::Bytes(bytes)) => *request.body_mut() = Some(bytes.clone().into()),
            Some(Body::Once(form)) => {
                let form = form.lock().ok().and_then(|mut form| form.take());
                let Some(form) = form else {
                    return Err(self.unreadable("its form was sent before"));
                };
                let builder = reqwest::RequestBuilder::from_parts(client.clone(), request);
                request = builder
                    .multipart(form)
                    .build()
                    .map_err(|error| self.broken(error))?;
            }
        }
        if is_own {
            request = auth
                .apply(client, request)
                .map_err(|error| self.broken(error))?;
        }
        Ok(request)
    }

    /// Returns the target of a redirect; none if the answer is not one.
    fn redirect(&self, response: &Response, from: &Url, hop: u32) -> Result<Option<Url>, Failure> {
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let Some(location) = response.headers().get(LOCATION) else {
            return Ok(None);
        };
        if hop >= HOPS {
            return Err(self.unreadable(format!("it is the redirect after {HOPS} others")));
        }
        let location = location
            .to_str()
            .ok()
            .and_then(|location| from.join(location).ok());
        let next =
            location.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let Some(next) = next else {
            return Err(self.unreadable("it is a redirect that leads nowhere"));
        };
        if from.scheme() == "https" && next.scheme() == "http" {
            let why = format!("it is a redirect from https to `{}`", shown(&next));
            return Err(self.unreadable(why));
        }
        Ok(Some(next))
    }

    async fn read(&self, response: Response, form: ReplyForm) -> Result<Reply, Failure> {
        if let Some(cause) = self.fault.and_then(Fault::broken_off) {
            let at = self.at();
            let error = SourceError::Unreachable { cause, at };
            return Err(Failure::new(error, Again::IfRepeatable));
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let url = response.url().clone();
        if let Some(coding) = headers
            .get(CONTENT_ENCODING)
            .filter(|coding| *coding != "identity")
        {
            let coding = short(&String::from_utf8_lossy(coding.as_bytes()));
            return Err(self.unreadable(format!(
                "it is encoded as `{coding}`, which was not asked for"
            )));
        }
        if status == StatusCode::NOT_MODIFIED {
            return if self.call.may_be_unchanged {
                Ok(Reply::Answer(Answer::new(
                    status,
                    headers,
                    url,
                    Bytes::new(),
                )))
            } else {
                Err(self.unreadable("it says that nothing changed, which nobody asked"))
            };
        }
        let is_whole = match form {
            ReplyForm::Answer(_) => true,
            ReplyForm::Download(_) | ReplyForm::Saved(_) => {
                !status.is_success() || self.may_be_a_refusal(&headers)
            }
        };
        if !is_whole {
            return match form {
                ReplyForm::Saved(limit) => self.save(response, limit).await.map(Reply::Saved),
                _ => Ok(Reply::Download(self.stream(response, form.limit()))),
            };
        }
        let limit = if status.is_success() {
            form.limit()
        } else {
            REFUSAL
        };
        let body = self.collect(response, limit, status.is_success()).await?;
        let body = match self.fault {
            Some(fault) => fault.change(body),
            None => body,
        };
        let answer = Answer::new(status, headers, url, body);
        self.judge(&answer)?;
        match form {
            ReplyForm::Answer(_) => Ok(Reply::Answer(answer)),
            ReplyForm::Download(_) => {
                let body = answer.bytes().clone();
                let chunks = futures_util::stream::once(async move { Ok(body) }).boxed();
                let headers = answer.headers().clone();
                Ok(Reply::Download(Download { headers, chunks }))
            }
            ReplyForm::Saved(_) => {
                let saved = Saved::begin(answer.headers().clone()).and_then(|mut saved| {
                    saved.write(answer.bytes())?;
                    Ok(saved)
                });
                saved.map(Reply::Saved).map_err(|error| self.disk(&error))
            }
        }
    }

    /// Returns whether a requested file may be a refusal with status 200.
    fn may_be_a_refusal(&self, headers: &HeaderMap) -> bool {
        let is_json = super::answer::media_type(headers).ends_with("json");
        let is_short = length(headers).is_some_and(|length| length <= PEEK);
        self.call.api.settings().refusals.is_some() && is_json && is_short
    }

    /// Reads the body under a limit on decompressed bytes. A longer refusal is cut.
    async fn collect(
        &self,
        mut response: Response,
        limit: u64,
        must_fit: bool,
    ) -> Result<Bytes, Failure> {
        let announced = length(response.headers()).unwrap_or_default();
        if must_fit && announced > limit {
            return Err(self.too_large(limit));
        }
        let mut body = BytesMut::new();
        loop {
            let chunk = timeout_at(self.ends, response.chunk()).await;
            let chunk = match chunk.map_err(|_| self.late())? {
                Ok(chunk) => chunk,
                // The status alone identifies a refusal.
                Err(_) if !must_fit => break,
                Err(error) => return Err(self.broken(error)),
            };
            let Some(chunk) = chunk else { break };
            if (body.len() + chunk.len()) as u64 > limit {
                if must_fit {
                    return Err(self.too_large(limit));
                }
                break;
            }
            if body.is_empty() && announced == chunk.len() as u64 {
                return Ok(chunk);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    async fn save(&self, mut response: Response, limit: u64) -> Result<Saved, Failure> {
        if length(response.headers()).is_some_and(|length| length > limit) {
            return Err(self.too_large(limit));
        }
        let saved = Saved::begin(response.headers().clone());
        let mut saved = saved.map_err(|error| self.disk(&error))?;
        loop {
            // A large file may take long, and must not stall.
            let next = timeout_at(
                Instant::now() + clock::limit(self.call.within),
                response.chunk(),
            )
            .await;
            let chunk = next
                .map_err(|_| self.late())?
                .map_err(|error| self.broken(error))?;
            let Some(chunk) = chunk else { return Ok(saved) };
            if saved.len() + chunk.len() as u64 > limit {
                return Err(self.too_large(limit));
            }
            saved.write(&chunk).map_err(|error| self.disk(&error))?;
        }
    }

    fn stream(&self, response: Response, limit: u64) -> Download {
        let headers = response.headers().clone();
        let at = Arc::new(self.at.clone());
        let within = clock::limit(self.call.within);
        let scope = self.call.api.scope().clone();
        let state = (Some(response), 0_u64);
        let chunks = futures_util::stream::unfold(state, move |(response, read)| {
            let (at, scope) = (Arc::clone(&at), scope.clone());
            async move {
                let mut response = response?;
                let at = || Box::new(At::clone(&at));
                let next = tokio::select! {
                    biased;
                    () = scope.cancelled() => return Some((Err(SourceError::Cancelled), (None, read))),
                    next = tokio::time::timeout(within, response.chunk()) => next,
                };
                match next {
                    Ok(Ok(None)) => None,
                    Ok(Ok(Some(chunk))) => {
                        let read = read + chunk.len() as u64;
                        if read > limit {
                            let error = SourceError::TooLarge { limit, at: at() };
                            return Some((Err(error), (None, read)));
                        }
                        Some((Ok(chunk), (Some(response), read)))
                    }
                    Ok(Err(error)) => {
                        let cause =
                            short(&format!("{:#}", anyhow::Error::from(error.without_url())));
                        Some((
                            Err(SourceError::Unreachable { cause, at: at() }),
                            (None, read),
                        ))
                    }
                    Err(_) => Some((Err(SourceError::TimedOut { at: at() }), (None, read))),
                }
            }
        });
        Download {
            headers,
            chunks: chunks.boxed(),
        }
    }

    fn too_large(&self, limit: u64) -> Failure {
        Failure::new(
            SourceError::TooLarge {
                limit,
                at: self.at(),
            },
            Again::Never,
        )
    }

    fn disk(&self, error: &std::io::Error) -> Failure {
        let cause = format!("the temporary file cannot be written: {error}");
        let error = SourceError::Unreachable {
            cause,
            at: self.at(),
        };
        Failure::new(error, Again::Never)
    }

    /// Explains a refusal by another host to which the API redirected. That host got no credential, so the credential
    /// is not at fault.
    fn turned_away(&self, answer: &Answer) -> Option<Failure> {
        let origin = |url: &Url| url.origin().ascii_serialization();
        let from = self.call.url.as_ref().map(origin).ok()?;
        let to = origin(answer.url());
        if from == to || self.call.api.is_own(answer.url()) {
            return None;
        }
        let error = SourceError::TurnedAway {
            from,
            to,
            status: answer.status(),
            at: self.at(),
        };
        Some(Failure::new(error, Again::Never))
    }

    /// Checks whether an answer has the requested form.
    fn judge(&self, answer: &Answer) -> Result<(), Failure> {
        let verdict = match &self.call.api.settings().refusals {
            Some(judge) => judge(answer),
            None => Verdict::by_status(answer),
        };
        let errors = || super::graphql::judge(answer).filter(|_| self.call.is_graphql);
        let verdict = match verdict {
            Verdict::Good => errors().unwrap_or(Verdict::Good),
            Verdict::Unauthorized | Verdict::Forbidden | Verdict::NotFound => {
                match self.turned_away(answer) {
                    Some(failure) => return Err(failure),
                    None => verdict,
                }
            }
            refused => refused,
        };
        let (status, at) = (answer.status(), self.at());
        let message = || self.clean(&answer.explanation());
        let (error, again) = match verdict {
            Verdict::Good => return Ok(()),
            Verdict::Busy => {
                let retry_after = None;
                (SourceError::Busy { retry_after, at }, Again::Busy)
            }
            Verdict::Unavailable => {
                let message = message();
                (
                    SourceError::Unavailable {
                        status,
                        message,
                        at,
                    },
                    Again::IfRepeatable,
                )
            }
            Verdict::Unauthorized => {
                let message = message();
                (SourceError::Unauthorized { message, at }, Again::WithNewKey)
            }
            Verdict::Forbidden => {
                let scope = missing_scope(answer.headers());
                let message = message();
                (SourceError::Forbidden { scope, message, at }, Again::Never)
            }
            Verdict::NotFound => (SourceError::NotFound { at }, Again::Never),
            Verdict::Gone => (SourceError::Gone { at }, Again::Never),
            Verdict::Conflict => {
                let message = message();
                (SourceError::Conflict { message, at }, Again::Never)
            }
            Verdict::Refused(refusal) => {
                let code = refusal.code.map(|code| self.clean(&code));
                let message = self.clean(&refusal.message);
                (
                    SourceError::Refused {
                        status,
                        code,
                        message,
                        at,
                    },
                    Again::Never,
                )
            }
        };
        Err(Failure::new(error, again))
    }

    /// Removes the secret from a message of the source.
    fn clean(&self, text: &str) -> String {
        let auth = &self.call.api.settings().auth;
        match auth.secret().map(SecretString::expose) {
            Some(secret) if !secret.is_empty() && text.contains(secret) => {
                short(&text.replace(secret, "[redacted]"))
            }
            _ => short(text),
        }
    }
}

/// Returns the source's id of the request, from one of the usual headers.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    const NAMES: [&str; 5] = [
        "x-request-id",
        "request-id",
        "x-github-request-id",
        "x-amzn-requestid",
        "x-correlation-id",
    ];
    let value = NAMES.iter().find_map(|name| headers.get(*name))?;
    Some(short(value.to_str().ok()?))
}

/// Returns the scope in a 403's header `WWW-Authenticate: Bearer error="insufficient_scope", scope="…"` (RFC 6750).
fn missing_scope(headers: &HeaderMap) -> Option<String> {
    let challenge = headers.get("www-authenticate")?.to_str().ok()?;
    if !challenge.contains("insufficient_scope") {
        return None;
    }
    let (_, rest) = challenge.split_once("scope=\"")?;
    let (scope, _) = rest.split_once('"')?;
    (!scope.is_empty()).then(|| short(scope))
}
