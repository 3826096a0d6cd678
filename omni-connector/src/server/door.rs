//! The service in front of all routes. It is one plain service: axum's middlewares copy the routes behind them per request.

use std::{
    convert::Infallible,
    future,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use tower_service::Service;

use super::{body::Refused, guard::Guard};
use crate::{panic, redact::redact};

/// The routes, behind the token check and the panic handler.
#[derive(Clone)]
pub(super) struct Door {
    guard: Arc<Guard>,
    router: Router,
}

impl Door {
    pub(super) fn new(router: Router, guard: Guard) -> Self {
        Self {
            guard: Arc::new(guard),
            router,
        }
    }
}

impl Service<Request> for Door {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if let Some(refusal) = self.guard.refusal(&request) {
            return Box::pin(future::ready(Ok(refusal)));
        }
        let path = request.uri().path().to_owned();
        let answered = self.router.call(request);
        Box::pin(answer(path, answered))
    }
}

/// Answers 500 when a handler panics, so that the connection lives. Otherwise the manager would retry three times unanswered.
async fn answer<E>(
    path: String,
    answered: impl Future<Output = Result<Response, E>>,
) -> Result<Response, E> {
    panic::catch(answered).await.unwrap_or_else(|panic| {
        let what = redact(&panic.to_string()).into_owned();
        tracing::error!(path, "the connector panicked {what}");
        let message = format!("the connector panicked {what}");
        Ok(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, message).into_response())
    })
}
