//! What is asked for each kind of connector, and which flags have no meaning for it.

use super::{
    answers::Arguments,
    ask::Question,
    kind::{Kind, Mcp, Server},
};
use crate::cli::failure::Failure;

impl Arguments {
    pub(super) fn server(&self) -> Result<Kind, Failure> {
        let help = "leave it out, or make a connector with `--kind rest`";
        self.refuse(
            "an MCP server",
            &["paging", "incremental", "access", "item"],
            help,
        )?;
        let (server, given) = match (&self.command, &self.url) {
            (Some(command), _) => (Server::Command(command.clone()), command),
            (None, Some(url)) => (Server::Url(url.clone()), url),
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
        let values: &[_] = match server {
            Server::Command(_) => &[
                ("key", "a secret in an environment variable"),
                ("none", "it does not"),
            ],
            Server::Url(_) => &[
                ("bearer", "a bearer token"),
                ("key", "a key in a header"),
                ("oauth", "people sign in with OAuth"),
                ("none", "it does not: everybody can use the server"),
            ],
        };
        if let Some(auth) = self.auth.as_deref()
            && !values.iter().any(|(value, _)| *value == auth)
        {
            let what = match server {
                Server::Command(_) => "a server that is a program",
                Server::Url(_) => "a server at a URL",
            };
            let known: Vec<_> = values
                .iter()
                .map(|(value, _)| format!("`{value}`"))
                .collect();
            let failure = Failure::usage(format!("`--auth {auth}` is not for {what}"));
            return Err(failure.help(format!("take one of {}", known.join(", "))));
        }
        let auth = self.ask(&Question {
            flag: "auth",
            text: "How the connector signs in at the server",
            given: self.auth.as_deref(),
            values,
        })?;
        Ok(Kind::Mcp(Mcp {
            server,
            auth,
            tools: None,
        }))
    }

    pub(super) fn files(&self) -> Result<Kind, Failure> {
        self.is_no_server()?;
        let help = "leave it out: a folder is listed as a whole, and its items are files";
        self.refuse("a folder", &["auth", "paging", "incremental", "item"], help)?;
        if let Some(access @ ("item" | "groups")) = self.access.as_deref() {
            let failure = Failure::usage(format!(
                "`--access {access}` is not for files, which name no readers that Omni knows"
            ));
            return Err(failure.help("take `settings` or `public`"));
        }
        let access = self.ask(&Question {
            flag: "access",
            text: "Who may read the files",
            given: self.access.as_deref(),
            values: &[
                ("settings", "the people whom the settings of a source name"),
                ("public", "everybody in the company"),
            ],
        })?;
        Ok(Kind::Files { access })
    }

    pub(super) fn other(&self) -> Result<Kind, Failure> {
        self.is_no_server()?;
        let help = "leave it out: `src/client.rs` says how rows are read, and a secret belongs to its settings";
        self.refuse(
            "a system that is not called over HTTP",
            &["auth", "paging"],
            help,
        )?;
        self.has_no_tokens()?;
        Ok(Kind::Other {
            incremental: self.incremental(false)?,
            access: self.access()?,
        })
    }

    /// Refuses flags that have no meaning for a kind.
    fn refuse(&self, what: &str, flags: &[&str], help: &str) -> Result<(), Failure> {
        let all = [
            ("auth", &self.auth),
            ("paging", &self.paging),
            ("incremental", &self.incremental),
            ("access", &self.access),
            ("item", &self.item),
        ];
        let mut given = all.iter().filter(|(_, given)| given.is_some());
        match given.find(|(flag, _)| flags.contains(flag)) {
            Some((flag, _)) => {
                let failure = Failure::usage(format!("`--{flag}` has no meaning for {what}"));
                Err(failure.help(help))
            }
            None => Ok(()),
        }
    }

    fn has_no_tokens(&self) -> Result<(), Failure> {
        if self.incremental.as_deref() == Some("token") {
            let failure = Failure::usage("`--incremental token` is for `--kind rest`");
            return Err(failure.help("take `time` or `none`"));
        }
        Ok(())
    }

    pub(super) fn graphql(&self) -> Result<Kind, Failure> {
        if let Some(paging) = self.paging.as_ref().filter(|paging| *paging != "relay") {
            let failure =
                Failure::usage(format!("lists of a GraphQL API do not end by `{paging}`"));
            return Err(failure.help("leave out `--paging`: they are connections with `pageInfo`"));
        }
        self.has_no_tokens()?;
        self.is_no_server()?;
        Ok(Kind::GraphQl {
            auth: self.auth()?,
            incremental: self.incremental(false)?,
            access: self.access()?,
        })
    }

    pub(super) fn rest(&self) -> Result<Kind, Failure> {
        self.is_no_server()?;
        self.has_no_connections()?;
        Ok(Kind::Rest {
            auth: self.auth()?,
            paging: self.paging()?,
            incremental: self.incremental(true)?,
            access: self.access()?,
        })
    }

    pub(super) fn has_no_connections(&self) -> Result<(), Failure> {
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
        if self.access.as_deref() == Some("settings") {
            let failure = Failure::usage("`--access settings` is for `--kind files`");
            return Err(failure.help("take `item`, `groups` or `public`"));
        }
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
}
