//! The compile error for authors who forgot the feature `mcp`: a single error with the remedy.

use std::{path::PathBuf, time::Duration};

use crate::connector::McpServer;

/// Types that exist only with the feature `mcp`. Nothing implements it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this connector is built without MCP",
    label = "needs the feature `mcp`",
    note = "help: in its Cargo.toml: `omni-connector = {{ …, features = [\"mcp\"] }}`"
)]
pub trait WithMcp {
    /// Never called.
    fn into_server(self) -> McpServer;
}

/// These need the feature `mcp`.
impl McpServer {
    /// Needs the feature `mcp`.
    pub fn stdio(command: impl WithMcp) -> Self {
        command.into_server()
    }

    /// Needs the feature `mcp`.
    pub fn http(url: impl WithMcp) -> Self {
        url.into_server()
    }
}

/// The remaining methods, declared so that they cause no further errors.
#[doc(hidden)]
impl McpServer {
    #[must_use]
    pub fn arg(self, _: impl Into<String>) -> Self {
        self
    }

    #[must_use]
    pub fn args(self, _: impl IntoIterator<Item: Into<String>>) -> Self {
        self
    }

    #[must_use]
    pub fn env(self, _: impl Into<String>, _: impl Into<String>) -> Self {
        self
    }

    #[must_use]
    pub fn cwd(self, _: impl Into<PathBuf>) -> Self {
        self
    }

    #[must_use]
    pub fn header(self, _: impl Into<String>, _: impl Into<String>) -> Self {
        self
    }

    #[must_use]
    pub fn timeout(self, _: Duration) -> Self {
        self
    }
}
