//! Exports spans by OTLP over HTTP through the connector's own HTTP client.

use std::{borrow::Cow, env, time::Duration};

use async_trait::async_trait;
use axum::http::{Request, Response};
use bytes::Bytes;
use opentelemetry::{
    Array, KeyValue, StringValue, Value,
    trace::{Status, TracerProvider},
};
use opentelemetry_http::HttpError;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{self, SdkTracerProvider, SpanData},
};
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, Targets, filter_fn},
    registry::LookupSpan,
};

use super::log::Redactor;

pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// Starts the exporter; none without a configured collector. An empty endpoint counts as unset (`protocol.md` §1.2).
    pub(super) fn start(
        connector: &'static str,
        version: &'static str,
        redact: Redactor,
        http: fn() -> reqwest::Client,
    ) -> Option<Self> {
        let given = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
        given("OTEL_EXPORTER_OTLP_ENDPOINT")?;
        let client = Client {
            http: http(),
            runtime: Handle::current(),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .build();
        let exporter = match exporter {
            Ok(exporter) => exporter,
            Err(error) => {
                // The log has not started yet, and missing traces must not prevent serving.
                eprintln!("traces are not exported: {error}");
                return None;
            }
        };
        let service_version = given("SERVICE_VERSION").unwrap_or_else(|| version.to_owned());
        let environment = given("OTEL_DEPLOYMENT_ENVIRONMENT");
        let mut resource = Resource::builder()
            .with_service_name(connector)
            .with_attribute(KeyValue::new("service.version", service_version))
            .with_attribute(KeyValue::new(
                "deployment.environment",
                environment.unwrap_or_else(|| "development".to_owned()),
            ));
        if let Some(deployment) = given("OTEL_DEPLOYMENT_ID") {
            resource = resource.with_attribute(KeyValue::new("deployment.id", deployment));
        }
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(Clean { exporter, redact })
            .build();
        Some(Self(provider))
    }

    /// Exports spans only: event messages may quote anything.
    pub(super) fn layer<S>(&self, filter: Targets) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("omni-connector"))
            .with_filter(filter.and(filter_fn(|metadata| !metadata.is_event())))
    }

    pub(super) async fn end(self) {
        // `shutdown` blocks until the runtime has sent the last batch.
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown()).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "the last traces were not exported");
        }
    }
}

/// Exports spans without secrets. The author's own spans may quote anything in their fields.
#[derive(Debug)]
struct Clean {
    exporter: SpanExporter,
    redact: Redactor,
}

impl Clean {
    fn span(&self, span: &mut SpanData) {
        if let Cow::Owned(clean) = (self.redact)(&span.name) {
            span.name = clean.into();
        }
        if let Status::Error { description } = &mut span.status
            && let Cow::Owned(clean) = (self.redact)(description)
        {
            *description = clean.into();
        }
        let of_events = span.events.events.iter_mut();
        let of_events = of_events.flat_map(|event| &mut event.attributes);
        for attribute in span.attributes.iter_mut().chain(of_events) {
            match &mut attribute.value {
                Value::String(text) => self.text(text),
                Value::Array(Array::String(texts)) => {
                    for text in texts {
                        self.text(text);
                    }
                }
                _ => {}
            }
        }
    }

    fn text(&self, text: &mut StringValue) {
        if let Cow::Owned(clean) = (self.redact)(text.as_str()) {
            *text = clean.into();
        }
    }
}

impl trace::SpanExporter for Clean {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for span in &mut batch {
            self.span(span);
        }
        self.exporter.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// The exporter calls this client on its own thread, which has no runtime.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl opentelemetry_http::HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let request = reqwest::Request::try_from(request)?;
        let sent = self.runtime.spawn(async move {
            let answer = http.execute(request).await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            Ok::<_, reqwest::Error>((status, headers, answer.bytes().await?))
        });
        let (status, headers, body) = sent.await??;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}
