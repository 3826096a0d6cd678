//! The limit of the connection: a bare client that sends encoded bytes, with as many parallel requests as a run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use omni_connector::HttpClient;
use serde::Deserialize;
use tokio::{sync::mpsc, task::JoinSet};

use crate::data::{self, BATCH, CONTENT, Run, STORES};

/// Documents a second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate(pub(crate) f64);

impl Rate {
    #[allow(clippy::cast_precision_loss, reason = "a rate of documents")]
    pub(crate) fn of(count: usize, started: Instant) -> Self {
        Self(count as f64 / started.elapsed().as_secs_f64())
    }
}

/// A client that posts requests and reads the whole answers.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

#[derive(Deserialize)]
struct Stored {
    content_id: String,
}

impl Client {
    pub(crate) fn new(base: &str) -> Result<Self> {
        Ok(Self {
            http: HttpClient::builder().no_proxy().build()?,
            base: base.to_owned(),
        })
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Result<Bytes> {
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request.header("content-type", "application/json");
        let answer = request.body(body).send().await?;
        let (status, body) = (answer.status(), answer.bytes().await?);
        ensure!(status.is_success(), "{path} answers {status}: {body:?}");
        Ok(body)
    }

    pub(crate) async fn store(&self, body: impl Into<reqwest::Body>) -> Result<String> {
        let answer = self.post("/sdk/content", body).await?;
        Ok(serde_json::from_slice::<Stored>(&answer)?.content_id)
    }
}

pub(crate) async fn documents(url: &str, run: Run<'_>, count: usize) -> Result<Rate> {
    let client = Client::new(url)?;
    let contents = (0..count).map(|number| data::content(run, &data::text(run.id, number)).into());
    let contents: Arc<[Bytes]> = contents.collect();
    // Two events of the same length differ only in their content id.
    let events: Vec<_> = (0..BATCH)
        .map(|number| data::event(run, number, CONTENT))
        .collect();
    let template = Arc::new(String::from_utf8(data::batch(run, &events))?);
    let next = Arc::new(AtomicUsize::new(0));
    let (stored, mut ids) = mpsc::unbounded_channel::<String>();
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..STORES {
        let (client, contents, next, stored) = (
            client.clone(),
            contents.clone(),
            next.clone(),
            stored.clone(),
        );
        tasks.spawn(async move {
            while let Some(body) = contents.get(next.fetch_add(1, Ordering::Relaxed)) {
                stored.send(client.store(body.clone()).await?)?;
            }
            Ok(())
        });
    }
    drop(stored);
    tasks.spawn(async move {
        let mut waiting = Vec::with_capacity(BATCH);
        while let Some(id) = ids.recv().await {
            waiting.push(id);
            if waiting.len() == BATCH {
                client
                    .post("/sdk/events/batch", filled(&template, &waiting))
                    .await?;
                waiting.clear();
            }
        }
        Ok::<_, anyhow::Error>(())
    });
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(Rate::of(count, started))
}

/// Fills the template with the ids from the manager, which have the same length as the id in it.
fn filled(template: &str, ids: &[String]) -> String {
    let mut ids = ids.iter();
    let mut body = String::with_capacity(template.len());
    for (index, part) in template.split(CONTENT).enumerate() {
        if index > 0 {
            body.push_str(ids.next().map_or(CONTENT, String::as_str));
        }
        body.push_str(part);
    }
    body
}

pub(crate) async fn events(url: &str, run: Run<'_>, count: usize) -> Result<Rate> {
    let client = Client::new(url)?;
    let events: Vec<_> = (0..BATCH)
        .map(|number| data::event(run, number, CONTENT))
        .collect();
    let body = Bytes::from(data::batch(run, &events));
    let started = Instant::now();
    for _ in 0..count.div_ceil(BATCH) {
        client.post("/sdk/events/batch", body.clone()).await?;
    }
    Ok(Rate::of(count, started))
}
