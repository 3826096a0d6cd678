//! Calls webhooks of a connector as another system would, with a signature made from a secret of the source.

use std::time::{Duration, Instant};

use omni_connector::{Manifest, sign_hmac_sha256};
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::timeout;

use super::Refusal;
use crate::{
    lookup::CredentialRows,
    shared::Shared,
    store::{StoreError, sources::SourceRecord},
};

/// How long a connector may take to name its webhooks.
const SOON: Duration = Duration::from_secs(1);
/// How long a webhook may take; the connector itself gives up earlier.
const PATIENCE: Duration = Duration::from_secs(12);
/// The longest part of an answer that is kept, in characters.
const LONGEST: usize = 4096;

/// A call of a webhook.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Delivery {
    /// The path with its parameters.
    pub(crate) path: String,
    pub(crate) body: String,
    /// A header a line: `X-Event: push`.
    pub(crate) headers: String,
    /// The header of the signature; empty without a signature.
    pub(crate) signature_header: String,
    /// The text before the signature, such as `sha256=`.
    pub(crate) signature_prefix: String,
    /// The field with the secret, such as `credential.webhook_secret`.
    pub(crate) secret: String,
}

/// A delivered call with its answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Delivered {
    pub(crate) delivery: Delivery,
    /// The signature that was sent.
    pub(crate) signature: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    /// None if there was no answer.
    pub(crate) status: Option<u16>,
    pub(crate) answer: String,
    pub(crate) took_ms: u64,
}

/// Returns the paths of the connector's webhooks; none if it does not say.
pub(crate) async fn webhooks(shared: &Shared, manifest: &Manifest) -> Option<Vec<String>> {
    let url = format!("{}/dev/webhooks", manifest.connector_url);
    let asked = async {
        let answer = shared.connectors.send(Method::GET, &url, None::<&()>).await;
        answer.ok()?.error_for_status().ok()?.json().await.ok()
    };
    timeout(SOON, asked).await.ok().flatten()
}

/// Returns the names of the fields that may hold the secret of a signature.
pub(crate) async fn secret_fields(
    shared: &Shared,
    source: &SourceRecord,
) -> Result<Vec<String>, StoreError> {
    let fields = secrets(shared, source).await?;
    Ok(fields.into_iter().map(|(name, _)| name).collect())
}

/// The texts of the organisation's credential and of the config, by their names.
async fn secrets(
    shared: &Shared,
    source: &SourceRecord,
) -> Result<Vec<(String, String)>, StoreError> {
    let rows = CredentialRows::read(shared, &source.id, None).await?;
    let credential = rows.of_organisation.map(|row| row.credentials);
    let parts = [
        ("credential", credential.unwrap_or_default()),
        ("config", source.config.clone()),
    ];
    let texts = parts.into_iter().flat_map(|(part, value)| {
        let fields = match value {
            Value::Object(fields) => fields,
            _ => serde_json::Map::new(),
        };
        fields
            .into_iter()
            .filter_map(move |(name, value)| match value {
                Value::String(text) => Some((format!("{part}.{name}"), text)),
                _ => None,
            })
    });
    Ok(texts.collect())
}

/// Calls a webhook once, or several times at once.
pub(crate) async fn deliver(
    shared: &Shared,
    source: &SourceRecord,
    manifest: &Manifest,
    delivery: &Delivery,
    times: usize,
) -> Result<Vec<Delivered>, Refusal> {
    let known = webhooks(shared, manifest).await.ok_or_else(|| {
        Refusal::Conflict(
            "the connector does not name its webhooks: it was not started by `cargo omni`, or does not use `omni_connector`".to_owned(),
        )
    })?;
    if !known.iter().any(|route| fits(route, &delivery.path)) {
        return Err(Refusal::NotFound(format!(
            "the connector has no webhook `{}`\nhelp: it has {}",
            delivery.path,
            if known.is_empty() {
                "none".to_owned()
            } else {
                format!("`{}`", known.join("`, `"))
            }
        )));
    }
    let mut headers = headers(&delivery.headers)?;
    let signature = signature(shared, source, delivery).await?;
    if let Some(signature) = &signature {
        headers.insert(name(&delivery.signature_header)?, value(signature)?);
    }
    let url = format!("{}{}", manifest.connector_url, delivery.path);
    let calls = (0..times).map(|_| call(shared, &url, &headers, delivery, signature.clone()));
    Ok(futures_util::future::join_all(calls).await)
}

async fn call(
    shared: &Shared,
    url: &str,
    headers: &HeaderMap,
    delivery: &Delivery,
    signature: Option<String>,
) -> Delivered {
    let (at, began) = (OffsetDateTime::now_utc(), Instant::now());
    let http = shared.connectors.http();
    let request = http.post(url).headers(headers.clone()).timeout(PATIENCE);
    let (status, answer) = match request.body(delivery.body.clone()).send().await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap_or_default();
            (Some(status), text.chars().take(LONGEST).collect())
        }
        Err(error) => (None, error.without_url().to_string()),
    };
    Delivered {
        delivery: delivery.clone(),
        signature,
        at,
        status,
        answer,
        took_ms: began.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
    }
}

/// Returns whether a path belongs to a route, whose segments `{name}` match anything.
fn fits(route: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let mut pairs = route.iter().zip(&path);
    route.len() == path.len()
        && pairs
            .all(|(known, given)| known == given || (known.starts_with('{') && !given.is_empty()))
}

async fn signature(
    shared: &Shared,
    source: &SourceRecord,
    delivery: &Delivery,
) -> Result<Option<String>, Refusal> {
    if delivery.signature_header.is_empty() {
        return Ok(None);
    }
    let secrets = secrets(shared, source).await?;
    let secret = secrets
        .into_iter()
        .find(|(name, _)| *name == delivery.secret);
    let Some((_, secret)) = secret else {
        return Err(Refusal::BadRequest(format!(
            "the source has no field `{}` with a text, so nothing can be signed with it",
            delivery.secret
        )));
    };
    let hex = sign_hmac_sha256(&secret.into(), delivery.body.as_bytes());
    Ok(Some(format!("{}{hex}", delivery.signature_prefix)))
}

fn headers(lines: &str) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (key, text) = line.split_once(':').ok_or_else(|| {
            Refusal::BadRequest(format!("`{line}` is not a header; write `Name: value`"))
        })?;
        headers.append(name(key)?, value(text.trim())?);
    }
    if !headers.contains_key("content-type") {
        headers.insert("content-type", HeaderValue::from_static("application/json"));
    }
    Ok(headers)
}

fn name(text: &str) -> Result<HeaderName, Refusal> {
    let invalid = |_| Refusal::BadRequest(format!("`{text}` is not the name of a header"));
    text.trim().parse().map_err(invalid)
}

fn value(text: &str) -> Result<HeaderValue, Refusal> {
    let invalid =
        |_| Refusal::BadRequest("the value of a header holds other signs than ASCII".to_owned());
    text.parse().map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_path_belongs_to_the_route_of_its_segments() {
        assert!(fits("/hooks/{source_id}", "/hooks/01K?a=1"));
        assert!(fits("/hooks/acme", "/hooks/acme"));
        for other in [
            "/hooks",
            "/hooks/",
            "/hooks/a/b",
            "/action",
            "@evil.example/hooks/a",
        ] {
            assert!(!fits("/hooks/{source_id}", other), "{other}");
        }
    }
}
