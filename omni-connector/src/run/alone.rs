//! A run without a process, for tests of functions that take a context.

use super::{NewRun, Operator, SyncContext};
use crate::{
    manager::ManagerClient,
    redact::Secrets,
    wire::{Source, SyncRequest},
};

impl SyncContext {
    /// Makes the context of a run that has no slot, and whose end nobody reports. `omni_connector_dev::testing::context`
    /// makes contexts with it.
    #[doc(hidden)]
    pub fn alone(
        request: SyncRequest,
        source: Source,
        operators: Vec<Operator>,
        manager: ManagerClient,
    ) -> Self {
        Self::start(NewRun {
            mode: request.sync_mode,
            request,
            source,
            operators,
            manager,
            secrets: Secrets::default(),
        })
    }
}
