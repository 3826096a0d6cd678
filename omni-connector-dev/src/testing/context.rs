//! A context that only collects, for unit tests of one function.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
};

use omni_connector::{
    Connector, ManagerClient, Operator, PersonSyncRecord, RunError, RunReport, SyncContext,
    SyncType, wire::SyncRequest,
};
use serde_json::{Value, json};

use super::{
    documents::{Documents, Found},
    recording::Recording,
    setup::options,
};
use crate::{
    manager::Manager,
    store::{checkpoints, people, sources::SourceRecord},
};

/// Makes a context whose items a test can look at: for a function that takes a [`SyncContext`], without a process and
/// without a server of the author's.
///
/// ```
/// use omni_connector::{Result, prelude::*};
/// use omni_connector_dev::testing;
///
/// struct Issue { key: &'static str, title: &'static str, readers: Option<Vec<&'static str>> }
///
/// async fn send(issues: &[Issue], ctx: &SyncContext) -> Result<()> {
///     for issue in issues {
///         match &issue.readers {
///             Some(readers) => {
///                 let readers = DocumentPermissions::users(readers.iter().copied());
///                 ctx.upsert(Document::new(issue.key, readers).title(issue.title)).await?;
///             }
///             None => ctx.item_failed(issue.key, "its readers are unknown", None),
///         }
///     }
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (ctx, collected) = testing::context().await;
/// let readers = Some(vec!["Ada@Example.com"]);
/// let disk = Issue { key: "OPS-7", title: "Disk full", readers };
/// let swap = Issue { key: "OPS-8", title: "Swap", readers: None };
/// send(&[disk, swap], &ctx).await.unwrap();
///
/// let document = collected.document("OPS-7").await;
/// assert_eq!((document.title.as_str(), document.readers()), ("Disk full", vec!["ada@example.com"]));
/// assert_eq!(collected.documents().await.ids(), ["OPS-7"]);
/// assert_eq!(collected.report().await.failures[0].item, "OPS-8");
/// # }
/// ```
///
/// The items go to a development manager in memory, with Omni's rules. So an event that Omni would refuse fails the test.
///
/// # What it does not check
///
/// There is no process, so nothing is registered, and no config or credential is decoded. No run ends: nothing completes
/// it, and no checkpoint is published. Nothing is killed, refused or resumed, and no fault is put into a call. A
/// [`Setup`](super::Setup) and [`conformance!`](crate::conformance) check these.
pub fn context() -> ContextBuilder {
    ContextBuilder {
        config: json!({}),
        source_type: "web".to_owned(),
        mode: SyncType::Full,
        checkpoint: None,
        operators: Vec::new(),
    }
}

/// A context that is not made yet. From [`context`]; awaiting it makes it.
#[must_use = "awaiting it makes the context"]
#[derive(Debug)]
pub struct ContextBuilder {
    config: Value,
    source_type: String,
    mode: SyncType,
    checkpoint: Option<Value>,
    operators: Vec<Operator>,
}

impl ContextBuilder {
    /// Takes the first source type and the search operators of a connector. Without it, documents get no attributes by
    /// [`attributes_of`](omni_connector::Document::attributes_of).
    pub fn connector(mut self, connector: &impl Connector) -> Self {
        if let Some(first) = connector.source_types().first() {
            self.source_type = first.to_string();
        }
        self.operators = connector.operators();
        self
    }

    /// Sets the source's config, which [`SyncContext::source`] has.
    pub fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// Sets the mode of the run; the default is a full one.
    pub fn mode(mut self, mode: SyncType) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the checkpoint that the run resumes from.
    pub fn checkpoint(mut self, checkpoint: Value) -> Self {
        self.checkpoint = Some(checkpoint);
        self
    }

