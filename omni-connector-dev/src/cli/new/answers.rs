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
    ("tools", &["listed"]),
    ("reads", &["yes"]),
    ("field", &super::kind::FIELDS),
    ("action", &["create"]),
];

pub(super) const KINDS: [&str; 5] = ["rest", "graphql", "files", "mcp", "other"];
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
pub(super) const ACCESS: [&str; 4] = ["item", "groups", "settings", "public"];

/// Make a new connector that runs, with its tests
#[derive(Debug, Args)]
#[command(after_help = "\
The command asks for each answer that no flag gives; with `-y` it takes the first value.

Examples:
  cargo omni new acme
  cargo omni new desk --source-type clickup --item ticket --auth bearer --paging page -y
  cargo omni new tools --kind mcp --url https://example.com/mcp -y
  cargo omni new shelf --kind files -y
  cargo omni new acme --diff")]
#[allow(clippy::struct_excessive_bools, reason = "flags")]
pub(in crate::cli) struct Arguments {
    /// Folder of the new package; its last part is the name, such as `acme`
    pub(super) folder: PathBuf,
    /// Source type in Omni; for a system that Omni does not know, choose a similar one
    #[arg(long, value_name = "TYPE", value_parser = source_types())]
    pub(super) source_type: Option<String>,
    /// What the connector talks to
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS))]
    pub(super) kind: Option<String>,
    /// How the connector signs in: a key in a header, a bearer token, user and password, OAuth, or not at all
    #[arg(long, value_parser = PossibleValuesParser::new(AUTH))]
    pub(super) auth: Option<String>,
    /// How a list of the API ends: without a token for the next page, without its URL, without a `Link` header, with an empty page, or
    /// with its only answer
    #[arg(long, value_parser = PossibleValuesParser::new(PAGING))]
    pub(super) paging: Option<String>,
    /// Whether the API can list only what changed: since a time, or since a token that it gives out
    #[arg(long, value_parser = PossibleValuesParser::new(INCREMENTAL))]
    pub(super) incremental: Option<String>,
    /// Who may read an item: the readers that it names, the members of a group, the people whom the settings name, or everybody
    #[arg(long, value_parser = PossibleValuesParser::new(ACCESS))]
    pub(super) access: Option<String>,
    /// What the API lists, in one word, such as `ticket` [default: a word that fits the source type]
    #[arg(long, value_name = "WORD")]
    pub(super) item: Option<String>,
    /// Answer every other question with its first value
    #[arg(short, long)]
    yes: bool,
    /// With `--kind mcp`: the command that starts the server
    #[arg(long, value_name = "COMMAND", conflicts_with = "url")]
    pub(super) command: Option<String>,
    /// With `--kind mcp`: where the server is
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
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
    PossibleValuesParser::new(source_type_names(SourceType::Jira))
}

/// The names of source types. The usual one is the first, which `-y` takes.
fn source_type_names(usual: SourceType) -> Vec<&'static str> {
    let mut names: Vec<_> = SourceType::ALL.iter().map(|it| it.as_str()).collect();
    names.sort_by_key(|name| (*name != usual.as_str(), *name));
    names
}

impl Arguments {
    /// Asks for what no flag says.
    pub(super) fn answers(&self, chosen: Option<Chosen>) -> Result<Answers, Failure> {
        let usual = match self.kind.as_deref() {
            Some("files") => SourceType::LocalFiles,
            _ => SourceType::Jira,
        };
        let types: Vec<_> = source_type_names(usual)
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
            if let Some(kind) = self.kind.as_deref().filter(|kind| *kind != "rest") {
                let failure = Failure::usage("`--from` describes a REST API");
                return Err(failure.help(format!("leave out `--from` or `--kind {kind}`")));
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
                ("files", "a folder with files"),
                ("mcp", "an MCP server, whose tools become actions"),
                ("other", "a database, or the library of another system"),
            ],
        })?;
        let kind = match kind.as_str() {
            "mcp" => self.server()?,
            "graphql" => self.graphql()?,
            "files" => self.files()?,
            "other" => self.other()?,
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
        let is_asked = kind.asks_for_items() && !self.yes && self.item.is_none();
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

    pub(super) fn ask(&self, question: &Question<'_>) -> Result<String, Failure> {
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
