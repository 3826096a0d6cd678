//! A connector whose `sync` is a closure.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use omni_connector::{
    BoxFuture, Connector, ServiceCredential, Source, SourceType, SyncContext, SyncType, async_trait,
};
use serde_json::Value;

pub(crate) type Sync = Arc<
    dyn Fn(SyncContext, Option<Value>) -> BoxFuture<'static, anyhow::Result<()>>
        + Send
        + std::marker::Sync,
>;

/// A connector with the behaviour that a test needs.
pub(crate) struct Scripted {
    pub(crate) sync: Sync,
    pub(crate) modes: Vec<SyncType>,
    pub(crate) needs_credentials: bool,
}

impl Scripted {
    pub(crate) fn new<F>(
        sync: impl Fn(SyncContext, Option<Value>) -> F + Send + std::marker::Sync + 'static,
    ) -> Self
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        Self {
            sync: Arc::new(move |ctx, checkpoint| Box::pin(sync(ctx, checkpoint))),
            modes: vec![SyncType::Full, SyncType::Incremental],
            needs_credentials: false,
        }
    }
}

#[async_trait]
impl Connector for Scripted {
    type Config = Config;
    type Credentials = Value;
    type State = Value;

    fn name(&self) -> &'static str {
        "scripted"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Web]
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        self.modes.clone()
    }

    fn requires_credentials(&self) -> bool {
        self.needs_credentials
    }

    async fn sync(
        &self,
        _: Source,
        _: Option<ServiceCredential>,
        checkpoint: Option<Value>,
        ctx: SyncContext,
    ) -> anyhow::Result<()> {
        (self.sync)(ctx, checkpoint).await
    }

    async fn execute_action(
        &self,
        action: &str,
        params: Value,
        _: Option<ServiceCredential>,
    ) -> anyhow::Result<Response> {
        match action {
            "echo" => Ok(omni_connector::ActionResponse::success(params).into_response()),
            "panic" => panic!("the action fell over"),
            "fail" => anyhow::bail!("the tracker is down"),
            other => Ok(omni_connector::ActionResponse::not_supported(other)
                .into_response_with_status(StatusCode::NOT_FOUND)),
        }
    }
}

#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "only decoded")]
pub(crate) struct Config {
    root_url: String,
}