    async fn make(self) -> (SyncContext, Collected) {
        let manager = Manager::start(options()).await;
        let manager = manager.expect("a manager in memory starts");
        let source = manager.source("test", &self.source_type, self.config).await;
        let source = source.expect("a store in memory is written");
        let recording = Recording::start(&manager.url()).await;
        let recording = recording.expect("a port is free");
        let client = ManagerClient::new(&recording.url());
        let run = client.create_run(&source.id, self.mode).await;
        let run = run.expect("the manager creates a run");
        let known = client.source(&source.id).await;
        let mut request = SyncRequest::new(&run, &source.id, self.mode);
        request.is_resume = self.checkpoint.is_some();
        request.checkpoint = self.checkpoint;
        let known = known.expect("the manager knows the source");
        let ctx = SyncContext::alone(request, known, self.operators, client);
        let collected = Collected {
            ctx: ctx.clone(),
            manager,
            source,
            run,
            recording,
        };
        (ctx, collected)
    }
}

impl IntoFuture for ContextBuilder {
    type Output = (SyncContext, Collected);
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}

/// What a function gave to a context. From [`context`].
///
/// Each method first waits until everything that was emitted is there. It panics if Omni would refuse any of it.
#[derive(Debug)]
pub struct Collected {
    ctx: SyncContext,
    manager: Manager,
    source: SourceRecord,
    run: String,
    recording: Recording,
}

impl Collected {
    /// Returns the documents, without those that were deleted again.
    ///
    /// # Panics
    /// Panics if Omni would refuse an event.
    pub async fn documents(&self) -> Documents {
        self.settle().await;
        let found = Documents::of(self.manager.store(), &self.source.id).await;
        found.expect("a store in memory is read")
    }

    /// Returns the document with that id.
    ///
    /// # Panics
    /// Panics if there is none. The message lists the existing ids.
    pub async fn document(&self, id: &str) -> Found {
        self.documents().await[id].clone()
    }

    /// Returns all events in order: documents, deletes, groups and people. Each is as it is sent, with the text as
    /// `content` in place of the content's id, and without the ids of run and source.
    ///
    /// # Panics
    /// Panics if Omni would refuse an event.
    pub async fn events(&self) -> Vec<Value> {
        self.settle().await;
        let store = self.manager.store();
        self.recording.events(store, &self.run).await
    }

    /// Returns the addresses of a group's members, sorted.
    ///
    /// # Panics
    /// Panics if Omni would refuse an event.
    pub async fn members(&self, group: &str) -> Vec<String> {
        self.settle().await;
        let (id, group) = (self.source.id.clone(), group.to_owned());
        let store = self.manager.store();
        let read = store.read(move |db| people::members_of(db, &id, &group));
        read.await.expect("a store in memory is read")
    }

    /// Returns the first thousand people, sorted by address.
    ///
    /// # Panics
    /// Panics if Omni would refuse an event.
    pub async fn people(&self) -> Vec<PersonSyncRecord> {
        self.settle().await;
        let id = self.source.id.clone();
        let store = self.manager.store();
        let read = store.read(move |db| people::of_source(db, &id, 1_000));
        read.await.expect("a store in memory is read")
    }

    /// Returns the checkpoint that was saved last.
    ///
    /// # Panics
    /// Panics if Omni would refuse an event.
    pub async fn checkpoint(&self) -> Option<Value> {
        self.settle().await;
        let run = self.run.clone();
        let store = self.manager.store();
        let read = store.read(move |db| checkpoints::find(db, &run));
        read.await.expect("a store in memory is read")
    }

    /// Returns the report: what was scanned, skipped, updated and deleted, and which items failed.
    ///
    /// # Panics
    /// Panics if Omni would refuse an event.
    pub async fn report(&self) -> RunReport {
        self.settle().await;
        self.ctx.report()
    }

    /// Waits until everything that was emitted is stored.
    async fn settle(&self) {
        // A run that has ended, or in which too much failed, emits nothing more.
        if let Err(
            error @ (RunError::Manager(_) | RunError::Checkpoint(_) | RunError::Unreadable(_)),
        ) = self.ctx.flush().await
        {
            panic!("Omni would refuse what was emitted: {error}")
        }
        let refused = self.manager.refused_events(&self.run, 5).await;
        let refused = refused.expect("a store in memory is read");
        assert!(refused.is_empty(), "Omni would refuse events: {refused:?}");
    }
}
