//! The manager's calls to a connector (`protocol.md` §2): URLs by plain concatenation, redirects
//! followed, the content type of answers ignored. This module must never decide how an answer
//! changes a run.

use std::time::Duration;

use omni_connector::{
    HttpClient,
    wire::{RunId, RunningResponse, StatusResponse, SyncRequest},
};
use reqwest::{Method, Response, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{sleep, timeout};

use crate::options::CallLimits;

/// Why a call to a connector failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectorError {
    /// The request failed, or the answer was incomplete.
    #[error("Request failed: {0}")]
    Request(reqwest::Error),
    /// A status outside 2xx.
    #[error("Connector returned error: status={}, message={body}", status.as_u16())]
    Status {
        /// The status.
        status: StatusCode,
        /// The whole body as a string.
        body: String,
    },
    /// A 2xx answer with an unexpected body.
    #[error("Invalid response: {0}")]
    Response(reqwest::Error),
    /// All attempts together exceeded the time limit.
    #[error("Request timed out after {} seconds", .0.as_secs())]
    Overall(Duration),
}

impl ConnectorError {
    /// Returns the HTTP status when the connector refused.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// The result of probing a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probe {
    Running,
    /// The connector does not run it, or its answer cannot be understood.
    Lost,
    /// The connector is too old to have the route.
    Unknown,
}

/// An HTTP client for all connectors.
#[derive(Debug, Clone)]
pub(crate) struct ConnectorClient {
    http: HttpClient,
    limits: CallLimits,
}

impl ConnectorClient {
    pub(crate) fn new(limits: CallLimits) -> Result<Self, reqwest::Error> {
        // A development manager calls processes on this machine, so proxies from the environment
        // are ignored.
        let http = HttpClient::builder()
            .no_proxy()
            // Answers are relayed unchanged, in any content coding.
            .no_gzip()
            .no_deflate()
            // For sign-ins, whose requests set no timeout. A call to a connector sets its own.
            .timeout(limits.call)
            .build()?;
        Ok(Self {
            http: http.into(),
            limits,
        })
    }

    /// Returns the HTTP client for endpoints other than connectors.
    pub(crate) fn http(&self) -> &HttpClient {
        &self.http
    }

    /// Returns whether `GET /health` answers 2xx.
    pub(crate) async fn is_healthy(&self, connector_url: &str) -> bool {
        let request = self
            .http
            .get(format!("{connector_url}/health"))
            .timeout(self.limits.call);
        request
            .send()
            .await
            .is_ok_and(|response| response.status().is_success())
    }

    /// Calls `POST /sync`. Retries after transport errors only.
    pub(crate) async fn sync(
        &self,
        connector_url: &str,
        request: &SyncRequest,
    ) -> Result<StatusResponse, ConnectorError> {
        let url = format!("{connector_url}/sync");
        let attempts = async {
            let mut waits = self.limits.sync_retries.iter();
            loop {
                let error = match self.send(Method::POST, &url, Some(request)).await {
                    Ok(response) => return accept(response).await,
                    Err(error) => error,
                };
                let Some(wait) = waits.next() else {
                    return Err(error);
                };
                tracing::warn!(%url, %error, "POST /sync got no answer and is repeated");
                sleep(*wait + self.limits.jitter.mul_f64(random_share())).await;
            }
        };
        timeout(self.limits.sync, attempts)
            .await
            .unwrap_or(Err(ConnectorError::Overall(self.limits.sync)))
    }

    /// Calls `GET /sync/{id}`.
    pub(crate) async fn probe(&self, connector_url: &str, run_id: &str) -> Probe {
        let request = self
            .http
            .get(format!("{connector_url}/sync/{run_id}"))
            .timeout(self.limits.probe);
        match request.send().await {
            Ok(response) if response.status() == StatusCode::NOT_FOUND => Probe::Unknown,
            Ok(response) if response.status().is_success() => {
                match response.json::<RunningResponse>().await {
                    Ok(RunningResponse { running: true, .. }) => Probe::Running,
                    _ => Probe::Lost,
                }
            }
            _ => Probe::Lost,
        }
    }

    /// Calls `POST /cancel`. Only logs the answer.
    pub(crate) async fn cancel(&self, connector_url: &str, run_id: &str) {
        let url = format!("{connector_url}/cancel");
        let body = RunId::new(run_id);
        match self.send(Method::POST, &url, Some(&body)).await {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => {
                tracing::warn!(run_id, status = %response.status(), "the connector did not cancel the run");
            }
            Err(error) => {
                tracing::warn!(run_id, %error, "the connector could not be told to cancel the run");
            }
        }
    }

    /// Calls a connector and returns the answer, whatever its status.
    pub(crate) async fn send<B: Serialize + ?Sized>(
        &self,
        method: Method,
        url: &str,
        body: Option<&B>,
    ) -> Result<Response, ConnectorError> {
        let mut request = self.http.request(method, url).timeout(self.limits.call);
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.map_err(|error| {
            if error.is_timeout() {
                // The caller sees Omni's message, which does not name the timeout.
                let within = self.limits.call.as_secs_f64();
                tracing::warn!(within, "a connector did not answer in time");
            }
            ConnectorError::Request(error)
        })
    }

    /// Calls `POST` and decodes a JSON answer.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, ConnectorError> {
        accept(self.send(Method::POST, url, Some(body)).await?).await
    }
}

async fn accept<T: DeserializeOwned>(response: Response) -> Result<T, ConnectorError> {
    let status = response.status();
    if !status.is_success() {
        let body = response.text().await.unwrap_or_default();
        return Err(ConnectorError::Status { status, body });
    }
    // The real manager's message names no address here.
    let json = response.json().await;
    json.map_err(|error: reqwest::Error| ConnectorError::Response(error.without_url()))
}

/// Returns a random number from 0 to 1 to spread retries. Needs no cryptographic quality.
fn random_share() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let bits = u32::try_from(RandomState::new().hash_one(0) >> 32).unwrap_or_default();
    f64::from(bits) / f64::from(u32::MAX)
}
