//! One call of an action.

use std::fmt;

use serde_json::Value;

use crate::{
    manager::ManagerClient,
    wire::{ServiceCredential, Source},
};

/// The input of an action's call. `Debug` omits the caller's input.
#[derive(Clone)]
pub struct ActionCall {
    /// The action's name.
    pub action: String,
    /// The caller's input. The manager adds the keys of the source's config.
    pub params: Value,
    /// The credential with which the action is performed.
    pub credentials: Option<ServiceCredential>,
    /// The source. `None` in transient mode, before one exists.
    pub source: Option<Source>,
    /// The address of the acting person. `None` for calls of the system.
    pub actor_email: Option<String>,
    /// The client of the manager.
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
