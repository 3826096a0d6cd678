//! An MCP server at a URL. An unreadable answer fails its call, and a refusal keeps its status.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::body::Bytes;
use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE},
};
use futures_util::{StreamExt, stream, stream::BoxStream};
use reqwest::{Response, StatusCode};
use rmcp::{
    model::{ClientJsonRpcMessage, JsonRpcMessage, RequestId},
    transport::streamable_http_client::{
        StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
        StreamableHttpResponseLimits,
    },
};
use sse_stream::{Error as SseError, Sse, SseStream};

use super::{
    events::{Lines, TooLong},
    http_failure::{
        Failure, HttpFailure, LONGEST_REFUSAL, failed, failure, is_of_session, read, refusal,
        refusal_of, says_why,
    },
    message::{Pending, Received, refused},
};

/// The longest answer or event that is read, in bytes.
pub(super) const LONGEST: usize = 64 << 20;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const EVENTS: &str = "text/event-stream";

type Events = BoxStream<'static, Result<Sse, SseError>>;

/// The client of one connection.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    /// Calls whose answer may arrive on a reopened stream.
    waiting: Arc<Mutex<Pending>>,
    /// The latest calls refused for an unknown session. A second refusal is final.
    expired: Arc<Mutex<Vec<RequestId>>>,
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    pub(super) fn new(http: reqwest::Client) -> Self {
        Self {
            http,
            waiting: Arc::default(),
            expired: Arc::default(),
        }
    }

    async fn post(
        &self,
        uri: &str,
        message: &ClientJsonRpcMessage,
        session: Option<&str>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let mut headers: HeaderMap = headers.into_iter().collect();
        headers.insert(
            ACCEPT,
            HeaderValue::from_static("text/event-stream, application/json"),
        );
        // Only requested encodings can be decoded.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(session) = session {
            let session = HeaderValue::try_from(session);
            headers.insert(SESSION, session.map_err(|_| Failure::SessionExpired)?);
        }
        let sent = self.http.post(uri).json(message).headers(headers).send();
        let response = sent.await.map_err(failed)?;
        let JsonRpcMessage::Request(request) = message else {
            // Only a refusal matters here.
            let status = response.status();
            if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) && session.is_some() {
                return Err(Failure::SessionExpired);
            }
            if status.is_client_error() || status.is_server_error() {
                return Err(refusal(response).await);
            }
            return Ok(StreamableHttpPostResponse::Accepted);
        };
        let mut pending = Pending::default();
        pending.note(message);
        let answer = self
            .answer(&request.id, response, session.is_some(), pending)
            .await?;
        if let StreamableHttpPostResponse::Sse(..) = answer {
            lock(&self.waiting).note(message);
        }
        Ok(answer)
    }

    async fn answer(
        &self,
        request: &RequestId,
        response: Response,
        has_session: bool,
        mut pending: Pending,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let status = response.status();
        let header = |name: &HeaderName| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let session = header(&SESSION);
        let coding = header(&CONTENT_ENCODING).unwrap_or_default();
        let coding = coding.trim().to_ascii_lowercase();
        if status.is_success() && !matches!(&*coding, "" | "identity") {
            let coding: String = coding.chars().take(40).collect();
            let reason = format!("it is encoded as `{coding}`, which was not asked for");
            let refused = refused(request.clone(), &reason, b"");
            return Ok(StreamableHttpPostResponse::Json(refused, session));
        }
        let kind = header(&CONTENT_TYPE).unwrap_or_default();
        let kind = kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        if status.is_success() && kind == EVENTS {
            let events = self.events(response, request.clone(), pending);
            return Ok(StreamableHttpPostResponse::Sse(events, session));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(refusal(response).await);
        }
        let is_gone = matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE);
        if is_gone && has_session && self.is_first_refusal(request) {
            return Err(Failure::SessionExpired);
        }
        let longest = if status.is_success() {
            LONGEST
        } else {
            LONGEST_REFUSAL
        };
        let head = failure(&response, "");
        let body = match read(response, longest).await {
            // The status of a refusal says enough.
            Err(_) if !status.is_success() => Some(Vec::new()),
            body => body?,
        };
        let Some(body) = body else {
            let reason = format!("it is longer than {} MB", LONGEST >> 20);
            let refused = refused(request.clone(), &reason, b"");
            return Ok(StreamableHttpPostResponse::Json(refused, session));
        };
        if has_session && is_of_session(status, &body) && self.is_first_refusal(request) {
            return Err(Failure::SessionExpired);
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(refusal_of(head, &body));
        }
        let answer = pending.receive(&body);
        if !status.is_success() {
            return match answer {
                Some(answer @ JsonRpcMessage::Error(_)) if says_why(&body) => {
                    Ok(StreamableHttpPostResponse::Json(answer, session))
                }
                _ => Err(refusal_of(head, &body)),
            };
        }
        let answer = answer.unwrap_or_else(|| {
            let reason = match (body.is_empty(), kind.as_str()) {
                (true, _) => {
                    format!("the server accepted the call with {status} and sent no answer")
                }
                (false, "" | "application/json") => "it is not an answer to this call".to_owned(),
                (false, kind) => format!("it is `{kind}` in place of JSON"),
            };
            refused(request.clone(), &reason, &body)
        });
        Ok(StreamableHttpPostResponse::Json(answer, session))
    }

    /// Returns whether a call was refused for its session for the first time.
    fn is_first_refusal(&self, request: &RequestId) -> bool {
        let mut expired = lock(&self.expired);
        if expired.contains(request) {
            return false;
        }
        if expired.len() >= 64 {
            expired.remove(0);
        }
        expired.push(request.clone());
        true
    }

    /// Returns the events of one answer. A stream that cannot be resumed before the answer ends in an error.
    fn events(&self, response: Response, request: RequestId, pending: Pending) -> Events {
        let is_too_long = Arc::new(AtomicBool::new(false));
        let events = SseStream::from_bytes_stream(bounded(response, Arc::clone(&is_too_long)));
        let waiting = Arc::clone(&self.waiting);
        let state = (Some(events), pending, false);
        stream::unfold(state, move |(events, mut pending, mut can_resume)| {
            let (request, waiting) = (request.clone(), Arc::clone(&waiting));
            let is_too_long = Arc::clone(&is_too_long);
            async move {
                let mut events = events?;
                let ended = match events.next().await {
                    Some(Ok(mut event)) => {
                        can_resume |= event.id.is_some();
                        mend(&mut event, |data| pending.receive(data));
                        if pending.is_empty() {
                            lock(&waiting).forget(&request);
                        }
                        return Some((Ok(event), (Some(events), pending, can_resume)));
                    }
                    ended => ended,
                };
                let is_too_long = is_too_long.load(Ordering::Relaxed);
                if pending.is_empty() || (can_resume && !is_too_long) {
                    return ended.map(|error| (error, (Some(events), pending, can_resume)));
                }
                let reason = match ended {
                    _ if is_too_long => format!("an event is longer than {} MB", LONGEST >> 20),
                    _ => "it ended before it was complete".to_owned(),
                };
                lock(&waiting).forget(&request);
                let event = event(&refused(request, &reason, b""));
                Some((Ok(event), (None, pending, can_resume)))
            }
        })
        .boxed()
    }
}

