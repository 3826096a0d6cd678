//! Where the server listens, where the manager is, and how the two find each other.

use std::{
    env, fmt,
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU32,
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use crate::{manager::Patience, redact::redact, wire::SecretString};

/// The settings of a connector's server, usually [from the environment](Self::from_env).
#[derive(Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// `CONNECTOR_MANAGER_URL`: base URL of the manager.
    pub manager_url: String,
    /// `CONNECTOR_HOST_NAME`: the name under which the manager reaches this process.
    pub host_name: String,
    /// `PORT`: where the server listens and is registered.
    pub port: u16,
    /// `OMNI_CONNECTOR_LISTEN`: the address to listen on; `0.0.0.0` unless it is set.
    pub listen: IpAddr,
    /// `OMNI_CONNECTOR_MAX_BODY_BYTES`: larger request bodies are refused with 413; 64 MB unless it is set.
    pub max_body_bytes: usize,
    /// `OMNI_CONNECTOR_TOKEN`: what the manager, or a proxy before this process, sends as `Authorization: Bearer …`. If it is
    /// set, whatever starts or changes something, or answers with contents, is closed to everybody else.
    pub token: Option<SecretString>,
    /// `OMNI_CONNECTOR_GRACE_SECONDS`: how long running syncs may take to reach a checkpoint once the process is asked to
    /// stop; 7 s unless it is set, so that all is over before the 10 s after which Docker kills.
    pub grace: Duration,
    /// `OMNI_CONNECTOR_WEBHOOK_WINDOW_SECONDS`: webhook calls about one source that come within this time become one run; 2 s
    /// unless it is set.
    pub webhook_window: Duration,
    /// How long calls to the manager wait, and how often they are repeated.
    pub patience: Patience,
    /// `CATALOG_CACHE_DIR`: where the lists of the MCP server are kept; `/var/lib/omni/mcp-catalogs` unless it is set.
    pub catalog_cache_dir: PathBuf,
    /// `CATALOG_CACHE_TTL_SECONDS`: for how long they are believed; a day unless it is set. With 0 or less they are not
    /// kept on disk, which is none here.
    pub catalog_cache_ttl: Option<Duration>,
    /// `OMNI_CONNECTOR_MCP_IDLE_SECONDS`: a connection to the MCP server that nobody used for so long is closed, and a server
    /// that was started for it ended; 300 s unless it is set.
    pub mcp_idle: Duration,
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig")
            .field("manager_url", &redact(&self.manager_url))
            .field("host_name", &self.host_name)
            .field("port", &self.port)
            .field("listen", &self.listen)
            .field("max_body_bytes", &self.max_body_bytes)
            .field("token", &self.token)
            .field("grace", &self.grace)
            .field("webhook_window", &self.webhook_window)
            .field("patience", &self.patience)
            .field("catalog_cache_dir", &self.catalog_cache_dir)
            .field("catalog_cache_ttl", &self.catalog_cache_ttl)
            .field("mcp_idle", &self.mcp_idle)
            .finish()
    }
}

/// Variables that are missing or wrong, all of them at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment is incomplete\n{}", .0.join("\n"))]
pub struct ConfigError(Vec<String>);

impl ServerConfig {
    /// A server for the manager at `manager_url`, reached as `host_name:port`; everything else has its default.
    pub fn new(manager_url: impl Into<String>, host_name: impl Into<String>, port: u16) -> Self {
        Self {
            manager_url: manager_url.into(),
            host_name: host_name.into(),
            port,
            listen: Ipv4Addr::UNSPECIFIED.into(),
            max_body_bytes: 64 << 20,
            token: None,
            grace: Duration::from_secs(7),
            webhook_window: Duration::from_secs(2),
            patience: Patience::default(),
            catalog_cache_dir: "/var/lib/omni/mcp-catalogs".into(),
            catalog_cache_ttl: Some(Duration::from_hours(24)),
            mcp_idle: Duration::from_mins(5),
        }
    }

