//! One call of an action.

use std::fmt;

use serde_json::Value;

use crate::{
    manager::ManagerClient,
    wire::{ServiceCredential, Source},
};

/// Everything that is known when an action is called. `Debug` leaves out what the caller supplied.
#[derive(Clone)]
pub struct ActionCall {
    /// The action's name.
    pub action: String,
    /// What the caller supplied, with the keys of the source's config added by the manager.
    pub params: Value,
    /// On whose behalf.
    pub credentials: Option<ServiceCredential>,
    /// The source; none in transient mode, before one exists.
    pub source: Option<Source>,
    /// Address of the acting person; none for the system's own calls.
    pub actor_email: Option<String>,
    /// The way back to the manager.
    pub manager: ManagerClient,
}

impl fmt::Debug for ActionCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActionCall")
            .field("action", &self.action)
            .field("credentials", &self.credentials)
            .field("source", &self.source)
            .field("actor_email", &self.actor_email)
            .finish_non_exhaustive()
    }
}
