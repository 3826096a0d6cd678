//! The calls of the published SDK, one after the other. It stores the content and waits, counts it as scanned and
//! waits, counts it as updated and waits. After every 500 events it sends a batch, inline.

use std::time::Instant;

use anyhow::Result;

use crate::{
    data::{self, BATCH, CONTENT, Run},
    limit::{Client, Rate},
};

pub(crate) async fn documents(url: &str, run: Run<'_>, count: usize) -> Result<Rate> {
    measure(url, run, count, true).await
}

pub(crate) async fn events(url: &str, run: Run<'_>, count: usize) -> Result<Rate> {
    measure(url, run, count, false).await
}

async fn measure(url: &str, run: Run<'_>, count: usize, stores: bool) -> Result<Rate> {
    let client = Client::new(url)?;
    let scanned = format!("/sdk/sync/{}/scanned", run.id);
    let updated = format!("/sdk/sync/{}/updated", run.id);
    let mut buffer = Vec::with_capacity(BATCH);
    let started = Instant::now();
    for number in 0..count {
        let content_id = if stores {
            let text = data::text(run.id, number);
            client.store(data::content(run, &text)).await?
        } else {
            CONTENT.to_owned()
        };
        buffer.push(data::event(run, number, &content_id));
        if buffer.len() == BATCH {
            client
                .post("/sdk/events/batch", data::batch(run, &buffer))
                .await?;
            buffer.clear();
        }
        client.post(&scanned, r#"{"count":1}"#).await?;
        client.post(&updated, r#"{"count":1}"#).await?;
    }
    client
        .post("/sdk/events/batch", data::batch(run, &buffer))
        .await?;
    Ok(Rate::of(count, started))
}