    /// The settings in the environment (`protocol.md` §1.2).
    ///
    /// # Errors
    /// Every variable that is missing or cannot be read, with what it is for.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        // An empty variable is what compose files write for one that is not set.
        let lookup = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let mut problems = Vec::new();
        let mut required = |name: &str, purpose: &str| {
            lookup(name).unwrap_or_else(|| {
                problems.push(format!("help: set `{name}` to {purpose}"));
                String::new()
            })
        };
        let manager_url = required(
            "CONNECTOR_MANAGER_URL",
            "the base URL of the connector manager, such as `http://connector-manager:3004`",
        );
        let host_name = required(
            "CONNECTOR_HOST_NAME",
            "the name under which the manager reaches this connector, such as `localhost`",
        );
        let port = required("PORT", "the port to listen on, such as `4001`");
        let mut config = Self::new(manager_url, host_name, 0);
        if !port.is_empty() {
            read(&mut config.port, "PORT", &port, "port", &mut problems);
        }
        if let Some(text) = lookup("OMNI_CONNECTOR_LISTEN") {
            read(
                &mut config.listen,
                "OMNI_CONNECTOR_LISTEN",
                &text,
                "IP address",
                &mut problems,
            );
        }
        if let Some(text) = lookup("OMNI_CONNECTOR_MAX_BODY_BYTES") {
            read(
                &mut config.max_body_bytes,
                "OMNI_CONNECTOR_MAX_BODY_BYTES",
                &text,
                "number of bytes",
                &mut problems,
            );
        }
        config.token = lookup("OMNI_CONNECTOR_TOKEN").map(|token| token.trim().to_owned().into());
        for (name, field) in [
            ("OMNI_CONNECTOR_GRACE_SECONDS", &mut config.grace),
            (
                "OMNI_CONNECTOR_WEBHOOK_WINDOW_SECONDS",
                &mut config.webhook_window,
            ),
        ] {
            if let Some(text) = lookup(name) {
                let mut seconds = 0;
                read(
                    &mut seconds,
                    name,
                    &text,
                    "number of seconds",
                    &mut problems,
                );
                *field = Duration::from_secs(seconds);
            }
        }
        if let Some(folder) = lookup("CATALOG_CACHE_DIR") {
            config.catalog_cache_dir = folder.into();
        }
        if let Some(text) = lookup("CATALOG_CACHE_TTL_SECONDS") {
            let mut seconds = 0_i64;
            read(
                &mut seconds,
                "CATALOG_CACHE_TTL_SECONDS",
                &text,
                "number of seconds",
                &mut problems,
            );
            let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
            config.catalog_cache_ttl = seconds.map(Duration::from_secs);
        }
        if let Some(text) = lookup("OMNI_CONNECTOR_MCP_IDLE_SECONDS") {
            let mut seconds = NonZeroU32::MIN;
            read(
                &mut seconds,
                "OMNI_CONNECTOR_MCP_IDLE_SECONDS",
                &text,
                "number of seconds",
                &mut problems,
            );
            config.mcp_idle = Duration::from_secs(seconds.get().into());
        }
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError(problems))
        }
    }

    /// What the manager is told.
    pub(crate) fn connector_url(&self) -> String {
        format!("http://{}:{}", self.host_name, self.port)
    }
}

