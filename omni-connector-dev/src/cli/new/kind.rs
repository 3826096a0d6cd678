//! What a new connector talks to, and the blocks of its template.

use super::{openapi::Chosen, tools::Tools};

/// The fields of an item beside its id.
pub(super) const FIELDS: [&str; 5] = ["title", "text", "url", "status", "updated_at"];

/// What the connector talks to.
pub(super) enum Kind {
    Rest {
        auth: String,
        paging: String,
        incremental: String,
        access: String,
    },
    GraphQl {
        auth: String,
        incremental: String,
        access: String,
    },
    /// An API with a document that describes it.
    Document(Box<Chosen>),
    /// A folder with files.
    Files {
        access: String,
    },
    /// A database, or the library of another system.
    Other {
        incremental: String,
        access: String,
    },
    Mcp(Mcp),
}

/// An MCP server.
pub(super) struct Mcp {
    pub(super) server: Server,
    pub(super) auth: String,
    /// What the server listed; none if it was not asked, or did not answer.
    pub(super) tools: Option<Tools>,
}

/// Where an MCP server is.
pub(super) enum Server {
    /// What starts it.
    Command(String),
    Url(String),
}

impl Kind {
    /// The blocks of a template that are kept.
    pub(super) fn choice<'a>(&'a self) -> Vec<(&'a str, &'a str)> {
        let of_an_api = |answers: &[(&'static str, &'a str)]| {
            let fields = FIELDS.map(|field| ("field", field));
            [answers, &fields, &[("action", "create")]].concat()
        };
        match self {
            Self::Rest {
                auth,
                paging,
                incremental,
                access,
            } => of_an_api(&[
                ("kind", "rest"),
                ("auth", auth),
                ("paging", paging),
                ("incremental", incremental),
                ("access", access),
            ]),
            Self::GraphQl {
                auth,
                incremental,
                access,
            } => of_an_api(&[
                ("kind", "graphql"),
                ("auth", auth),
                ("incremental", incremental),
                ("access", access),
            ]),
            Self::Document(_) => Vec::new(),
            Self::Files { access } => vec![("access", access)],
            Self::Other {
                incremental,
                access,
            } => vec![("incremental", incremental), ("access", access)],
            Self::Mcp(mcp) => {
                let transport = match mcp.server {
                    Server::Command(_) => "stdio",
                    Server::Url(_) => "http",
                };
                let mut choice = vec![("transport", transport), ("auth", &*mcp.auth)];
                // The made-up server has a tool that only reads.
                let reads = mcp
                    .tools
                    .as_ref()
                    .is_none_or(|tools| tools.read().is_some());
                choice.extend(reads.then_some(("reads", "yes")));
                choice.extend(mcp.tools.is_some().then_some(("tools", "listed")));
                choice
            }
        }
    }

    /// Whether the connector reads items that the author names.
    pub(super) const fn asks_for_items(&self) -> bool {
        matches!(
            self,
            Self::Rest { .. } | Self::GraphQl { .. } | Self::Other { .. }
        )
    }

    /// Whether the connector can be tried with made-up items.
    pub(super) const fn has_items(&self) -> bool {
        !matches!(self, Self::Mcp(_))
    }
}
