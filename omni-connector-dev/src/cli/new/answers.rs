//! The questions about a new connector. Each is also a flag; without a terminal a missing flag is an error.

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
};

use clap::{Args, builder::PossibleValuesParser};
use omni_connector::SourceType;

use super::{
    ask::{Question, asked, word},
    kind::Kind,
    openapi::{Chosen, Flags, FromDocument},
};
use crate::cli::failure::Failure;

/// The keys of the blocks of templates, with their values.
#[cfg(test)]
pub(super) const ANSWERS: &[(&str, &[&str])] = &[
    ("kind", &KINDS),
    ("auth", &AUTH),
    ("paging", &PAGING),
    ("incremental", &INCREMENTAL),
    ("access", &ACCESS),
    ("transport", &["stdio", "http"]),
    ("field", &super::kind::FIELDS),
    ("action", &["create"]),
];

const KINDS: [&str; 3] = ["rest", "graphql", "mcp"];
pub(super) const AUTH: [&str; 5] = ["key", "bearer", "basic", "oauth", "none"];
pub(super) const PAGING: [&str; 7] = [
    "token",
    "next-url",
    "link-header",
    "page",
    "offset",
    "none",
    "relay",
];
pub(super) const INCREMENTAL: [&str; 3] = ["time", "token", "none"];
pub(super) const ACCESS: [&str; 3] = ["item", "groups", "public"];

/// Make a new connector that runs, with its tests
#[derive(Debug, Args)]
#[command(after_help = "\
The command asks for each answer that no flag gives; with `-y` it takes the first value.

Examples:
  cargo omni new acme
  cargo omni new desk --source-type clickup --item ticket --auth bearer --paging page -y
  cargo omni new tools --kind mcp --url https://example.com/mcp -y
  cargo omni new acme --diff")]
#[allow(clippy::struct_excessive_bools, reason = "flags")]
pub(in crate::cli) struct Arguments {
    /// Folder of the new package; its last part is the name, such as `acme`
    pub(super) folder: PathBuf,
    /// Source type in Omni; for a system that Omni does not know, choose a similar one
    #[arg(long, value_name = "TYPE", value_parser = source_types())]
    source_type: Option<String>,
    /// What the connector talks to
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS))]
    kind: Option<String>,
    /// How the connector signs in: a key in a header, a bearer token, user and password, OAuth, or not at all
    #[arg(long, value_parser = PossibleValuesParser::new(AUTH))]
    auth: Option<String>,
    /// How a list of the API ends: without a token for the next page, without its URL, without a `Link` header, with an empty page, or
    /// with its only answer
    #[arg(long, value_parser = PossibleValuesParser::new(PAGING))]
    paging: Option<String>,
    /// Whether the API can list only what changed: since a time, or since a token that it gives out
    #[arg(long, value_parser = PossibleValuesParser::new(INCREMENTAL))]
    incremental: Option<String>,
    /// Who may read an item: the readers that it names, the members of a group, or everybody
    #[arg(long, value_parser = PossibleValuesParser::new(ACCESS))]
    access: Option<String>,
    /// What the API lists, in one word, such as `ticket` [default: a word that fits the source type]
    #[arg(long, value_name = "WORD")]
    pub(super) item: Option<String>,
    /// Answer every other question with its first value
    #[arg(short, long)]
    yes: bool,
    /// With `--kind mcp`: the command that starts the server
    #[arg(long, value_name = "COMMAND", conflicts_with = "url")]
    command: Option<String>,
    /// With `--kind mcp`: where the server is
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    pub(super) document: FromDocument,
    /// Folder, git URL or version of omni-connector [default: where this command comes from]
    #[arg(long, value_name = "PATH|URL|VERSION")]
    pub(super) lib: Option<String>,
    /// Leave out the tests of the new package
    #[arg(long)]
    pub(super) no_check: bool,
    /// Write into a folder that exists, and replace its files of the same names
    #[arg(long)]
    pub(super) force: bool,
    /// Show what the template of today would write otherwise into a package that this command made; changes nothing
    #[arg(long, conflicts_with_all = ["source_type", "kind", "auth", "paging", "incremental", "access", "item", "yes",
        "command", "url", "from", "no_check", "force"])]
    pub(super) diff: bool,
}

/// What is to be made.
pub(super) struct Answers {
    pub(super) source_type: SourceType,
    pub(super) kind: Kind,
}

