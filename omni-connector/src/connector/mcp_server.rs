//! Declares the MCP server behind a connector. `Debug` never shows its secrets.
//!
//! Without the feature `mcp` there is no value of [`McpServer`], so a connector that has one does not compile.

#[cfg(feature = "mcp")]
use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

/// An MCP server, reached over one of the two transports (`protocol.md` §9.1): what
/// [`Connector::mcp_server`](crate::Connector::mcp_server) returns.
///
/// ```
/// # #[cfg(feature = "mcp")] {
/// use omni_connector::McpServer;
///
/// let local: McpServer = McpServer::stdio("npx").args(["-y", "@modelcontextprotocol/server-memory"]).into();
/// let remote: McpServer = McpServer::http("https://api.example.com/mcp").header("x-team", "ops").into();
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum McpServer {
    /// A child process, over its standard input and output.
    #[cfg(feature = "mcp")]
    Stdio(StdioMcpServer),
    /// A server at a URL, over streamable HTTP.
    #[cfg(feature = "mcp")]
    Http(HttpMcpServer),
}

/// The manager gives up on an action after 30 s; an error message must be sent before.
#[cfg(feature = "mcp")]
const TIMEOUT: Duration = Duration::from_secs(25);

#[cfg(feature = "mcp")]
impl McpServer {
    /// Declares a server started as `command`, found on `PATH`.
    pub fn stdio(command: impl Into<String>) -> StdioMcpServer {
        StdioMcpServer {
            command: command.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            cwd: None,
            timeout: TIMEOUT,
        }
    }

    /// Declares a server at `url`.
    pub fn http(url: impl Into<String>) -> HttpMcpServer {
        HttpMcpServer {
            url: url.into(),
            headers: BTreeMap::new(),
            timeout: TIMEOUT,
        }
    }

    pub(crate) const fn timeout(&self) -> Duration {
        match self {
            Self::Stdio(server) => server.timeout,
            Self::Http(server) => server.timeout,
        }
    }
}

/// A server that runs as a child process of the connector, one for each active credential.
///
/// It inherits the connector's environment. `Debug` shows the names of its own variables, but not their values.
#[cfg(feature = "mcp")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StdioMcpServer {
    pub(crate) command: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) cwd: Option<PathBuf>,
    timeout: Duration,
}

#[cfg(feature = "mcp")]
impl StdioMcpServer {
    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item: Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable. One from [`prepare_mcp_env`](crate::Connector::prepare_mcp_env) takes precedence.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Sets its working directory. The default is the connector's.
    #[must_use]
    pub fn cwd(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cwd = Some(folder.into());
        self
    }

    /// Sets the time limit of a request, including the start of the server. The default is 25 s.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// A server at a URL that the connector does not start.
///
/// `Debug` shows the names of its headers, but not their values.
#[cfg(feature = "mcp")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HttpMcpServer {
    pub(crate) url: String,
    pub(crate) headers: BTreeMap<String, String>,
    timeout: Duration,
}

#[cfg(feature = "mcp")]
impl HttpMcpServer {
    /// Sets a header of every request. One from [`prepare_mcp_headers`](crate::Connector::prepare_mcp_headers) takes
    /// precedence.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers
            .insert(name.into().to_ascii_lowercase(), value.into());
        self
    }

    /// Sets the time limit of a request, including the connection. The default is 25 s.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

#[cfg(feature = "mcp")]
impl fmt::Debug for StdioMcpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdioMcpServer")
            .field("command", &self.command)
            .field("env", &self.env.keys())
            .field("cwd", &self.cwd)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "mcp")]
impl fmt::Debug for HttpMcpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpMcpServer")
            .field("url", &crate::redact(&self.url))
            .field("headers", &self.headers.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "mcp")]
macro_rules! into_server {
    ($($variant:ident($server:ty))+) => {
        $(
            impl From<$server> for McpServer {
                fn from(server: $server) -> Self {
                    Self::$variant(server)
                }
            }
        )+
    };
}

#[cfg(feature = "mcp")]
into_server! { Stdio(StdioMcpServer) Http(HttpMcpServer) }

#[cfg(all(test, feature = "mcp"))]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_a_server_is_shown() {
        let servers: [McpServer; 2] = [
            McpServer::stdio("npx")
                .arg("--token=hunter2")
                .env("TOKEN", "hunter2")
                .into(),
            McpServer::http("https://ann:hunter2@example.com/mcp?api_key=hunter2")
                .header("Authorization", "Bearer hunter2")
                .into(),
        ];
        for server in servers {
            let shown = format!("{server:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