fn event(message: &Received) -> Sse {
    Sse::default().data(serde_json::to_string(message).unwrap_or_default())
}

/// Replaces an event's message by one that the client library can read.
fn mend(event: &mut Sse, receive: impl FnOnce(&[u8]) -> Option<Received>) {
    let is_message = matches!(event.event.as_deref(), None | Some("" | "message"));
    let looks_like_one = |data: &String| data.contains("\"jsonrpc\"");
    if !is_message && !event.data.as_ref().is_some_and(looks_like_one) {
        return;
    }
    event.event = None;
    if let Some(data) = event.data.take() {
        let message = receive(data.as_bytes());
        event.data = message.and_then(|message| serde_json::to_string(&message).ok());
    }
}

/// Returns the bytes of a stream, rewritten for the client library, until an event is too long.
fn bounded(
    response: Response,
    is_too_long: Arc<AtomicBool>,
) -> BoxStream<'static, Result<Bytes, io::Error>> {
    let state = (Some(response.bytes_stream()), Lines::new(LONGEST));
    let bytes = stream::unfold(state, move |(chunks, mut lines)| {
        let is_too_long = Arc::clone(&is_too_long);
        async move {
            let mut chunks = chunks?;
            Some(match chunks.next().await {
                Some(Ok(chunk)) => match lines.push(&chunk) {
                    Ok(rewritten) => (Ok(rewritten.into()), (Some(chunks), lines)),
                    Err(TooLong) => {
                        is_too_long.store(true, Ordering::Relaxed);
                        let error = io::Error::other("an event is too long");
                        (Err(error), (None, lines))
                    }
                },
                Some(Err(error)) => (Err(io::Error::other(error)), (None, lines)),
                None => (Ok(lines.end().into()), (None, lines)),
            })
        }
    });
    bytes.boxed()
}

impl StreamableHttpClient for Client {
    type Error = HttpFailure;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        self.post(&uri, &message, session.as_deref(), headers).await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
        _: StreamableHttpResponseLimits,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        self.post(&uri, &message, session.as_deref(), headers).await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        auth: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failure> {
        let deleted = self.http.delete_session(uri, session, auth, headers).await;
        deleted.map_err(translated)
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        auth: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<Events, Failure> {
        let client = &self.http;
        let events = client
            .get_stream_with_max_sse_event_size(uri, session, last_event, auth, headers, LONGEST)
            .await
            .map_err(translated)?;
        let waiting = Arc::clone(&self.waiting);
        let events = events.map(move |event| {
            event.map(|mut event| {
                mend(&mut event, |data| lock(&waiting).receive(data));
                event
            })
        });
        Ok(events.boxed())
    }
}

/// Translates errors of requests whose answer is not awaited.
fn translated(error: StreamableHttpError<reqwest::Error>) -> Failure {
    match error {
        StreamableHttpError::Client(error) => failed(error),
        StreamableHttpError::ServerDoesNotSupportSse => Failure::ServerDoesNotSupportSse,
        StreamableHttpError::AuthRequired(error) => Failure::AuthRequired(error),
        StreamableHttpError::InsufficientScope(error) => Failure::InsufficientScope(error),
        StreamableHttpError::HttpStatus(error) => Failure::HttpStatus(error),
        other => Failure::UnexpectedServerResponse(other.to_string().into()),
    }
}