fn source_types() -> PossibleValuesParser {
    PossibleValuesParser::new(source_type_names())
}

/// The names of source types. The first one is taken by `-y`.
fn source_type_names() -> Vec<&'static str> {
    let mut names: Vec<_> = SourceType::ALL.iter().map(|it| it.as_str()).collect();
    names.sort_by_key(|name| (*name != "jira", *name));
    names
}

impl Arguments {
    /// Asks for what no flag says.
    pub(super) fn answers(&self, chosen: Option<Chosen>) -> Result<Answers, Failure> {
        let types: Vec<_> = source_type_names()
            .into_iter()
            .map(|name| (name, ""))
            .collect();
        let source_type = self.ask(&Question {
            flag: "source-type",
            text: "Source type in Omni; for a system that Omni does not know, choose a similar one",
            given: self.source_type.as_deref(),
            values: &types,
        })?;
        let source_type = source_type.parse().map_err(Failure::usage)?;
        if let Some(chosen) = chosen {
            if self.kind.as_deref() == Some("mcp") {
                let failure = Failure::usage("`--from` describes an API, not an MCP server");
                return Err(failure.help("leave out `--from` or `--kind mcp`"));
            }
            let kind = Kind::Document(Box::new(chosen));
            return Ok(Answers { source_type, kind });
        }
        let kind = self.ask(&Question {
            flag: "kind",
            text: "What the connector talks to",
            given: self.kind.as_deref(),
            values: &[
                ("rest", "an HTTP API with lists in JSON"),
                ("graphql", "a GraphQL API, whose lists are connections"),
                ("mcp", "an MCP server, whose tools become actions"),
            ],
        })?;
        let kind = match kind.as_str() {
            "mcp" => self.server()?,
            "graphql" => self.graphql()?,
            _ => self.rest()?,
        };
        Ok(Answers { source_type, kind })
    }

    /// Asks what the API lists, unless a flag says it or nobody can be asked.
    pub(super) fn asked_item(
        &self,
        kind: &Kind,
        usual: &str,
        accept: impl Fn(&str) -> Result<(), Failure>,
    ) -> Result<Option<String>, Failure> {
        let has_items = matches!(kind, Kind::Rest { .. } | Kind::GraphQl { .. });
        let is_asked = has_items && !self.yes && self.item.is_none();
        if !is_asked || !io::stdin().is_terminal() {
            return Ok(self.item.clone());
        }
        word(
            usual,
            accept,
            &mut io::stdin().lock(),
            &mut io::stderr().lock(),
        )
        .map(Some)
        .map_err(|error| Failure::usage(format!("`--item` was not answered: {error}")))
    }

    /// What an OpenAPI document says; none when nobody named one.
    pub(super) fn chosen(&self) -> Result<Option<Chosen>, Failure> {
        if self.document.from.is_some() {
            self.has_no_connections()?;
        }
        self.document.choose(&Flags {
            auth: self.auth.as_deref(),
            paging: self.paging.as_deref(),
            incremental: self.incremental.as_deref(),
            access: self.access.as_deref(),
        })
    }

    fn server(&self) -> Result<Kind, Failure> {
        let of_an_api = [
            ("auth", &self.auth),
            ("paging", &self.paging),
            ("incremental", &self.incremental),
            ("access", &self.access),
            ("item", &self.item),
        ];
        if let Some((flag, _)) = of_an_api.iter().find(|(_, given)| given.is_some()) {
            let failure = Failure::usage(format!("`--{flag}` has no meaning for an MCP server"));
            return Err(failure.help("leave it out, or make a connector with `--kind rest`"));
        }
        let (kind, given) = match (&self.command, &self.url) {
            (Some(command), _) => (Kind::Command(command.clone()), command),
            (None, Some(url)) => (Kind::Url(url.clone()), url),
            (None, None) => {
                let failure = Failure::usage("`--kind mcp` needs a server");
                return Err(failure.help(
                    "give `--command \"npx -y some-server\"`, or `--url https://example.com/mcp`",
                ));
            }
        };
        if given.trim().is_empty() || given.contains(['"', '\\', '\n']) {
            let failure = Failure::usage(format!("`{given}` cannot be the server"));
            return Err(
                failure.help("put a command with quotes into a script, and name the script")
            );
        }
        Ok(kind)
    }

