//! The hooks: methods that the runtime calls, such as `#[validate]`. A row has the marker of a hook, its name in messages, whether it
//! is `async`, and its parameters.
//!
//! Each becomes a constant of the runtime's `Methods`. A method with `#[replaces]` becomes one as well. It replaces the method of
//! the trait `Connector` that has its name.

/// Expands to `$with! { … }` with the rows.
macro_rules! hooks {
    ($with:ident) => {
        $with! {
            validate "validation" async, supplied;
            refetch "refetch function" async, supplied;
            oauth "oauth function" sync, [];
            skills "skills function" sync, [];
            credential_ready "sign-in hook" async, ["ready: CredentialReady", "manager: ManagerClient"];
            enrich "enrich function" async, ["tokens: OAuthTokens"];
            mcp "MCP function" sync, [];
            mcp_env "MCP environment function" sync, ["credentials: &McpCredentials"];
            mcp_headers "MCP header function" sync, ["credentials: &McpCredentials"];
        }
    };
}

macro_rules! table {
    (@row $replaces:literal, $name:ident $noun:literal $mode:tt, $takes:tt) => {
        HookKind {
            name: stringify!($name),
            noun: $noun,
            is_async: table!(@$mode),
            takes: table!(@$takes),
            replaces: $replaces,
        }
    };
    (@async) => { true };
    (@sync) => { false };
    (@supplied) => { None };
    (@[$($parameter:literal),*]) => { Some(&[$($parameter),*]) };
    ($($name:ident $noun:literal $mode:tt, $takes:tt;)*) => {
        &[$(table!(@row false, $name $noun $mode, $takes)),*]
    };
    (replaces $($name:ident $noun:literal $mode:tt, $takes:tt;)*) => {
        &[$(table!(@row true, $name $noun $mode, $takes)),*]
    };
}

/// One kind of hook.
#[derive(Debug, PartialEq)]
pub(crate) struct HookKind {
    /// Its marker, or the name of the method that it replaces.
    pub(crate) name: &'static str,
    pub(crate) noun: &'static str,
    pub(crate) is_async: bool,
    /// The parameters as in a signature. The first is required, the others are optional. None if the framework supplies
    /// all parameters by type.
    pub(crate) takes: Option<&'static [&'static str]>,
    /// Whether it replaces the method of the trait that has its name.
    pub(crate) replaces: bool,
}

const HOOKS: &[HookKind] = hooks!(table);

/// The methods that `#[replaces]` replaces. The author writes the other methods of the trait in any case: with a marker, or as a key
/// that must be a literal.
const REPLACED: &[HookKind] = table! { replaces
    display_name "method `display_name`" sync, [];
    description "method `description`" sync, [];
    source_types "method `source_types`" sync, [];
    sync_modes "method `sync_modes`" sync, [];
    read_only "method `read_only`" sync, [];
    requires_credentials "method `requires_credentials`" sync, [];
    actions "method `actions`" sync, [];
    action_scopes "method `action_scopes`" sync, ["action: &str"];
    action_output "method `action_output`" sync, ["action: &str"];
    call_action "method `call_action`" async, ["call: ActionCall"];
    webhooks "method `webhooks`" sync, [];
    call_webhook "method `call_webhook`" async, ["call: WebhookCall"];
    operators "method `operators`" sync, [];
    search_operators "method `search_operators`" sync, [];
    extra_schema "method `extra_schema`" sync, [];
    attributes_schema "method `attributes_schema`" sync, [];
};

impl HookKind {
    /// Returns the name of its constant in the runtime's `Methods`.
    pub(crate) fn constant(&self) -> String {
        let prefix = if self.replaces { "REPLACED_" } else { "" };
        format!("{prefix}{}", self.name.to_uppercase())
    }

    /// Returns the function of the runtime that converts what the method returned. Each has its own error for other types.
    pub(crate) fn converter(&self) -> &'static str {
        match self.name {
            "mcp_env" | "mcp_headers" => "pairs_answer",
            _ if self.replaces && !self.is_async => "replaced_answer",
            _ => "hook_answer",
        }
    }

    pub(crate) fn of_marker(marker: &str) -> Option<&'static Self> {
        HOOKS.iter().find(|kind| kind.name == marker)
    }

    /// Returns the kind of a method with `#[replaces]`.
    pub(crate) fn of_replaced(method: &str) -> Option<&'static Self> {
        REPLACED.iter().find(|kind| kind.name == method)
    }
}

/// Returns the markers of all hooks.
pub(crate) fn markers() -> impl Iterator<Item = &'static str> {
    HOOKS.iter().map(|kind| kind.name)
}

/// Returns the names of the methods that can be replaced.
pub(crate) fn replaceable() -> Vec<&'static str> {
    REPLACED.iter().map(|kind| kind.name).collect()
}
