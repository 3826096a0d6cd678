//! The options of `my-connector mcp`, from the command line or the environment.

use std::{fs, net::SocketAddr};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::wire::SourceType;

/// The output of `mcp --help`.
pub(super) const HELP: &str = "\
Serves the connector's actions as MCP tools and its skills as prompts, over standard input and output.

  --http [ADDRESS]        over streamable HTTP at http://ADDRESS/mcp instead; 127.0.0.1:4800 unless it is given
  --config FILE           the source's config, as JSON             OMNI_MCP_CONFIG       JSON, or a file's path
  --credentials FILE      the credential's secret, as JSON         OMNI_MCP_CREDENTIALS  JSON, or a file's path
  --actor EMAIL           on whose behalf actions are called       OMNI_MCP_ACTOR
  --source-type TYPE      one of those that the connector serves   OMNI_MCP_SOURCE_TYPE
  --read-only             no tools that change anything";

const DEFAULT_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4800);

/// The settings of one start.
pub(super) struct Options {
    pub(super) http: Option<SocketAddr>,
    pub(super) config: Value,
    pub(super) credentials: Option<Value>,
    pub(super) actor: Option<String>,
    pub(super) source_type: Option<SourceType>,
    pub(super) read_only: bool,
}

impl Options {
    /// Reads the options; none if help was requested.
    pub(super) fn read(
        arguments: &[String],
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>> {
        let from_env = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let mut config = from_env("OMNI_MCP_CONFIG");
        let mut credentials = from_env("OMNI_MCP_CREDENTIALS");
        let mut actor = from_env("OMNI_MCP_ACTOR");
        let mut source_type = from_env("OMNI_MCP_SOURCE_TYPE");
        let (mut http, mut read_only) = (None, false);
        let mut arguments = arguments.iter().peekable();
        while let Some(argument) = arguments.next() {
            let (name, inline) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let field = match name {
                "--help" | "-h" => return Ok(None),
                "--read-only" => {
                    read_only = match inline.as_deref() {
                        None | Some("true") => true,
                        Some("false") => false,
                        Some(other) => bail!(
                            "`--read-only` is `{other}`\nhelp: leave the value out, or use `true` or `false`"
                        ),
                    };
                    continue;
                }
                "--http" => {
                    let given = inline
                        .or_else(|| arguments.next_if(|next| !next.starts_with('-')).cloned());
                    http = Some(given.map_or(Ok(DEFAULT_ADDRESS), |text| address(&text))?);
                    continue;
                }
                "--config" => &mut config,
                "--credentials" => &mut credentials,
                "--actor" => &mut actor,
                "--source-type" => &mut source_type,
                _ => bail!("unknown argument `{argument}`\nhelp: `mcp --help` lists them"),
            };
            let value = inline.or_else(|| arguments.next().cloned());
            *field = Some(value.with_context(|| format!("`{name}` needs a value"))?);
        }
        let source_type = source_type
            .map(|name| name.parse::<SourceType>())
            .transpose()?;
        Ok(Some(Self {
            http,
            config: match config {
                Some(given) => json("config", &given)?,
                None => Value::Object(serde_json::Map::new()),
            },
            credentials: credentials
                .map(|given| json("credentials", &given))
                .transpose()?,
            actor,
            source_type,
            read_only,
        }))
    }
}

fn address(text: &str) -> Result<SocketAddr> {
    let address = text
        .strip_prefix("localhost:")
        .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    let address: SocketAddr = address
        .parse()
        .with_context(|| format!("`{text}` is not an address\nhelp: try `127.0.0.1:4800`"))?;
    if !address.ip().is_loopback() {
        bail!(
            "`{text}` can be reached from elsewhere, and everybody would act with these credentials\nhelp: use a loopback address, such as `127.0.0.1:{}`",
            address.port()
        );
    }
    Ok(address)
}

/// Parses JSON, or a file with JSON. Errors omit the content, which may be a secret.
fn json(what: &str, given: &str) -> Result<Value> {
    let text = if given.trim_start().starts_with('{') {
        given.to_owned()
    } else {
        fs::read_to_string(given)
            .with_context(|| format!("the {what} cannot be read from `{given}`"))?
    };
    serde_json::from_str(&text).map_err(|error| {
        anyhow::anyhow!(
            "{what}: not JSON at line {}, column {}",
            error.line(),
            error.column()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str], env: &[(&str, &str)]) -> Result<Option<Options>> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        Options::read(&arguments, |name| {
            env.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_command_line_overrides_the_environment() {
        let env = [
            ("OMNI_MCP_CONFIG", r#"{"a":1}"#),
            ("OMNI_MCP_ACTOR", "env@example.com"),
        ];
        let options = read(
            &["--actor", "ann@example.com", "--http", "--read-only"],
            &env,
        );
        let options = options.unwrap().unwrap();
        assert_eq!(options.config, serde_json::json!({ "a": 1 }));
        assert_eq!(options.actor.as_deref(), Some("ann@example.com"));
        assert_eq!(options.http, Some(DEFAULT_ADDRESS));
        assert!(options.read_only);
    }

    #[test]
    fn without_a_password_only_a_local_address_is_served() {
        for address in ["0.0.0.0:80", "192.168.0.1:80"] {
            let error = read(&["--http", address], &[]).err().unwrap().to_string();
            assert!(error.contains("reached from elsewhere"), "{error}");
        }
        let options = read(&["--http=localhost:5000"], &[]).unwrap().unwrap();
        assert_eq!(options.http.unwrap().port(), 5000);
    }

    #[test]
    fn a_broken_secret_is_not_quoted() {
        let error = read(&[], &[("OMNI_MCP_CREDENTIALS", r#"{"key": hunter2}"#)]);
        let error = format!("{:#}", error.err().unwrap());
        assert_eq!(error, "credentials: not JSON at line 1, column 9");
    }
}
