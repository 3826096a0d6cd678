//! Reads the body of an answer within its limit: as a whole, into a file, or as a stream.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use reqwest::{Response, StatusCode, header::HeaderMap};
use tokio::time::{Instant, timeout_at};

use super::{Again, Failure, PEEK, REFUSAL, Reader};
use crate::{
    clock,
    http::{
        Answer, At, Download, Saved, SourceError,
        answer::{media_type, short},
        coding,
        download::length,
        faults::Fault,
        send::{Reply, ReplyForm},
    },
};

impl Reader<'_> {
    pub(super) async fn read(
        &self,
        response: Response,
        headers: HeaderMap,
        form: ReplyForm,
    ) -> Result<Reply, Failure> {
        if let Some(cause) = self.fault.and_then(Fault::broken_off) {
            let at = self.at();
            let error = SourceError::Unreachable { cause, at };
            return Err(Failure::new(error, Again::IfRepeatable));
        }
        let (status, url) = (response.status(), response.url().clone());
        if let Some(coding) = coding::unknown(&headers) {
            let coding = short(&coding);
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
                ReplyForm::Saved(limit) => {
                    self.save(response, headers, limit).await.map(Reply::Saved)
                }
                _ => Ok(Reply::Download(self.stream(
                    response,
                    headers,
                    form.limit(),
                ))),
            };
        }
        let limit = if status.is_success() {
            form.limit()
        } else {
            REFUSAL
        };
        let announced = length(&headers).unwrap_or_default();
        let body = self.collect(response, announced, limit, status.is_success());
        let body = body.await?;
        let body = match self.fault {
            Some(fault) => fault.change(body),
            None => body,
        };
        let answer = Answer::new(status, headers, url, body);
        if let Err(mut failure) = self.judge(&answer) {
            failure.answer = Some(Box::new(answer));
            return Err(failure);
        }
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
        let is_json = media_type(headers).ends_with("json");
        let is_short = length(headers).is_some_and(|length| length <= PEEK);
        self.call.api.settings().refusals.is_some() && is_json && is_short
    }

    /// Reads the body under a limit on decompressed bytes. A longer refusal is cut.
    async fn collect(
        &self,
        mut response: Response,
        announced: u64,
        limit: u64,
        must_fit: bool,
    ) -> Result<Bytes, Failure> {
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

    async fn save(
        &self,
        mut response: Response,
        headers: HeaderMap,
        limit: u64,
    ) -> Result<Saved, Failure> {
        if length(&headers).is_some_and(|length| length > limit) {
            return Err(self.too_large(limit));
        }
        let saved = Saved::begin(headers);
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

    fn stream(&self, response: Response, headers: HeaderMap, limit: u64) -> Download {
        let at = Arc::new(*self.at());
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
}
