//! Sends one request over real HTTP and compares the answer with the expected one.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use omni_connector::HttpClient;
use reqwest::multipart::{Form, Part};
use serde_json::{Map, Value};

use crate::{
    row::{Names, Step, Unset},
    shape::differ,
};

/// Limit of "soon" on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(50);

/// The party that receives the requests.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) url: String,
    http: HttpClient,
}

/// A received answer.
struct Answered {
    status: u16,
    headers: reqwest::header::HeaderMap,
    /// The JSON, the first event of a stream, or the raw string.
    body: Value,
}

impl Subject {
    pub(crate) fn new(url: impl Into<String>) -> Result<Self> {
        let http = HttpClient::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            url: url.into(),
            http: http.into(),
        })
    }

    /// Sends the request once. Adds the values to remember to `names`.
    pub(crate) async fn ask(&self, step: &Step, names: &mut Names) -> Result<()> {
        let answered = self.send(step, names).await?;
        let call = &step.call;
        let body = &answered.body;
        if !step.status.admit(answered.status) {
            bail!(
                "{call}: answered {} instead of {:?}: {body}",
                answered.status,
                step.status
            );
        }
        if let Some(shape) = &step.body
            && let Some(difference) = differ(&names.value(shape)?, body)
        {
            bail!("{call}: the body {difference}");
        }
        for (name, shape) in &step.headers {
            let value = answered
                .headers
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()));
            let difference = match (value, shape.as_str()) {
                (None, Some("<absent>")) => None,
                (None, _) => Some("is missing".to_owned()),
                (Some(value), _) => differ(&names.value(shape)?, &value.into()),
            };
            if let Some(difference) = difference {
                bail!("{call}: the header `{name}` {difference}");
            }
        }
        for (name, pointer) in &step.save {
            let value = body.pointer(pointer).and_then(Value::as_str);
            names.set(
                name,
                value.with_context(|| format!("{call}: no text at {pointer} of {body}"))?,
            );
        }
        Ok(())
    }

    /// Repeats the request until the answer is as expected.
    pub(crate) async fn ask_until(&self, step: &Step, names: &mut Names) -> Result<()> {
        let begun = Instant::now();
        loop {
            match self.ask(step, names).await {
                Err(error) if error.is::<Unset>() => return Err(error),
                Err(_) if begun.elapsed() < SOON => tokio::time::sleep(GLANCE).await,
                answer => return answer,
            }
        }
    }

    async fn send(&self, step: &Step, names: &Names) -> Result<Answered> {
        let call = names.text(&step.call)?;
        let (method, path) = call.split_once(' ').context("a call is `METHOD /path`")?;
        let mut request = self
            .http
            .request(method.parse()?, format!("{}{path}", self.url));
        for (name, value) in &step.send {
            request = request.header(name, value);
        }
        if let Some(parts) = &step.form {
            request = request.multipart(form(parts, names)?);
        } else if let Some(fields) = &step.manifest {
            request = request.json(&manifest(fields, names)?);
        } else if step.json.is_some() || step.text.is_some() || step.content_type.is_some() {
            let text = match (&step.json, &step.text) {
                (Some(json), _) => names.value(json)?.to_string(),
                (None, Some(text)) => names.text(text)?,
                (None, None) => String::new(),
            };
            let content_type = step.content_type.as_deref().unwrap_or("application/json");
            if !content_type.is_empty() {
                request = request.header("content-type", content_type);
            }
            request = request.body(text);
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("{call}: no answer"))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let content_type = headers
            .get("content-type")
            .map_or(&b""[..], |value| value.as_bytes());
        let body = if content_type.starts_with(b"text/event-stream") {
            first_event(answer).await?
        } else {
            let text = answer
                .text()
                .await
                .with_context(|| format!("{call}: half an answer"))?;
            if content_type.starts_with(b"application/json") && !text.is_empty() {
                serde_json::from_str(&text).with_context(|| format!("{call}: {text}"))?
            } else {
                Value::String(text)
            }
        };
        Ok(Answered {
            status,
            headers,
            body,
        })
    }
}

/// Returns the scripted connector's manifest with these fields replaced; `<absent>` removes one.
pub(crate) fn manifest(fields: &Map<String, Value>, names: &Names) -> Result<Value> {
    let usual: Map<String, Value> = serde_json::from_str(include_str!("rows/manifest.json"))?;
    let mut manifest = usual;
    for (key, value) in fields {
        match value.as_str() {
            Some("<absent>") => manifest.remove(key),
            _ => manifest.insert(key.clone(), value.clone()),
        };
    }
    names.value(&Value::Object(manifest))
}

fn form(parts: &[(String, String)], names: &Names) -> Result<Form> {
    let mut form = Form::new();
    for (name, value) in parts {
        let value = names.text(value)?;
        form = if name == "data" {
            let part = Part::bytes(value.into_bytes()).file_name("file");
            form.part("data", part.mime_str("application/octet-stream")?)
        } else {
            form.text(name.clone(), value)
        };
    }
    Ok(form)
}

/// Returns the first event of a stream, which may last as long as a run. Returns an empty string
/// when the stream ends first.
async fn first_event(mut answer: reqwest::Response) -> Result<Value> {
    let mut text = String::new();
    while let Some(bytes) = answer.chunk().await? {
        text.push_str(&String::from_utf8_lossy(&bytes));
        if let Some((event, _)) = text.split_once("\n\n") {
            return Ok(serde_json::from_str(event.trim_start_matches("data: "))?);
        }
    }
    Ok(Value::String(text))
}
