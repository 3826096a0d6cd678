//! The client of the tracker.

use std::{sync::LazyLock, time::Duration};

use omni_connector::prelude::*;

use crate::{
    makes,
    records::{ApiKey, Settings},
};

/// The tracker's API. Some mistakes need calls without `Api`.
pub(crate) struct Client {
    pub(crate) api: Api,
    url: String,
    pub(crate) key: SecretString,
}

/// Returns a client without the kit's retries.
fn plain() -> &'static HttpClient {
    static CLIENT: LazyLock<HttpClient> = LazyLock::new(HttpClient::new);
    &CLIENT
}

/// A page of raw issues, and the token of the next one.
pub(crate) struct Issues {
    pub(crate) items: Vec<Value>,
    pub(crate) next: Option<String>,
}

impl Client {
    pub(crate) fn new(config: &Settings, key: &ApiKey) -> Self {
        Self {
            api: Api::at(&config.api_url).auth(Auth::bearer(&key.api_key)),
            url: config.api_url.as_str().trim_end_matches('/').to_owned(),
            key: key.api_key.clone(),
        }
    }

    /// Reads a page of the issues that changed since a time, or of all.
    pub(crate) async fn issues(&self, cursor: Option<&str>, since: Option<&str>) -> Result<Issues> {
        let mut answer = Value::Null;
        if makes("html is an empty list")
            || makes("a storm of retries")
            || makes("errors are ignored")
        {
            let mut attempts = 0;
            loop {
                attempts += 1;
                let mut url = format!("{}/issues?", self.url);
                for (name, value) in [("cursor", cursor), ("since", since)] {
                    if let Some(value) = value {
                        url.extend([name, "=", value, "&"]);
                    }
                }
                let sent = plain().get(url).bearer_auth(self.key.expose()).send().await;
                match sent {
                    Ok(sent) if sent.status().is_success() => {
                        // Bytes that are not UTF-8 are replaced.
                        let text = sent.text().await.unwrap_or_default();
                        answer = match serde_json::from_str(&text) {
                            Ok(answer) => answer,
                            Err(_) if !makes("a storm of retries") => Value::Null,
                            Err(error) => return Err(error.into()),
                        };
                        break;
                    }
                    // An unknown token is another mistake.
                    Ok(sent) if sent.status() == 400 => bail!("the tracker says 400"),
                    _ if makes("errors are ignored") => break,
                    Ok(sent) if !makes("a storm of retries") || attempts > 100 => {
                        bail!("the tracker says {}", sent.status())
                    }
                    Err(error) if !makes("a storm of retries") || attempts > 100 => {
                        return Err(error.without_url().into());
                    }
                    _ => tokio::time::sleep(Duration::from_millis(2)).await,
                }
            }
        } else {
            let mut call = self.api.get("issues");
            if let Some(cursor) = cursor {
                call = call.query(&[("cursor", cursor)]);
            }
            if let Some(since) = since {
                call = call.query(&[("since", since)]);
            }
            let read: Result<Value> = async {
                if makes("a byte that is not UTF-8 fails the run") {
                    return Ok(serde_json::from_slice(call.send().await?.bytes())?);
                }
                Ok(call.read().await?)
            }
            .await;
            let is_unknown_token = |error: &dyn std::fmt::Display| {
                cursor.is_some() && error.to_string().contains("says 400")
            };
            answer = match read {
                Err(error) if is_unknown_token(&error) => {
                    if !makes("a token that the source no longer knows is the end") {
                        return Err(error);
                    }
                    json!({ "issues": [] })
                }
                Err(_) if makes("a failed page is the end") && cursor.is_some() => Value::Null,
                read => read?,
            };
            if !makes("a failed page is the end") {
                ensure!(answer["issues"].is_array(), "the answer has no issues");
            }
        }
        if makes("a storm of retries") {
            ensure!(answer["issues"].is_array(), "the answer has no issues");
        }
        Ok(Issues {
            items: answer["issues"].as_array().cloned().unwrap_or_default(),
            next: answer["next"].as_str().map(str::to_owned),
        })
    }
}
