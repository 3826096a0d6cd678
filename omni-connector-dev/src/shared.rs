//! What every rule is given: the store and the state of one manager.

use std::{ops::Deref, sync::Arc};

use tokio::sync::Semaphore;

use crate::{
    extract::{Notes, Readers},
    options::Options,
    state::{ConnectorClient, Locks, Registry},
    store::Store,
    workbench::Workbench,
};

/// What all parts of one manager share. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Shared(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) registry: Arc<Registry>,
    pub(crate) connectors: ConnectorClient,
    /// A permit for each file that is read.
    pub(crate) extraction: Arc<Semaphore>,
    /// The program that reads files.
    pub(crate) readers: Readers,
    /// What people should know of files that were read.
    pub(crate) file_notes: Notes,
    /// A lock for each credential whose token is refreshed.
    pub(crate) refreshes: Locks,
    /// What the development command and the page tell each other.
    pub(crate) workbench: Workbench,
}

impl Shared {
    pub(crate) fn new(
        options: Options,
        store: Store,
        registry: Registry,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self(Arc::new(Parts {
            registry: Arc::new(registry),
            connectors: ConnectorClient::new(options.calls.clone())?,
            extraction: Arc::new(Semaphore::new(options.extraction.concurrency.max(1))),
            readers: Readers::default(),
            file_notes: Notes::default(),
            refreshes: Locks::default(),
            workbench: Workbench::default(),
            store,
            options,
        })))
    }
}

impl Deref for Shared {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
