//! The store and the state of one manager, which every rule receives.

use std::{ops::Deref, sync::Arc};

use tokio::sync::Semaphore;

use crate::{
    extract::{Notes, Readers},
    options::Options,
    state::{ConnectorClient, Locks, Registry},
    store::Store,
    workbench::Workbench,
};

/// The shared parts of one manager. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Shared(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) registry: Arc<Registry>,
    pub(crate) connectors: ConnectorClient,
    /// One permit for each file being read.
    pub(crate) extraction: Arc<Semaphore>,
    /// The reader program.
    pub(crate) readers: Readers,
    /// Notes for people about the files that were read.
    pub(crate) file_notes: Notes,
    /// One lock for each credential whose token is being refreshed.
    pub(crate) refreshes: Locks,
    /// The state shared by the development command and the page.
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
