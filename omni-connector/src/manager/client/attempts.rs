//! Makes a call of the manager: its request, its attempts, and the decoding of the answer.

use bytes::Bytes;
use reqwest::RequestBuilder;
use serde::de::{DeserializeOwned, IgnoredAny};
use url::Url;

use super::{
    super::{
        buffers::only_owner,
        call::{Call, Failed, refused, unreachable, with_body},
        error::ManagerError,
        retry::{Backoff, retry_after},
    },
    ManagerClient,
};
use crate::clock;

impl ManagerClient {
    /// Makes a call whose body is in a reusable buffer. Returns the answer and the buffer.
    pub(super) async fn written<T: DeserializeOwned>(
        &self,
        call: Call,
        body: Vec<u8>,
    ) -> (Result<T, ManagerError>, Vec<u8>) {
        let body = Bytes::from(body);
        let fill = |request| Ok(with_body(request, Some(&body)));
        let answer = self.attempts(&call, fill).await;
        (answer, only_owner(body))
    }

    pub(super) async fn fetch<T: DeserializeOwned>(
        &self,
        call: Call,
        body: Option<Vec<u8>>,
    ) -> Result<T, ManagerError> {
        let body = body.map(Bytes::from);
        self.attempts(&call, |request| Ok(with_body(request, body.as_ref())))
            .await
    }

    /// Makes a call and discards its answer.
    pub(super) async fn done(&self, call: Call, body: Option<Vec<u8>>) -> Result<(), ManagerError> {
        self.fetch::<IgnoredAny>(call, body).await.map(drop)
    }

    /// Retries the call until it succeeds, fails for good, or exhausts its patience. Returns the decoded 2xx answer.
    pub(super) async fn attempts<T: DeserializeOwned>(
        &self,
        call: &Call,
        fill: impl Fn(RequestBuilder) -> reqwest::Result<RequestBuilder>,
    ) -> Result<T, ManagerError> {
        let mut backoff = Backoff::new(self.patience);
        let mut attempt = 0;
        loop {
            attempt += 1;
            let failed = match self.attempt(call, attempt, &fill).await {
                Ok(body) => match serde_json::from_slice(&body) {
                    Ok(answer) => {
                        self.metrics.call(call.template(), "ok");
                        return Ok(answer);
                    }
                    Err(error) => Failed::unreadable(call, &error),
                },
                Err(failed) => failed,
            };
            let pause = failed
                .may_repeat
                .then(|| backoff.pause(failed.asked_for))
                .flatten();
            let Some(pause) = pause else {
                self.metrics.call(call.template(), failed.error.outcome());
                return Err(failed.error);
            };
            self.metrics.retry(call.template());
            tracing::debug!(error = %failed.error, ?pause, "calling the manager again");
            tokio::time::sleep(clock::pause(pause)).await;
        }
    }

    fn request(&self, call: &Call) -> RequestBuilder {
        match &self.url {
            Some(url) => {
                let mut url = Url::clone(url);
                let prefix = url.path().trim_end_matches('/');
                let path = format!("{prefix}{}", call.path);
                url.set_path(&path);
                self.http.request(call.method.clone(), url)
            }
            None => {
                let url = format!("{}{}", self.base, call.path);
                self.http.request(call.method.clone(), url)
            }
        }
    }

    /// Makes one attempt and returns the body of a 2xx answer.
    async fn attempt(
        &self,
        call: &Call,
        attempt: u32,
        fill: impl Fn(RequestBuilder) -> reqwest::Result<RequestBuilder>,
    ) -> Result<Bytes, Failed> {
        let silence = |error: reqwest::Error| Failed {
            may_repeat: call.repeat.after_silence(&error),
            error: unreachable(call, &error),
            asked_for: None,
        };
        let timeout = call.timeout.unwrap_or(self.patience.call);
        let request = self.request(call).timeout(timeout);
        let answer = fill(request)
            .map_err(silence)?
            .send()
            .await
            .map_err(silence)?;
        let (status, asked_for) = (answer.status(), retry_after(answer.headers()));
        match answer.bytes().await {
            Ok(body) if status.is_success() => Ok(body),
            Err(error) if status.is_success() => Err(Failed {
                may_repeat: call.repeat.after_noise(),
                error: unreachable(call, &error),
                asked_for: None,
            }),
            body => Err(Failed {
                may_repeat: call.repeat.after_answer(status, attempt),
                error: refused(call, status, &body.unwrap_or_default()),
                asked_for,
            }),
        }
    }
}