fn read<T: FromStr>(field: &mut T, name: &str, text: &str, kind: &str, problems: &mut Vec<String>) {
    match text.trim().parse() {
        Ok(value) => *field = value,
        Err(_) => problems.push(format!("help: `{name}` is `{text}`, which is no {kind}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<ServerConfig, ConfigError> {
        ServerConfig::from_lookup(|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let message = config(&[("PORT", "70000"), ("CONNECTOR_HOST_NAME", "")])
            .unwrap_err()
            .to_string();
        for part in [
            "`CONNECTOR_MANAGER_URL`",
            "`CONNECTOR_HOST_NAME`",
            "`PORT` is `70000`, which is no port",
        ] {
            assert!(message.contains(part), "{part} is not in:\n{message}");
        }
    }

    #[test]
    fn the_published_variables_are_enough() {
        let config = config(&[
            ("CONNECTOR_MANAGER_URL", "http://manager:3004"),
            ("CONNECTOR_HOST_NAME", "acme"),
            ("PORT", "4001"),
        ]);
        assert_eq!(
            config,
            Ok(ServerConfig::new("http://manager:3004", "acme", 4001))
        );
        assert_eq!(config.unwrap().connector_url(), "http://acme:4001");
    }

    #[test]
    fn times_are_read_in_seconds() {
        let mut variables = vec![
            ("CONNECTOR_MANAGER_URL", "http://manager:3004"),
            ("CONNECTOR_HOST_NAME", "acme"),
            ("PORT", "4001"),
            ("OMNI_CONNECTOR_GRACE_SECONDS", "30"),
            ("OMNI_CONNECTOR_WEBHOOK_WINDOW_SECONDS", "5"),
        ];
        let read = config(&variables).unwrap();
        assert_eq!(read.grace, Duration::from_secs(30));
        assert_eq!(read.webhook_window, Duration::from_secs(5));
        variables.push(("CATALOG_CACHE_TTL_SECONDS", "soon"));
        variables[4].1 = "-1";
        let message = config(&variables).unwrap_err().to_string();
        for name in [
            "`OMNI_CONNECTOR_WEBHOOK_WINDOW_SECONDS` is `-1`",
            "`CATALOG_CACHE_TTL_SECONDS` is `soon`",
        ] {
            assert!(message.contains(name), "{name} is not in:\n{message}");
        }
    }

    #[test]
    fn the_catalog_is_kept_where_and_as_long_as_the_environment_says() {
        let with = |name, value| {
            config(&[
                ("CONNECTOR_MANAGER_URL", "http://manager:3004"),
                ("CONNECTOR_HOST_NAME", "acme"),
                ("PORT", "4001"),
                (name, value),
            ])
        };
        let folder = |value| with("CATALOG_CACHE_DIR", value).unwrap().catalog_cache_dir;
        assert_eq!(folder(""), PathBuf::from("/var/lib/omni/mcp-catalogs"));
        assert_eq!(folder("/tmp/catalogs"), PathBuf::from("/tmp/catalogs"));
        let ttl = |value| {
            let config = with("CATALOG_CACHE_TTL_SECONDS", value)?;
            Ok::<_, ConfigError>(config.catalog_cache_ttl)
        };
        for (value, expected) in [
            ("", Some(Duration::from_hours(24))),
            ("90", Some(Duration::from_secs(90))),
            ("0", None),
            ("-1", None),
        ] {
            assert_eq!(ttl(value), Ok(expected), "{value}");
        }
        let message = ttl("a day").unwrap_err().to_string();
        assert!(
            message.contains("`CATALOG_CACHE_TTL_SECONDS` is `a day`"),
            "{message}"
        );
        let idle =
            |value| with("OMNI_CONNECTOR_MCP_IDLE_SECONDS", value).map(|config| config.mcp_idle);
        assert_eq!(idle(""), Ok(Duration::from_mins(5)));
        assert_eq!(idle("7"), Ok(Duration::from_secs(7)));
        assert!(idle("0").is_err(), "no connection lives so short");
    }

    #[test]
    fn a_token_is_read_and_never_shown() {
        let config = config(&[
            ("CONNECTOR_MANAGER_URL", "http://ann:hunter2@manager:3004"),
            ("CONNECTOR_HOST_NAME", "acme"),
            ("PORT", "4001"),
            ("OMNI_CONNECTOR_TOKEN", " hunter2 "),
        ])
        .unwrap();
        assert_eq!(config.token, Some("hunter2".to_owned().into()));
        assert_ne!(config.token, Some("hunter3".to_owned().into()));
        assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
    }
}
