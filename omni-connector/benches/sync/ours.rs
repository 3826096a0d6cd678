//! A connector as an author writes it, started by requests as from the manager.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use omni_connector::{
    ServerConfig, ServiceCredential, Source, SourceType, SyncContext, SyncType, async_trait,
    serve_with_shutdown,
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    data::{self, CONTENT, NULL_RUN},
    limit::{Client, Rate},
};

/// The number of items that a run emits, and the channel for its rate.
struct Author {
    documents: Arc<AtomicUsize>,
    events: Arc<AtomicUsize>,
    rates: mpsc::UnboundedSender<Rate>,
}

#[async_trait]
impl omni_connector::Connector for Author {
    type Config = Value;
    type Credentials = Value;
    type State = Value;

    fn name(&self) -> &'static str {
        "bench"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Web]
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        vec![SyncType::Full]
    }

    fn requires_credentials(&self) -> bool {
        false
    }

    async fn sync(
        &self,
        _: Source,
        _: Option<ServiceCredential>,
        _: Option<Value>,
        ctx: SyncContext,
    ) -> Result<()> {
        let documents = self.documents.load(Ordering::Relaxed);
        let events = self.events.load(Ordering::Relaxed);
        let run = ctx.sync_run_id().to_owned();
        let started = Instant::now();
        for number in 0..documents {
            let text = data::text(&run, number);
            ctx.upsert(data::document(number).text(text)).await?;
        }
        for number in 0..events {
            ctx.upsert(data::document(number).stored(CONTENT)).await?;
        }
        ctx.complete().await?;
        self.rates.send(Rate::of(documents + events, started))?;
        Ok(())
    }
}

/// The connector, served in this process.
pub(crate) struct Connector {
    documents: Arc<AtomicUsize>,
    events: Arc<AtomicUsize>,
    rates: tokio::sync::Mutex<mpsc::UnboundedReceiver<Rate>>,
    runs: AtomicUsize,
    client: Client,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<()>>,
}

impl Connector {
    pub(crate) async fn serve(manager: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        drop(listener);
        let mut config = ServerConfig::loopback(manager);
        config.port = port;
        let (documents, events) = (Arc::default(), Arc::default());
        let (sender, rates) = mpsc::unbounded_channel();
        let author = Author {
            documents: Arc::clone(&documents),
            events: Arc::clone(&events),
            rates: sender,
        };
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve_with_shutdown(author, config, async {
            let _ = stopped.await;
        }));
        let http = omni_connector::HttpClient::builder().no_proxy().build()?;
        let health = format!("http://127.0.0.1:{port}/health");
        while http.get(&health).send().await.is_err() {
            tokio::task::yield_now().await;
        }
        Ok(Self {
            documents,
            events,
            rates: rates.into(),
            runs: AtomicUsize::new(0),
            client: Client::new(&format!("http://127.0.0.1:{port}"))?,
            stop,
            server,
        })
    }

    /// Sets the numbers of items that the runs of a real manager emit.
    pub(crate) fn emit(&self, documents: usize) {
        self.documents.store(documents, Ordering::Relaxed);
    }

    pub(crate) async fn documents(&self, count: usize) -> Result<Rate> {
        self.run(count, 0).await
    }

    pub(crate) async fn events(&self, count: usize) -> Result<Rate> {
        self.run(0, count).await
    }

    async fn run(&self, documents: usize, events: usize) -> Result<Rate> {
        self.documents.store(documents, Ordering::Relaxed);
        self.events.store(events, Ordering::Relaxed);
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "sync_run_id": format!("R{run}"), "source_id": NULL_RUN.source, "sync_mode": "full" });
        // The slot of the previous run is freed just after its rate is sent.
        while self.client.post("/sync", body.to_string()).await.is_err() {
            ensure!(!self.server.is_finished(), "the connector stopped");
            tokio::task::yield_now().await;
        }
        self.rate().await
    }

    /// Returns the rate of the next run that ends.
    pub(crate) async fn rate(&self) -> Result<Rate> {
        let mut rates = self.rates.lock().await;
        rates.recv().await.context("the connector stopped")
    }

    pub(crate) async fn stop(self) -> Result<()> {
        let _ = self.stop.send(());
        self.server.await?
    }
}
