//! The development manager, as a separate process with its store in a temporary folder.

use std::{ops::Range, time::Instant};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use omni_connector_dev::{
    Manager, Options as ManagerOptions, Storage,
    store::{StoreError, apply::apply, contents, search::Query},
};
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::json;

use crate::{
    Options,
    data::{self, NULL_RUN, Run},
    limit::{self, Client, Rate},
    ours,
    part::Part,
    sequence,
    table::Row,
};

/// The number of parallel runs in the second row.
const AT_ONCE: usize = 4;
/// One source for each parallel run of each candidate, so that none updates the documents of another.
const SOURCES: usize = AT_ONCE * 2 + 1;
const MANY: usize = 2_000;
const FEW: usize = 150;

/// Prints its URL and the ids of its sources, one a line, and serves until it is killed.
pub(crate) fn serve(folder: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut options = ManagerOptions::default();
        options.storage = Storage::Folder(folder.into());
        options.runs.tick = None;
        options.runs.concurrent = 100;
        options.runs.concurrent_per_class = 100;
        let manager = Manager::start(options).await?;
        println!("{}", manager.url());
        for number in 0..SOURCES {
            let name = format!("bench {number}");
            let source = manager.source(&name, "web", json!({})).await?;
            println!("{}", source.id);
        }
        std::future::pending().await
    })
}

/// The number of measured searches.
const SEARCHES: usize = 200;

/// Fills a store with the number of documents in each argument. Prints after each the number of searches a second.
pub(crate) fn search(counts: &[&str]) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let folder = tempfile::tempdir()?;
        let mut options = ManagerOptions::default();
        options.storage = Storage::Folder(folder.path().to_owned());
        let manager = Manager::start(options).await?;
        let (store, mut filled) = (manager.store(), 0);
        let source = manager.source("bench", "web", json!({})).await?.id;
        for count in counts {
            let count: usize = count.parse()?;
            while filled < count {
                let numbers = filled..(filled + 1_000).min(count);
                filled = numbers.end;
                let source = source.clone();
                store.write(move |db| fill(db, &source, numbers)).await?;
            }
            let started = Instant::now();
            for number in 0..SEARCHES {
                let query = format!("document {}", number * 7_919 % count);
                let hits = store
                    .search(Query::new(query).seen_by("ann@example.com"))
                    .await?;
                ensure!(hits.total > 0, "a document is not found");
            }
            println!("{}", Rate::of(SEARCHES, started).0);
        }
        Ok(())
    })
}

fn fill(db: &Connection, source: &str, numbers: Range<usize>) -> Result<(), StoreError> {
    let run = Run { source, ..NULL_RUN };
    let mut events = Vec::with_capacity(numbers.len());
    for number in numbers {
        let content = contents::put(db, run.id, &data::text(run.id, number))?;
        events.push(data::event(run, number, &content));
    }
    apply(db, run.id, run.source, &events).map(drop)
}

/// Compares a search among 100,000 documents to one among 10,000.
pub(crate) fn search_row() -> Result<Row> {
    let part = Part::start(&["search", "10000", "100000"])?;
    let few: f64 = part.next_line()?.parse()?;
    let many: f64 = part.next_line()?.parse()?;
    let mut row = Row::new(
        "searches, 100,000 documents ÷ 10,000",
        "ranking all documents that hold the words",
    );
    row.round(Rate(many), None, Some(Rate(few)));
    Ok(row)
}

/// Measures documents a second, accepted and searchable: the manager indexes a batch before it answers.
pub(crate) async fn rows(options: &Options) -> Result<[Row; 2]> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path().to_string_lossy();
    let part = Part::start(&["development", &folder])?;
    let url = part.next_line()?;
    let manager = Development {
        client: Client::new(&url)?,
        url,
    };
    let sources = (0..SOURCES).map(|_| part.next_line());
    let sources: Vec<String> = sources.collect::<Result<_>>()?;
    let (ours, rest) = sources.split_at(AT_ONCE);
    let (limits, sequence) = rest.split_at(AT_ONCE);
    let connector = ours::Connector::serve(&manager.url).await?;
    connector.emit(MANY);
    let bottleneck = "the development manager's one writer: SQLite and its search index";
    let mut one = Row::new("documents of 2 KB, development manager", bottleneck);
    let mut four = Row::new("the same, four runs at once", bottleneck);
    for _ in 0..options.rounds() {
        let rate = manager.sync(&connector, &ours[..1]).await?;
        let limit = manager.limit(&limits[..1]).await?;
        let slow = manager.sequence(&sequence[0]).await?;
        one.round(rate, Some(slow), Some(limit));
        let rate = manager.sync(&connector, ours).await?;
        let limit = manager.limit(limits).await?;
        four.round(rate, None, Some(limit));
    }
    connector.stop().await?;
    Ok([one, four])
}

/// The manager, and the start of runs of each candidate.
struct Development {
    client: Client,
    url: String,
}

#[derive(Deserialize)]
struct Started {
    sync_run_id: String,
}

impl Development {
    /// Runs our connector on every source at once.
    async fn sync(&self, connector: &ours::Connector, sources: &[String]) -> Result<Rate> {
        let started = Instant::now();
        for source in sources {
            let body = json!({ "source_id": source, "sync_mode": "full" }).to_string();
            // Refused until the connector has registered, and until the previous run has freed its slot.
            while self.client.post("/sync", body.clone()).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        }
        for _ in sources {
            connector.rate().await?;
        }
        Ok(Rate::of(MANY * sources.len(), started))
    }

    async fn limit(&self, sources: &[String]) -> Result<Rate> {
        let runs = try_join_all(sources.iter().map(|source| self.create(source))).await?;
        let started = Instant::now();
        let runs = runs.iter().zip(sources);
        try_join_all(runs.map(async |(id, source)| {
            limit::documents(&self.url, Run { id, source }, MANY).await?;
            self.complete(id).await
        }))
        .await?;
        Ok(Rate::of(MANY * sources.len(), started))
    }

    async fn sequence(&self, source: &str) -> Result<Rate> {
        let id = self.create(source).await?;
        let run = Run { id: &id, source };
        let rate = sequence::documents(&self.url, run, FEW).await?;
        self.complete(&id).await?;
        Ok(rate)
    }

    /// Creates a run without a call of a connector.
    async fn create(&self, source: &str) -> Result<String> {
        let body = json!({ "source_id": source, "sync_type": "full" }).to_string();
        let answer = self.client.post("/sdk/sync/create", body).await?;
        Ok(serde_json::from_slice::<Started>(&answer)?.sync_run_id)
    }

    async fn complete(&self, run: &str) -> Result<()> {
        let path = format!("/sdk/sync/{run}/complete");
        self.client.post(&path, "{}").await.map(drop)
    }
}
