//! One attempt of a call: the request with its redirects, the bounded answer, and the verdict.

mod body;
mod request;
mod verdict;

use std::time::Duration;

use reqwest::{StatusCode, header::HeaderMap};
use tokio::time::{Instant, timeout_at};

use super::{
    Answer, At, Call, SourceError,
    answer::short,
    coding,
    faults::{self, Fault},
    quota,
    send::{Ready, Reply, ReplyForm},
};
use crate::{clock, manager::retry_after};

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
    /// The answer, if it was read.
    pub(super) answer: Option<Box<Answer>>,
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
            answer: None,
        }
    }
}

/// Sends the request and reads the answer.
pub(super) async fn attempt(
    call: &Call,
    number: u32,
    ready: Ready,
    form: ReplyForm,
) -> Result<Reply, Failure> {
    let ends = Instant::now() + clock::limit(call.within);
    let Ready { slot, ticket, key } = ready;
    let fault = faults::take(|| call.operation());
    let mut reader = Reader {
        call,
        number,
        request_id: None,
        ends,
        fault,
        limit: form.limit().max(REFUSAL),
    };
    let mut response = match fault.and_then(Fault::answer) {
        Some(answer) => answer,
        None => {
            let sent = timeout_at(ends, reader.send(&key.auth)).await;
            sent.unwrap_or_else(|_| Err(reader.late()))?
        }
    };
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    tracing::Span::current().record("status", status.as_u16());
    reader.request_id = request_id(&headers);
    let said = quota::read(&call.api.settings().quotas, &headers);
    ticket.answered(
        status != StatusCode::TOO_MANY_REQUESTS && !status.is_server_error(),
        &said,
    );
    let got = reader.read(response, headers, form).await;
    drop(slot);
    got.map_err(|mut failure| {
        failure.status = Some(status);
        let may_wait = matches!(failure.again, Again::Busy | Again::IfRepeatable);
        if let Some(answer) = failure.answer.as_ref().filter(|_| may_wait) {
            let headers = answer.headers();
            failure.asked =
                retry_after(headers).or_else(|| quota::asked(&call.api.settings().quotas, headers));
        }
        failure
    })
}

struct Reader<'a> {
    call: &'a Call,
    /// The number of this attempt, from 1.
    number: u32,
    /// The source's id of the request, once it answered.
    request_id: Option<String>,
    ends: Instant,
    /// What a person has planned for this attempt.
    fault: Option<Fault>,
    /// The most bytes of the answer that a tape reads.
    limit: u64,
}

impl Reader<'_> {
    fn at(&self) -> Box<At> {
        let mut at = self.call.at(self.number);
        at.request_id.clone_from(&self.request_id);
        at
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
        if coding::Undecodable::in_error(&error) == Some(coding::Undecodable::Invalid) {
            return self.unreadable(coding::Undecodable::Invalid.to_string());
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
