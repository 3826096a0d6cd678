//! The arguments and results of hooks, by type.

use std::collections::HashMap;

use anyhow::Result;

use crate::{
    connector::McpServer,
    wire::{OAuthConfig, Skill},
};

/// The type of a hook's argument. It must equal the type of the runtime's value.
#[diagnostic::on_unimplemented(
    message = "the framework does not supply an argument of type `{Self}` here",
    label = "not an argument of this function",
    note = "help: take `{W}`"
)]
pub trait HookArgument<W> {
    /// Returns the same value.
    fn from_runtime(value: W) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T> HookArgument<T> for T {
    fn from_runtime(value: T) -> T {
        value
    }
}

/// Returns its argument. A hook that takes another type fails to compile here, with our message.
pub fn hook_argument<T: HookArgument<W>, W>(value: W) -> T {
    T::from_runtime(value)
}

/// A type that a hook may return where the runtime needs a `W`.
#[diagnostic::on_unimplemented(
    message = "this function cannot return `{Self}`",
    label = "cannot be returned",
    note = "help: return `{W}`"
)]
pub trait HookReturn<W> {
    /// Returns the answer.
    fn into_answer(self) -> W;
}

/// Converts what a hook returned.
pub fn hook_answer<W>(returned: impl HookReturn<W>) -> W {
    returned.into_answer()
}

// Any other type is reported with the message above.
#[diagnostic::do_not_recommend]
impl<T, E: Into<anyhow::Error>> HookReturn<Result<T>> for Result<T, E> {
    fn into_answer(self) -> Result<T> {
        self.map_err(Into::into)
    }
}

#[diagnostic::do_not_recommend]
impl HookReturn<Option<OAuthConfig>> for OAuthConfig {
    fn into_answer(self) -> Option<OAuthConfig> {
        Some(self)
    }
}

#[diagnostic::do_not_recommend]
impl HookReturn<Option<OAuthConfig>> for Option<OAuthConfig> {
    fn into_answer(self) -> Option<OAuthConfig> {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<L: IntoIterator<Item = Skill>> HookReturn<Vec<Skill>> for L {
    fn into_answer(self) -> Vec<Skill> {
        self.into_iter().collect()
    }
}

impl<S: McpReturn> HookReturn<Option<McpServer>> for S {
    fn into_answer(self) -> Option<McpServer> {
        self.into_server()
    }
}

/// The return type of a method with `#[replaces]`: that of the method that it replaces.
#[diagnostic::on_unimplemented(
    message = "this function cannot return `{Self}`",
    label = "cannot be returned",
    note = "help: return `{W}`"
)]
pub trait ReplacedReturn<W> {
    /// Returns the same value.
    fn into_answer(self) -> W;
}

#[diagnostic::do_not_recommend]
impl<W> ReplacedReturn<W> for W {
    fn into_answer(self) -> W {
        self
    }
}

/// Returns its argument. A method with `#[replaces]` that returns another type fails to compile here, with our message.
pub fn replaced_answer<W>(returned: impl ReplacedReturn<W>) -> W {
    returned.into_answer()
}

/// The return type of a method with `#[mcp]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an MCP server",
    label = "not an MCP server",
    note = "help: return `McpServer::stdio(…)` as `StdioMcpServer`, `McpServer::http(…)` as `HttpMcpServer`, or `Option<McpServer>`"
)]
pub trait McpReturn {
    /// Returns the server, if there is one.
    fn into_server(self) -> Option<McpServer>;
}

impl McpReturn for McpServer {
    fn into_server(self) -> Option<McpServer> {
        Some(self)
    }
}

impl<T: McpReturn> McpReturn for Option<T> {
    fn into_server(self) -> Option<McpServer> {
        self.and_then(T::into_server)
    }
}

#[cfg(feature = "mcp")]
impl McpReturn for crate::connector::StdioMcpServer {
    fn into_server(self) -> Option<McpServer> {
        Some(self.into())
    }
}

#[cfg(feature = "mcp")]
impl McpReturn for crate::connector::HttpMcpServer {
    fn into_server(self) -> Option<McpServer> {
        Some(self.into())
    }
}

/// Names and values, collected from any list that a method with `#[mcp_env]` or `#[mcp_headers]` returns, or its error.
#[derive(Debug)]
pub struct Pairs(Result<HashMap<String, String>>);

/// Returns the prepared pairs; none if there is no such method.
pub(super) fn pairs(prepared: Option<Pairs>) -> Result<HashMap<String, String>> {
    prepared.map_or_else(|| Ok(HashMap::new()), |Pairs(pairs)| pairs)
}

/// The return type of a method with `#[mcp_env]` or `#[mcp_headers]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold names and values",
    label = "not a list of names and values",
    note = "help: return `Result<[(&'static str, String); 1]>`, or `Result` of any other list of pairs of strings"
)]
pub trait PairsReturn {
    /// Collects the pairs.
    fn into_pairs(self) -> Pairs;
}

// Any other type is reported with the message above.
#[diagnostic::do_not_recommend]
impl<L, N, V, E> PairsReturn for Result<L, E>
where
    L: IntoIterator<Item = (N, V)>,
    N: Into<String>,
    V: Into<String>,
    E: Into<anyhow::Error>,
{
    fn into_pairs(self) -> Pairs {
        let strings = |(name, value): (N, V)| (name.into(), value.into());
        let pairs = self.map(|pairs| pairs.into_iter().map(strings).collect());
        Pairs(pairs.map_err(Into::into))
    }
}

/// Converts what a method with `#[mcp_env]` or `#[mcp_headers]` returned.
pub fn pairs_answer(returned: impl PairsReturn) -> Pairs {
    returned.into_pairs()
}