    fn graphql(&self) -> Result<Kind, Failure> {
        if let Some(paging) = self.paging.as_ref().filter(|paging| *paging != "relay") {
            let failure =
                Failure::usage(format!("lists of a GraphQL API do not end by `{paging}`"));
            return Err(failure.help("leave out `--paging`: they are connections with `pageInfo`"));
        }
        if self.incremental.as_deref() == Some("token") {
            let failure = Failure::usage("`--incremental token` is for `--kind rest`");
            return Err(failure.help("take `time` or `none`"));
        }
        self.is_no_server()?;
        Ok(Kind::GraphQl {
            auth: self.auth()?,
            incremental: self.incremental(false)?,
            access: self.access()?,
        })
    }

    fn rest(&self) -> Result<Kind, Failure> {
        self.is_no_server()?;
        self.has_no_connections()?;
        Ok(Kind::Rest {
            auth: self.auth()?,
            paging: self.paging()?,
            incremental: self.incremental(true)?,
            access: self.access()?,
        })
    }

    fn has_no_connections(&self) -> Result<(), Failure> {
        if self.paging.as_deref() == Some("relay") {
            let failure = Failure::usage("`--paging relay` is how lists of a GraphQL API end");
            return Err(failure.help("add `--kind graphql`, or name how the lists of the API end"));
        }
        Ok(())
    }

    fn is_no_server(&self) -> Result<(), Failure> {
        if self.command.is_some() || self.url.is_some() {
            let failure = Failure::usage("`--command` and `--url` name an MCP server");
            return Err(
                failure.help("add `--kind mcp`; the address of an API is a setting of each source")
            );
        }
        Ok(())
    }

    fn auth(&self) -> Result<String, Failure> {
        self.ask(&Question {
            flag: "auth",
            text: "How the connector signs in",
            given: self.auth.as_deref(),
            values: &[
                ("key", "a key in a header"),
                ("bearer", "a bearer token"),
                ("basic", "user and password"),
                ("oauth", "people sign in with OAuth"),
                ("none", "it does not: everybody can read the API"),
            ],
        })
    }

    fn paging(&self) -> Result<String, Failure> {
        self.ask(&Question {
            flag: "paging",
            text: "How a list of the API ends",
            given: self.paging.as_deref(),
            values: &[
                ("token", "the last answer has no token for a next page"),
                ("next-url", "the last answer has no URL of a next page"),
                (
                    "link-header",
                    "the last answer has no header `Link: …; rel=\"next\"`",
                ),
                ("page", "pages are numbered; the first empty one is the end"),
                (
                    "offset",
                    "the call says how many items to leave out; an empty answer is the end",
                ),
                ("none", "one answer is always the whole list"),
            ],
        })
    }

    fn incremental(&self, gives_tokens: bool) -> Result<String, Failure> {
        let all = [
            ("time", "yes, since a time"),
            ("none", "no, it always lists everything"),
            ("token", "yes, since a token that it gives out"),
        ];
        self.ask(&Question {
            flag: "incremental",
            text: "Can the API list only what changed",
            given: self.incremental.as_deref(),
            values: if gives_tokens { &all } else { &all[..2] },
        })
    }

    fn access(&self) -> Result<String, Failure> {
        self.ask(&Question {
            flag: "access",
            text: "Who may read an item",
            given: self.access.as_deref(),
            values: &[
                ("item", "the readers that each item names"),
                ("groups", "the members of the group that each item names"),
                ("public", "everybody in the company"),
            ],
        })
    }

    fn ask(&self, question: &Question<'_>) -> Result<String, Failure> {
        if let Some(given) = question.given {
            return Ok(given.to_owned());
        }
        let default = question.values.first().map_or("", |(value, _)| value);
        match question.values {
            [_] => return Ok(default.to_owned()),
            _ if self.yes => return Ok(default.to_owned()),
            _ => {}
        }
        let flag = question.flag;
        if !io::stdin().is_terminal() {
            let failure = Failure::usage(format!(
                "`--{flag}` is missing, and there is no terminal to ask for it"
            ));
            return Err(failure.help(format!(
                "give it, such as `--{flag} {default}`, or take the first value of every question with `-y`"
            )));
        }
        let mut input = io::stdin().lock();
        asked(question, default, &mut input, &mut io::stderr().lock())
            .map_err(|error| Failure::usage(format!("`--{flag}` was not answered: {error}")))
    }
}
