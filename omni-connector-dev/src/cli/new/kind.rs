//! What a new connector talks to, and the blocks of its template.

use super::openapi::Chosen;

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
    /// An MCP server, by what starts it.
    Command(String),
    /// An MCP server, by its address.
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
            Self::Command(_) => vec![("transport", "stdio")],
            Self::Url(_) => vec![("transport", "http")],
        }
    }
}
