//! Webhooks: a webhook verifies a call from another system and returns an order. The answer is sent before the order runs.

mod runner;

pub use runner::Runner;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, anyhow, bail};
use axum::{
    Json, Router,
    extract::{RawPathParams, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use matchit::InsertError;
use serde_json::json;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{
    App, body,
    source::{Found, Unusable},
};
use crate::{
    connector::{ActionError, ErasedConnector, Webhook, WebhookCall, WebhookRequest},
    panic,
    redact::Secrets,
    schema::is_free_path,
    wire::ErrorBody,
};

/// Time limit of a webhook: most systems give up after 10 s and call again.
const ANSWER: Duration = Duration::from_secs(9);

/// The path parameter that names the source.
const SOURCE: &str = "source_id";

/// Refuses paths on which axum would panic. The macros report most of them at compile time.
pub(super) fn look_over(connector: &dyn ErasedConnector) -> Result<()> {
    // axum's own router; two paths conflict if none of them precedes the other.
    let mut routes = matchit::Router::new();
    let enrich = connector
        .oauth_config()
        .and_then(|oauth| oauth.enrich_endpoint);
    if let Some(path) = enrich {
        routes.insert(path, ())?;
    }
    for path in connector.webhooks() {
        let problem = if is_free(path) {
            let added = routes.insert(path, ());
            added.err().map(|error| match error {
                InsertError::Conflict { with } => format!("calls of `{with}` reach it too"),
                error => error.to_string(),
            })
        } else {
            Some("the server has it, or it has other characters than a path".to_owned())
        };
        if let Some(problem) = problem {
            bail!(
                "the webhook path `{path}` is no path of its own: {problem}\nhelp: name one that nothing else answers \
                 at, such as `/hooks/{}`",
                connector.name()
            );
        }
    }
    Ok(())
}

/// Returns whether a path is plain beside its placeholders, and unused by the protocol.
fn is_free(path: &str) -> bool {
    let fixed = path.split('/').map(|segment| {
        if segment.starts_with('{') {
            "any"
        } else {
            segment
        }
    });
    !path.starts_with("/{") && is_free_path(&fixed.collect::<Vec<_>>().join("/"))
}

/// Returns the routes of the connector's webhooks.
pub(super) fn router(app: &Arc<App>, runner: &Runner) -> Router {
    let mut router = Router::new();
    for route in app.connector.webhooks() {
        let (app, runner) = (Arc::clone(app), runner.clone());
        let is_known = Arc::new(AtomicBool::new(false));
        let call = move |parameters: RawPathParams, request: Request| async move {
            let answer = answer(&app, &runner, route, &parameters, request).await;
            if answer.is_ignored && !is_known.swap(true, Ordering::Relaxed) {
                tracing::info!(
                    route,
                    "a webhook call was ignored, since the connector asked for no run; further ones are not logged"
                );
            }
            answer.response
        };
        router = router.route(route, get(call.clone()).post(call));
    }
    router
}

async fn answer(
    app: &Arc<App>,
    runner: &Runner,
    route: &'static str,
    parameters: &RawPathParams,
    request: Request,
) -> Answer {
    let (head, body) = request.into_parts();
    let request = Request::from_parts(head.clone(), body);
    let body = match body::read(request, app.max_body_bytes).await {
        Ok(body) => body.into(),
        Err(refusal) => return refusal.into_response().into(),
    };
    let request = WebhookRequest {
        route,
        method: head.method,
        parameters: parameters
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        query: head.uri.query().map(str::to_owned),
        headers: head.headers,
        body,
    };
    // In a task of its own, so that a function that blocks its thread is answered for as well.
    let asked = ask(Arc::clone(app), request).in_current_span();
    let asked = AbortOnDropHandle::new(tokio::spawn(asked));
    let done = match timeout(ANSWER, asked).await {
        Ok(done) => {
            done.unwrap_or_else(|_| Err(Refused::of(anyhow!("the connector is about to stop"))))
        }
        Err(_) => Err(Refused::of(ActionError::timeout(format!(
            "the webhook did not answer within {} s",
            ANSWER.as_secs()
        )))),
    };
    match done.and_then(|webhook| start(runner, webhook)) {
        Ok(answer) => answer,
        Err(refused) => refused.answer(route).into(),
    }
}

/// The answer to a call.
struct Answer {
    response: Response,
    /// Whether the connector asked for no run.
    is_ignored: bool,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self {
            response,
            is_ignored: false,
        }
    }
}

/// Queues the requested run and returns the answer.
fn start(runner: &Runner, mut webhook: Webhook) -> Result<Answer, Refused> {
    let answer = webhook.answer.take();
    let asks_for_nothing = webhook.orders.is_empty();
    // A call with an answer of its own, such as a handshake, is not ignored.
    let is_ignored = asks_for_nothing && answer.is_none();
    let status = if asks_for_nothing {
        "ignored"
    } else {
        "accepted"
    };
    runner.start(webhook).map_err(Refused::of)?;
    Ok(Answer {
        response: answer.unwrap_or_else(|| Json(json!({ "status": status })).into_response()),
        is_ignored,
    })
}

/// The reason why a webhook call was refused, and the secrets to redact from it.
struct Refused {
    error: anyhow::Error,
    secrets: Secrets,
}

impl Refused {
    fn of(error: impl Into<anyhow::Error>) -> Self {
        Self {
            error: error.into(),
            secrets: Secrets::default(),
        }
    }

    fn answer(self, route: &str) -> Response {
        let error = self.secrets.redact(&format!("{:#}", self.error));
        let refusal = ActionError::of(&self.error);
        let status = refusal
            .as_ref()
            .map_or(StatusCode::INTERNAL_SERVER_ERROR, ActionError::status);
        let headers = refusal
            .as_ref()
            .map(ActionError::headers)
            .unwrap_or_default();
        tracing::warn!(route, %status, "a webhook call was refused: {error}");
        (status, headers, Json(ErrorBody { error })).into_response()
    }
}

/// Calls the author's function and returns its order.
async fn ask(app: Arc<App>, request: WebhookRequest) -> Result<Webhook, Refused> {
    let (source, credentials, secrets) = match request.parameter(SOURCE) {
        None => (None, None, Secrets::default()),
        Some(id) => {
            let found = of_source(&app, id).await.map_err(Refused::of)?;
            (Some(found.source), found.credentials, found.secrets)
        }
    };
    let call = WebhookCall {
        request,
        source,
        credentials,
        manager: app.manager.before_giving_up(ANSWER),
    };
    let connector = Arc::clone(&app.connector);
    match panic::catch(async { connector.call_webhook(call).await }).await {
        Ok(Ok(webhook)) => Ok(webhook),
        Ok(Err(error)) => Err(Refused { error, secrets }),
        Err(panic) => Err(Refused {
            error: anyhow!("the webhook panicked {panic}"),
            secrets,
        }),
    }
}

/// Finds the source that a path names. To the caller, one that this connector may not work on does not exist.
async fn of_source(app: &App, id: &str) -> Result<Found> {
    let manager = app.manager.before_giving_up(ANSWER);
    app.find(&manager, id)
        .await
        .map_err(|unusable| match unusable {
            Unusable::Unreadable { error, .. } => error.into(),
            _ => ActionError::not_found(format!("source `{id}` does not exist")).into(),
        })
}
