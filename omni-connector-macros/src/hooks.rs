//! The hooks: methods that answer a question of the runtime, when no key of the struct can. One row declares everything
//! about a hook: its marker, its name in messages, whether it is `async`, and its parameters.
//!
//! The method becomes the constant of the runtime's `Methods` that has the marker's name.

/// Expands to `$with! { … }` with the rows.
macro_rules! hooks {
    ($with:ident) => {
        $with! {
            validate "validation" async, supplied;
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
    ($($marker:ident $noun:literal $mode:tt, $takes:tt;)*) => {
        &[$(HookKind {
            marker: stringify!($marker),
            noun: $noun,
            is_async: table!(@$mode),
            takes: table!(@$takes),
        }),*]
    };
    (@async) => { true };
    (@sync) => { false };
    (@supplied) => { None };
    (@[$($parameter:literal),*]) => { Some(&[$($parameter),*]) };
}

/// One kind of hook.
#[derive(Debug, PartialEq)]
pub(crate) struct HookKind {
    pub(crate) marker: &'static str,
    pub(crate) noun: &'static str,
    pub(crate) is_async: bool,
    /// The parameters as in a signature. The first is required, the others are optional. None if the framework supplies
    /// all parameters by type.
    pub(crate) takes: Option<&'static [&'static str]>,
}

const HOOKS: &[HookKind] = hooks!(table);

impl HookKind {
    pub(crate) fn of_marker(marker: &str) -> Option<&'static Self> {
        HOOKS.iter().find(|kind| kind.marker == marker)
    }
}

/// Returns the markers of all hooks.
pub(crate) fn markers() -> impl Iterator<Item = &'static str> {
    HOOKS.iter().map(|kind| kind.marker)
}
