//! A connector while it is served in this process.

use std::time::Duration;

use omni_connector::{Connector, ServerConfig};
use serde_json::{Value, json};

use super::Manager;

/// A served connector.
pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
}

pub(crate) async fn serve(connector: impl Connector, manager: &Manager) -> Served {
    serve_with(connector, manager, |_| ()).await
}

/// Serves a connector like [`serve`], with other settings.
pub(crate) async fn serve_with(
    connector: impl Connector,
    manager: &Manager,
    change: impl FnOnce(&mut ServerConfig),
) -> Served {
    // The server picks the port. Its address is in its registration.
    let mut config = ServerConfig::loopback(&manager.url);
    change(&mut config);
    tokio::spawn(async move {
        omni_connector::serve_with_config(connector, config)
            .await
            .unwrap();
    });
    Served::registered(manager).await
}

impl Served {
    /// Returns the whole response, with headers.
    pub(crate) async fn send(
        &self,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Result<reqwest::Response> {
        let request = self.http.post(format!("{}{path}", self.url)).body(body);
        request.send().await
    }

    /// Returns the connector that registered with the manager.
    pub(crate) async fn registered(manager: &Manager) -> Self {
        let manifest = manager.told_of("/sdk/register").await;
        let http = omni_connector::HttpClient::builder()
            .no_proxy()
            .build()
            .unwrap();
        Self {
            url: manifest["connector_url"].as_str().unwrap().to_owned(),
            http,
        }
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let answer = self.send(path, body).await.unwrap();
        (
            answer.status().as_u16(),
            answer.json().await.unwrap_or_default(),
        )
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self
            .http
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap();
        (
            answer.status().as_u16(),
            answer.json().await.unwrap_or_default(),
        )
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        let request = self.http.get(format!("{}{path}", self.url));
        request.send().await.unwrap().text().await.unwrap()
    }

    pub(crate) async fn start(&self, run: &str, mode: &str) -> (u16, Value) {
        let body = json!({ "sync_run_id": run, "source_id": "S1", "sync_mode": mode });
        self.post("/sync", body.to_string()).await
    }

    /// Waits until the process no longer works on the run.
    pub(crate) async fn ended(&self, run: &str) {
        for _ in 0..1_000 {
            if self.get(&format!("/sync/{run}")).await.1["running"] == false {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("run {run} never ended");
    }
}
