//! What an annotated connector consists of, as constants that generated code writes and the runtime reads.

use super::{Action, Enrich, Prepare, Ready, Sync, Validate, WebhookFn};
use crate::{
    connector::{Connector, McpServer},
    run::Operator,
    wire::{OAuthConfig, Skill, SourceType, SyncType},
};

/// The annotated functions of a connector: what `#[connector]` on its `impl` block collects.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no annotated `impl` block",
    label = "this connector cannot sync anything yet",
    note = "help: put `#[connector]` on `impl {Self}` and `#[sync]` on one of its methods"
)]
pub trait Methods: Connector + Sized {
    /// Methods with `#[sync]`.
    const SYNCS: &'static [Sync<Self>];
    /// Methods with `#[action]`.
    const ACTIONS: &'static [Action<Self>];
    /// Functions with `#[search_operator]`.
    const OPERATORS: &'static [Operator];
    /// Methods with `#[webhook]`.
    const WEBHOOKS: &'static [WebhookFn<Self>] = &[];
    /// The method with `#[validate]`.
    const VALIDATE: Option<Validate<Self>> = None;
    /// The method with `#[oauth]`.
    const OAUTH: Option<fn(&Self) -> Option<OAuthConfig>> = None;
    /// The method with `#[skills]`.
    const SKILLS: Option<fn(&Self) -> Vec<Skill>> = None;
    /// The method with `#[credential_ready]`.
    const CREDENTIAL_READY: Option<Ready<Self>> = None;
    /// The method with `#[enrich]`.
    const ENRICH: Option<Enrich<Self>> = None;
    /// The method with `#[mcp]`.
    const MCP: Option<fn(&Self) -> Option<McpServer>> = None;
    /// The method with `#[mcp_env]`.
    const MCP_ENV: Option<Prepare<Self>> = None;
    /// The method with `#[mcp_headers]`.
    const MCP_HEADERS: Option<Prepare<Self>> = None;
}

/// What stands in the attribute of a connector's struct.
pub trait Declared: Methods {
    /// The connector's name.
    const NAME: &'static str;
    /// The systems it serves.
    const SOURCE_TYPES: &'static [SourceType];
    /// What it can be asked for.
    const MODES: &'static [SyncType];
    /// Functions in `actions = […]`.
    const ACTIONS: &'static [Action<Self>];
    /// Functions in `search_operators = […]`.
    const OPERATORS: &'static [Operator];
}

/// The systems a connector serves.
pub fn source_types<K: Declared>() -> Vec<SourceType> {
    K::SOURCE_TYPES.to_vec()
}

/// What a connector can be asked for.
pub fn sync_modes<K: Declared>() -> Vec<SyncType> {
    K::MODES.to_vec()
}

/// All actions of a connector, those of its `impl` block first.
pub(super) fn all_actions<K: Declared>() -> impl Iterator<Item = &'static Action<K>> {
    <K as Methods>::ACTIONS
        .iter()
        .chain(<K as Declared>::ACTIONS)
}
