//! Changes of a setup's source between two runs, as an admin makes them in Omni, and runs of another connector on it.

use omni_connector::AuthType;
use serde_json::{Value, json};

use super::setup::Setup;
use crate::store::{
    checkpoints,
    sources::{self, SourceRecord},
};

impl Setup {
    /// Changes one setting of the source's config. The next run sees it.
    ///
    /// # Panics
    /// Panics if the config is not an object.
    pub async fn configure(&self, key: &str, value: Value) {
        let key = key.to_owned();
        let change = move |source: &mut SourceRecord| source.config[key] = value;
        self.change_source(change).await;
    }

    /// Changes the stored source. The next run sees it; [`source`](Self::source) stays as the source was at the start.
    ///
    /// ```no_run
    /// # async fn example(setup: omni_connector_dev::testing::Setup) {
    /// setup.change_source(|source| source.is_active = false).await;
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics if the store cannot be written.
    pub async fn change_source(&self, change: impl FnOnce(&mut SourceRecord) + Send + 'static) {
        let id = self.source.id.clone();
        let store = self.manager.store();
        let changed = store.write(move |db| {
            let mut source = sources::find(db, &id)?.expect("the source of the setup is stored");
            change(&mut source);
            sources::put(db, &source)
        });
        changed.await.expect("a store in memory is written");
    }

    /// Replaces the source's credentials.
    ///
    /// # Panics
    /// Panics if the store cannot be written.
    pub async fn set_credentials(&self, auth_type: AuthType, secret: Value) {
        let (id, provider) = (&self.source.id, &self.source.source_type);
        let put = self
            .manager
            .put_credential(id, None, provider, auth_type, secret);
        put.await.expect("a store in memory is written");
    }

    /// Replaces the source's checkpoint, such as by one of an earlier version.
    ///
    /// # Panics
    /// Panics if the store cannot be written.
    pub async fn set_checkpoint(&self, checkpoint: Value) {
        let id = self.source.id.clone();
        let store = self.manager.store();
        let put = store.write(move |db| checkpoints::put(db, &id, &checkpoint));
        put.await.expect("a store in memory is written");
    }

    /// Executes a full run of another connector on this source, such as the one that is to be replaced. It sends these
    /// events, saves the checkpoint if there is one, and completes.
    ///
    /// Events are those of the protocol, with a text as `content` and without the ids of run and source.
    ///
    /// ```no_run
    /// # async fn example(setup: omni_connector_dev::testing::Setup) {
    /// use serde_json::json;
    ///
    /// let events = vec![json!({
    ///     "type": "document_created", "document_id": "OPS-7", "content": "The disk of db1 is full.",
    ///     "metadata": { "title": "Disk full" }, "attributes": {},
    ///     "permissions": { "public": true, "users": [], "groups": [] },
    /// })];
    /// setup.sync_by_another(events, Some(json!({ "page": 7 }))).await;
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics if the manager refuses a call.
    pub async fn sync_by_another(&self, events: Vec<Value>, checkpoint: Option<Value>) {
        let source = &self.source.id;
        let full = json!({ "source_id": source, "sync_type": "full" });
        let created = self.post("sync/create", full).await;
        let run = created["sync_run_id"].as_str().unwrap_or_default();
        let mut sent = Vec::new();
        for mut event in events {
            let text = event
                .as_object_mut()
                .and_then(|event| event.remove("content"));
            if let Some(text) = text {
                let content = json!({ "sync_run_id": run, "content": text });
                event["content_id"] = self.post("content", content).await["content_id"].take();
            }
            event["sync_run_id"] = run.into();
            event["source_id"] = source.as_str().into();
            sent.push(event);
        }
        let batch = json!({ "sync_run_id": run, "source_id": source, "events": sent });
        self.post("events/batch", batch).await;
        if let Some(checkpoint) = checkpoint {
            let url = format!("{}/sdk/sync/{run}/checkpoint", self.manager.url());
            accepted("checkpoint", self.http.put(url).json(&checkpoint)).await;
        }
        let complete = format!("sync/{run}/complete");
        self.post(&complete, json!({})).await;
    }

    async fn post(&self, route: &str, body: Value) -> Value {
        let url = format!("{}/sdk/{route}", self.manager.url());
        accepted(route, self.http.post(url).json(&body)).await
    }
}

/// Returns the manager's answer to a call that it must accept.
async fn accepted(route: &str, call: reqwest::RequestBuilder) -> Value {
    let answer = call.send().await.expect("the manager answers");
    let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
    assert!(
        status.is_success(),
        "the manager refuses `{route}`: {status} {text}"
    );
    serde_json::from_str(&text).unwrap_or_default()
}
